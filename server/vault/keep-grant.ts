import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import { Problem } from '#kernel/problem.ts';
import type { Connection } from './connection.ts';
import { findLiveConnection, insertConnection, replaceGrant } from './connection.sql.ts';
import { endWithin } from './end-connection.ts';
import { sealKept, type Kept } from './kept.ts';
import { vaultEvents } from './vault.events.ts';

/** So often somebody else may renew or replace it while we put the new one in its place. */
const TRIES = 5;

/**
 * Makes `made` the one connection of its owner. The same account again keeps its id and takes the new grant, and nothing is ended at the vendor:
 * at many the end of one grant ends them all. Another account ends the one before.
 * @param still throws, in the transaction that stores it, where its owner may not have it any more
 */
export async function keepGrant(
  ctx: OrgCtx,
  made: Connection,
  kept: Kept,
  still: (tx: Tx) => Promise<void> = () => Promise.resolve(),
): Promise<Connection> {
  const owner = made.owner.kind === 'person' ? made.owner.member : 'organization';
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const before = await ctx.db.read(scopeOf(ctx), (db) => findLiveConnection(db, made.connector, owner));
    const same = before !== undefined && continues(before, made);
    const connection: Connection = same
      ? { ...made, id: before.id, generation: before.generation + 1, made: before.made }
      : made;
    const sealed = await sealKept(ctx.seal, ctx.org, connection, kept);
    const stored = await change(ctx, async (tx) => {
      await still(tx);
      const data = {
        connection: connection.id,
        connector: connection.connector,
        member: connection.owner.kind === 'person' ? connection.owner.member : null,
        kind: connection.grantKind,
        access: connection.access,
        scopes: connection.scopes.length,
      };
      if (same) {
        if ((await replaceGrant(tx, connection, sealed, before.generation)) === 0)
          return { value: false, unchanged: true };
        return { value: true, events: [event(vaultEvents, 'connection.replaced', { ...data, before: before.access })] };
      }
      const ended: AuditEvent | undefined = before && (await endWithin(tx, ctx, before, 'replaced'));
      if ((await insertConnection(tx, connection, sealed)) === 0) throw taken();
      const told = event(vaultEvents, 'connection.made', data);
      return { value: true, events: ended ? [ended, told] : [told] };
    }).catch((e: unknown) => {
      if (e instanceof Problem && e.code === 'vault/connected-meanwhile' && attempt < TRIES) return false;
      throw e;
    });
    if (stored) return connection;
  }
  throw taken();
}

const continues = (before: Connection, made: Connection): boolean =>
  made.owner.kind === 'organization'
    ? before.grantKind === made.grantKind
    : before.account?.subject === made.account?.subject && before.account?.tenant === made.account?.tenant;

const taken = (): Problem =>
  new Problem('conflict', 'vault/connected-meanwhile', {
    says: 'this connection was changed by somebody else at the same moment',
    fix: 'look at it and try again',
  });
