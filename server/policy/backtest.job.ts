import { z } from 'zod';
import { systemCtx, type World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import type { Job } from '#kernel/job.ts';
import type { Catalogue } from './catalogue.ts';
import { BACKTEST_JOB, runBacktest } from './run-backtest.ts';

const Payload = z.object({
  parent: z.custom<Id<'par'>>(),
  org: z.custom<Id<'org'>>(),
  backtest: z.custom<Id<'bkt'>>(),
});

/** Runs a backtest that somebody started. */
export const backtestJob = (world: World, catalogue: Pick<Catalogue, 'hasConnector' | 'types'>): Job => ({
  name: BACKTEST_JOB,
  async run(payload) {
    const { parent, org, backtest } = Payload.parse(payload);
    await runBacktest({ ...systemCtx(world, BACKTEST_JOB, { parent, org }), org }, backtest, catalogue);
  },
});
