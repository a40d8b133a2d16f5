import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';

/**
 * What an MCP server and the authorization server that it names say of themselves (RFC 9728, RFC 8414), checked. Addresses are complete; null: there
 * is none.
 */
export const FoundAuthorization = z.strictObject({
  /** As it was published, byte for byte: the `resource` of every request for a token. */
  resource: z.string(),
  /** Where the server's own metadata was; null: it has none, and its origin is its authorization server as MCP 2025-03-26 said. */
  metadata: z.string().nullable(),
  issuer: z.string(),
  /** Where that authorization server's metadata was. */
  issuerMetadata: z.string(),
  authorize: z.string().nullable(),
  token: z.string(),
  revoke: z.string().nullable(),
  register: z.string().nullable(),
  /** Whether it advertises PKCE with S256. */
  pkce: z.boolean(),
  /** Whether every answer of it names it (RFC 9207). */
  namesItself: z.boolean(),
  /** Whether it takes the address of a client's metadata document for a client id. */
  documents: z.boolean(),
  /** How clients prove themselves at its token endpoint. */
  auths: z.array(z.string()),
  /** With which signatures, where it says. */
  algorithms: z.array(z.string()),
  grants: z.array(z.string()),
  /** What to ask for: of the challenge, else of the server's metadata; null: neither says, so nothing is asked for by name. */
  scopes: z.array(z.string()).nullable(),
  /** Whether it knows `offline_access`, with which it gives refresh tokens. */
  offline: z.boolean(),
});
export type FoundAuthorization = z.infer<typeof FoundAuthorization>;

/** How we can be known there without an administrator: in the order of MCP 2026-07-28 after what an administrator entered. */
export const waysOf = (f: FoundAuthorization, origin: string): ('document' | 'registered')[] => [
  ...(f.documents && origin.startsWith('https://') ? (['document'] as const) : []),
  ...(f.register === null ? [] : (['registered'] as const)),
];

/** What a person is asked for first; `more`: what the server asked for since, and what was granted before, which must not be lost (SEP-2350). */
export function scopesToAsk(f: FoundAuthorization, more: readonly string[] = []): string[] {
  const scopes = [...new Set([...(f.scopes ?? []), ...more])];
  if (scopes.length === 0) return [];
  return f.offline && !scopes.includes('offline_access') ? [...scopes, 'offline_access'] : scopes;
}

/** INVARIANT (no weaker than S256): nobody is sent to an authorization server that does not say that it keeps codes to who asked for them. */
export function refuseFound({ name, found }: { name: string; found: FoundAuthorization }): void {
  const at = `${name}: its authorization server ${new URL(found.issuer).host}`;
  if (found.authorize === null)
    throw new Problem('upstream', 'connectors/no-person-consent', {
      says: `${at} has no consent of persons`,
      fix: found.grants.includes('client_credentials')
        ? "give it the organization's own account (actAs: organization)"
        : 'ask whoever runs the server',
    });
  if (!found.pkce)
    throw new Problem('upstream', 'connectors/no-pkce', {
      says: `${at} does not advertise PKCE with S256, without which whoever steals a code can use it`,
      fix: 'ask whoever runs the server; nobody connects until it does',
    });
}
