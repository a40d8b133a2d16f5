import { judge, type Verdict } from '#dlp/judge.ts';
import type { DlpAction } from '#dlp/verdict.ts';
import { GRANT_MS, hashOf } from '#approvals/approval.ts';
import { newId } from '#kernel/id.ts';
import { argsOf } from './action-of.ts';
import { callTool, type Sent } from './call-tool.ts';
import { hinted } from './cache-hints.ts';
import { Carrier } from './carrier.ts';
import { actionOfBytes, askOf, carried, replacedBy, runOf } from './held-call.ts';
import { checkParamHeaders } from './check-headers.ts';
import { inspectedBy } from './content-stages.ts';
import { passSession, towardsUpstream, watch, type Exchange } from './exchange.ts';
import type { Message } from './message.ts';
import { tooMany } from './limits/too-many.ts';
import { answerOf } from './outcome-answer.ts';
import { redactJson } from '#dlp/redact-json.ts';
import { MAX_STREAM_BYTES, relay, type Relayed } from './relay.ts';
import { refuse } from './reply.ts';
import { stagesOf } from './stages.ts';
import { takeHold } from './take-hold.ts';
import { classOf, type CallMethod, type Failure, type ToolCall } from './tool-call.ts';
import { Broken } from './upstream.ts';
import { Problem } from '#kernel/problem.ts';

/** Runs one call and answers it. The switch over the outcome is the whole of what a client can see. */
export async function serveCall(x: Exchange, came: Message & { kind: 'request' }, method: CallMethod): Promise<void> {
  const leave = enter(x, came, method);
  try {
    await served(x, came, method);
  } finally {
    leave();
  }
}

/**
 * A place for the call among those of its person, connector and tool, or the refusal. It comes before anything that is recorded and looks at no
 * rule and no argument, so it says nothing to somebody who tries what there is: names that no reviewer let through are one tool together.
 */
function enter(x: Exchange, came: Message & { kind: 'request' }, method: CallMethod): () => void {
  const { gate, connector } = x;
  const name = method === 'tools/call' ? String(came.params['name']) : method;
  const tool = method !== 'tools/call' || connector.tools.get(name)?.state === 'reviewed' ? name : '';
  const { org, member } = x.who.caller;
  const asked = { org, member, connector: connector.id, tool };
  const now = gate.world.now();
  const place = gate.fairUse.enter(asked, x.view.limits(connector.id), now.getTime());
  if (typeof place === 'function') return place;
  gate.metrics.tooMany(place);
  gate.refusals.note(x.ctx, asked, place, now);
  throw tooMany(place, { connector: connector.slug, tool: name });
}

