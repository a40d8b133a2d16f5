import { z } from 'zod';
import type { OAuthFacts } from '#vault/oauth-facts.ts';
import type { Connector } from '../connector.ts';
import type { Manifest } from '../kit/manifest.ts';
import type { VendorClient } from '../kit/vendor-client.ts';
import { clientGrants } from './client-grants.ts';
import type { FoundAuthorization } from './found-authorization.ts';

/**
 * A connector whose authorization was discovered, as the rest of the house knows kinds of systems. Its endpoints are its origins, so a credential
 * goes to where the metadata said and nowhere else. `base`: its entry in the catalogue, where it has one.
 */
export function discoveredManifest(
  c: Pick<Connector, 'type' | 'name' | 'url'>,
  found: FoundAuthorization,
  base: Manifest | undefined,
): Manifest {
  const oauth = oauthOf(found);
  return {
    type: c.type,
    name: base?.name ?? c.name,
    says: base?.says ?? 'An MCP server that says itself how to be authorized at.',
    origins: originsOf(c, found),
    settings: base?.settings ?? z.strictObject({}),
    ...(found.authorize === null || !found.pkce ? {} : { oauth }),
    organization: clientGrants(found, oauth),
    boundTo: { issuer: found.issuer, resource: found.resource },
    remote: base?.remote ?? { url: c.url },
    whoami: async (vendor) => {
      await proveToken(vendor, new URL(c.url));
      // An MCP server does not say whose account it is. What stands here is that one grant follows another.
      return { subject: found.issuer, label: `your account at ${new URL(found.issuer).host}` };
    },
  };
}

const originsOf = (c: Pick<Connector, 'url'>, f: FoundAuthorization): Record<string, string> => {
  const of: Record<string, string | null> = { mcp: c.url, authorize: f.authorize, token: f.token, revoke: f.revoke };
  return Object.fromEntries(
    Object.entries(of).flatMap(([role, at]) => (at === null ? [] : [[role, new URL(at).origin]])),
  );
};

/** An address as a template over its role's origin (vendor-address.ts). */
const template = (role: string, at: string): string => {
  const url = new URL(at);
  return `{${role}}${url.pathname}${url.search}`;
};

function oauthOf(f: FoundAuthorization): OAuthFacts {
  return {
    authorize: f.authorize === null ? '' : template('authorize', f.authorize),
    token: template('token', f.token),
    ...(f.revoke === null ? {} : { revoke: { url: template('revoke', f.revoke), how: 'rfc7009' } }),
    issuer: f.issuer,
    ...(f.namesItself ? {} : { namesItself: 'perhaps' }),
    resource: f.resource,
    scopes: { read_only: f.scopes ?? [], read_write: f.scopes ?? [] },
    partial: true,
    clientAuth: 'registered',
    clientAuths: f.auths,
    lifetimes: { rotation: 'single_use' },
  };
}

/**
 * Asks the server something with the token. INVARIANT (its own token): one that the server does not take is not kept. No session is begun, so none
 * is left behind; that the account may not do this very thing (403) is no refusal of the token.
 */
async function proveToken(vendor: VendorClient, url: URL): Promise<void> {
  await vendor.send({
    method: 'POST',
    at: 'mcp',
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    safe: true,
    takes: [400, 403, 404, 405, 406, 415, 422],
    headers: {
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'server/discover',
    },
    json: {
      jsonrpc: '2.0',
      id: 1,
      method: 'server/discover',
      params: {
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientCapabilities': {},
          'io.modelcontextprotocol/clientInfo': { name: 'gatehouse', version: '0.1.0' },
        },
      },
    },
  });
}
