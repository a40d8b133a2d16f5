import type { World } from '#kernel/ctx.ts';
import type { Job } from '#kernel/job.ts';
import { checkOwnKey } from './check-own-key.ts';
import { listOwnKeys } from './own-key.sql.ts';

/** Looks every five minutes whether orgs' own keys are still there, so that a key that was taken back is told of before it is missed. */
export const checkOwnKeysJob = (world: World): Job => ({
  name: 'keys.check_own',
  cron: '*/5 * * * *',
  async run() {
    for (const { org } of await world.db.read({}, listOwnKeys))
      await checkOwnKey(world, org).catch((err: unknown) =>
        world.log.warn({ err, org }, 'an organization’s own key could not be checked'),
      );
  },
});
