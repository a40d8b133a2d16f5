import type { World } from '#kernel/ctx.ts';
import type { Job } from '#kernel/job.ts';
import { pruneDecidedCalls } from './decided-call.sql.ts';

/** Rows of one organization that one statement forgets, so that it holds its locks for a moment only. */
const BATCH = 10_000;
const DAY = 86_400_000;

/** Every hour: forgets what calls were decided on that are older than the operator's days. The calls and their events stay. */
export const forgetDecidedCallsJob = (world: World, days: number): Job => ({
  name: 'policy.forget_decided_calls',
  cron: '17 * * * *',
  async run() {
    const edge = new Date(world.now().getTime() - days * DAY);
    for (let i = 0; i < 1000; i++) {
      const { gone } = (await world.db.lookup(pruneDecidedCalls(edge, BATCH))) ?? { gone: 0 };
      if (gone === 0) return;
    }
  },
});
