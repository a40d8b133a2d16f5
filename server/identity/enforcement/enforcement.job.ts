import { change } from '#audit/change.ts';
import { systemCtx, type World } from '#kernel/ctx.ts';
import type { Job } from '#kernel/job.ts';
import { deleteOldTraces, lookupEnforcing } from './enforcement.sql.ts';
import { returnToReportOnly } from './return-to-report-only.ts';

/** Looks every minute whether an identity provider fails where single sign-on is enforced, and once an hour deletes what is old. */
export const enforcementJob = (world: World): Job => ({
  name: 'identity.enforcement',
  cron: '* * * * *',
  async run() {
    const now = world.now();
    const { orgs = [] } = (await world.db.lookup(lookupEnforcing())) ?? {};
    for (const { parent, org, enforcing } of orgs) {
      const ctx = { ...systemCtx(world, 'identity.enforcement', { parent, org }), org };
      if (enforcing && (await returnToReportOnly(ctx)))
        world.log.warn({ org }, 'single sign-on is not enforced any more, because the identity provider fails');
      if (now.getUTCMinutes() === 23)
        await change(ctx, async (tx) => {
          await deleteOldTraces(tx, now);
          return { value: undefined, unchanged: true };
        });
    }
  },
});
