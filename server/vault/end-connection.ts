import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { enqueue } from '#kernel/job.ts';
import type { Connection, EndedWhy } from './connection.ts';
import { findConnection, lockConnection, saveConnectionEnded } from './connection.sql.ts';
import { vaultRefusals } from './refusals.ts';
import { TELL_VENDOR } from './tell-vendor.ts';
import { vaultEvents } from './vault.events.ts';

/**
 * Ends a connection: here at once, on every node with its next use, and at the vendor by a job that is enqueued with it and goes on until the
 * vendor has confirmed or refused. Ending an ended one changes nothing.
 */
export const endConnection = (ctx: OrgCtx, id: Id<'cnn'>, why: EndedWhy): Promise<Connection> =>
  change(ctx, async (tx) => {
    const connection = await lockConnection(tx, id);
    if (!connection) throw vaultRefusals.none();
    const told = await endWithin(tx, ctx, connection, why);
    const value = (await findConnection(tx, id)) ?? connection;
    return told ? { value, events: [told] } : { value, unchanged: true };
  });

/** The same within a change that ends more than one; undefined: it had ended. */
export async function endWithin(tx: Tx, ctx: OrgCtx, c: Connection, why: EndedWhy): Promise<AuditEvent | undefined> {
  // What an administrator gave ends at the vendor where it was made: there is nothing that we could tell.
  const vendor = c.grantKind === 'oauth' ? 'waiting' : 'impossible';
  const by = ctx.actor.kind === 'nobody' ? 'nobody' : ctx.actor.id;
  if ((await saveConnectionEnded(tx, c.id, { at: ctx.now, by, why, vendor })) === 0) return undefined;
  if (vendor === 'waiting')
    await enqueue(
      tx,
      TELL_VENDOR,
      { parent: ctx.parent, org: ctx.org, connection: c.id },
      { key: `${TELL_VENDOR} ${c.id}` },
    );
  return revoked(c, why);
}

export const revoked = (c: Connection, why: EndedWhy): AuditEvent =>
  event(vaultEvents, 'connection.revoked', {
    connection: c.id,
    connector: c.connector,
    member: c.owner.kind === 'person' ? c.owner.member : null,
    why,
  });
