import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { reviewer } from './decide-kept.ts';
import { dlpEvents } from './dlp.events.ts';
import { keptAad, noKept, stateAt } from './quarantine.ts';
import { findKept, findSealed } from './quarantine.sql.ts';

/** Opens the copy for a reviewer. That somebody saw it is recorded before he does. */
export async function readKept(ctx: OrgCtx, id: Id<'qua'>): Promise<string> {
  const { kept, sealed } = await ctx.db.read(scopeOf(ctx), async (db) => ({
    kept: await findKept(db, id),
    sealed: (await findSealed(db, id))?.sealed,
  }));
  if (!kept) throw noKept(id);
  reviewer(ctx, kept);
  const state = stateAt(kept, ctx.now);
  if (!sealed || (state !== 'waiting' && state !== 'released')) throw noKept(id);
  const content = await ctx.seal.open(keptAad(ctx.org, id), sealed);
  return change(ctx, async () => ({
    value: content.toString('utf8'),
    events: [event(dlpEvents, 'dlp.quarantine_read', { quarantine: id, call: kept.call })],
  }));
}
