import { setTimeout as sleep } from 'node:timers/promises';
import { headersOf, paramHeadersOf, VERSION_META, type ParamHeaders } from './mirror.ts';
import type { Tokens } from './sign-in.ts';
import { ask, BridgeError, isObject, messagesOf, reasonOf, type Answered, type Json } from './wire.ts';

export type RelayKit = {
  endpoint: URL;
  tokens: Pick<Tokens, 'get'>;
  /** One message towards the client, as one line. */
  write(message: string): void;
  say(line: string): void;
};

type Id = string | number;
const idOf = (m: Json): Id | undefined =>
  typeof m['id'] === 'string' || typeof m['id'] === 'number' ? m['id'] : undefined;
const paramsOf = (m: Json): Json => (isObject(m['params']) ? m['params'] : {});
/** The revision that a message of the era without sessions says of itself. */
const versionOf = (m: Json): string | undefined => {
  const meta = paramsOf(m)['_meta'];
  const version = isObject(meta) ? meta[VERSION_META] : undefined;
  return typeof version === 'string' ? version : undefined;
};

/**
 * Carries MCP messages between a client on stdio and the gateway, in whichever era the client speaks, without changing them: what the client
 * wrote is sent as it is, and what the gateway answers is written as it came.
 */
export class Relay {
  readonly #kit: RelayKit;
  readonly #open = new Map<Id, AbortController>();
  readonly #end = new AbortController();
  /** Of the older era: what began the session, so that an ended one can be begun again without the client's noticing. */
  #session: { id: string | undefined; version: string; initialize: string } | undefined;
  #beginning: Promise<void> | undefined;
  #params = new Map<string, ParamHeaders>();
  /** Of the older era's stream: whether the client is ready for it, whether it is held open, whether the gateway has none. */
  #hears: 'not yet' | 'ready' | 'open' | 'nothing' = 'not yet';
  /** Notifications and answers go out in the order in which the client wrote them. */
  #order: Promise<unknown> = Promise.resolve();

  constructor(kit: RelayKit) {
    this.#kit = kit;
  }

