import type { IncomingHttpHeaders } from 'node:http';
import { parseJson, parseJsonText } from '#kernel/json.ts';
import { MAX_MCP_RESULT_BYTES, MiB } from '#kernel/limits.ts';
import { Problem } from '#kernel/problem.ts';
import { eventCutter, eventWith, type StreamEvent } from '#kernel/event-stream.ts';
import { isParams, type Params, type RpcId } from './message.ts';
import type { Reply } from './reply.ts';
import { Broken, sendUpstream, type UpstreamRequest } from './upstream.ts';

/** All events of one answer together: a long job that reports progress, not a download. */
export const MAX_STREAM_BYTES = 64 * MiB;
/** After its answer an upstream may take this long to end the stream; then we do. */
const LINGER_MS = 1000;

/** What an upstream's answer came to. `raw` are its bytes, of the message or of the event that has it. */
export type Relayed =
  | {
      kind: 'message';
      status: number;
      headers: IncomingHttpHeaders;
      raw: Buffer;
      text: string;
      message: Params;
      streamed: boolean;
    }
  /** No message, as after a notification or a 404. */
  | { kind: 'empty'; status: number; headers: IncomingHttpHeaders }
  /** A stream that ended by itself: one that is not the answer to anything, or that the client may resume elsewhere. */
  | { kind: 'ended'; resumable: boolean };

export type RelayOptions = {
  /** The id of the request that is to be answered; undefined for a stream that answers nothing. */
  wants: RpcId | undefined;
  /** Whether a stream begins before its first event, because the client waits for its head. */
  eager: boolean;
  maxStreamBytes: number;
  /** Looks at a message before it is passed on; throws to end everything. A text is passed on in its place. */
  look(message: Params, raw: Buffer, text: string): string | undefined | Promise<string | undefined>;
  /** Called once with the head of a good answer. */
  head(headers: IncomingHttpHeaders): void;
};

/**
 * Sends a request and passes on what comes before the answer, event by event and at the client's pace. The answer itself is kept back for the
 * caller, who decides whether it may be given out.
 */
export function relay(request: UpstreamRequest, reply: Reply, o: RelayOptions): Promise<Relayed> {
  return new Promise((resolve, reject) => {
    let status = 0;
    let headers: IncomingHttpHeaders = {};
    let mode: 'stream' | 'body' = 'body';
    const body: Buffer[] = [];
    let size = 0;
    const cutter = eventCutter(MAX_MCP_RESULT_BYTES);
    let resumable = false;
    let settled = false;
    // Events are looked at one after the other, also where looking takes its time.
    let line: Promise<void> | undefined;

    const finish = (value: Relayed): void => {
      settled = true;
      resolve(value);
      if (value.kind === 'message' && value.streamed) {
        const timer = setTimeout(
          () => sent.abort(new Broken('upstream_error', 'the stream did not end after its answer')),
          LINGER_MS,
        );
        timer.unref();
        sent.done.catch(() => undefined).finally(() => clearTimeout(timer));
      }
    };
    const fail = (e: unknown): void => {
      settled = true;
      const broken = asBroken(e);
      sent.abort(broken);
      reject(e instanceof Broken || e instanceof Error ? e : broken);
    };

    const onEvent = (e: StreamEvent): void | Promise<void> => {
      if (settled) return;
      resumable ||= /^id:/m.test(e.raw.toString('latin1'));
      if (e.data === '') return pass(e.raw);
      const message = parsed(() => parseJsonText(e.data));
      const answers = !('method' in message);
      if (answers && o.wants !== undefined) {
        if (message['id'] !== o.wants)
          throw new Broken('malformed', 'the connector answered a request that was not asked here');
        finish({ kind: 'message', status, headers, raw: e.raw, text: e.data, message, streamed: true });
        return;
      }
      const looked = o.look(message, e.raw, e.data);
      const passed = (text: string | undefined): void => pass(text === undefined ? e.raw : eventWith(e.raw, text));
      return looked instanceof Promise ? looked.then(passed) : passed(looked);
    };
    const pass = (raw: Buffer): void => {
      if (settled) return;
      if (!reply.event(raw)) {
        paused = true;
        reply.res.once('drain', () => {
          paused = false;
          sent.resume();
        });
      }
    };
    let paused = false;

    const sent = (request.send ?? sendUpstream)(request, {
      head(s, h) {
        status = s;
        headers = h;
        checkHead(s, h);
        mode = s === 200 && typeOf(h) === 'text/event-stream' ? 'stream' : 'body';
        o.head(h);
        if (mode === 'stream' && o.eager) {
          reply.beginStream();
          reply.res.flushHeaders();
        }
      },
      data(chunk) {
        if (settled) return true;
        size += chunk.length;
        if (mode === 'body') {
          if (size > MAX_MCP_RESULT_BYTES)
            throw new Broken('too_large', `the connector's answer is larger than ${MAX_MCP_RESULT_BYTES} bytes`);
          body.push(chunk);
          return true;
        }
        if (size > o.maxStreamBytes)
          throw new Broken('too_large', `the connector's stream is longer than ${o.maxStreamBytes} bytes`);
        let events: StreamEvent[];
        try {
          events = cutter.push(chunk);
        } catch (e) {
          throw new Broken('too_large', `an event of the connector is larger than ${MAX_MCP_RESULT_BYTES} bytes`, e);
        }
        for (const e of events) {
          if (line) line = line.then(() => onEvent(e));
          else {
            const p = onEvent(e);
            if (p) line = p;
          }
          if (line) line.catch(fail);
        }
        return !paused;
      },
    });

    sent.done
      .then(
        async () => {
          await line;
          if (settled) return;
          if (mode === 'stream') {
            if (o.wants === undefined || resumable) finish({ kind: 'ended', resumable });
            else throw new Broken('malformed', 'the connector ended its stream without an answer');
            return;
          }
          finish(bodyOf(status, headers, Buffer.concat(body), o.wants));
        },
        (e: unknown) => {
          throw e;
        },
      )
      .catch(fail);
  });
}

