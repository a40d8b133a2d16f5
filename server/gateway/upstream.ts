import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { Problem } from '#kernel/problem.ts';
import type { Secret } from '#kernel/secret.ts';
import { keepSecret } from './keep-secret.ts';
import type { Failure } from './tool-call.ts';

export type UpstreamRequest = {
  dispatcher: Dispatcher;
  origin: string;
  path: string;
  method: 'POST' | 'GET' | 'DELETE';
  headers: Record<string, string>;
  body: Buffer | undefined;
  bearer: Secret | undefined;
  signal: AbortSignal;
  /** How it goes; absent: over HTTP, as it is. */
  send?: Sender | undefined;
};

/** What to do with an answer while it arrives. `data` returns false to pause until `resume` is called. */
export type UpstreamSink = {
  head(status: number, headers: IncomingHttpHeaders): void;
  data(chunk: Buffer): boolean;
};

/** A request under way. */
export type Sending = { done: Promise<void>; resume(): void; abort(why: Error): void };
/** A way to send a request: over HTTP as it is, or translated for a server of another revision. */
export type Sender = (r: UpstreamRequest, sink: UpstreamSink) => Sending;

/** An ending that is not an answer; `says` is for the person who waits. */
export class Broken extends Error {
  readonly why: Failure;
  readonly says: string;
  constructor(why: Failure, says: string, cause?: unknown) {
    super(says, { cause });
    this.name = 'Broken';
    this.why = why;
    this.says = says;
  }
}

/** What a client may say to an upstream. A list of what goes, so that a new header of a client, its cookies and its bearer do not. */
const forwarded = [
  'content-type',
  'accept',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
  'last-event-id',
  'traceparent',
  'tracestate',
];

/** The headers of the request that goes upstream. `session` is the upstream's own id. */
export function upstreamHeaders(from: IncomingHttpHeaders, session: string | undefined): Record<string, string> {
  const to: Record<string, string> = { 'user-agent': 'gatehouse/0.1.0', 'accept-encoding': 'identity' };
  for (const name of forwarded) {
    const v = from[name];
    if (typeof v === 'string') to[name] = v;
  }
  for (const name in from) {
    const v = from[name];
    if (name.startsWith('mcp-param-') && typeof v === 'string') to[name] = v;
  }
  if (session !== undefined) to['mcp-session-id'] = session;
  return to;
}

/** One request, sent once: whatever was sent may have had its effect, so nothing here tries again. Settles when the answer has ended. */
export function sendUpstream(r: UpstreamRequest, to: UpstreamSink): Sending {
  const sink = keepSecret(r.bearer, to);
  let controller: Dispatcher.DispatchController | undefined;
  let stopped: Error | undefined;
  const abort = (why: Error): void => {
    stopped ??= why;
    controller?.abort(why);
  };
  const onAbort = (): void =>
    abort(r.signal.reason instanceof Error ? r.signal.reason : new Broken('client_left', 'the client left'));
  const done = new Promise<void>((resolve, reject) => {
    if (r.signal.aborted) {
      onAbort();
      reject(stopped ?? new Broken('client_left', 'the client left'));
      return;
    }
    r.signal.addEventListener('abort', onAbort, { once: true });
    const headers = r.bearer ? { ...r.headers, authorization: `Bearer ${r.bearer.reveal()}` } : r.headers;
    r.dispatcher.dispatch(
      {
        origin: r.origin,
        path: r.path,
        method: r.method,
        headers,
        body: r.body ?? null,
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      {
        onRequestStart(c) {
          controller = c;
          if (stopped) c.abort(stopped);
        },
        onResponseStart(c, status, headersOfAnswer) {
          if (status < 200) return;
          try {
            sink.head(status, headersOfAnswer);
          } catch (e) {
            abort(e instanceof Error ? e : new Error('refused'));
          }
        },
        onResponseData(c, chunk) {
          try {
            if (!sink.data(chunk)) c.pause();
          } catch (e) {
            abort(e instanceof Error ? e : new Error('refused'));
          }
        },
        onResponseEnd() {
          r.signal.removeEventListener('abort', onAbort);
          try {
            if (!stopped) sink.end();
          } catch (e) {
            stopped = e instanceof Error ? e : new Error('refused');
          }
          if (stopped) reject(stopped);
          else resolve();
        },
        onResponseError(_c, e) {
          r.signal.removeEventListener('abort', onAbort);
          reject(stopped ?? asBroken(e));
        },
      },
    );
  });
  return { done, resume: () => controller?.resume(), abort };
}

function asBroken(e: Error): Broken {
  if (e instanceof Broken) return e;
  // Egress refuses at connect: the address is not one that this connector may reach.
  if (e instanceof Problem) return new Broken('unreachable', e.says, e);
  const code = 'code' in e ? String(e.code) : '';
  if (/TIMEOUT/.test(code)) return new Broken('timeout', 'the connector did not answer in time', e);
  if (/RES_EXCEEDED|HEADERS_OVERFLOW/.test(code))
    return new Broken('too_large', 'the connector sent more than is passed on', e);
  if (e.name === 'HTTPParserError' || code.startsWith('HPE_'))
    return new Broken('malformed', 'the connector does not speak HTTP as it should', e);
  return new Broken('unreachable', 'the connector could not be reached, or ended the connection before it answered', e);
}
