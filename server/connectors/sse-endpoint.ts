/** Addresses are short; this is no place for content. */
const MAX_ENDPOINT = 2000;
/** How long a server of the HTTP+SSE transport may take to say where it takes messages. */
export const ENDPOINT_MS = 5000;
/** What such a server may say before that. */
export const MAX_BEFORE_ENDPOINT = 64 * 1024;

/**
 * Where a server of the HTTP+SSE transport (MCP 2024-11-05, basic/transports) takes messages, from its event `endpoint`. INVARIANT (same origin):
 * the credential of the connector goes to the origin that an administrator gave and to no other; undefined: it names another one.
 */
export function endpointOf(stream: string, said: string): URL | undefined {
  const own = new URL(stream);
  const at = said.length > MAX_ENDPOINT ? null : URL.parse(said, own);
  if (!at || at.origin !== own.origin || at.username !== '' || at.password !== '') return undefined;
  at.hash = '';
  return at;
}
