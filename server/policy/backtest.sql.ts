import { z } from 'zod';
import { json, read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { Report } from './backtest.ts';
import type { Draft } from './draft.ts';

export const backtestStates = ['waiting', 'running', 'done', 'cancelled', 'failed'] as const;
export type BacktestState = (typeof backtestStates)[number];

const BacktestRow = z.object({
  id: z.custom<Id<'bkt'>>(),
  draft: z.custom<Draft>(),
  since: z.date(),
  until: z.date(),
  state: z.enum(backtestStates),
  calls: z.coerce.number(),
  seen: z.coerce.number(),
  report: z.custom<Report>().nullable(),
  says: z.string().nullable(),
  askedBy: z.string(),
  askedAt: z.date(),
  endedAt: z.date().nullable(),
});
/** A run of recorded calls through a draft: what was asked for, how far it is, what came of it. */
export type BacktestRun = z.infer<typeof BacktestRow>;

export const insertBacktest = (
  tx: Tx,
  b: Pick<BacktestRun, 'id' | 'draft' | 'since' | 'until' | 'askedBy' | 'askedAt'>,
): Promise<number> =>
  tx.run(write`
    insert into backtest (org, id, draft, since, until, state, asked_by, asked_at)
    values (app_org(), ${b.id}, ${json(b.draft)}, ${b.since}, ${b.until}, 'waiting', ${b.askedBy}, ${b.askedAt})`);

export const findBacktest = (db: Reader, id: Id<'bkt'>): Promise<BacktestRun | undefined> =>
  db.maybe(read(BacktestRow)`
    select id, draft, since, until, state, calls, seen, report, says, asked_by as "askedBy", asked_at as "askedAt", ended_at as "endedAt"
      from backtest where org = app_org() and id = ${id}`);

/** The same, taken for the rest of the transaction. */
export const lockBacktest = (tx: Tx, id: Id<'bkt'>): Promise<BacktestRun | undefined> =>
  tx.maybe(read(BacktestRow)`
    select id, draft, since, until, state, calls, seen, report, says, asked_by as "askedBy", asked_at as "askedAt", ended_at as "endedAt"
      from backtest where org = app_org() and id = ${id} for update`);

/** Newest first; one more than asked. Without reports: a page of them would be large. */
export const listBacktests = (
  db: Reader,
  f: { state: BacktestState | undefined; after: readonly string[] | undefined; limit: number },
): Promise<BacktestRun[]> =>
  db.many(read(BacktestRow)`
    select id, draft, since, until, state, calls, seen, null as report, says, asked_by as "askedBy", asked_at as "askedAt", ended_at as "endedAt"
      from backtest
     where org = app_org() and (${f.state ?? null}::text is null or state = ${f.state ?? null})
       and (${f.after?.[0] ?? null}::text is null or id < ${f.after?.[0] ?? ''})
     order by id desc
     limit ${f.limit + 1}`);

/** How many wait or run. */
export const countUnderWay = async (db: Reader): Promise<number> =>
  (
    await db.one(read(z.object({ n: z.number() }))`
    select count(*)::int as n from backtest where org = app_org() and state in ('waiting', 'running')`)
  ).n;

/** How far it is. */
export const saveProgress = (tx: Tx, id: Id<'bkt'>, p: { calls: number; seen: number }): Promise<number> =>
  tx.run(write`
    update backtest set state = 'running', calls = ${p.calls}, seen = ${p.seen}
     where org = app_org() and id = ${id} and state in ('waiting', 'running')`);

/** 0: it had ended already. */
export const saveEnded = (
  tx: Tx,
  id: Id<'bkt'>,
  end: { state: 'done'; report: Report } | { state: 'cancelled' } | { state: 'failed'; says: string },
  at: Date,
): Promise<number> =>
  tx.run(write`
    update backtest
       set state = ${end.state}, ended_at = ${at}, says = ${end.state === 'failed' ? end.says : null},
           report = ${end.state === 'done' ? json(end.report) : null}::json,
           seen = case when ${end.state} = 'done' then calls else seen end
     where org = app_org() and id = ${id} and state in ('waiting', 'running')`);
