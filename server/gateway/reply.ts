import type { ServerResponse } from 'node:http';
import type { World } from '#kernel/ctx.ts';
import { status, type Problem } from '#kernel/problem.ts';
import { challenge } from './caller.ts';
import { asEvent, eventWith } from '#kernel/event-stream.ts';
import type { RpcId } from './message.ts';
import type { Relayed } from './relay.ts';

const own = { 'cache-control': 'private, no-store', 'x-content-type-options': 'nosniff' };

/** The answer to one request: a JSON message, or a stream of events that ends with one. Of an upstream's headers it takes none by itself. */
export class Reply {
  readonly res: ServerResponse;
  readonly request: string;
  /** Headers that the answer gets whatever it is, e.g. the session's. */
  readonly extra: Record<string, string> = {};
  #streaming = false;

  constructor(res: ServerResponse, request: string) {
    this.res = res;
    this.request = request;
  }

  get streaming(): boolean {
    return this.#streaming;
  }

  beginStream(): void {
    if (this.#streaming || this.res.headersSent) return;
    this.#streaming = true;
    this.res.writeHead(200, {
      ...own,
      'content-type': 'text/event-stream',
      'x-accel-buffering': 'no',
      'request-id': this.request,
      ...this.extra,
    });
  }

  /** False: wait for `drain` before the next. */
  event(raw: Buffer | string): boolean {
    this.beginStream();
    return this.res.write(raw);
  }

  /** An upstream's answer as it came, or with `text` in its place where that is another. */
  give(a: Relayed & { kind: 'message' }, text: string): void {
    const same = text === a.text;
    if (!a.streamed) return this.json(a.status, same ? a.raw : text);
    this.beginStream();
    this.res.end(same ? a.raw : eventWith(a.raw, text));
  }

  json(code: number, body: string | Buffer, headers: Record<string, string> = {}): void {
    if (this.#streaming) {
      this.res.end(asEvent(typeof body === 'string' ? body : body.toString('utf8')));
      return;
    }
    if (this.res.headersSent || this.res.destroyed) return;
    this.res.writeHead(code, {
      ...own,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'request-id': this.request,
      ...this.extra,
      ...headers,
    });
    this.res.end(body);
  }

  empty(code: number, headers: Record<string, string> = {}): void {
    if (this.res.headersSent) {
      this.res.end();
      return;
    }
    this.res.writeHead(code, { ...own, 'content-length': 0, 'request-id': this.request, ...this.extra, ...headers });
    this.res.end();
  }
}

/** JSON-RPC 2.0 §5.1, and what MCP 2026-07-28 adds. */
function rpcCode(p: Problem): number {
  switch (p.code) {
    case 'gateway/header-mismatch':
      return -32020;
    case 'gateway/unknown-method':
      return -32601;
    case 'gateway/params':
    case 'gateway/unknown-tool':
      return -32602;
    case 'gateway/batch':
    case 'gateway/not-json-rpc':
    case 'gateway/id':
      return -32600;
    case 'gateway/two-messages':
      return -32700;
    default:
      return p.code.startsWith('http/') && p.kind === 'invalid' ? -32700 : -32000;
  }
}

/** How this door says no: a JSON-RPC error whose data has the code that is for ever, under an HTTP status that says the same. */
export function refuse(
  world: Pick<World, 'origin' | 'log'>,
  reply: Reply,
  path: string,
  p: Problem,
  id: RpcId | null,
  code: number = status[p.kind],
): void {
  const fields = {
    request: reply.request,
    // Not `code`: a field of that name is an OAuth code, and the log hides it.
    problem: p.code,
    err: p.kind === 'bug' || p.kind === 'unavailable' ? p.cause : undefined,
  };
  if (p.kind === 'bug') world.log.error(fields, 'an MCP request failed on our side');
  // A flood must not become one of the log; what is refused so is counted, and recorded once a minute.
  else if (p.code !== 'gateway/too-many') world.log.info(fields, 'an MCP request was refused');
  const headers: Record<string, string> = {};
  if (p.kind === 'unauthenticated' || p.code === 'gateway/scope')
    headers['www-authenticate'] = challenge(world.origin, path, p);
  if (p.kind === 'unavailable') headers['retry-after'] = '2';
  const wait = p.more?.['retryAfterSeconds'];
  if (p.kind === 'too_many' && typeof wait === 'number') headers['retry-after'] = String(wait);
  // What is left of a body that we did not read is not worth reading.
  if (p.kind === 'too_large') headers['connection'] = 'close';
  reply.json(
    code,
    rpcError(id, rpcCode(p), p.says, { ...p.more, code: p.code, fix: p.fix, request: reply.request }),
    headers,
  );
}

export const rpcError = (id: RpcId | null, code: number, message: string, data?: object): string =>
  JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, ...(data ? { data } : {}) } });
