import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { actorId } from './actor-id.ts';
import { dlpEvents } from './dlp.events.ts';
import { saveDlpPolicyRemoved } from './dlp-policy.sql.ts';

/** Takes a policy or an exception out of force. */
export async function removeDlpPolicy(ctx: OrgCtx, id: Id<'dpo'>): Promise<void> {
  await change(ctx, async (tx) => {
    if ((await saveDlpPolicyRemoved(tx, id, actorId(ctx.actor), ctx.now)) === 0) throw noDlpPolicy(id);
    return { value: undefined, events: [event(dlpEvents, 'dlp.policy_removed', { policy: id })] };
  });
}

export const noDlpPolicy = (id: string): Problem =>
  new Problem('missing', 'dlp/no-policy', { says: `there is no policy ${id.slice(0, 60)} in this organization` });
