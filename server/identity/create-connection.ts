import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Secret } from '#kernel/secret.ts';
import { identityEvents } from './identity.events.ts';
import { discover } from './relying-party.ts';
import { CLIENT_KEY_ALG } from './oidc/client-key.ts';
import { issuerOf } from './oidc/tenant.ts';
import { secretPlace, type AuthMethod, type Discovery, type ParMode, type SsoConnection } from './sso-connection.ts';
import { insertConnection, someConnectionMatches } from './sso-connection.sql.ts';

export type WantedConnection = {
  name: string;
  issuer: string;
  clientId: string;
  /** Undefined: a public client, which only PKCE protects. */
  clientSecret: Secret | undefined;
  allowPrivate: readonly string[];
  /** Undefined: yes for the first connection, no for further ones. */
  matchDirectory: boolean | undefined;
  /** Authenticate with a key of ours instead of a secret; `clientSecret` is undefined then. */
  privateKeyJwt?: boolean;
  /** What of a provider that serves many is let in; see oidc/tenant.ts. */
  hostedDomains?: readonly string[];
  tenants?: readonly string[];
  par?: ParMode;
  /** `disabled`: an owner switches it on later. */
  state?: SsoConnection['state'];
};

/** Connects an identity provider of the parent from its issuer: asks it for its discovery document, and refuses what could not be used safely. */
export async function createConnection(ctx: Ctx, wanted: WantedConnection): Promise<SsoConnection> {
  const { hostedDomains = [], tenants = [], par = 'offered' } = wanted;
  const discovery = await discover(ctx.egress, {
    ...wanted,
    issuer: issuerOf({ issuer: wanted.issuer, hostedDomains, tenants }),
  });
  refuseNoPar(par, discovery);
  const id = newId('sso', ctx.now.getTime());
  const authMethod = wanted.privateKeyJwt ? keyMethodOf(discovery) : wanted.clientSecret ? methodOf(discovery) : 'none';
  const secretSealed =
    wanted.clientSecret && !wanted.privateKeyJwt
      ? await ctx.seal.seal(secretPlace(ctx.parent, id, 1), Buffer.from(wanted.clientSecret.reveal()))
      : null;
  return change({ ...ctx, org: undefined }, async (tx) => {
    // A second identity provider that could name itself any externalId could be everybody: its owner must say that it may.
    const matchDirectory = wanted.matchDirectory ?? (await someConnectionMatches(tx)).n === 0;
    const made: SsoConnection = {
      id,
      name: wanted.name,
      issuer: discovery.issuer,
      clientId: wanted.clientId,
      authMethod,
      secretSealed,
      secretGeneration: 1,
      allowPrivate: [...wanted.allowPrivate],
      matchDirectory,
      hostedDomains: [...hostedDomains],
      tenants: [...tenants],
      par,
      // A further power of the identity provider, which somebody must give it: never by connecting alone.
      idJag: 'off',
      state: wanted.state ?? 'active',
      discovery,
      discoveredAt: ctx.now,
      createdAt: ctx.now,
    };
    if ((await insertConnection(tx, made)) === 0)
      throw new Problem('conflict', 'identity/connected-already', {
        says: `${discovery.issuer} is connected already with the client id ${wanted.clientId}`,
        fix: 'use the connection that is there, or replace its secret',
      });
    return {
      value: made,
      events: [
        event(identityEvents, 'sso.connection_created', {
          connection: id,
          kind: 'oidc',
          issuer: discovery.issuer.slice(0, 300),
          matchDirectory,
        }),
      ],
    };
  });
}

/** How the secret is sent. Basic is the default of OpenID Connect Discovery 1.0 §3 where the document says nothing. */
export function methodOf(d: Discovery): AuthMethod {
  const offered = d.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const method = (['client_secret_basic', 'client_secret_post'] as const).find((m) => offered.includes(m));
  if (method) return method;
  throw new Problem('invalid', 'identity/no-auth-method', {
    says: `the identity provider takes ${offered.join(', ') || 'no client authentication'}; we have client_secret_basic and client_secret_post`,
    fix: 'switch one of them on there, or register a public client and leave the secret out',
  });
}

/** Whether the provider takes a signature of ours instead of a secret. */
export function keyMethodOf(d: Discovery): AuthMethod {
  const offered = d.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const algs = d.token_endpoint_auth_signing_alg_values_supported;
  if (offered.includes('private_key_jwt') && (algs === undefined || algs.includes(CLIENT_KEY_ALG)))
    return 'private_key_jwt';
  throw new Problem('invalid', 'identity/no-key-auth', {
    says: `the identity provider takes ${offered.join(', ') || 'no client authentication'}${algs ? ` with ${algs.join(', ')}` : ''}; we have private_key_jwt with ${CLIENT_KEY_ALG}`,
    fix: 'switch private_key_jwt on there, or use a client secret',
  });
}

/** Pushing cannot be demanded of a provider that does not offer it. */
export function refuseNoPar(par: ParMode, d: Discovery): void {
  if (par !== 'always' || d.pushed_authorization_request_endpoint !== undefined) return;
  throw new Problem('invalid', 'identity/no-par', {
    says: 'pushed requests are demanded, and the identity provider does not offer them',
    fix: 'switch them on there, or set par to offered',
  });
}
