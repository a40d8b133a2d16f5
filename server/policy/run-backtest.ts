import { setImmediate } from 'node:timers/promises';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { Backtest } from './backtest.ts';
import { findBacktest, lockBacktest, saveEnded, saveProgress } from './backtest.sql.ts';
import type { Catalogue } from './catalogue.ts';
import { countRecordedCalls, listRecordedCalls, type RecordedCall } from './decided-call.sql.ts';
import { applyDraft } from './draft.ts';
import { loadContent } from './content.sql.ts';
import { setOf } from './content.ts';
import { policyEvents } from './policy.events.ts';

export const BACKTEST_JOB = 'policy.backtest';

/** Calls that are read at once: twice this is what a run keeps in memory. */
const PAGE = 5000;
/** Longest time that other work of this process waits for a run, in milliseconds. */
const TURN_MS = 10;
/** How often a run says how far it is: at each tenth. */
const STEPS = 10;

/**
 * Runs a backtest to its end, or until somebody cancels it. Begins at the top again when it was interrupted, so that a report is always of a
 * whole run. Calls are read page by page, newest first; those that come meanwhile are not part of it.
 */
export async function runBacktest(
  ctx: OrgCtx,
  id: Id<'bkt'>,
  catalogue: Pick<Catalogue, 'hasConnector' | 'types'>,
  page: number = PAGE,
): Promise<void> {
  try {
    await run(ctx, id, catalogue, page);
  } catch (err) {
    // A database that is away comes back, and the job with it. What else there is would be the same the next time.
    if (err instanceof Problem && err.kind === 'unavailable') throw err;
    // A draft was valid when it was asked for; the policies have changed since.
    const told = err instanceof Problem && err.kind !== 'bug' ? err.says : undefined;
    if (told === undefined) ctx.log.error({ err, backtest: id }, 'a backtest broke');
    await end(ctx, id, {
      state: 'failed',
      says: told ?? 'something broke on our side; the log of the server says what',
    });
  }
}

async function run(
  ctx: OrgCtx,
  id: Id<'bkt'>,
  catalogue: Pick<Catalogue, 'hasConnector' | 'types'>,
  page: number,
): Promise<void> {
  const scope = scopeOf(ctx);
  const begun = await ctx.db.read(scope, async (db) => {
    const b = await findBacktest(db, id);
    if (b?.state !== 'waiting' && b?.state !== 'running') return undefined;
    const content = await loadContent(db);
    const draft = setOf(ctx.org, await applyDraft(db, content, b.draft, ctx.now, catalogue));
    return { ...b, test: new Backtest(setOf(ctx.org, content), draft), calls: await countRecordedCalls(db, b) };
  });
  if (!begun) return;
  const { test } = begun;
  const { calls } = begun;
  await progress(ctx, id, { calls, seen: 0 });
  const readPage = async (before: Id<'tcl'> | undefined): Promise<RecordedCall[] | undefined> =>
    ctx.db.read(scope, async (db) =>
      (await findBacktest(db, id))?.state === 'running'
        ? listRecordedCalls(db, { ...begun, before, limit: page })
        : undefined,
    );
  let [seen, told] = [0, 0];
  let reading = readPage(undefined);
  for (;;) {
    const rows = await reading;
    if (!rows) return;
    // The next page is read while this one is asked about; its failure is met when it is waited for.
    if (rows.length === page) (reading = readPage(rows.at(-1)?.id)).catch(() => undefined);
    let turn = performance.now();
    for (const row of rows) {
      test.add(row);
      if (performance.now() - turn < TURN_MS) continue;
      await setImmediate();
      turn = performance.now();
    }
    seen += rows.length;
    if (rows.length < page) break;
    const step = Math.floor((STEPS * seen) / Math.max(1, calls));
    if (step > told) await progress(ctx, id, { calls, seen });
    told = step;
  }
  await end(ctx, id, { state: 'done', report: test.report() });
}

/** Calls, so that whoever waits sees that it goes on. In the log too, at most ten times a run: nothing of ours changes in silence. */
const progress = (ctx: OrgCtx, id: Id<'bkt'>, p: { calls: number; seen: number }): Promise<void> =>
  change(ctx, async (tx) =>
    (await saveProgress(tx, id, p)) === 1
      ? { value: undefined, events: [event(policyEvents, 'policy.backtest_progressed', { backtest: id, ...p })] }
      : { value: undefined, unchanged: true },
  );

const end = (ctx: OrgCtx, id: Id<'bkt'>, how: Parameters<typeof saveEnded>[2]): Promise<void> =>
  change(ctx, async (tx) => {
    const b = await lockBacktest(tx, id);
    if (!b || (await saveEnded(tx, id, how, ctx.now)) === 0) return { value: undefined, unchanged: true };
    const { calls, changed } = how.state === 'done' ? how.report : { calls: b.calls, changed: 0 };
    const data = { backtest: id, state: how.state, calls, changed };
    return { value: undefined, events: [event(policyEvents, 'policy.backtest_ended', data)] };
  });
