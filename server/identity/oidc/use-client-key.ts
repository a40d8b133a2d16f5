import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { keyMethodOf } from '../create-connection.ts';
import { noSuchConnection, type SsoConnection } from '../sso-connection.ts';
import { findConnection, saveConnectionSecret } from '../sso-connection.sql.ts';
import { oidcEvents } from './oidc.events.ts';

/** Goes on to the next client key; a connection that had a secret forgets it and signs from now on. */
export async function useClientKey(ctx: Ctx, id: Id<'sso'>): Promise<SsoConnection> {
  const connection = await ctx.db.read(scopeOf(ctx), (db) => findConnection(db, id));
  if (!connection) throw noSuchConnection();
  const authMethod = keyMethodOf(connection.discovery);
  const generation = connection.secretGeneration + 1;
  return change({ ...ctx, org: undefined }, async (tx) => {
    if ((await saveConnectionSecret(tx, id, { sealed: null, authMethod, generation })) === 0)
      throw new Problem('stale', 'identity/secret-replaced-meanwhile', {
        says: 'somebody else has replaced the secret or the key at the same time',
        fix: 'look at the connection and decide again',
      });
    return {
      value: { ...connection, authMethod, secretSealed: null, secretGeneration: generation },
      events: [event(oidcEvents, 'sso.client_key_used', { connection: id, generation })],
    };
  });
}
