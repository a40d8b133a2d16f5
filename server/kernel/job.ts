import { Logger, parseCronItems, run, type Runner } from 'graphile-worker';
import type pg from 'pg';
import { write, type Tx } from './db.ts';
import type { Log } from './log.ts';

/** Background work: `name` is stored in rows, so it is for ever; `payload` has ids only. */
export type Job = {
  name: string;
  run(payload: unknown): Promise<void>;
  /** crontab (UTC) for scheduled jobs, e.g. `0 3 * * *` */ cron?: string;
};

/**
 * Enqueues inside the caller's transaction: the job exists exactly if the change does.
 * With `key`, a job of the same key that has not started is replaced instead of doubled.
 */
export async function enqueue(
  tx: Tx,
  name: string,
  payload: object,
  when: { at?: Date; key?: string } = {},
): Promise<void> {
  await tx.run(
    write`select graphile_worker.enqueue(${name}, ${JSON.stringify(payload)}::json, ${when.at ?? null}, ${when.key ?? null})`,
  );
}

/** Runs jobs until stopped; a job that throws is retried with growing pauses (graphile-worker: 25 attempts over about three days). */
export async function startJobs(pool: pg.Pool, jobs: readonly Job[], log: Log, concurrency = 4): Promise<Runner> {
  return run({
    pgPool: pool,
    concurrency,
    noHandleSignals: true,
    noPreparedStatements: true,
    pollInterval: 1000,
    logger: new Logger(() => (level, message, meta) => {
      if (level === 'error' || level === 'warning') log.warn({ meta }, message);
    }),
    taskList: Object.fromEntries(jobs.map((j) => [j.name, (payload: unknown) => j.run(payload)])),
    // Tried once: the next time is soon enough.
    parsedCronItems: parseCronItems(
      jobs.flatMap((j) => (j.cron ? [{ task: j.name, match: j.cron, options: { maxAttempts: 1 } }] : [])),
    ),
  });
}
