import { askHttp, type Asked } from '../eras/ask-http.ts';
import { MODERN } from '../eras/rewrite.ts';
import { towardsUpstream, type Exchange } from '../exchange.ts';
import type { Params } from '../message.ts';
import type { ConnectorView } from '../org-view.ts';
import type { UpstreamRequest } from '../upstream.ts';

/** A request of ours to one of the connectors, in the words of the stateless revision and for the same person's agent. */
export type OneAsked = { method: string; params: Params; envelope: Params };

/** The exchange that a request of ours would be, had the client sent it to the connector's own address. */
export function exchangeWith(x: Exchange, connector: ConnectorView, q: OneAsked): Exchange {
  const params = { ...q.params, _meta: q.envelope };
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': MODERN,
    'mcp-method': q.method,
    ...(x.headers['traceparent'] === undefined ? {} : { traceparent: x.headers['traceparent'] }),
  };
  return {
    ...x,
    connector,
    headers,
    session: undefined,
    body: Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: ID, method: q.method, params })),
    message: { kind: 'request', id: ID, method: q.method, params, modern: true },
  };
}
export const ID = 'gh-all';

export async function requestTo(one: Exchange, signal: AbortSignal): Promise<UpstreamRequest> {
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    if (signal.aborted) reject(signal.reason);
  });
  return { ...(await Promise.race([towardsUpstream(one), late])), method: 'POST', signal };
}

/** Asks one connector, or takes what it listed to this person before, as long as that is good. */
export async function askOne(one: Exchange, signal: AbortSignal): Promise<Asked> {
  const { lists } = one.gate;
  const listed = lists.find(one);
  if (listed) return listed;
  const asked = await askHttp(await requestTo(one, signal));
  if (asked.status === 200 && asked.message) lists.keep(one, asked.text);
  return asked;
}
