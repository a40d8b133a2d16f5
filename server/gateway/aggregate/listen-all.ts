import { MAX_MCP_RESULT_BYTES } from '#kernel/limits.ts';
import { eventCutter } from '#kernel/event-stream.ts';
import { strict, typeOf } from '../eras/ask-http.ts';
import { acknowledged, honored, listenedTo, tagged, wants, type Filter } from '../eras/listen-down.ts';
import type { Exchange } from '../exchange.ts';
import { isParams, type RpcId } from '../message.ts';
import type { ConnectorView } from '../org-view.ts';
import { isListChange } from '../cache-hints.ts';
import { mayRead } from '../pass-through.ts';
import { Broken, sendUpstream, type UpstreamRequest, type UpstreamSink } from '../upstream.ts';
import { connectorsOn } from './all-connectors.ts';
import { exchangeWith, requestTo, type OneAsked } from './ask-one.ts';
import { splitUri, uriInAll } from './names.ts';
import { watchShown } from './watch-shown.ts';

/** Before a connector whose stream ended is listened to again; doubles up to the longest. */
const AGAIN_MS = 2000;
const LONGEST_MS = 60_000;
const KEEP_ALIVE_MS = 15_000;
const able = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
};

/** Listening where all connectors are one: what each of them says, and what changes here, as one stream. */
export async function listenAll(
  x: Exchange,
  r: UpstreamRequest,
  sink: UpstreamSink,
  { id, q }: { id: RpcId; q: OneAsked },
): Promise<void> {
  const wish = honored(q.params['notifications'], able);
  const uris = (wish.resourceSubscriptions ?? []).filter((u) => splitUri(x.view, u) !== undefined);
  const { resourceSubscriptions: _, ...others } = wish;
  const filter: Filter = { ...others, ...(uris.length > 0 ? { resourceSubscriptions: uris } : {}) };
  sink.head(200, { 'content-type': 'text/event-stream' });
  // INVARIANT: nothing is told before what is listened for was acknowledged.
  sink.data(Buffer.from(acknowledged(id, filter)));
  if (Object.keys(filter).length === 0) return void sink.data(Buffer.from(listenedTo(id)));

  const end = new AbortController();
  const signal = AbortSignal.any([r.signal, end.signal]);
  const stop = filter.toolsListChanged
    ? watchShown(x, () => sink.data(Buffer.from(tagged(id, 'notifications/tools/list_changed'))))
    : () => undefined;
  const alive = setInterval(() => sink.data(Buffer.from(': keep-alive\n\n')), KEEP_ALIVE_MS).unref();
  for (const c of connectorsOn(x.view))
    if (mayRead(x.view, x.who.caller, c, x.ctx.now))
      void follow(x, c, q, filter, signal, (method, params) => sink.data(Buffer.from(tagged(id, method, params))));
  try {
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    clearInterval(alive);
    stop();
    end.abort(new Broken('client_left', 'nobody listens'));
  }
  throw r.signal.reason instanceof Error ? r.signal.reason : new Broken('client_left', 'the client left');
}

/** Listens to one connector as long as somebody wants it, again and again; one that cannot be listened to is left alone. */
async function follow(
  x: Exchange,
  connector: ConnectorView,
  q: OneAsked,
  filter: Filter,
  signal: AbortSignal,
  tell: (method: string, params: Record<string, unknown>) => void,
): Promise<void> {
  const own = (filter.resourceSubscriptions ?? []).flatMap((u) => {
    const s = splitUri(x.view, u);
    return s?.connector.id === connector.id ? [s.own] : [];
  });
  const { resourceSubscriptions: _, ...lists } = filter;
  const mine: Filter = { ...lists, ...(own.length > 0 ? { resourceSubscriptions: own } : {}) };
  if (Object.keys(mine).length === 0) return;
  for (let wait = AGAIN_MS; !signal.aborted; wait = Math.min(wait * 2, LONGEST_MS)) {
    try {
      const one = exchangeWith(x, connector, { ...q, params: { ...q.params, notifications: mine } });
      const changed = (): void => x.gate.lists.changed(connector.id);
      if (!(await once(await requestTo(one, signal), connector, mine, { tell, changed }))) return;
    } catch {
      // It is listened to again; what it says of calls is recorded with those.
    }
    await new Promise((next) => setTimeout(next, wait).unref());
  }
}

/** False: the server has no such stream, or nothing to say on it. */
async function once(
  request: UpstreamRequest,
  connector: ConnectorView,
  filter: Filter,
  { tell, changed }: { tell(method: string, params: Record<string, unknown>): void; changed(): void },
): Promise<boolean> {
  let listening = false;
  let over = false;
  const cutter = eventCutter(MAX_MCP_RESULT_BYTES);
  const sent = (request.send ?? sendUpstream)(request, {
    head(status, headers) {
      listening = status === 200 && typeOf(headers) === 'text/event-stream';
    },
    data(chunk) {
      if (!listening) return true;
      for (const e of cutter.push(chunk)) {
        const m = e.data === '' ? {} : strict(e.data);
        const { method, params } = m;
        if ('result' in m || 'error' in m) over = true;
        if (isListChange(method)) changed();
        if (typeof method !== 'string' || !wants(filter, method, params)) continue;
        const said = isParams(params) ? params : {};
        const uri = said['uri'];
        tell(method, typeof uri === 'string' ? { ...said, uri: uriInAll(connector.slug, uri) } : said);
      }
      return true;
    },
  });
  await sent.done;
  return listening && !over;
}
