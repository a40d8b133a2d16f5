import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { applyMerge } from './apply-merge.ts';
import { mergeEvents } from './merge.events.ts';
import { approverOf, otherSide, refuseUnless, type Merge, type Side } from './merge.ts';
import type { MergePreview } from './merge-preview.ts';
import {
  bothPlaces,
  compareSides,
  inPerson,
  refuseStaleSignIn,
  stalePreview,
  takeMerge,
  tellPlaces,
  turnStale,
} from './merge-steps.ts';
import { listSisters, saveMergeApproval } from './merge.sql.ts';
import type { MergeUpstairs } from './merge-upstairs.ts';
import { listOrgsOfUser } from './org.sql.ts';

/**
 * Approves exactly the preview with this hash, for the side of the ctx's organization. When both sides have, two different people, it is
 * carried out at once.
 */
export async function approveMerge(
  ctx: OrgCtx,
  id: Id<'mrg'>,
  hash: string,
  up: MergeUpstairs,
): Promise<Merge['state']> {
  const by = inPerson(ctx);
  await refuseStaleSignIn(ctx, up);
  const state = await change<Merge['state']>(ctx, async (tx) => {
    const { merge, side } = await takeMerge(tx, ctx, id);
    refuseUnless(merge, ctx.now, 'approved', ['sent', 'approved_one']);
    if (hash !== merge.previewHash)
      throw new Problem('stale', 'org/merge-other-preview', {
        says: 'this is not the preview that the proposal has now',
        fix: 'look at the proposal again and approve what it shows',
      });
    const mine = approverOf(merge, side);
    if (mine !== null) return { value: merge.state, unchanged: true };
    const now = await compareSides(tx, ctx, merge, up, false);
    if (now.hash !== hash) return { value: 'stale', events: await turnStale(tx, ctx, merge, up) };
    refuseConflicts(now.preview);
    if (side === 'joining') await refuseUnlessOwnerOfAll(tx, by);
    refuseSamePerson(merge, side, by, now.preview);
    const next = approverOf(merge, otherSide(side)) === null ? 'approved_one' : 'approved_both';
    await saveMergeApproval(tx, id, { side, by, at: ctx.now, state: next });
    const approved = event(mergeEvents, 'org.merge_approved', { merge: id, side, hash });
    const events = await tellPlaces(tx, ctx, merge, {
      places: bothPlaces(merge),
      events: [approved],
      // Of the second approval the mail that it is done tells enough.
      news: next === 'approved_one' ? 'approved' : undefined,
      up,
    });
    return { value: next, events };
  });
  if (state === 'stale') throw stalePreview();
  // A transaction of its own: should it fail, both approvals stand, and the job tries again.
  return state === 'approved_both' ? applyMerge(ctx, id, up) : state;
}

function refuseConflicts(p: MergePreview): void {
  const [first, ...rest] = p.conflicts;
  if (!first) return;
  throw new Problem('conflict', 'org/merge-conflicts', {
    says: `${first.says}${rest.length > 0 ? `; and ${rest.length} more in the way` : ''}`,
    fix: first.fix ?? undefined,
    more: { conflicts: p.conflicts.slice(0, 50) },
  });
}

/** The parent moves with all its organizations, so whoever says yes for it answers for each of them. */
async function refuseUnlessOwnerOfAll(tx: Tx, by: Id<'usr'>): Promise<void> {
  const owned = new Set(
    (await listOrgsOfUser(tx, by)).filter((o) => o.role === 'owner' || o.role === 'primary_owner').map((o) => o.org),
  );
  const others = (await listSisters(tx)).filter((o) => !owned.has(o.id));
  if (others.length === 0) return;
  throw new Problem('forbidden', 'org/merge-not-owner-of-all', {
    says: `${others.map((o) => o.name).join(', ')} would move too, and you do not own it`,
    fix: 'let somebody approve who owns every organization of this parent, or become an owner there first',
    more: { orgs: others.map((o) => o.id) },
  });
}

/** INVARIANT (two people): one person with an account on each side counts once. */
function refuseSamePerson(m: Merge, side: Side, by: Id<'usr'>, p: MergePreview): void {
  const theirs = approverOf(m, otherSide(side));
  if (theirs === null) return;
  const [was, becomes] = side === 'joining' ? [by, theirs] : [theirs, by];
  if (by !== theirs && !p.joined.some((j) => j.was === was && j.becomes === becomes)) return;
  throw new Problem('forbidden', 'org/merge-same-person', {
    says: 'you approved this for the other side; two different people must',
    fix: 'let another owner approve for this side',
  });
}