  /** Takes one line of the client. */
  take(line: string): void {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      message = undefined;
    }
    if (!isObject(message)) {
      this.#kit.say('the client wrote a line that is no message');
      this.#fail(null, -32700, 'this is not one JSON-RPC message');
      return;
    }
    const m = message;
    if (m['method'] === 'notifications/cancelled' && this.#session === undefined) {
      // Without a session, ending the request is the cancellation (2026-07-28).
      const { requestId: id } = paramsOf(m);
      if (typeof id === 'string' || typeof id === 'number') this.#open.get(id)?.abort();
      return;
    }
    const id = 'method' in m ? idOf(m) : undefined;
    const first = m['method'] === 'initialize';
    this.#order = this.#order.then(() => {
      const done = this.#carry(m, line, id).catch((e: unknown) => this.#told(e, id));
      // What comes after them must not overtake: the session is not there yet, or a notification says something about what follows.
      return id === undefined || first ? done : undefined;
    });
  }

  /** The client is gone: everything under way ends, and the session with it. */
  async close(): Promise<void> {
    await Promise.race([this.#order, sleep(1000, undefined, { ref: false })]);
    this.#end.abort();
    for (const c of this.#open.values()) c.abort();
    if (this.#session?.id === undefined) return;
    const token = await this.#kit.tokens.get();
    await ask(this.#kit.endpoint, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${token}`, ...this.#sessionHeaders() },
      signal: AbortSignal.timeout(2000),
    }).catch(() => undefined);
  }

  async #carry(m: Json, line: string, id: Id | undefined): Promise<void> {
    const control = new AbortController();
    if (id !== undefined) this.#open.set(id, control);
    try {
      const signal = AbortSignal.any([control.signal, this.#end.signal]);
      const again = this.#session?.id;
      let r = await this.#post(m, line, signal);
      if (r.status === 404 && again !== undefined && m['method'] !== 'initialize') {
        r.body.resume();
        await this.#begin(again);
        r = await this.#post(m, line, signal);
      }
      await this.#answer(m, line, id, r, signal);
      this.#listen();
    } finally {
      if (id !== undefined) this.#open.delete(id);
    }
  }

  async #post(m: Json, line: string, signal: AbortSignal): Promise<Answered> {
    const version = versionOf(m);
    const era = version === undefined ? this.#sessionHeaders() : headersOf(m, version, this.#params);
    return this.#withToken((token) =>
      ask(this.#kit.endpoint, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...(m['method'] === 'initialize' ? {} : era),
        },
        body: line,
        signal,
      }),
    );
  }

  #sessionHeaders(): Record<string, string> {
    const { id, version } = this.#session ?? {};
    return {
      ...(id === undefined ? {} : { 'mcp-session-id': id }),
      ...(version === undefined ? {} : { 'mcp-protocol-version': version }),
    };
  }

  /** Asks with a token, and once more with another one where the gateway does not take it. */
  async #withToken(work: (token: string) => Promise<Answered>): Promise<Answered> {
    const token = await this.#kit.tokens.get();
    const r = await work(token);
    if (r.status !== 401) return r;
    r.body.resume();
    return work(await this.#kit.tokens.get(token));
  }

  async #answer(m: Json, line: string, id: Id | undefined, r: Answered, signal: AbortSignal): Promise<void> {
    if (id === undefined) {
      if (r.status >= 400)
        this.#kit.say(
          `the gateway refused ${typeof m['method'] === 'string' ? m['method'] : 'an answer'} (${r.status})`,
        );
      r.body.resume();
      if (m['method'] === 'notifications/initialized' && this.#hears === 'not yet') this.#hears = 'ready';
      return;
    }
    let answered = false;
    const at: Place = { last: undefined, waitMs: 1000 };
    let from: Answered | undefined = r;
    while (from && !answered) {
      const refused: boolean = from.status >= 400;
      try {
        for await (const text of messagesOf(from, (field, value) => moved(at, field, value))) {
          const said: unknown = JSON.parse(text);
          if (
            isObject(said) &&
            !('method' in said) &&
            (said['id'] === id || (refused && (said['id'] ?? null) === null))
          ) {
            answered = true;
            this.#learn(m, line, said, from);
            // A refusal before the request was read names no request; the client waits for this one.
            this.#kit.write(said['id'] === id ? oneLine(text) : JSON.stringify({ ...said, id }));
          } else this.#kit.write(oneLine(text));
        }
      } catch (e) {
        if (at.last === undefined || signal.aborted) throw e;
      }
      // A stream with numbered events may end before the answer is there; the rest is asked for by the last number.
      from = answered || refused || at.last === undefined ? undefined : await this.#resume(at, signal);
    }
    if (!answered)
      throw new BridgeError(
        r.status >= 400
          ? `the gateway refused the request (${r.status})`
          : 'the gateway ended the answer before it was whole',
      );
  }

  async #resume(at: Place, signal: AbortSignal): Promise<Answered | undefined> {
    await sleep(at.waitMs, undefined, { signal });
    const r = await this.#stream(at.last, signal);
    if (r.status === 200) return r;
    r.body.resume();
    return undefined;
  }

  /** The older era's stream towards the client: from now on, or from an event on. */
  #stream(last: string | undefined, signal: AbortSignal): Promise<Answered> {
    return this.#withToken((token) =>
      ask(this.#kit.endpoint, {
        method: 'GET',
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'text/event-stream',
          ...this.#sessionHeaders(),
          ...(last === undefined ? {} : { 'last-event-id': last }),
        },
        signal,
      }),
    );
  }

  /** What later requests need to know: the session, and which arguments a tool wants repeated in headers. */
  #learn(m: Json, line: string, said: Json, r: Answered): void {
    const { result } = said;
    if (!isObject(result)) return;
    if (m['method'] === 'tools/list')
      for (const [name, headers] of paramHeadersOf(result)) this.#params.set(name, headers);
    if (m['method'] !== 'initialize') return;
    const session = r.headers['mcp-session-id'];
    const version = result['protocolVersion'];
    this.#session = {
      id: typeof session === 'string' ? session : undefined,
      version: typeof version === 'string' ? version : '2025-03-26',
      initialize: line,
    };
  }

  /** Begins an ended session again with what the client said when it began the first. */
  #begin(ended: string): Promise<void> {
    const known = this.#session;
    if (!known || known.id !== ended) return this.#beginning ?? Promise.resolve();
    const begin = async (): Promise<void> => {
      this.#kit.say('the session has ended; beginning it again');
      const { initialize } = known;
      const m: unknown = JSON.parse(initialize);
      if (!isObject(m)) return;
      const r = await this.#post(m, initialize, this.#end.signal);
      for await (const text of messagesOf(r)) {
        const said: unknown = JSON.parse(text);
        if (isObject(said) && said['id'] === m['id']) this.#learn(m, initialize, said, r);
      }
      const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
      (await this.#post(initialized, JSON.stringify(initialized), this.#end.signal)).body.resume();
    };
    this.#beginning ??= begin().finally(() => {
      this.#beginning = undefined;
    });
    return this.#beginning;
  }

  /** The stream on which the older era sends what nobody asked for. It comes back by itself; where that takes a sign-in, with the next request. */
  #listen(): void {
    if (this.#hears !== 'ready') return;
    this.#hears = 'open';
    const at: Place = { last: undefined, waitMs: 1000 };
    const run = async (): Promise<void> => {
      for (let wait = at.waitMs; !this.#end.signal.aborted; wait = Math.min(wait * 2, 30_000)) {
        try {
          const r = await this.#stream(at.last, this.#end.signal);
          if (r.status === 405) this.#hears = 'nothing';
          if (r.status === 200) {
            wait = at.waitMs;
            for await (const text of messagesOf(r, (field, value) => moved(at, field, value)))
              this.#kit.write(oneLine(text));
          } else r.body.resume();
        } catch (e) {
          if (e instanceof BridgeError) this.#hears = 'ready';
        }
        if (this.#hears !== 'open') return;
        await sleep(wait, undefined, { signal: this.#end.signal }).catch(() => undefined);
      }
    };
    void run();
  }

  #told(e: unknown, id: Id | undefined): void {
    if (this.#end.signal.aborted || (e instanceof Error && e.name === 'AbortError')) return;
    const says =
      e instanceof BridgeError ? e.message : `${this.#kit.endpoint.origin} cannot be reached (${reasonOf(e)})`;
    this.#kit.say(says);
    if (id !== undefined) this.#fail(id, -32000, says);
  }

  #fail(id: Id | null, code: number, message: string): void {
    this.#kit.write(JSON.stringify({ jsonrpc: '2.0', id, error: { code, message: `Gatehouse bridge: ${message}` } }));
  }
}

/** Where a stream of numbered events stands, and how long the server wants us to wait before we ask for the rest. */
type Place = { last: string | undefined; waitMs: number };

function moved(at: Place, field: 'id' | 'retry', value: string): void {
  if (field === 'id') at.last = value;
  else if (/^\d{1,5}$/.test(value)) at.waitMs = Number(value);
}

// A stream may break a message over several lines.
const oneLine = (text: string): string => (/[\r\n]/.test(text) ? JSON.stringify(JSON.parse(text)) : text);
