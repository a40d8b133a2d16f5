import { isIP } from 'node:net';
import { z } from 'zod';
import { reach } from '#kernel/address.ts';
import { checkedUrl, type EgressRules } from '#kernel/egress.ts';
import { Problem } from '#kernel/problem.ts';
import { visible } from '#kernel/visible.ts';
import { scopesIn } from './challenge.ts';
import type { FoundAuthorization } from './found-authorization.ts';

/** Where a resource server's metadata may be (RFC 9728 §3): at its path, then at the root, as MCP adds. */
export function resourceMetadataUrls(server: string): string[] {
  const url = new URL(server);
  const path = url.pathname.replace(/\/$/, '');
  const root = `${url.origin}/.well-known/oauth-protected-resource`;
  return path === '' ? [root] : [`${root}${path}`, root];
}

/** Where an authorization server's metadata may be, in the order of MCP: RFC 8414, then OpenID Connect Discovery in its two forms. */
export function serverMetadataUrls(issuer: string): string[] {
  const url = new URL(issuer);
  const path = url.pathname.replace(/\/$/, '');
  const at = (name: string): string => `${url.origin}/.well-known/${name}${path}`;
  const both = [at('oauth-authorization-server'), at('openid-configuration')];
  return path === '' ? both : [...both, `${url.origin}${path}/.well-known/openid-configuration`];
}

const address = z.string().min(1).max(2000);
const words = z.array(z.string().max(300)).max(500);

/** RFC 9728 §2. */
const Resource = z.looseObject({
  resource: address,
  authorization_servers: z.array(address).max(20).optional(),
  scopes_supported: words.optional(),
  bearer_methods_supported: words.optional(),
});
export type ResourceMetadata = { resource: string; servers: string[]; scopes: string[] | null };

/** INVARIANT (its own resource): a document is about the server that was asked, or it is not used: who names another's would have its tokens sent to himself. */
export function readResourceMetadata(document: unknown, server: string, at: string): ResourceMetadata {
  const read = Resource.safeParse(document);
  if (!read.success) throw unfit('connectors/resource-metadata', at, wrongIn(read.error));
  const { resource, authorization_servers: servers = [], scopes_supported: scopes } = read.data;
  if (!covers(resource, server))
    throw new Problem('upstream', 'connectors/resource-mismatch', {
      says: `${shown(at)} is about the resource ${shown(resource)}, which is not the server at ${server}`,
      fix: 'whoever runs the server must publish its own address as `resource`; give the address that it publishes, if that is the one you mean',
    });
  if (read.data.bearer_methods_supported?.includes('header') === false)
    throw unfit('connectors/resource-metadata', at, 'it takes tokens in no header');
  return { resource, servers, scopes: scopes ? scopesIn(scopes) : null };
}

/** Whether a resource is the server or a part of its origin that the server is below (RFC 9728 §3.3, as MCP reads it). */
function covers(resource: string, server: string): boolean {
  const [r, s] = [URL.parse(resource), new URL(server)];
  if (!r || r.hash !== '' || resource.includes('#') || r.username !== '' || r.password !== '' || r.origin !== s.origin)
    return false;
  if (r.search !== '' && r.search !== s.search) return false;
  const below = r.pathname.replace(/\/$/, '');
  return s.pathname === r.pathname || s.pathname.replace(/\/$/, '') === below || s.pathname.startsWith(`${below}/`);
}

/** RFC 8414 §2 and OpenID Connect Discovery §3, as far as they matter here. */
const Server = z.looseObject({
  issuer: address,
  authorization_endpoint: address.optional(),
  token_endpoint: address,
  registration_endpoint: address.optional(),
  revocation_endpoint: address.optional(),
  response_types_supported: words.optional(),
  grant_types_supported: words.optional(),
  code_challenge_methods_supported: words.optional(),
  token_endpoint_auth_methods_supported: words.optional(),
  token_endpoint_auth_signing_alg_values_supported: words.optional(),
  scopes_supported: words.optional(),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
  client_id_metadata_document_supported: z.boolean().optional(),
});
export type ServerMetadata = Omit<FoundAuthorization, 'resource' | 'metadata' | 'scopes'>;

