import { MAX_MCP_RESULT_BYTES } from '#kernel/limits.ts';
import { asEvent, eventCutter } from '../event-stream.ts';
import { isParams, type Params, type RpcId } from '../message.ts';
import { Broken, sendUpstream, type Sending, type UpstreamRequest, type UpstreamSink } from '../upstream.ts';
import { strict, typeOf } from './ask-http.ts';
import { tell } from './down.ts';
import { olderHeaders } from './older-headers.ts';
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

/** Listening at a server of an older revision: the one stream that its session has beside the calls. */
export async function listenDown(
  r: UpstreamRequest,
  sink: UpstreamSink,
  session: OlderSession,
  asked: { id: RpcId; params: Params },
  began: (s: Sending) => void,
): Promise<void> {
  const filter = honored(asked.params['notifications'], session.capabilities);
  sink.head(200, { 'content-type': 'text/event-stream' });
  sink.data(Buffer.from(acknowledged(asked.id, filter)));
  for (const uri of filter.resourceSubscriptions ?? [])
    await tell(r, session, { id: `gh-sub-${uri.length}`, method: 'resources/subscribe', params: { uri } });
  let ends = Object.keys(filter).length === 0;
  if (!ends) {
    const cutter = eventCutter(MAX_MCP_RESULT_BYTES);
    let listening = false;
    const sent = sendUpstream(
      { ...r, method: 'GET', headers: { ...olderHeaders(r, session), accept: 'text/event-stream' }, body: undefined },
      {
        head(status, headers) {
          listening = status === 200 && typeOf(headers) === 'text/event-stream';
        },
        data(chunk) {
          if (!listening) return true;
          let flows = true;
          for (const e of cutter.push(chunk)) {
            if (e.data === '') continue;
            const m = strict(e.data);
            const { id, method, params } = m;
            if (typeof method !== 'string') continue;
            if (id === undefined) {
              if (wants(filter, method, params))
                flows = sink.data(Buffer.from(tagged(asked.id, method, isParams(params) ? params : {}))) && flows;
            } else
              void tell(
                r,
                session,
                method === 'ping' ? { id, result: {} } : { id, error: { code: -32601, message: 'not here' } },
              );
          }
          return flows;
        },
      },
    );
    began(sent);
    await sent.done;
    ends = true;
  }
  if (ends && !r.signal.aborted) sink.data(Buffer.from(listenedTo(asked.id)));
  if (r.signal.aborted)
    throw r.signal.reason instanceof Error ? r.signal.reason : new Broken('client_left', 'the client left');
}
