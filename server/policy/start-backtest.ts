import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { enqueue } from '#kernel/job.ts';
import { Problem } from '#kernel/problem.ts';
import { countUnderWay, insertBacktest } from './backtest.sql.ts';
import type { Catalogue } from './catalogue.ts';
import { applyDraft, type Draft } from './draft.ts';
import { loadContent } from './content.sql.ts';
import { policyEvents } from './policy.events.ts';
import { actorId } from './rule.ts';
import { BACKTEST_JOB } from './run-backtest.ts';

const DAY = 86_400_000;
/** Backtests of one organization that wait or run at once; each keeps a worker and a processor busy. */
const MAX_UNDER_WAY = 3;

/** Begins to ask the recorded calls of the last days of a draft. A job does it; `findBacktest` says how far it is. */
export async function startBacktest(
  ctx: OrgCtx,
  draft: Draft,
  days: number,
  catalogue: Pick<Catalogue, 'hasConnector' | 'types'>,
): Promise<Id<'bkt'>> {
  return change(ctx, async (tx) => {
    // What is not valid is said now and not in a job that nobody watches.
    await applyDraft(tx, await loadContent(tx), draft, ctx.now, catalogue);
    const under = await countUnderWay(tx);
    if (under >= MAX_UNDER_WAY)
      throw new Problem('conflict', 'policy/backtests-under-way', {
        says: `${under} backtests of this organization wait or run already`,
        fix: 'wait for one to end, or cancel one',
      });
    const id = newId('bkt', ctx.now.getTime());
    const since = new Date(ctx.now.getTime() - days * DAY);
    await insertBacktest(tx, { id, draft, since, until: ctx.now, askedBy: actorId(ctx.actor), askedAt: ctx.now });
    await enqueue(tx, BACKTEST_JOB, { parent: ctx.parent, org: ctx.org, backtest: id }, { key: id });
    return { value: id, events: [event(policyEvents, 'policy.backtest_started', { backtest: id, days })] };
  });
}
