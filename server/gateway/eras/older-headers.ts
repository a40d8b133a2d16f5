import type { UpstreamRequest } from '../upstream.ts';
import type { OlderSession } from './older-session.ts';

/** The headers of a request in a session of an older revision. */
export const olderHeaders = (
  r: Pick<UpstreamRequest, 'headers'>,
  s: Pick<OlderSession, 'id' | 'version'>,
): Record<string, string> => {
  const { 'user-agent': agent = 'gatehouse', traceparent, tracestate } = r.headers;
  return {
    'user-agent': agent,
    'accept-encoding': 'identity',
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': s.version,
    ...(s.id === undefined ? {} : { 'mcp-session-id': s.id }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(tracestate === undefined ? {} : { tracestate }),
  };
};
