import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { lockBacktest, saveEnded } from './backtest.sql.ts';
import { policyEvents } from './policy.events.ts';

export const noBacktest = (id: string): Problem =>
  new Problem('missing', 'policy/no-backtest', {
    says: `there is no backtest ${id} in this organization`,
    fix: 'list the backtests and take an id from there',
  });

/** Ends a backtest that waits or runs. What it had counted is let go: half a report would be read as a whole one. */
export const cancelBacktest = (ctx: OrgCtx, id: Id<'bkt'>): Promise<void> =>
  change(ctx, async (tx) => {
    const b = await lockBacktest(tx, id);
    if (!b) throw noBacktest(id);
    if ((await saveEnded(tx, id, { state: 'cancelled' }, ctx.now)) === 0)
      throw new Problem('conflict', 'policy/backtest-ended', {
        says: `the backtest ended already: it is ${b.state}`,
        fix: 'nothing needs to be done',
      });
    const data = { backtest: id, state: 'cancelled' as const, calls: b.calls, changed: 0 };
    return { value: undefined, events: [event(policyEvents, 'policy.backtest_ended', data)] };
  });
