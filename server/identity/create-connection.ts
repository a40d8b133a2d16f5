import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Secret } from '#kernel/secret.ts';
import { identityEvents } from './identity.events.ts';
import { discover } from './relying-party.ts';
import { secretPlace, type AuthMethod, type Discovery, type SsoConnection } from './sso-connection.ts';
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
};

/** Connects an identity provider of the parent from its issuer: asks it for its discovery document, and refuses what could not be used safely. */
export async function createConnection(ctx: Ctx, wanted: WantedConnection): Promise<SsoConnection> {
  const discovery = await discover(ctx.egress, wanted);
  const id = newId('sso', ctx.now.getTime());
  const authMethod = wanted.clientSecret ? methodOf(discovery) : 'none';
  const secretSealed = wanted.clientSecret
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
      state: 'active',
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
