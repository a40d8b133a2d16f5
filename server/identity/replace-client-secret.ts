import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Secret } from '#kernel/secret.ts';
import { methodOf } from './create-connection.ts';
import { identityEvents } from './identity.events.ts';
import { noSuchConnection, secretPlace } from './sso-connection.ts';
import { findConnection, saveConnectionSecret } from './sso-connection.sql.ts';

/** Puts a new client secret in the place of the old one, which does not open again. */
export async function replaceClientSecret(ctx: Ctx, id: Id<'sso'>, secret: Secret): Promise<void> {
  const connection = await ctx.db.read(scopeOf(ctx), (db) => findConnection(db, id));
  if (!connection) throw noSuchConnection();
  const generation = connection.secretGeneration + 1;
  const authMethod = methodOf(connection.discovery);
  const sealed = await ctx.seal.seal(secretPlace(ctx.parent, id, generation), Buffer.from(secret.reveal()));
  await change({ ...ctx, org: undefined }, async (tx) => {
    if ((await saveConnectionSecret(tx, id, { sealed, authMethod, generation })) === 0)
      throw new Problem('stale', 'identity/secret-replaced-meanwhile', {
        says: 'somebody else has replaced the secret at the same time',
        fix: 'check which secret is right and enter it again',
      });
    return { value: undefined, events: [event(identityEvents, 'sso.secret_replaced', { connection: id, generation })] };
  });
}
