import { inspect, type Finding } from '#dlp/inspect.ts';
import { newId } from '#kernel/id.ts';
import { callTool, type Sent } from './call-tool.ts';
import { checkParamHeaders } from './check-headers.ts';
import { passSession, towardsUpstream, watch, type Exchange } from './exchange.ts';
import type { Message, Params } from './message.ts';
import { answerOf } from './outcome-answer.ts';
import { MAX_STREAM_BYTES, relay, type Relayed } from './relay.ts';
import { refuse } from './reply.ts';
import { stagesOf } from './stages.ts';
import { classOf, type CallMethod, type Failure, type ToolCall } from './tool-call.ts';
import { Broken } from './upstream.ts';
import { Problem } from '#kernel/problem.ts';

/** Runs one call and answers it. The switch over the outcome is the whole of what a client can see. */
export async function serveCall(
  x: Exchange,
  message: Message & { kind: 'request' },
  method: CallMethod,
): Promise<void> {
  const { gate, reply, connector } = x;
  const known = method === 'tools/call' ? connector.tools.get(String(message.params['name'])) : undefined;
  if (known) checkParamHeaders(message, x.req.headers, known);
  const call: ToolCall = {
    id: newId('tcl', x.ctx.now.getTime()),
    connector: connector.id,
    tool: method === 'tools/call' ? String(message.params['name']) : method,
    method,
    known,
    args: argsOf(method, message.params),
    toolArgs: method === 'tools/call' ? (message.params['arguments'] ?? {}) : {},
    bytes: x.body?.length ?? 0,
  };
  const began = performance.now();
  const release = watch(x, gate.callMs, (view) => {
    const tool = view.connectors.get(connector.slug)?.tools.get(call.tool);
    return method !== 'tools/call' || (tool?.state === 'reviewed' && tool.class === classOf(call));
  });
  let answer: (Relayed & { kind: 'message' }) | undefined;
  try {
    const outcome = await callTool(
      call,
      stagesOf({
        ctx: x.ctx,
        who: x.who,
        view: x.view,
        writer: gate.writer,
        hashArgs: gate.hashArgs,
        async send() {
          try {
            const r = await relayed(x, message);
            if (r.kind === 'message') {
              answer = r;
              const error = 'error' in r.message;
              return { ok: true, result: error ? r.message['error'] : r.message['result'], bytes: r.raw.length, error };
            }
            if (r.kind === 'ended')
              return failed(
                'interrupted',
                'the connector ended the stream before its answer; the client may resume it',
              );
            return failed('upstream_error', `the connector answered with status ${r.status} and no message`);
          } catch (e) {
            if (e instanceof Stopped)
              return { ok: false, ended: { kind: 'blocked', where: 'to_user', findings: e.findings } };
            if (e instanceof Broken) return failed(e.why, e.says);
            gate.world.log.error({ err: e, request: reply.request }, 'a call failed on our side');
            return failed('ours', 'something broke on our side');
          }
        },
      }),
    );
    gate.metrics.ended(outcome.kind, (performance.now() - began) / 1000);
    if (outcome.kind === 'answered' && answer) {
      if (answer.streamed) reply.endWithEvent(answer.raw);
      else reply.json(answer.status, answer.raw);
    } else if (outcome.kind !== 'answered') {
      if (outcome.kind === 'failed' && outcome.why === 'interrupted' && reply.streaming) reply.res.end();
      else if (outcome.kind === 'denied' && outcome.why === 'scope')
        refuse(
          gate.world,
          reply,
          x.path,
          new Problem('forbidden', 'gateway/scope', { says: outcome.says, fix: 'sign in again and allow it' }),
          message.id,
        );
      else
        reply.json(
          200,
          answerOf(outcome, call, {
            id: message.id,
            modern: message.modern,
            origin: gate.world.origin,
            org: x.ctx.org,
          }),
        );
    }
  } finally {
    release();
  }
}

/** Ends a relay because something that came before the answer must not be given out. */
class Stopped extends Error {
  readonly findings: readonly Finding[];
  constructor(findings: readonly Finding[]) {
    super('inspection stopped the stream');
    this.findings = findings;
  }
}

const failed = (why: Failure, says: string): Sent => ({ ok: false, ended: { kind: 'failed', why, says } });

async function relayed(x: Exchange, message: Message & { kind: 'request' }): Promise<Relayed> {
  return relay(await towardsUpstream(x), x.reply, {
    wants: message.id,
    eager: false,
    maxStreamBytes: MAX_STREAM_BYTES,
    look(m) {
      const v = inspect(x.view.dlp, 'to_user', m['params'] ?? null);
      if (v.kind === 'blocked' || v.kind === 'quarantined') throw new Stopped(v.findings);
    },
    head: (h) => passSession(x, h['mcp-session-id']),
  });
}

/** What a call takes with it, as rules, people and inspection see it. Answers to what the upstream asked (MRTR) are part of it. */
function argsOf(method: CallMethod, params: Params): unknown {
  const { _meta: _, name, requestState: __, ...rest } = params;
  if (method !== 'tools/call') return { ...(name === undefined ? {} : { name }), ...rest };
  const { arguments: args = {}, inputResponses, ...others } = rest;
  if (inputResponses === undefined && Object.keys(others).length === 0) return args;
  return { arguments: args, ...(inputResponses === undefined ? {} : { inputResponses }), ...others };
}
