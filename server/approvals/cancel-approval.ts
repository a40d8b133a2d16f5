import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { actorId } from '#policy/rule.ts';
import { asOf, type Approval } from './approval.ts';
import { findApproval, lockApproval, saveEnded } from './approval.sql.ts';
import { approvalEvents } from './approvals.events.ts';
import { noApproval, settled } from './refusals.ts';
import { maySee } from './sight.ts';

/** Takes a request back: the person whose agent asked, or that agent, and nobody else. Who decides says no instead. */
export const cancelApproval = (ctx: OrgCtx, id: Id<'apr'>): Promise<Approval> =>
  change(ctx, async (tx) => {
    const row = await lockApproval(tx, id);
    if (!row) throw noApproval(id);
    const { actor } = ctx;
    const agent = actor.kind === 'agent' && actor.member === row.asker.member && actor.client === row.asker.client;
    if (!agent && !(actor.kind === 'user' && actor.id === row.asker.user)) {
      if (!(await maySee(ctx, tx, row))) throw noApproval(id);
      throw new Problem('forbidden', 'approvals/not-the-asker', {
        says: 'only the person whose agent asked takes the request back',
        fix: 'deny it if you may decide',
      });
    }
    const now = asOf(row, ctx.now);
    if (now.state !== 'pending') throw settled(now);
    const why = agent ? ('agent' as const) : ('asker' as const);
    await saveEnded(tx, id, { state: 'cancelled', why, by: actorId(actor), replacedBy: null, at: ctx.now });
    const ended = await findApproval(tx, id);
    if (!ended) throw noApproval(id);
    return { value: ended, events: [event(approvalEvents, 'approval.cancelled', { approval: id, why })] };
  });
