import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { resealed, secretChanged } from './apply-merge.ts';
import { mergeEvents } from './merge.events.ts';
import { noSuchMerge, refuseUnless, type Merge } from './merge.ts';
import { MergePreview } from './merge-preview.ts';
import { inPerson, placeOf, refuseStaleSignIn, takeMerge, tellPlaces } from './merge-steps.ts';
import { findMerge, listObstacles, placeMovedSecret, takeBackMerge, type Obstacle } from './merge.sql.ts';
import type { MergeUpstairs } from './merge-upstairs.ts';

/** What stands in the way of undoing, in words. */
export function saysObstacle(o: Obstacle): { code: Obstacle['code']; about: string; says: string; fix: string } {
  const { code, about, name } = o;
  switch (code) {
    case 'org_elsewhere':
      return { code, about, says: `${name} has been merged on since`, fix: 'undo the later merge first' };
    case 'belongs_to_both':
      return {
        code,
        about,
        says: `${name} belongs to both sides since the merge`,
        fix: 'take the person out of the organizations or directories of one side',
      };
    case 'was_here_before':
      return {
        code,
        about,
        says: `${name} of the receiving side has been taken into an organization that would go back`,
        fix: 'take the person out of it',
      };
    case 'address_taken':
      return {
        code,
        about,
        says: `${name} is the address of another account on the side that it would go back to`,
        fix: 'change the address',
      };
    case 'connection_of_other':
      return {
        code,
        about,
        says: `the connection ${name} is on one side and the organization that it is for on the other`,
        fix: 'connect that organization anew after a merge, or keep it together',
      };
    case 'domain_of_other':
      return {
        code,
        about,
        says: `the domain ${name} is on one side and its organization or its capture on the other`,
        fix: 'take the domain back from that organization',
      };
  }
}

/** Puts everything back as it was, with what has come to the moved organizations since. An owner of either side may, within a week. */
export async function undoMerge(ctx: OrgCtx, id: Id<'mrg'>, up: MergeUpstairs): Promise<Merge['state']> {
  const by = inPerson(ctx);
  await refuseStaleSignIn(ctx, up);
  const found = await ctx.db.read(scopeOf(ctx), (db) => findMerge(db, id));
  if (!found || (ctx.org !== found.org && ctx.org !== found.intoOrg)) throw noSuchMerge();
  refuseUnless(found, ctx.now, 'undone', ['applied']);
  const { parent: from, intoParent: into, intoOrg } = found;
  const { moves } = MergePreview.parse(found.preview);
  const moved = new Set([...moves.connections, ...moves.orgs].map((m) => m.id));
  const secrets = await resealed(ctx, into, from, (of) => moved.has(of));
  const home: OrgCtx = { ...ctx, parent: into, org: intoOrg };
  return change<Merge['state']>(home, async (tx) => {
    const { merge } = await takeMerge(tx, home, id);
    refuseUnless(merge, ctx.now, 'undone', ['applied']);
    if (!merge.undoUntil || merge.undoUntil < ctx.now)
      throw new Problem('conflict', 'org/merge-undo-over', {
        says: 'a merge can be undone for seven days, and they are over',
        fix: 'move people and connections one by one',
      });
    const obstacles = await listObstacles(tx, id, true);
    const reasons = obstacles.map(saysObstacle);
    const [first] = reasons;
    if (first)
      throw new Problem('conflict', 'org/merge-undo-impossible', {
        says: `${first.says}${reasons.length > 1 ? `; and ${reasons.length - 1} more in the way` : ''}`,
        fix: first.fix,
        more: { reasons },
      });
    const done = await takeBackMerge(tx, id, ctx.now, by);
    for (const s of secrets) if (!(await placeMovedSecret(tx, id, s))) throw secretChanged();
    const events = await tellPlaces(
      tx,
      home,
      { ...merge, state: 'undone' },
      {
        places: [
          ...done.orgs.map((org) => ({ parent: from, org })),
          placeOf(merge, 'receiving'),
          { parent: from, org: undefined },
          { parent: into, org: undefined },
        ],
        events: [event(mergeEvents, 'org.merge_undone', { merge: id, from, into, ...done })],
        news: 'undone',
        up,
      },
    );
    return { value: 'undone', events };
  });
}
