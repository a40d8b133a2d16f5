import type { World } from '#kernel/ctx.ts';
import type { Job } from '#kernel/job.ts';
import { MAX_SESSION_HOURS } from '#policy/after-reading.ts';
import { pruneSessionReads } from './session-read.sql.ts';

/** Rows of one organization that one statement forgets. */
const BATCH = 10_000;
const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

/** Every hour: forgets what sessions read longer ago than any organization can let it count. The calls and their events stay. */
export const forgetSessionReadsJob = (world: World): Job => ({
  name: 'gateway.forget_session_reads',
  cron: '41 * * * *',
  async run() {
    const edge = new Date(world.now().getTime() - MAX_SESSION_HOURS * HOUR - DAY);
    for (let i = 0; i < 1000; i++) {
      const { gone } = (await world.db.lookup(pruneSessionReads(edge, BATCH))) ?? { gone: 0 };
      if (gone === 0) return;
    }
  },
});
