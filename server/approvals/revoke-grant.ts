import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { actorId } from '#policy/rule.ts';
import { asOf, type Approval } from './approval.ts';
import { findApproval, lockApproval } from './approval.sql.ts';
import { approvalEvents } from './approvals.events.ts';
import { saveRevoked } from './grant.sql.ts';
import { noApproval, settled } from './refusals.ts';
import { seesAll } from './sight.ts';

/** Takes a yes back that is not used up: whoever gave it, the person whose agent has it, or who sees all approvals. */
export const revokeGrant = (ctx: OrgCtx, id: Id<'apr'>): Promise<Approval> =>
  change(ctx, async (tx) => {
    const row = await lockApproval(tx, id);
    if (!row) throw noApproval(id);
    const mine = ctx.actor.kind === 'user' && ctx.actor.id === row.asker.user;
    const gave = ctx.actor.kind === 'user' && row.state === 'approved' && row.decided.by === ctx.actor.id;
    if (!mine && !gave && !(await seesAll(ctx, tx))) throw noApproval(id);
    const now = asOf(row, ctx.now);
    if (now.state === 'pending')
      throw new Problem('conflict', 'approvals/nothing-given', {
        says: 'nobody has approved this yet, so there is nothing to take back',
        fix: 'deny the request, or let the one who asked take it back',
      });
    if (now.state !== 'approved') throw settled(now);
    if (now.grant.state !== 'unused')
      throw new Problem('conflict', 'approvals/grant-over', {
        says: `the approval is ${now.grant.state} already${now.grant.lastCall === null ? '' : ` (by ${now.grant.lastCall})`}`,
        fix: 'nothing is left to take back',
        more: { state: now.grant.state, used: now.grant.used, most: now.grant.most },
      });
    const why = mine ? ('asker' as const) : ('admin' as const);
    await saveRevoked(tx, id, { why, by: actorId(ctx.actor), at: ctx.now });
    const ended = await findApproval(tx, id);
    if (!ended) throw noApproval(id);
    return { value: ended, events: [event(approvalEvents, 'approval.grant_revoked', { approval: id, why })] };
  });
