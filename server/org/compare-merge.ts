import { change } from '#audit/change.ts';
import { elsewhere } from '#audit/elsewhere.sql.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { mergeEvents } from './merge.events.ts';
import { otherSide, refuseUnless, type Merge } from './merge.ts';
import type { MergePreview } from './merge-preview.ts';
import { compareSides, inPerson, placeOf, takeMerge } from './merge-steps.ts';
import { saveMergePreview } from './merge.sql.ts';
import type { MergeUpstairs } from './merge-upstairs.ts';

/**
 * Makes the preview. It shows each side who of the other is the same person, so the side that was asked must want it first: whoever proposes
 * learns nothing about people from an organization that never answered. A preview that differs from the last one ends approvals of that one.
 */
export const compareMerge = (
  ctx: OrgCtx,
  id: Id<'mrg'>,
  up: MergeUpstairs,
): Promise<{ merge: Merge; preview: MergePreview; hash: string }> =>
  change(ctx, async (tx) => {
    inPerson(ctx);
    const { merge, side } = await takeMerge(tx, ctx, id);
    refuseUnless(merge, ctx.now, 'compared', ['sent', 'approved_one', 'stale']);
    if (merge.openedAt === null && side === merge.proposedFrom)
      throw new Problem('conflict', 'org/merge-not-opened', {
        says: 'the other side has not looked at the proposal yet; until it does, nothing of it is shown',
        fix: 'ask an owner there to make the preview; they had a mail',
      });
    const { preview, hash } = await compareSides(tx, ctx, merge, up, false);
    const openedAt = merge.openedAt ?? ctx.now;
    if (hash === merge.previewHash && merge.state !== 'stale')
      return { value: { merge, preview, hash }, unchanged: true };
    await saveMergePreview(tx, id, { preview, hash, openedAt });
    const made = event(mergeEvents, 'org.merge_previewed', {
      merge: id,
      hash,
      joined: preview.joined.length + preview.joinedMore,
      conflicts: preview.conflicts.length,
    });
    const ended = [merge.joiningBy, merge.receivingBy].filter((by) => by !== null).length;
    const events: [AuditEvent, ...AuditEvent[]] =
      ended > 0 ? [made, event(mergeEvents, 'org.merge_stale', { merge: id, approvalsEnded: ended })] : [made];
    // The other side is compared too, so its log says so as well.
    await elsewhere(tx, ctx, placeOf(merge, otherSide(side)), () => Promise.resolve(events));
    return {
      value: {
        merge: {
          ...merge,
          state: 'sent',
          openedAt,
          preview,
          previewHash: hash,
          joiningBy: null,
          joiningAt: null,
          receivingBy: null,
          receivingAt: null,
        },
        preview,
        hash,
      },
      events,
    };
  });