async function served(x: Exchange, came: Message & { kind: 'request' }, method: CallMethod): Promise<void> {
  const { gate, reply, connector } = x;
  const known = method === 'tools/call' ? connector.tools.get(String(came.params['name'])) : undefined;
  if (known) checkParamHeaders(came, x.headers, known);
  const { caller } = x.who;
  const by = { org: caller.org, member: caller.member, user: caller.user, client: caller.client };
  const pin = known?.reviewedPin ?? undefined;
  const to = { connector, method, pin, now: x.ctx.now };
  const taken = x.body && takeHold(gate.holds, by, to, came, x.body);
  if (taken) x.body = taken.body;
  const { message, hold } = taken ?? { message: came, hold: undefined };
  const call: ToolCall = {
    id: newId('tcl', x.ctx.now.getTime()),
    connector: connector.id,
    type: connector.type,
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
  const carrier = new Carrier(message, x.headers, x.body);
  const early: Verdict[] = [];
  try {
    const outcome = await callTool(
      call,
      stagesOf({
        ctx: x.ctx,
        who: x.who,
        view: x.view,
        writer: gate.writer,
        shadow: gate.shadow,
        hashArgs: gate.hashArgs,
        carrier,
        session: x.session,
        signal: x.end.signal,
        metrics: gate.metrics,
        early,
        hold,
        replaces: replacedBy(message.params),
        reads: gate.reads,
        run: runOf(message.params),
        hasRead: undefined,
        begun: () => reply.streaming,
        now: () => gate.world.now(),
        async renewed() {
          const again = await gate.callers.still(x.who.token);
          return again && { who: { ...x.who, caller: again }, view: await gate.views(again) };
        },
        waitFor: (approval) => gate.waitFor(caller, approval, gate.holdMs, x.end.signal),
        async send(_call, approved) {
          try {
            // The last look before anything leaves, at the very bytes.
            if (
              approved !== undefined &&
              hashOf(actionOfBytes(by, connector.id, method, carrier.body, pin)) !== approved
            )
              return failed('not_as_approved', 'what was about to be sent is not what a person approved');
            const r = await relayed(x, message, call, carrier, early);
            if (r.kind === 'message') {
              carrier.answer = r;
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
              return {
                ok: false,
                ended: { kind: 'blocked', where: 'result', findings: e.verdict.findings, kept: undefined },
              };
            if (e instanceof Broken) return failed(e.why, e.says);
            gate.world.log.error({ err: e, request: reply.request }, 'a call failed on our side');
            return failed('ours', 'something broke on our side');
          }
        },
      }),
    );
    gate.metrics.ended(outcome.kind, (performance.now() - began) / 1000);
    const { answer } = carrier;
    if (outcome.kind === 'answered' && answer) {
      // Of what is read, for whom and how long it may be kept is ours to say.
      reply.give(answer, hinted({ message }, answer.text));
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
            ask: askOf(message, method, hold),
            seal: (approval, round) =>
              gate.holds.seal(caller.org, {
                approval: approval.id,
                hash: approval.hash,
                connector: connector.id,
                tool: call.tool,
                round,
                member: caller.member,
                client: caller.client,
                expires: approval.expires.getTime() + GRANT_MS,
                upstream: carried(message.params),
              }),
          }),
        );
    }
  } finally {
    release();
  }
}

/** Ends a relay because something that came before the answer must not be given out. */
export class Stopped extends Error {
  readonly verdict: Verdict;
  constructor(verdict: Verdict) {
    super('inspection stopped the stream');
    this.verdict = verdict;
  }
}

const failed = (why: Failure, says: string): Sent => ({ ok: false, ended: { kind: 'failed', why, says } });
const stops: ReadonlySet<DlpAction> = new Set(['quarantine', 'block']);

/** Sends the call and looks at what comes before its answer: progress, log lines, questions to the client. */
async function relayed(
  x: Exchange,
  message: Message & { kind: 'request' },
  call: ToolCall,
  carrier: Carrier,
  early: Verdict[],
): Promise<Relayed> {
  const seen = (text: string, v: Verdict): string | undefined => {
    if (v.action === 'allow') return undefined;
    early.push(v);
    // One of many messages on the way is nothing that could be released later by itself.
    if (stops.has(v.action)) throw new Stopped(v);
    return v.redactions.length > 0 ? redactJson(text, ['params'], v.redactions) : undefined;
  };
  return relay(await towardsUpstream(x, carrier, classOf(call) !== 'read'), x.reply, {
    wants: message.id,
    eager: false,
    maxStreamBytes: MAX_STREAM_BYTES,
    look(m, _raw, text) {
      const v = judge(
        x.view.dlp,
        {
          ...inspectedBy(x, 'result'),
          connector: call.connector,
          tool: call.known?.name ?? call.method,
          class: classOf(call),
          call: call.id,
          content: m['params'] ?? null,
        },
        x.who.caller.groups,
        x.end.signal,
      );
      return v instanceof Promise ? v.then((settled) => seen(text, settled)) : seen(text, v);
    },
    head: (h) => passSession(x, h['mcp-session-id']),
  });
}
