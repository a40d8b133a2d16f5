import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { findNearMisses } from './find-near-misses.ts';
import { previewAndApply, type Outcome } from './preview-and-apply.ts';
import type { Edit } from './plan.ts';
import type { Unverified } from './preview-plan.ts';

/** "Map it as is": the group that came takes the place of the name that was expected. Applied at once where nobody loses anything by it. */
export async function fixNearMiss(
  ctx: OrgCtx,
  mapping: Id<'map'>,
  group: Id<'grp'>,
  unverified: Unverified,
): Promise<Outcome> {
  const misses = await ctx.db.read(scopeOf(ctx), findNearMisses);
  const miss = misses.find((m) => m.mapping.id === mapping && m.seen.id === group);
  if (!miss)
    throw new Problem('missing', 'provisioning/no-near-miss', {
      says: 'this group is not nearly what this mapping waits for, or it is mapped already',
      fix: 'list the near misses; any other group is mapped with a plan',
    });
  const { role, tier } = miss.mapping;
  const edits: Edit[] = [
    ...(miss.mapping.standing ? [] : [{ set: 'unmap' as const, mapping }]),
    { set: 'map', group, role, tier },
  ];
  return previewAndApply(ctx, edits, unverified);
}
