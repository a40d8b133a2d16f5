import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { mergeEvents } from './merge.events.ts';
import { refuseUnless, type Merge } from './merge.ts';
import { bothPlaces, inPerson, takeMerge, tellPlaces } from './merge-steps.ts';
import { saveMergeEnded } from './merge.sql.ts';
import type { MergeUpstairs } from './merge-upstairs.ts';

/** Ends a proposal, from either side, as long as it is not carried out. A draft ends without telling anybody else. */
export const rejectMerge = (ctx: OrgCtx, id: Id<'mrg'>, up: MergeUpstairs): Promise<Merge['state']> =>
  change<Merge['state']>(ctx, async (tx) => {
    const by = inPerson(ctx);
    const { merge, side } = await takeMerge(tx, ctx, id);
    refuseUnless(merge, ctx.now, 'rejected', ['draft', 'sent', 'approved_one', 'approved_both', 'stale']);
    await saveMergeEnded(tx, id, 'rejected', by, ctx.now);
    const rejected: [AuditEvent] = [event(mergeEvents, 'org.merge_rejected', { merge: id, side })];
    if (merge.state === 'draft') return { value: 'rejected', events: rejected };
    const events = await tellPlaces(tx, ctx, merge, {
      places: bothPlaces(merge),
      events: rejected,
      news: 'rejected',
      up,
    });
    return { value: 'rejected', events };
  });
