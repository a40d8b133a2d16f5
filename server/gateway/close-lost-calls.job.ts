import type { World } from '#kernel/ctx.ts';
import type { Job } from '#kernel/job.ts';
import { lookupLostCalls } from './call.sql.ts';
import { closeLostCalls } from './close-lost-calls.ts';

/** Every minute: ends the calls of nodes that died. On whichever node the job runs. */
export const closeLostCallsJob = (world: World): Job => ({
  name: 'gateway.close_lost_calls',
  cron: '* * * * *',
  async run() {
    const lost = await world.db.lookup(lookupLostCalls());
    for (const place of lost?.scopes ?? []) while ((await closeLostCalls(world, place)) > 0) continue;
  },
});
