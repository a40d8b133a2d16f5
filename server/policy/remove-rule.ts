import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import type { Catalogue } from './catalogue.ts';
import { changePolicies, type Saying } from './change-policies.ts';

/** Takes a rule out of force from the next decision on. Its row stays, so that what it once decided can be explained. */
export async function removeRule(
  ctx: OrgCtx,
  rule: Id<'rul'>,
  saying: Saying = {},
  catalogue: Partial<Pick<Catalogue, 'reviewedTools'>> = {},
): Promise<void> {
  await changePolicies(ctx, { kind: 'remove_rule', rule }, saying, {
    hasConnector: () => Promise.resolve(false),
    ...catalogue,
  });
}
