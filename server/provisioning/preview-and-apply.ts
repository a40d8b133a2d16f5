import type { OrgCtx } from '#kernel/ctx.ts';
import { applyPlan } from './apply-plan.ts';
import type { Edit } from './plan.ts';
import { previewPlan, type Preview, type Unverified } from './preview-plan.ts';

export type Outcome = Preview & { applied: { changed: number; atNextSignIn: number } | null };

/** Makes a plan and, where nobody would lose access or a role and nothing must be confirmed, applies it at once; else it waits to be looked at. */
export async function previewAndApply(ctx: OrgCtx, edits: readonly Edit[], unverified: Unverified): Promise<Outcome> {
  const plan = await previewPlan(ctx, edits, unverified);
  if (plan.summary.loses + plan.summary.lowered > 0 || plan.confirm) return { ...plan, applied: null };
  const { changed, atNextSignIn } = await applyPlan(ctx, plan.id, { hash: plan.hash });
  return { ...plan, applied: { changed, atNextSignIn } };
}
