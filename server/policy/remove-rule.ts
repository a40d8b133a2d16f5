import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { noRule } from './catalogue.ts';
import { policyEvents } from './policy.events.ts';
import { actorId } from './rule.ts';
import { lockRule, saveRuleRemoved } from './rule.sql.ts';

/** Takes a rule out of force from the next decision on. Its row stays, so that what it once decided can be explained. */
export async function removeRule(ctx: OrgCtx, id: Id<'rul'>): Promise<void> {
  await change(ctx, async (tx) => {
    if (!(await lockRule(tx, id))) throw noRule(id);
    await saveRuleRemoved(tx, id, actorId(ctx.actor), ctx.now);
    return { value: undefined, events: [event(policyEvents, 'policy.rule_removed', { rule: id })] };
  });
}
