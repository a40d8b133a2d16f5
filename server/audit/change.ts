import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import { lostRace, type Tx } from '#kernel/db.ts';
import type { AuditEvent } from './events.ts';
import { recordEvents, type Beside, type Told } from './inbox.sql.ts';

/** `beside`: an insert that travels with the events in one statement, for what is written with every change of a busy door (the SCIM journal). */
export type Done<T> =
  | { value: T; events: readonly [AuditEvent, ...AuditEvent[]]; beside?: Beside }
  | { value: T; unchanged: true };

/**
 * The only way to write. INVARIANT (recorded): a row changed and the event that says so commit together or not at all.
 * A transaction that PostgreSQL sacrificed in a race is run again, so `work` must do nothing but read and write through `tx`.
 */
export const change = <T>(ctx: Ctx, work: (tx: Tx) => Promise<Done<T>>): Promise<T> =>
  again(ctx, async (tx) => {
    const done = await work(tx);
    if ('events' in done) recordEvents(tx, ctx, [{ by: ctx, events: done.events }], done.beside);
    return done.value;
  });

/**
 * `change` for several requests that one transaction serves, because each alone would wait for the others: every event is recorded under the
 * request that it belongs to. All of them are of the scope of `ctx`.
 */
export const changeTogether = <T>(
  ctx: Ctx,
  work: (tx: Tx) => Promise<{ value: T; told: readonly Told[]; beside?: Beside }>,
): Promise<T> =>
  again(ctx, async (tx) => {
    const { value, told, beside } = await work(tx);
    if (told.some((t) => t.events.length > 0)) recordEvents(tx, ctx, told, beside);
    return value;
  });

async function again<T>(ctx: Ctx, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ctx.db.transact(scopeOf(ctx), work);
    } catch (e) {
      if (attempt >= 4 || !lostRace(e)) throw e;
    }
    // The winner must first wake and take what was let go: whoever comes back at once takes it again, and both are where they were.
    await sleep(randomInt(5, 25) * attempt);
  }
}
