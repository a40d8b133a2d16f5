import { listInstructions, listToolsOf } from '#connectors/tool.sql.ts';
import { isRecord } from '#connectors/tool.ts';
import { scopeOf } from '#kernel/ctx.ts';
import { elements, member, whole } from '#kernel/json-span.ts';
import { strict } from '../eras/ask-http.ts';
import { json } from '../eras/tell.ts';
import { MODERN, resultOf, SERVER_INFO, wrongEnvelope, type Greeting } from '../eras/rewrite.ts';
import type { Exchange } from '../exchange.ts';
import { isParams, type RpcId } from '../message.ts';
import type { ConnectorView } from '../org-view.ts';
import { MAX_TTL_MS, ttlOf } from '../cache-hints.ts';
import { filtered, mayRead, passedOut } from '../pass-through.ts';
import { Broken, type Sender, type UpstreamRequest, type UpstreamSink } from '../upstream.ts';
import { askOne, exchangeWith, type OneAsked } from './ask-one.ts';
import { connectorsOn } from './all-connectors.ts';
import { listenAll } from './listen-all.ts';
import { nameInAll, uriInAll } from './names.ts';
import { shownNames } from './shown-names.ts';

/** One that is slow or dead must not keep the others' tools from anybody. */
export const LIST_MS = 2000;
/** Pages of one connector's list; more than its tools could fill. */
const MAX_PAGES = 50;

/** Lists that are merged, by what is in them. */
const lists: Record<string, { of: string; renames: 'name' | 'uri' | 'uriTemplate' }> = {
  'tools/list': { of: 'tools', renames: 'name' },
  'prompts/list': { of: 'prompts', renames: 'name' },
  'resources/list': { of: 'resources', renames: 'uri' },
  'resources/templates/list': { of: 'resourceTemplates', renames: 'uriTemplate' },
};

/**
 * Answers for all connectors at once, in the words of the stateless revision; `up.ts` stands before it for older clients, and each connector's own way
 * (translation, credential, our own tools) behind it.
 */
export const sendAll =
  (x: Exchange): Sender =>
  (r, sink) => {
    const end = new AbortController();
    const signal = AbortSignal.any([r.signal, end.signal]);
    return { done: answer(x, { ...r, signal }, sink), resume: () => undefined, abort: (why) => end.abort(why) };
  };

async function answer(x: Exchange, r: UpstreamRequest, sink: UpstreamSink): Promise<void> {
  if (r.method !== 'POST') return sink.head(405, { allow: 'POST' });
  const m = strict((r.body ?? Buffer.alloc(0)).toString('utf8'));
  const { id, method } = m;
  const params = isParams(m['params']) ? m['params'] : {};
  if (typeof id !== 'string' && typeof id !== 'number') return sink.head(202, {});
  const wrong = wrongEnvelope(params);
  if (wrong) return refused(sink, 400, id, wrong);
  const { _meta: envelope, ...rest } = params;
  const q: OneAsked = { method: String(method), params: rest, envelope: isParams(envelope) ? envelope : {} };
  if (method === 'server/discover') return json(sink, resultOf(id, await discovered(x)));
  if (method === 'subscriptions/listen') return listenAll(x, r, sink, { id, q });
  const list = typeof method === 'string' ? lists[method] : undefined;
  if (!list) return refused(sink, 404, id, { code: -32601, message: 'Method not found' });
  const { items, ttlMs } = await merged(x, q, list, r.signal);
  json(
    sink,
    `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"resultType":"complete",${JSON.stringify(list.of)}:[${items.join(',')}],"ttlMs":${ttlMs},"cacheScope":"private"}}`,
  );
}

function refused(sink: UpstreamSink, status: number, id: RpcId, error: object): void {
  sink.head(status, { 'content-type': 'application/json' });
  sink.data(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, error })));
}

const capabilities = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  completions: {},
  logging: {},
};
const serverInfo = { name: 'gatehouse', version: '0.1.0' };

/** What connectors tell models of themselves, as far as a reviewer has accepted it, each under its name. */
async function instructionsOf(x: Exchange): Promise<{ instructions?: string }> {
  const told = await x.ctx.db.read(scopeOf(x.ctx), listInstructions);
  const said = connectorsOn(x.view).flatMap((c) => {
    const t = told.find((i) => i.connector === c.id);
    if (!t?.reviewedDefinition || t.reviewedPin !== t.pin) return [];
    const text: unknown = JSON.parse(t.reviewedDefinition);
    return isRecord(text) && typeof text['instructions'] === 'string' ? [`${c.slug}: ${text['instructions']}`] : [];
  });
  return said.length > 0 ? { instructions: said.join('\n\n') } : {};
}

