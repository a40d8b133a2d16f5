import { jcs } from '@gatehouse/contract/jcs.ts';
import { strict } from './eras/ask-http.ts';
import { withId } from './eras/rewrite.ts';
import { isAll } from './aggregate/all-connectors.ts';
import { MAX_TTL_MS, privately, ttlOf } from './cache-hints.ts';
import type { Exchange } from './exchange.ts';
import type { RpcId } from './message.ts';
import type { OrgView } from './org-view.ts';
import type { Relayed } from './relay.ts';

/** Lists that are asked for again and again, as clients do at every start. What is read is not kept: content is nobody's to keep but the client's. */
const kept: ReadonlySet<string> = new Set(['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list']);
/** One list, and all of them in this process. */
const MAX_LIST = 512 * 1024;
const MAX_ALL = 32 * 1024 * 1024;

type Entry = { text: string; until: number; from: number; view: WeakRef<OrgView> };

/**
 * What connectors listed, for as long as they said that it is good. INVARIANT (nobody else's): an answer is found only by the same person with the same
 * client, at the same connector, for the same question, while nothing of the organization has changed since: no rule, review, connection or
 * address. It is kept as the connector gave it; what of it is shown is decided anew each time.
 */
export class KeptLists {
  readonly #entries = new Map<string, Entry>();
  #size = 0;

  /** The answer to this request, under its id and good for as long as is left of it. */
  find(x: Exchange): (Relayed & { kind: 'message' }) | undefined {
    const key = keyOf(x);
    const e = key === undefined ? undefined : this.#entries.get(key);
    if (key === undefined || !e) return undefined;
    const now = x.gate.world.now().getTime();
    if (now >= e.until || now < e.from || e.view.deref() !== x.view) {
      this.#forget(key);
      return undefined;
    }
    const id: RpcId = x.message?.kind === 'request' ? x.message.id : '';
    const text = privately(withId(e.text, id), true, e.until - now);
    return {
      kind: 'message',
      status: 200,
      headers: {},
      raw: Buffer.from(text),
      text,
      message: strict(text),
      streamed: false,
    };
  }

  /** Keeps an answer that says how long it is good. */
  keep(x: Exchange, text: string): void {
    const key = keyOf(x);
    if (key === undefined || text.length > MAX_LIST) return;
    const ttl = Math.min(ttlOf(text), MAX_TTL_MS);
    this.#forget(key);
    if (ttl <= 0) return;
    const from = x.gate.world.now().getTime();
    this.#entries.set(key, { text, from, until: from + ttl, view: new WeakRef(x.view) });
    this.#size += text.length;
    for (const [oldest] of this.#entries) {
      if (this.#size <= MAX_ALL) break;
      this.#forget(oldest);
    }
  }

  /** The connector said that a list of its is another now: nothing of it is good any more, whoever heard. */
  changed(connector: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(`${connector} `)) this.#forget(key);
  }

  #forget(key: string): void {
    this.#size -= this.#entries.get(key)?.text.length ?? 0;
    this.#entries.delete(key);
  }
}

/** Whose answer to what. Undefined: nothing that is kept. */
function keyOf(x: Exchange): string | undefined {
  const { message: m, connector, who } = x;
  // Tools of ours cost nothing to list; a translated server gives no hints.
  if (m?.kind !== 'request' || !m.modern || !kept.has(m.method) || isAll(connector) || connector.builtin !== undefined)
    return undefined;
  const { _meta: _, ...params } = m.params;
  const { org, member, client } = who.caller;
  return `${connector.id} ${jcs([org, member, client ?? null, m.method, params])}`;
}
