import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { systemCtx, type World } from '#kernel/ctx.ts';
import type { Job } from '#kernel/job.ts';
import { approvalEvents } from './approvals.events.ts';
import { expireApprovals, lookupExpired } from './approval.sql.ts';

/** Writes down that requests and grants ran out of time. They count as expired from their time on, whether this has run or not. */
export const expireApprovalsJob = (world: World): Job => ({
  name: 'approvals.expire',
  cron: '* * * * *',
  async run() {
    const due = await world.db.lookup(lookupExpired(world.now()));
    for (const scope of due?.scopes ?? []) {
      const ctx = systemCtx(world, 'approvals.expire', scope);
      await change(ctx, async (tx) => {
        const [first, ...rest] = (await expireApprovals(tx, ctx.now, 500)).map((e) =>
          e.askerGone
            ? event(approvalEvents, 'approval.ended', { approval: e.id, was: e.was })
            : event(approvalEvents, 'approval.expired', { approval: e.id, was: e.was }),
        );
        return first ? { value: undefined, events: [first, ...rest] } : { value: undefined, unchanged: true };
      });
    }
  },
});
