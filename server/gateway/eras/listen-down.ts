import { randomUUID } from 'node:crypto';
import { asEvent } from '#kernel/event-stream.ts';
import { isParams, type Params, type RpcId } from '../message.ts';
import type { Place } from '../org-view.ts';
import { Broken, type UpstreamRequest, type UpstreamSink } from '../upstream.ts';
import { tell } from './tell.ts';
import type { Ears } from './ears.ts';
import type { OlderSession } from './older-session.ts';
import { resultOf, SUBSCRIPTION } from './rewrite.ts';

/** What a client may listen for, and whether a server of an older revision says that it tells of it. */
export type Filter = {
  toolsListChanged?: true;
  promptsListChanged?: true;
  resourcesListChanged?: true;
  resourceSubscriptions?: string[];
};
/** More than any client shows; each is a request to the server. */
const MAX_URIS = 200;

/** What of a wish can be kept, by capabilities that are the same in both revisions. */
export function honored(wish: unknown, capabilities: Params): Filter {
  const w = isParams(wish) ? wish : {};
  const can = (of: string, what: string): boolean => isParams(capabilities[of]) && capabilities[of][what] === true;
  const uris = w['resourceSubscriptions'];
  const own = Array.isArray(uris) ? uris.filter((u): u is string => typeof u === 'string').slice(0, MAX_URIS) : [];
  return {
    ...(w['toolsListChanged'] === true && can('tools', 'listChanged') ? { toolsListChanged: true } : {}),
    ...(w['promptsListChanged'] === true && can('prompts', 'listChanged') ? { promptsListChanged: true } : {}),
    ...(w['resourcesListChanged'] === true && can('resources', 'listChanged') ? { resourcesListChanged: true } : {}),
    ...(own.length > 0 && can('resources', 'subscribe') ? { resourceSubscriptions: own } : {}),
  };
}

/** Whether somebody who listens for this wants to hear that. */
export function wants(f: Filter, method: unknown, params: unknown): boolean {
  switch (method) {
    case 'notifications/tools/list_changed':
      return f.toolsListChanged === true;
    case 'notifications/prompts/list_changed':
      return f.promptsListChanged === true;
    case 'notifications/resources/list_changed':
      return f.resourcesListChanged === true;
    case 'notifications/resources/updated':
      return isParams(params) && (f.resourceSubscriptions ?? []).includes(String(params['uri']));
    default:
      return false;
  }
}

/** A notification as it goes to one who listens. */
export const tagged = (id: RpcId, method: string, params: Params = {}): string => {
  const meta = isParams(params['_meta']) ? params['_meta'] : {};
  return asEvent(
    JSON.stringify({ jsonrpc: '2.0', method, params: { ...params, _meta: { ...meta, [SUBSCRIPTION]: id } } }),
  );
};

export const acknowledged = (id: RpcId, f: Filter): string =>
  tagged(id, 'notifications/subscriptions/acknowledged', { notifications: f });

/** How a stream of somebody who listens ends where nobody broke it off. */
export const listenedTo = (id: RpcId): string =>
  asEvent(resultOf(id, { resultType: 'complete', _meta: { [SUBSCRIPTION]: id } }));

/** Listening at a server of an older revision: on the one stream that its session has beside the calls. */
export async function listenDown(
  place: Place,
  ears: Ears,
  r: UpstreamRequest,
  sink: UpstreamSink,
  session: OlderSession,
  asked: { id: RpcId; params: Params },
): Promise<void> {
  const filter = honored(asked.params['notifications'], session.capabilities);
  sink.head(200, { 'content-type': 'text/event-stream' });
  sink.data(Buffer.from(acknowledged(asked.id, filter)));
  if (Object.keys(filter).length > 0) {
    let over = (): void => undefined;
    const ended = new Promise<void>((resolve) => (over = resolve));
    const leave = await ears.listen(place, r, session, {
      tell({ method, params }) {
        if (typeof method === 'string' && wants(filter, method, params))
          sink.data(Buffer.from(tagged(asked.id, method, isParams(params) ? params : {})));
      },
      over,
    });
    for (const uri of filter.resourceSubscriptions ?? [])
      await tell(r, session, { id: `gh-${randomUUID()}`, method: 'resources/subscribe', params: { uri } });
    if (leave) {
      r.signal.addEventListener('abort', over, { once: true });
      if (r.signal.aborted) over();
      await ended;
      leave();
    }
  }
  if (r.signal.aborted)
    throw r.signal.reason instanceof Error ? r.signal.reason : new Broken('client_left', 'the client left');
  sink.data(Buffer.from(listenedTo(asked.id)));
}
