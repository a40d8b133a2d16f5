import { isParams, type Params } from '../message.ts';
import { Broken, type UpstreamRequest } from '../upstream.ts';
import { askHttp } from './ask-http.ts';
import { olderHeaders } from './older-headers.ts';
import type { OlderSession } from './older-session.ts';
import { NEWEST_OLDER } from './rewrite.ts';

/** Begins a session at a server of an older revision (2025-11-25, basic/lifecycle), with what the client can do. */
export async function greetOlder(r: UpstreamRequest, capabilities: Params): Promise<OlderSession> {
  const first = { ...olderHeaders(r, { id: undefined, version: NEWEST_OLDER }) };
  // Said in the greeting, and by the header only after it.
  delete first['mcp-protocol-version'];
  const hello = await askHttp({
    ...r,
    method: 'POST',
    headers: first,
    body: Buffer.from(greeting('gh-greeting', capabilities)),
  });
  const result = hello.message?.['result'];
  if (hello.status === 401 || hello.status === 403)
    throw new Broken(
      'credential_refused',
      "the connector refused the organization's credential; an administrator must renew it",
    );
  if (hello.status !== 200 || !isParams(result) || typeof result['protocolVersion'] !== 'string')
    throw new Broken(
      'upstream_error',
      `the connector did not answer the greeting of ${NEWEST_OLDER} (status ${hello.status})`,
    );
  const id = hello.headers['mcp-session-id'];
  const session: OlderSession = {
    ...(typeof id === 'string' ? { id } : {}),
    version: result['protocolVersion'],
    capabilities: isParams(result['capabilities']) ? result['capabilities'] : {},
    serverInfo: result['serverInfo'],
    ...(typeof result['instructions'] === 'string' ? { instructions: result['instructions'] } : {}),
    client: '',
  };
  const ready = await askHttp({
    ...r,
    method: 'POST',
    headers: olderHeaders(r, session),
    body: Buffer.from(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })),
  });
  if (ready.status >= 400)
    throw new Broken('upstream_error', `the connector refused its own session (status ${ready.status})`);
  return session;
}

/** The greeting itself, for a client that can do this. */
export const greeting = (id: string, capabilities: Params): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id,
    method: 'initialize',
    params: {
      protocolVersion: NEWEST_OLDER,
      capabilities: olderCapabilities(capabilities),
      clientInfo: { name: 'gatehouse', version: '0.1.0' },
    },
  });

/** Only what is answered by us or by way of us: tasks and the like of the newer revision are no business of an older server. */
const olderCapabilities = (c: Params): Params =>
  Object.fromEntries(
    ['elicitation', 'sampling', 'roots', 'experimental'].flatMap((k) => (isParams(c[k]) ? [[k, c[k]]] : [])),
  );
