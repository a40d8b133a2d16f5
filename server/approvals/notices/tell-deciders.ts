import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { notify } from '#notify/notify.ts';
import { asOf } from '../approval.ts';
import { findApproval } from '../approval.sql.ts';
import { approvalEvents } from '../approvals.events.ts';
import { listApprovers } from './list-approvers.ts';
import { saveSent } from './notice.sql.ts';
import { planNotices } from './plan-notices.ts';
import type { Tools } from '../tools.ts';

/** More people than this are not told of one request; whoever may decide sees it in any case. */
const MOST_TOLD = 50;

/**
 * Tells those who may decide that a request waits: by mail at once, or in the next summary. The policies say who may, one person after the
 * other; nobody is told of a call that they could not decide.
 */
export const tellDeciders = (ctx: OrgCtx, tools: Tools, id: Id<'apr'>): Promise<void> =>
  change(ctx, async (tx) => {
    const row = await findApproval(tx, id);
    const approval = row && asOf(row, ctx.now);
    if (approval?.state !== 'pending') return { value: undefined, unchanged: true };
    const people = (await listApprovers(tx, tools, approval, ctx.now)).slice(0, MOST_TOLD);
    const planned = await planNotices(tx, approval, people, ctx.now);
    if (planned.length === 0) return { value: undefined, unchanged: true };
    const now = planned.filter((p) => p.how === 'now').map((p) => p.person);
    await notify(tx, ctx, { to: now, about: { kind: 'approval_waits', approval: id } });
    for (const person of now) await saveSent(tx, person, [id], ctx.now);
    return {
      value: undefined,
      events: [
        event(approvalEvents, 'approval.told', { approval: id, now: now.length, later: planned.length - now.length }),
      ],
    };
  });