/** What we are where all connectors are one. What a connector lacks is empty in its lists, so nobody has to be asked. */
const discovered = async (x: Exchange): Promise<object> => ({
  resultType: 'complete',
  supportedVersions: [MODERN],
  capabilities,
  ...(await instructionsOf(x)),
  ttlMs: 0,
  cacheScope: 'private',
  _meta: { [SERVER_INFO]: serverInfo },
});

/** The same for a client of an older revision. */
export const olderGreeting = async (x: Exchange, id: RpcId, greeting: Greeting): Promise<string> =>
  resultOf(id, { protocolVersion: greeting.version, capabilities, serverInfo, ...(await instructionsOf(x)) });

/** What one list or several are, and how long they are good. */
type Listed = { items: string[]; ttlMs: number };

/** The items of all connectors, each under its name here, sorted by it; good as long as the one that is good for the shortest time. */
async function merged(x: Exchange, q: OneAsked, list: (typeof lists)[string], signal: AbortSignal): Promise<Listed> {
  const { caller } = x.who;
  const now = x.ctx.now;
  const asked = connectorsOn(x.view).filter((c) =>
    list.of === 'tools'
      ? shownNames(x.view, caller, c, now).length > 0 || c.tools.size === 0
      : mayRead(x.view, caller, c, now),
  );
  const all = await Promise.all(
    asked.map(async (c) => {
      const { items, ttlMs } = await itemsOf(exchangeWith(x, c, q), c, q, list.of, signal);
      return { items: items.flatMap((raw) => renamed(raw, c.slug, list.renames)), ttlMs };
    }),
  );
  const items = all
    .flatMap((a) => a.items)
    .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map((i) => i.raw);
  return { items, ttlMs: Math.min(MAX_TTL_MS, ...all.map((a) => a.ttlMs)) };
}

/** One connector's items as this person may see them; of one that does not answer in time, the tools as they were reviewed. */
async function itemsOf(
  one: Exchange,
  connector: ConnectorView,
  q: OneAsked,
  of: string,
  signal: AbortSignal,
): Promise<Listed> {
  const until = AbortSignal.any([signal, AbortSignal.timeout(LIST_MS)]);
  const items: string[] = [];
  let ttlMs = MAX_TTL_MS;
  try {
    let cursor: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const params = { ...q.params, ...(cursor === undefined ? {} : { cursor }) };
      const asked = await askOne(exchangeWith(one, connector, { ...q, params }), until);
      const result = asked.message?.['result'];
      if (!isParams(result)) {
        // A server that has nothing of the kind says so with an error; one that is not well has no result either.
        if (of === 'tools' && asked.status !== 200) throw new Broken('upstream_error', `status ${asked.status}`);
        break;
      }
      const text = of === 'tools' ? await filtered(one, asked.text) : await passedOut(one, asked.text, result);
      ttlMs = Math.min(ttlMs, ttlOf(text));
      const at = member(text, whole(text), 'result');
      const array = at && member(text, at, of);
      if (array && text[array.from] === '[') items.push(...elements(text, array).map((e) => text.slice(e.from, e.to)));
      if (typeof result['nextCursor'] !== 'string') break;
      cursor = result['nextCursor'];
    }
    return { items, ttlMs };
  } catch (e) {
    if (signal.aborted) throw e;
    noteMissing(one, connector, e);
    // What stands in for it is to be asked for again.
    return { items: of === 'tools' ? await reviewed(one, connector) : [], ttlMs: 0 };
  }
}

function noteMissing(one: Exchange, connector: ConnectorView, err: unknown): void {
  one.gate.world.log.warn(
    { err, connector: connector.id },
    'a connector gave no list in time; what was reviewed stands in for it',
  );
}

async function reviewed(one: Exchange, connector: ConnectorView): Promise<string[]> {
  const names = new Set(
    shownNames(one.view, one.who.caller, connector, one.ctx.now).map((n) =>
      n.slice(connector.slug.length + 1, n.lastIndexOf('@')),
    ),
  );
  const tools = await one.ctx.db.read(scopeOf(one.ctx), (db) => listToolsOf(db, connector.id));
  return tools.flatMap((t) => (names.has(t.name) ? [t.definition] : []));
}

/** An item under its name here; nothing of it but the name changes. */
function renamed(raw: string, slug: string, what: 'name' | 'uri' | 'uriTemplate'): { key: string; raw: string }[] {
  const at = raw.startsWith('{') ? member(raw, whole(raw), what) : undefined;
  const own: unknown = at ? JSON.parse(raw.slice(at.from, at.to)) : undefined;
  if (!at || typeof own !== 'string') return [];
  const key = what === 'name' ? nameInAll(slug, own) : uriInAll(slug, own);
  return [{ key, raw: raw.slice(0, at.from) + JSON.stringify(key) + raw.slice(at.to) }];
}