function bodyOf(status: number, headers: IncomingHttpHeaders, raw: Buffer, wants: RpcId | undefined): Relayed {
  if (typeOf(headers) !== 'application/json' || raw.length === 0) {
    if (wants !== undefined && status < 400)
      throw new Broken('malformed', 'the connector answered with neither JSON nor a stream');
    return { kind: 'empty', status, headers };
  }
  const message = parsed(() => parseJson(raw));
  const unaddressed = message['id'] === null || message['id'] === undefined;
  if (wants !== undefined && message['id'] !== wants && !(unaddressed && 'error' in message))
    throw new Broken('malformed', 'the connector answered a request that was not asked');
  if (wants !== undefined && 'result' in message === 'error' in message)
    throw new Broken('malformed', "the connector's answer has neither a result nor an error, or both");
  return { kind: 'message', status, headers, raw, text: raw.toString('utf8'), message, streamed: false };
}

/** INVARIANT (one reading): what we looked at is what every later reader sees, so an answer that could be read in two ways is none. */
function parsed(parse: () => unknown): Params {
  let value: unknown;
  try {
    value = parse();
  } catch (e) {
    throw new Broken(
      'malformed',
      `the connector's answer cannot be read in one way only${e instanceof Problem ? `: ${e.says}` : ''}`,
      e,
    );
  }
  if (!isParams(value) || value['jsonrpc'] !== '2.0')
    throw new Broken('malformed', "the connector's answer is not a JSON-RPC 2.0 message");
  return value;
}

function checkHead(status: number, h: IncomingHttpHeaders): void {
  if (status >= 300 && status < 400)
    throw new Broken('redirect', 'the connector answered with a redirect, which is not followed');
  if (status === 401 || status === 403)
    throw new Broken(
      'credential_refused',
      "the connector refused the organization's credential; an administrator must renew it",
    );
  if (status >= 500 || status === 429)
    throw new Broken('upstream_error', `the connector answered with status ${status}`);
  const encoding = h['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    throw new Broken('malformed', 'the connector packed its answer, which it was asked not to do');
}

const typeOf = (h: IncomingHttpHeaders): string => (h['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

const asBroken = (e: unknown): Broken =>
  e instanceof Broken ? e : new Broken('ours', 'something broke on our side', e);
