import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { AnswerHead, Headers, Reason } from '@gatehouse/contract/tunnel/frame.ts';
import type { Ear, Stream } from '@gatehouse/contract/tunnel/line.ts';
import { MAX_MCP_REQUEST_BYTES } from '#kernel/limits.ts';
import { Problem } from '#kernel/problem.ts';

/** Of the connection between agent and server, or of how a body is sent: each end makes its own. */
const hop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
  'expect',
]);

/** A request as undici would send it, for a line. */
export async function requestOf(
  o: Dispatcher.DispatchOptions,
): Promise<{ url: URL; headers: Headers; body: Buffer | undefined }> {
  const url = new URL(o.path, o.origin);
  const body = await bodyOf(o.body);
  const headers = pairsOf(o.headers).filter(([name]) => !hop.has(name.toLowerCase()));
  if (body !== undefined) headers.push(['content-length', String(body.length)]);
  return { url, headers, body };
}

function pairsOf(h: Dispatcher.DispatchOptions['headers']): [string, string][] {
  if (!h) return [];
  if (Array.isArray(h) || Symbol.iterator in h)
    throw new TypeError('headers of a request through a tunnel are given by name');
  return Object.entries(h).flatMap(([name, value]) =>
    [value].flat().flatMap((v): [string, string][] => (v === undefined ? [] : [[name, String(v)]])),
  );
}

async function bodyOf(body: Dispatcher.DispatchOptions['body']): Promise<Buffer | undefined> {
  if (body === null || body === undefined) return undefined;
  if (typeof body === 'string' || body instanceof Uint8Array) return Buffer.from(body);
  if (!(Symbol.asyncIterator in body)) throw new TypeError('a body of this kind does not go through a tunnel');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk as Uint8Array);
    size += bytes.length;
    if (size > MAX_MCP_REQUEST_BYTES)
      throw new Problem('too_large', 'tunnels/too-large', {
        says: `the request has more than ${MAX_MCP_REQUEST_BYTES} bytes`,
        fix: 'send a link instead of the content',
      });
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/**
 * One request under way, as undici's caller sees it. What is not taken is not asked for: while the caller pauses, at most a window of the answer
 * waits here.
 */
export class TunnelCall implements Dispatcher.DispatchController, Ear {
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #asProblem: (r: Reason) => Error;
  readonly #waiting: Uint8Array[] = [];
  #stream: Stream | undefined;
  #paused = false;
  #ended = false;
  #settled = false;
  #reason: Error | null = null;

  constructor(handler: Dispatcher.DispatchHandler, asProblem: (r: Reason) => Error) {
    this.#handler = handler;
    this.#asProblem = asProblem;
    handler.onRequestStart?.(this, {});
  }

  get aborted(): boolean {
    return this.#reason !== null;
  }
  get paused(): boolean {
    return this.#paused;
  }
  get reason(): Error | null {
    return this.#reason;
  }
  /** Whether nothing more is to be done for it. */
  get over(): boolean {
    return this.#settled;
  }

  /** Goes on this stream now. */
  sentOn(stream: Stream): void {
    this.#stream = stream;
  }

  abort(why: Error): void {
    if (this.#settled) return;
    this.#stream?.reset({ code: 'cancelled', says: 'nobody waits for the answer' });
    this.#reason = why;
    this.fail(why);
  }
  pause(): void {
    this.#paused = true;
  }
  resume(): void {
    this.#paused = false;
    this.#deliver();
  }

  /** It ends with this. */
  fail(e: Error): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#waiting.length = 0;
    this.#handler.onResponseError?.(this, e);
  }

  head({ status, headers }: AnswerHead): void {
    this.#guarded(() => this.#handler.onResponseStart?.(this, status, headersOf(headers)));
  }
  data(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#deliver();
  }
  end(): void {
    this.#ended = true;
    this.#deliver();
  }
  drain(): void {
    // The whole body was handed over at once.
  }
  reset(r: Reason): void {
    this.fail(this.#asProblem(r));
  }

  #deliver(): void {
    while (!this.#paused && !this.#settled) {
      const next = this.#waiting.shift();
      if (!next) break;
      this.#guarded(() =>
        this.#handler.onResponseData?.(this, Buffer.from(next.buffer, next.byteOffset, next.byteLength)),
      );
      this.#stream?.took(next.length);
    }
    if (!this.#ended || this.#settled || this.#paused || this.#waiting.length > 0) return;
    this.#settled = true;
    this.#handler.onResponseEnd?.(this, {});
  }

  /** What the caller throws ends his request and nobody else's. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (e) {
      this.abort(e instanceof Error ? e : new Error('refused'));
    }
  }
}

function headersOf(pairs: Headers): IncomingHttpHeaders {
  const out: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  for (const [name, value] of pairs) {
    const key = name.toLowerCase();
    if (hop.has(key) && key !== 'content-length') continue;
    const known = out[key];
    out[key] = known === undefined ? value : [...[known].flat(), value];
  }
  return out;
}