/** INVARIANT (its own issuer): metadata is used where it names the issuer that it was asked of, byte for byte (RFC 8414 §3.3). */
export function readServerMetadata(document: unknown, issuer: string, at: string, rules: EgressRules): ServerMetadata {
  const read = Server.safeParse(document);
  if (!read.success) throw unfit('connectors/server-metadata', at, wrongIn(read.error));
  const d = read.data;
  if (d.issuer !== issuer)
    throw new Problem('upstream', 'connectors/issuer-mismatch', {
      says: `${shown(at)} names the issuer ${shown(d.issuer)}, and ${shown(issuer)} was asked; both must be the same to the last character`,
      fix: 'whoever runs the authorization server must correct its issuer, or the MCP server the one that it names',
    });
  const endpoint = (name: string, value: string | undefined): string | null =>
    value === undefined ? null : checkedEndpoint(name, value, at, rules);
  const code = d.response_types_supported?.includes('code') !== false;
  return {
    issuer,
    issuerMetadata: at,
    authorize: code ? endpoint('authorization_endpoint', d.authorization_endpoint) : null,
    token: checkedEndpoint('token_endpoint', d.token_endpoint, at, rules),
    revoke: endpoint('revocation_endpoint', d.revocation_endpoint),
    register: endpoint('registration_endpoint', d.registration_endpoint),
    pkce: d.code_challenge_methods_supported?.includes('S256') === true,
    namesItself: d.authorization_response_iss_parameter_supported === true,
    documents: d.client_id_metadata_document_supported === true,
    // What RFC 8414 §2 says where nothing is said.
    auths: d.token_endpoint_auth_methods_supported ?? ['client_secret_basic'],
    algorithms: d.token_endpoint_auth_signing_alg_values_supported ?? [],
    grants: d.grant_types_supported ?? ['authorization_code', 'implicit'],
    offline: d.scopes_supported?.includes('offline_access') === true,
  };
}

/** An issuer that metadata may be asked of: an address without query and fragment (RFC 8414 §2). */
export function checkedIssuer(issuer: string, at: string, rules: EgressRules): string {
  checkedEndpoint('issuer', issuer, at, rules);
  if (/[?#]/.test(issuer))
    throw unfit('connectors/server-metadata', at, `the issuer ${shown(issuer)} has a query or a fragment`);
  return issuer;
}

/**
 * An address that a document names. What a name means is judged at each connect (kernel/egress.ts); an address that is written out, and where a
 * person would be sent to, is judged here.
 */
export function checkedEndpoint(name: string, value: string, at: string, rules: EgressRules): string {
  const refuse = (because: string): Problem =>
    new Problem('upstream', 'connectors/endpoint-refused', {
      says: `${shown(at)} gives ${name} as ${shown(value)}: ${because}`,
      fix: 'whoever runs the server must correct its metadata; for a system inside your own network, name it as `authorizationServer` and allow private addresses',
    });
  let url: URL;
  try {
    url = checkedUrl(value, rules);
  } catch (e) {
    if (e instanceof Problem) throw refuse(e.says);
    throw e;
  }
  if (value.includes('#')) throw refuse('it has a fragment');
  // Addresses are kept as templates (oauth-facts.ts), in which braces stand for settings.
  if (/[{}]/.test(value)) throw refuse('it has braces in it');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // What an address means behind a tunnel only its agents know, who have a list of their own of where they go.
  if (isIP(host) && rules.via === undefined) {
    const r = reach(host);
    const named = rules.allowPrivate?.some((h) => h === url.host || h === url.hostname) === true;
    if (r === 'never' || (r === 'private' && !named)) throw refuse('nothing may go to that address');
  }
  return value;
}

const unfit = (code: string, at: string, what: string): Problem =>
  new Problem('upstream', code, {
    says: `${shown(at)} is not metadata that can be used: ${what}`,
    fix: 'whoever runs the server must correct it',
  });

const wrongIn = (e: z.ZodError): string =>
  e.issues
    .slice(0, 3)
    .map((i) => `${i.path.map(String).join('.') || 'the document'}: ${i.message}`)
    .join('; ');

/** What came from outside, for people to read. */
export const shown = (text: string): string => visible(text).slice(0, 200);
