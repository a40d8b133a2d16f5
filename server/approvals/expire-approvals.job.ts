import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import { systemCtx, type World } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { Job } from '#kernel/job.ts';
import { endApprovals, lookupExpired } from './approval.sql.ts';
import { approvalEvents } from './approvals.events.ts';
import { endGrants } from './grant.sql.ts';

/** Writes down what is over by its time, or because its asker is gone. */
export async function endOver(tx: Tx, now: Date, limit: number, first?: Id<'apr'>): Promise<AuditEvent[]> {
  const requests = await endApprovals(tx, now, limit, first);
  const grants = await endGrants(tx, now, limit);
  return [
    ...requests.map((r) =>
      r.askerGone
        ? event(approvalEvents, 'approval.cancelled', { approval: r.id, why: 'asker_gone' })
        : event(approvalEvents, 'approval.expired', { approval: r.id }),
    ),
    ...grants.map((g) =>
      g.askerGone
        ? event(approvalEvents, 'approval.grant_revoked', { approval: g.approval, why: 'asker_gone' })
        : event(approvalEvents, 'approval.grant_expired', {
            approval: g.approval,
            grant: g.id,
            used: g.used,
            most: g.most,
          }),
    ),
  ];
}

/** Says in the log that requests and grants ran out of time. They count as over from their time on, whether this has run or not. */
export const expireApprovalsJob = (world: World): Job => ({
  name: 'approvals.expire',
  cron: '* * * * *',
  async run() {
    const due = await world.db.lookup(lookupExpired(world.now()));
    for (const scope of due?.scopes ?? []) {
      const ctx = systemCtx(world, 'approvals.expire', scope);
      await change(ctx, async (tx) => {
        const [first, ...rest] = await endOver(tx, ctx.now, 500);
        return first ? { value: undefined, events: [first, ...rest] } : { value: undefined, unchanged: true };
      });
    }
  },
});
