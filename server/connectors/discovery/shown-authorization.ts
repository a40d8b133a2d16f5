import { z } from 'zod';
import type { Id } from '#kernel/id.ts';
import type { ConnectorApp } from '#vault/connector-app.ts';
import { redirectUri } from '../connect/consent.ts';
import { scopesToAsk, waysOf, type FoundAuthorization } from './found-authorization.ts';

/** What was found, for an administrator. */
export const AuthorizationShown = z.object({
  /** The authorization server. */
  issuer: z.string(),
  resource: z.string(),
  scopes: z.array(z.string()),
  /** How Gatehouse is known there; `needed`: an administrator must register an app and enter it. */
  client: z.enum(['given', 'document', 'registered', 'needed']),
  clientId: z.string().nullable(),
  redirectUri: z.string(),
  /** The same and what follows from it, in sentences. */
  says: z.array(z.string()),
});
export type AuthorizationShown = z.infer<typeof AuthorizationShown>;

/** What was found of how a connector is to be authorized at, in words. */
export function shownAuthorization(
  f: FoundAuthorization,
  o: { origin: string; connector: Id<'con'>; app: ConnectorApp | undefined },
): AuthorizationShown {
  const scopes = scopesToAsk(f);
  const app = o.app?.issuer === f.issuer ? o.app : undefined;
  const client = app?.way === 'given' ? 'given' : (waysOf(f, o.origin)[0] ?? 'needed');
  const known = {
    given: `Gatehouse is known there by the app that an administrator entered (${app?.clientId ?? ''}).`,
    document: 'Gatehouse is known there by its own metadata document; nobody need register anything.',
    registered:
      app?.way === 'registered'
        ? `Gatehouse has registered itself there (${app.clientId}).`
        : 'Gatehouse registers itself there when the first person connects.',
    needed: `It lets nobody register himself: register an app there with the redirect address ${redirectUri(o.origin, o.connector)} and enter it.`,
  } as const;
  return {
    issuer: f.issuer,
    resource: f.resource,
    scopes,
    client,
    clientId: app?.clientId ?? null,
    redirectUri: redirectUri(o.origin, o.connector),
    says: [
      f.metadata === null
        ? 'The server publishes no metadata of its own, so its own address was asked for an authorization server, as MCP 2025-03-26 had it.'
        : `The server says at ${f.metadata} how to be authorized at.`,
      `Tokens are for ${f.resource}, from ${f.issuer} (${f.issuerMetadata}).`,
      f.authorize === null
        ? 'It has no consent of persons.'
        : f.pkce
          ? `People consent with PKCE (S256)${f.namesItself ? '; each answer names who gave it' : ''}.`
          : 'It does not advertise PKCE with S256, so nobody is sent there.',
      known[client],
      scopes.length === 0 ? 'It names no scopes, so none is asked for.' : `Asked for: ${scopes.join(' ')}.`,
      f.grants.includes('client_credentials')
        ? 'The organization can give it an account of its own (client credentials).'
        : 'It offers no account of an organization.',
      f.revoke === null ? 'It cannot be told that a connection has ended.' : 'It is told when a connection ends.',
    ],
  };
}
