import { z } from 'zod';
import { parseId, type Id } from '#kernel/id.ts';
import { operation, page, type Operation } from '#kernel/operation.ts';
import { noSuchConnection } from '../sso-connection.ts';
import { findConnection, lookupConnectionParent } from '../sso-connection.sql.ts';
import { publicKeys } from './client-key.ts';
import { receiveLogout } from './receive-logout.ts';

const connectionId = (text: string): Id<'sso'> => {
  const id = parseId('sso', text);
  if (!id) throw noSuchConnection();
  return id;
};
const ConnectionPath = z.object({ connection: z.string().transform(connectionId) });
/** A signed token with a handful of claims. */
const MAX_LOGOUT_BODY = 32 * 1024;

/** Where OpenID providers themselves come, under `/api`: they have no session and no key of ours, and what they say is signed. */
export const oidcOperations: readonly Operation[] = [
  operation({
    id: 'identity.client_keys',
    at: 'GET /oidc/:connection/jwks',
    can: 'public',
    says: 'Shows the public keys with which a connection proves at its identity provider that it is us.',
    params: ConnectionPath,
    reply: z.object({ keys: z.array(z.record(z.string(), z.string())) }),
    type: 'application/jwk-set+json',
    async handle(ctx, { params }) {
      const parent = (await ctx.db.lookup(lookupConnectionParent(params.connection)))?.parent;
      const found = parent ? await ctx.db.read({ parent }, (db) => findConnection(db, params.connection)) : undefined;
      if (found?.authMethod !== 'private_key_jwt') throw noSuchConnection();
      return publicKeys(ctx.seal, found.id, found.secretGeneration);
    },
  }),
  page({
    id: 'identity.back_channel_logout',
    at: 'POST /oidc/:connection/back-channel-logout',
    can: 'public',
    says: 'Takes a logout token of an identity provider (OpenID Connect Back-Channel Logout 1.0) and ends the sessions that it names.',
    params: ConnectionPath,
    body: z.object({ logout_token: z.string().min(1).max(MAX_LOGOUT_BODY) }),
    accepts: ['application/x-www-form-urlencoded'],
    maxBody: MAX_LOGOUT_BODY,
    async handle(ctx, { params, body }) {
      await receiveLogout(ctx, params.connection, body.logout_token);
      return new Response(null, { status: 200, headers: { 'cache-control': 'no-store' } });
    },
  }),
];
