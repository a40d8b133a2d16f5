import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import type { Approval } from './approval.ts';
import { approvalEvents } from './approvals.events.ts';
import { findApproval } from './approval.sql.ts';
import { noApproval } from './decide-approval.ts';

/** One request with its arguments. They are a person's content, so that somebody saw them is recorded. */
export async function readApproval(ctx: OrgCtx, id: Id<'apr'>): Promise<Approval> {
  return change(ctx, async (tx) => {
    const approval = await findApproval(tx, id);
    if (!approval) throw noApproval(id);
    const { connector, tool } = approval.action;
    return { value: approval, events: [event(approvalEvents, 'approval.read', { approval: id, connector, tool })] };
  });
}
