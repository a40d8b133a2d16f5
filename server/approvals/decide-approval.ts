import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { asOf, GRANT_MS, type Approval } from './approval.ts';
import { approvalEvents } from './approvals.events.ts';
import { findApproval, findAskerGone, lockApproval, saveDecision } from './approval.sql.ts';

/** Says yes or no to a request. The first decision stands; a yes is good once, for ten minutes, for the one who asked. */
export async function decideApproval(
  ctx: OrgCtx,
  id: Id<'apr'>,
  decision: 'allow' | 'refuse',
  reason: string | undefined,
): Promise<Approval> {
  return change(ctx, async (tx) => {
    const row = await lockApproval(tx, id);
    if (!row) throw noApproval(id);
    const gone = await findAskerGone(tx, id);
    if (gone)
      throw new Problem('conflict', 'approvals/asker-gone', {
        says: `${gone.asker}, whose agent asked, is suspended or not a member any more, so the request is over`,
        fix: 'nothing is left to decide',
      });
    const approval = asOf(row, ctx.now);
    if (approval.state === 'expired')
      throw new Problem('conflict', 'approvals/expired', {
        says: approval.decided
          ? `this was allowed by ${approval.decided.by}, and the grant was not used until ${approval.expires.toISOString()}, so it is over`
          : `nobody decided until ${approval.expires.toISOString()}, so the request is over`,
        fix: 'let the agent call again; that asks anew',
      });
    if (approval.state !== 'pending')
      throw new Problem('conflict', 'approvals/decided', {
        says: `this was decided already: ${approval.state === 'refused' ? 'refused' : 'allowed'} by ${approval.decided.by}`,
        fix: 'the first decision stands; a new call asks anew',
      });
    const by = decider(ctx);
    // INVARIANT (four eyes): nobody says yes to a call of his own agent, whatever his role.
    if (by === approval.asker.user)
      throw new Problem('forbidden', 'approvals/own-request', {
        says: 'the call that waits is your own; another person decides',
        fix: 'ask somebody whose role may decide approvals',
      });
    const state = decision === 'allow' ? 'granted' : 'refused';
    const expires = new Date(ctx.now.getTime() + GRANT_MS);
    await saveDecision(tx, id, {
      state,
      by,
      at: ctx.now,
      reason,
      expires: state === 'granted' ? expires : approval.expires,
    });
    const saved = await findApproval(tx, id);
    if (!saved) throw noApproval(id);
    const { connector, tool } = approval.action;
    const facts = { approval: id, connector, tool, hash: approval.hash, asker: approval.asker.member };
    return {
      value: saved,
      events: [event(approvalEvents, state === 'granted' ? 'approval.granted' : 'approval.refused', facts)],
    };
  });
}

/** Only a person decides: a key or an agent has no judgement to lend, and the four-eyes rule could not be checked. */
function decider(ctx: OrgCtx): Id<'usr'> {
  if (ctx.actor.kind === 'user') return ctx.actor.id;
  throw new Problem('forbidden', 'approvals/not-a-person', {
    says: 'approvals are decided by people who are signed in, not by keys or agents',
    fix: 'sign in to the portal and decide there',
  });
}

export const noApproval = (id: string): Problem =>
  new Problem('missing', 'approvals/no-approval', { says: `there is no approval ${id} in this organization` });
