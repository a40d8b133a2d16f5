import type { World } from '#kernel/ctx.ts';
import type { Db } from '#kernel/db.ts';
import type { Job } from '#kernel/job.ts';
import { sweepItems } from './adapter-sweep.ts';
import { rotateSigningKeys } from './keys.ts';

/** Every quarter of an hour: forgets what ran out, and moves the signing keys on when it is time. */
export const sweepJob = (world: World, oauth: Db): Job => ({
  name: 'authorization.sweep',
  cron: '*/15 * * * *',
  async run() {
    const gone = await sweepItems(oauth, world.now());
    await rotateSigningKeys(world, oauth);
    if (gone > 0) world.log.info({ gone }, 'expired OAuth items were forgotten');
  },
});
