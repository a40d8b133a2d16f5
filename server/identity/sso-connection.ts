import { z } from 'zod';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';

/** What we keep of an identity provider's discovery document. */
export const Discovery = z.object({
  issuer: z.string(),
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  jwks_uri: z.string(),
  id_token_signing_alg_values_supported: z.array(z.string()),
  token_endpoint_auth_methods_supported: z.array(z.string()).exactOptional(),
  code_challenge_methods_supported: z.array(z.string()).exactOptional(),
  authorization_response_iss_parameter_supported: z.boolean().exactOptional(),
  token_endpoint_auth_signing_alg_values_supported: z.array(z.string()).exactOptional(),
  pushed_authorization_request_endpoint: z.string().exactOptional(),
  require_pushed_authorization_requests: z.boolean().exactOptional(),
});
export type Discovery = z.infer<typeof Discovery>;

export const authMethods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] as const;
export type AuthMethod = (typeof authMethods)[number];

/** Whether authorization requests are pushed (RFC 9126). `offered`: where the provider announces it, and by the address should it refuse then. */
export const parModes = ['offered', 'always', 'never'] as const;
export type ParMode = (typeof parModes)[number];

/** Whether assertions for agents (ID-JAG) are taken, and what they may give at most: reading, or everything that rules allow. */
export const idJagModes = ['off', 'read', 'write'] as const;
export type IdJagMode = (typeof idJagModes)[number];

/** A connection of any kind, as people see it who choose one. */
export type WayIn = { id: Id<'sso'>; name: string };

/** An OpenID provider of the parent. */
export type SsoConnection = {
  id: Id<'sso'>;
  name: string;
  issuer: string;
  clientId: string;
  authMethod: AuthMethod;
  secretSealed: Buffer | null;
  secretGeneration: number;
  /** Hosts of it that are inside a private network. */
  allowPrivate: string[];
  matchDirectory: boolean;
  /** Values of the claims `hd` (Google) and `tid` (Entra) that are let in; empty: the claim is not looked at. */
  hostedDomains: string[];
  tenants: string[];
  par: ParMode;
  idJag: IdJagMode;
  state: 'active' | 'disabled';
  discovery: Discovery;
  discoveredAt: Date;
  createdAt: Date;
};

/**
 * Signatures that we take on an ID token. No `none`, and no HS*: those would be made with the client secret, which is no proof of the
 * identity provider (and with a public key as the secret, proof of nothing).
 */
export const SAFE_ALGS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;
const safe: ReadonlySet<string> = new Set(SAFE_ALGS);

/** A discovery document is asked for again after a day. */
export const DISCOVERY_MAX_AGE_MS = 24 * 60 * 60_000;

/** The one address that identity providers send people back to; to be registered there, exactly so. */
export const redirectUri = (origin: string): string => `${origin}/sign-in/callback`;

/** The document with the signatures that we take, or a refusal that says what it offers. */
export function safeDiscovery(found: Discovery, issuer: string): Discovery {
  // Exact but for a slash at the end, which people leave out. Entra's common endpoint answers with "{tenantid}": everybody's tenant, so refused.
  if (found.issuer !== issuer && found.issuer !== `${issuer}/` && `${found.issuer}/` !== issuer)
    throw new Problem('invalid', 'identity/issuer-mismatch', {
      says: `the discovery document of ${issuer} says that its issuer is ${found.issuer}`,
      fix: found.issuer.includes('{')
        ? 'use the issuer of your own tenant, with its id in the address'
        : 'enter the issuer exactly as the identity provider states it',
    });
  const algs = found.id_token_signing_alg_values_supported.filter((a) => safe.has(a));
  if (algs.length === 0)
    throw new Problem('invalid', 'identity/no-safe-signature', {
      says: `the identity provider signs ID tokens with ${found.id_token_signing_alg_values_supported.join(', ') || 'nothing'} only`,
      fix: `let it sign with ${SAFE_ALGS.slice(0, 1).join(', ')}, PS256, ES256 or EdDSA`,
    });
  if (found.code_challenge_methods_supported && !found.code_challenge_methods_supported.includes('S256'))
    throw new Problem('invalid', 'identity/no-pkce', {
      says: `the identity provider offers PKCE with ${found.code_challenge_methods_supported.join(', ') || 'no method'}; S256 is needed`,
      fix: 'switch on PKCE with S256 there',
    });
  return { ...found, id_token_signing_alg_values_supported: algs };
}

export const noSuchConnection = (): Problem =>
  new Problem('missing', 'identity/no-such-connection', {
    says: 'there is no such way to sign in',
    fix: 'begin at /sign-in',
  });

/** Where a client secret is bound to; see kernel/seal.ts. */
export const secretPlace = (parent: Id<'par'>, id: Id<'sso'>, generation: number) => ({
  table: 'sso_connection',
  scope: parent,
  row: id,
  generation,
});
