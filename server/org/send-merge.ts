import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { mergeEvents } from './merge.events.ts';
import { refuseUnless, type Merge } from './merge.ts';
import { bothPlaces, inPerson, takeMerge, tellPlaces } from './merge-steps.ts';
import { saveMergeState } from './merge.sql.ts';
import type { MergeUpstairs } from './merge-upstairs.ts';

/** Lays a draft before the other side: from now on both see it, and the owners of both are told. */
export const sendMerge = (ctx: OrgCtx, id: Id<'mrg'>, up: MergeUpstairs): Promise<Merge> =>
  change(ctx, async (tx) => {
    inPerson(ctx);
    const { merge } = await takeMerge(tx, ctx, id);
    if (merge.state === 'sent') return { value: merge, unchanged: true };
    refuseUnless(merge, ctx.now, 'sent', ['draft']);
    await saveMergeState(tx, id, 'sent');
    const value: Merge = { ...merge, state: 'sent' };
    const events = await tellPlaces(tx, ctx, value, {
      places: bothPlaces(merge),
      events: [event(mergeEvents, 'org.merge_sent', { merge: id, joining: merge.org, receiving: merge.intoOrg })],
      news: 'sent',
      up,
    });
    return { value, events };
  });
