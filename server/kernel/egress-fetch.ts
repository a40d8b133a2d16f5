import { pipeline, Readable, Transform, type TransformCallback } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { Problem } from './problem.ts';

export type Caps = { maxBytes: number; timeoutMs: number };

/** Statuses whose answers have no body (RFC 9110 §6.4.1); a `Response` refuses one. */
const bodyless = new Set([204, 205, 304]);

/**
 * A fetch over a dispatcher that has checked where it connects. Bytes are counted as they come and as they unpack, and the clock runs
 * until the last of them, so neither a drip nor a bomb costs more than the caps. A 3xx is an answer like any other: we do not follow
 * redirects, because where they point to has not been approved by anybody.
 */
export async function egressFetch(
  dispatcher: Dispatcher,
  url: URL,
  init: RequestInit | undefined,
  caps: Caps,
): Promise<Response> {
  const request = new Request(url, { ...init, redirect: 'manual' });
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(tooSlow(url.host, caps.timeoutMs)), caps.timeoutMs);
  timer.unref();
  const stop = (): void => clearTimeout(timer);
  try {
    const answer = await dispatcher.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: request.method,
      headers: sentHeaders(request),
      body: await sentBody(request, init),
      signal: AbortSignal.any([request.signal, clock.signal]),
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const drop = (why: Problem): never => {
      answer.body.on('error', () => undefined).destroy(why);
      throw why;
    };
    const declared = Number(answer.headers['content-length'] ?? 0);
    if (declared > caps.maxBytes && request.method !== 'HEAD') drop(tooLarge(url.host, caps.maxBytes));
    const { statusCode: status } = answer;
    if (status < 200 || status > 599) drop(broken(url.host, `status ${status}`));
    if (init?.redirect === 'error' && status >= 300 && status < 400 && answer.headers['location'] !== undefined)
      drop(
        new Problem('upstream', 'egress/redirect', {
          says: `${url.host} answers with a redirect, and redirects are not followed`,
          fix: 'configure the address that it redirects to, if you trust it',
        }),
      );
    const unpack = unpacker(String(answer.headers['content-encoding'] ?? ''));
    if (unpack === 'unknown')
      drop(broken(url.host, `content-encoding ${String(answer.headers['content-encoding'])}, which was not asked for`));

    const headers = new Headers();
    for (const [name, value] of Object.entries(answer.headers)) {
      // Of the packed form; what the caller reads is unpacked.
      if (typeof unpack === 'function' && (name === 'content-encoding' || name === 'content-length')) continue;
      for (const v of [value].flat()) if (v !== undefined) headers.append(name, v);
    }
    let body: ReadableStream | null = null;
    if (request.method === 'HEAD' || bodyless.has(status)) {
      answer.body.on('error', () => undefined).resume();
      stop();
    } else {
      const counted = (): Transform => counter(() => tooLarge(url.host, caps.maxBytes), caps.maxBytes);
      const out = counted();
      const stages = typeof unpack === 'function' ? [counted(), unpack(), out] : [out];
      pipeline([answer.body, ...stages], stop);
      body = Readable.toWeb(translated(out, url.host)) as ReadableStream;
    }
    const response = new Response(body, { status, headers });
    Object.defineProperty(response, 'url', { value: url.href });
    return response;
  } catch (e) {
    stop();
    throw request.signal.aborted && !(e instanceof Problem) ? e : asEgressProblem(e, url.host);
  }
}

/** What went wrong on the way to `host`, in words; a Problem stays what it is. For users of `Egress.dispatcher`, too. */
export function asEgressProblem(e: unknown, host: string): unknown {
  if (e instanceof Problem || !(e instanceof Error)) return e;
  const code = 'code' in e && typeof e.code === 'string' ? e.code : '';
  if (/^UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT$/.test(code) || code === 'ETIMEDOUT') return tooSlow(host, undefined, e);
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return tooLarge(host, undefined, e);
  if (/^(ECONN|EHOST|ENET|EADDR|EPIPE)/.test(code) || e instanceof AggregateError)
    return new Problem('upstream', 'egress/unreachable', {
      says: `${host} does not take the connection (${code || 'no address answers'})`,
      fix: 'check that the system runs and that this server may reach it through firewalls',
      because: e,
    });
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_|ALTNAME/.test(code))
    return new Problem('upstream', 'egress/certificate', {
      says: `${host} does not prove who it is: ${code}`,
      fix: 'let it present a certificate for this name from an authority that this server trusts (NODE_EXTRA_CA_CERTS adds your own)',
      because: e,
    });
  return broken(host, code || e.name, e);
}

function sentHeaders(request: Request): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of request.headers) headers[name] = value;
  // undici sets these from the body and the origin.
  for (const own of ['host', 'connection', 'content-length', 'transfer-encoding']) delete headers[own];
  headers['accept'] ??= '*/*';
  headers['accept-encoding'] ??= 'gzip';
  headers['user-agent'] ??= 'gatehouse';
  return headers;
}

/** A stream stays a stream; anything else is sent whole, so that it has a length, which many token endpoints insist on. */
async function sentBody(request: Request, init: RequestInit | undefined): Promise<Readable | Buffer | null> {
  if (request.body === null) return null;
  if (init?.body instanceof ReadableStream) return Readable.from(request.body);
  return Buffer.from(await request.arrayBuffer());
}

function unpacker(encoding: string): 'none' | 'unknown' | (() => Transform) {
  switch (encoding.trim().toLowerCase()) {
    case '':
    case 'identity':
      return 'none';
    case 'gzip':
    case 'x-gzip':
      return () => createGunzip();
    case 'deflate':
      return () => createInflate();
    case 'br':
      return () => createBrotliDecompress();
    default:
      return 'unknown';
  }
}

/** Lets `max` bytes pass. Stages pull from each other, so nothing is unpacked that the cap does not let through. */
function counter(over: () => Problem, max: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
      seen += chunk.length;
      if (seen > max) done(over());
      else done(null, chunk);
    },
  });
}

/** Errors of the body in the same words as errors of the head. */
const translated = (from: Readable, host: string): Readable =>
  Readable.from(
    (async function* () {
      try {
        yield* from;
      } catch (e) {
        throw asEgressProblem(e, host);
      }
    })(),
    { objectMode: false },
  );

const tooLarge = (host: string, max?: number, because?: unknown): Problem =>
  new Problem('upstream', 'egress/too-large', {
    says: `${host} answers with more than ${max === undefined ? 'we take' : `the ${max} bytes that we take`}`,
    fix: 'ask for less, or for a link instead of the content',
    because,
  });

const tooSlow = (host: string, ms?: number, because?: unknown): Problem =>
  new Problem('upstream', 'egress/timeout', {
    says: ms === undefined ? `${host} did not answer in time` : `${host} did not finish its answer within ${ms} ms`,
    fix: 'try again; if it stays slow, ask whoever runs it',
    because,
  });

const broken = (host: string, what: string, because?: unknown): Problem =>
  new Problem('upstream', 'egress/broken-answer', {
    says: `${host} does not speak HTTP as we expect it: ${what}`,
    fix: 'check that the address is the right one',
    because,
  });
