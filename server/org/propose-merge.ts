import { change } from '#audit/change.ts';
import { elsewhere } from '#audit/elsewhere.sql.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { mergeEvents } from './merge.events.ts';
import { MERGE_EXPIRES_MS, type Merge, type Side } from './merge.ts';
import { inPerson } from './merge-steps.ts';
import { countOpenMerges, findMerge, insertMerge } from './merge.sql.ts';
import { noSuchOrg } from './org.ts';
import { findOrg, lookupOrgParent } from './org.sql.ts';

/** More proposals at once than anybody means. Each tells whether an id is an organization's. */
const MAX_OPEN = 10;

export type WantedMerge = { with: Id<'org'>; as: Side } & Pick<Merge, 'byAddress' | 'sharedEntries'>;

/** Writes a draft: nobody but its own side sees it until it is sent. */
export async function proposeMerge(ctx: OrgCtx, w: WantedMerge): Promise<Merge> {
  const proposedBy = inPerson(ctx);
  const parent = (await ctx.db.lookup(lookupOrgParent(w.with)))?.parent;
  if (!parent) throw noSuchOrg();
  if (parent === ctx.parent)
    throw new Problem('conflict', 'org/merge-same-parent', {
      says: 'both organizations are under one parent already',
      fix: 'nothing is left to do; they share people, directories and sign-in',
    });
  return change(ctx, async (tx) => {
    if ((await countOpenMerges(tx)).n >= MAX_OPEN)
      throw new Problem('too_many', 'org/merge-too-many', {
        says: `there are ${MAX_OPEN} open proposals with this parent`,
        fix: 'reject some of them first',
      });
    const ours = await findOrg(tx, ctx.org);
    const names: string[] = [];
    await elsewhere(tx, ctx, { parent, org: w.with }, async () => {
      names.push((await findOrg(tx, w.with))?.name ?? '');
      return [];
    });
    const here = { org: ctx.org, name: ours?.name ?? '', parent: ctx.parent };
    const there = { org: w.with, name: names[0] ?? '', parent };
    const [joining, receiving] = w.as === 'joining' ? [here, there] : [there, here];
    const id = newId('mrg', ctx.now.getTime());
    const made = await insertMerge(tx, {
      id,
      parent: joining.parent,
      org: joining.org,
      orgName: joining.name,
      intoParent: receiving.parent,
      intoOrg: receiving.org,
      intoName: receiving.name,
      proposedBy,
      proposedFrom: w.as,
      byAddress: w.byAddress,
      sharedEntries: w.sharedEntries,
      createdAt: ctx.now,
      expiresAt: new Date(ctx.now.getTime() + MERGE_EXPIRES_MS),
    });
    const merge = made === 1 ? await findMerge(tx, id) : undefined;
    if (!merge)
      throw new Problem('conflict', 'org/merge-open-already', {
        says: 'there is an open proposal between these two parents',
        fix: 'carry that one on, or reject it',
      });
    return {
      value: merge,
      events: [event(mergeEvents, 'org.merge_proposed', { merge: id, side: w.as, with: w.with })],
    };
  });
}
