import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, systemCtx, type OrgCtx, type World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import type { Job } from '#kernel/job.ts';
import { Problem } from '#kernel/problem.ts';
import { applyMerge } from './apply-merge.ts';
import { mergeEvents } from './merge.events.ts';
import { stateAt } from './merge.ts';
import { bothPlaces, placeOf, tellPlaces } from './merge-steps.ts';
import { findMerge, lockMerge, lookupDueMerges, saveMergeEnded } from './merge.sql.ts';
import type { MergeUpstairs } from './merge-upstairs.ts';

/** Says that proposals have ended, and carries out what both sides approved where a node died before it did. */
export const settleMergesJob = (world: World, up: MergeUpstairs): Job => ({
  name: 'org.settle_merges',
  cron: '* * * * *',
  async run() {
    const waiting = (await world.db.lookup(lookupDueMerges(world.now())))?.due ?? [];
    for (const { merge, parent, org } of waiting) {
      const ctx: OrgCtx = { ...systemCtx(world, 'org.settle_merges', { parent, org }), org };
      try {
        await expire(ctx, merge, up);
        await applyMerge(ctx, merge, up);
      } catch (e) {
        // One that cannot be carried out must not keep the others waiting; it is tried again in a minute and can be rejected.
        if (!(e instanceof Problem)) throw e;
        world.log.warn({ err: e, merge }, 'a merge was not carried out');
      }
    }
  },
});

async function expire(ctx: OrgCtx, id: Id<'mrg'>, up: MergeUpstairs): Promise<void> {
  const found = await ctx.db.read(scopeOf(ctx), (db) => findMerge(db, id));
  if (!found) return;
  // A draft is known to its own side only.
  const places = found.state === 'draft' ? [placeOf(found, found.proposedFrom)] : bothPlaces(found);
  const home: OrgCtx = { ...ctx, ...placeOf(found, found.state === 'draft' ? found.proposedFrom : 'joining') };
  await change(home, async (tx) => {
    const merge = await lockMerge(tx, id);
    if (!merge || merge.state === 'expired' || stateAt(merge, ctx.now) !== 'expired')
      return { value: undefined, unchanged: true };
    await saveMergeEnded(tx, id, 'expired', 'org.settle_merges', ctx.now);
    const expired = event(mergeEvents, 'org.merge_expired', { merge: id });
    const events = await tellPlaces(tx, home, merge, { places, events: [expired], news: 'expired', up });
    return { value: undefined, events };
  });
}
