import { change, type Done } from '#audit/change.ts';
import type { Tx } from '#kernel/db.ts';
import { Problem } from '#kernel/problem.ts';
import type { ScimCtx } from './directory.ts';
import { entryOf } from './scim-journal.ts';
import { journalInsert } from './scim-journal.sql.ts';

/** Thrown to undo a rehearsal; carries what the caller would have got. */
class Undone extends Error {
  readonly value: unknown;
  constructor(value: unknown) {
    super('a rehearsal is undone');
    this.value = value;
  }
}

export const tokenOf = (ctx: ScimCtx): string => ('id' in ctx.actor ? ctx.actor.id : ctx.actor.kind);

/**
 * `change` for what a directory sends. INVARIANT (journaled): a change and the journal's entry of it commit together or not at all; they travel
 * in one statement with the events. A rehearsal does everything but commit.
 */
export async function scimChange<T>(ctx: ScimCtx, work: (tx: Tx) => Promise<Done<T>>): Promise<T> {
  try {
    return await once(ctx, work);
  } catch (e) {
    // Somebody made an account with this address in the same moment, by hand or by a sign-in. Seen again, it is a person who is here already.
    if (e instanceof Problem && e.code === 'org/address-taken') return once(ctx, work);
    throw e;
  }
}

async function once<T>(ctx: ScimCtx, work: (tx: Tx) => Promise<Done<T>>): Promise<T> {
  const { call } = ctx;
  try {
    const value = await change(ctx, async (tx) => {
      const done = await work(tx);
      if (call.rehearse) {
        call.rehearse('events' in done ? done.events : []);
        throw new Undone(done.value);
      }
      if (!('events' in done)) return done;
      const entry = entryOf(call, { ...ctx, token: tokenOf(ctx) }, { events: done.events });
      call.noted = true;
      return { ...done, beside: journalInsert(ctx.directory, entry) };
    });
    return value;
  } catch (e) {
    // The type is right: the value was made by this call's own `work`.
    if (e instanceof Undone && call.rehearse) return e.value as T; // oxlint-disable-line typescript/no-unsafe-type-assertion -- see above
    call.noted = false;
    throw e;
  }
}
