import {
  allowInsecureRequests,
  clientCredentialsGrantRequest,
  type ClientSecretBasic,
  ClientSecretPost,
  customFetch,
  PrivateKeyJwt,
  type ClientAuth,
} from 'oauth4webapi';
import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import { parseJson } from '#kernel/json.ts';
import { Secret } from '#kernel/secret.ts';
import type { OAuthFacts } from '#vault/oauth-facts.ts';
import { GrantRefused, type Minted, type Minting, type OrganizationGrant } from '#vault/organization-grant.ts';
import { readTokenAnswer } from '#vault/token-answer.ts';
import type { FoundAuthorization } from './found-authorization.ts';

const clientId = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .describe('The client id that the authorization server shows for this application');
const scope = z
  .string()
  .max(2000)
  .optional()
  .describe('Scopes to ask for, with spaces between them; without, those that the MCP server names');

const Key = z.strictObject({
  clientId,
  privateKey: z
    .string()
    .min(1)
    .max(16_000)
    .describe('The private key (PEM, PKCS #8) whose public key the authorization server has'),
  algorithm: z.enum(['ES256', 'PS256', 'RS256', 'EdDSA']).default('ES256').describe('How it signs'),
  keyId: z.string().max(200).optional().describe('The id of the key there, where it has several'),
  scope,
});
const SharedSecret = z.strictObject({
  clientId,
  clientSecret: z.string().min(1).max(8000).describe('The secret that belongs to it'),
  scope,
});

/** Accounts that an organization has there as itself (MCP extension oauth-client-credentials), where the authorization server offers that grant. */
export function clientGrants(f: FoundAuthorization, facts: OAuthFacts): OrganizationGrant[] {
  if (!f.grants.includes('client_credentials')) return [];
  const of = (
    kind: string,
    name: string,
    fields: OrganizationGrant['fields'],
    auth: (m: Minting) => Promise<ClientAuth>,
  ) => ({
    kind,
    name,
    fields,
    shown: (v: Minting['fields']) => ({ clientId: String(v['clientId']) }),
    actsAs: ['organization' as const],
    mint: async (m: Minting) => mint(f, facts, m, await auth(m)),
    account: (v: Minting['fields']) => ({ subject: String(v['clientId']), label: String(v['clientId']) }),
  });
  const keys = f.auths.includes('private_key_jwt')
    ? [of('client_key', 'a client with a key', Key, (m) => keyAuth(Key.parse(m.fields)))]
    : [];
  const bySecret = f.auths.includes('client_secret_basic')
    ? ClientSecretRaw
    : f.auths.includes('client_secret_post')
      ? ClientSecretPost
      : undefined;
  const secrets = bySecret
    ? [
        of('client_secret', 'a client with a secret', SharedSecret, (m) =>
          Promise.resolve(bySecret(SharedSecret.parse(m.fields).clientSecret)),
        ),
      ]
    : [];
  return [...keys, ...secrets];
}

/** As in the vault's ask-token.ts: ids and secrets as they are, which is what servers check. */
const ClientSecretRaw: typeof ClientSecretBasic = (secret) => (_as, client, _body, headers) =>
  headers.set('authorization', `Basic ${Buffer.from(`${client.client_id}:${secret}`).toString('base64')}`);

async function keyAuth(fields: z.infer<typeof Key>): Promise<ClientAuth> {
  const how = {
    ES256: { name: 'ECDSA', namedCurve: 'P-256' },
    PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
    RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    EdDSA: { name: 'Ed25519' },
  }[fields.algorithm];
  try {
    const der = createPrivateKey(fields.privateKey).export({ format: 'der', type: 'pkcs8' });
    const key = await crypto.subtle.importKey('pkcs8', new Uint8Array(der), how, false, ['sign']);
    return PrivateKeyJwt(fields.keyId === undefined ? key : { key, kid: fields.keyId });
  } catch {
    // Its message could have a piece of the key.
    throw new GrantRefused('app', `the private key is no PEM key for ${fields.algorithm}`);
  }
}

async function mint(f: FoundAuthorization, facts: OAuthFacts, m: Minting, auth: ClientAuth): Promise<Minted> {
  const { clientId: id, clientSecret, privateKey, scope: wanted } = m.fields;
  const scopes = typeof wanted === 'string' && wanted.trim() !== '' ? wanted.trim() : (f.scopes ?? []).join(' ');
  const response = await clientCredentialsGrantRequest(
    { issuer: f.issuer, token_endpoint: f.token },
    { client_id: String(id) },
    auth,
    { resource: f.resource, ...(scopes === '' ? {} : { scope: scopes }) },
    {
      [allowInsecureRequests]: true,
      [customFetch]: (url, o) =>
        m.fetch(url, {
          method: 'POST',
          headers: o.headers,
          body: o.body instanceof URLSearchParams ? o.body.toString() : '',
        }),
    },
  );
  const body: unknown = await response
    .bytes()
    .then(parseJson)
    .catch(() => undefined);
  const outcome = readTokenAnswer(facts, response.status, body, {
    settings: m.settings,
    secrets: [clientSecret, privateKey].map((v) => (typeof v === 'string' ? v : undefined)),
  });
  if (outcome.kind === 'refused') throw new GrantRefused(outcome.because === 'later' ? 'later' : 'app', outcome.says);
  const { grant } = outcome;
  return {
    token: new Secret(grant.accessToken),
    expiresIn: grant.expiresIn,
    scopes: grant.scopes,
    facts: outcome.facts,
  };
}
