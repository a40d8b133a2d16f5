import { z } from 'zod';
import type { World } from '#kernel/ctx.ts';
import type { Job } from '#kernel/job.ts';
import { listRunningRotations } from './key.sql.ts';
import { placeFor } from './key-place.ts';
import { resealAll } from './reseal-next.ts';
import { RESEAL_JOB } from './rotation.ts';

const Payload = z.object({ rotation: z.string().optional() }).nullish();

/** Goes on with every rotation that is not finished: at once after its start, and each minute, because whoever began it may have been killed. */
export const resealJob = (world: World): Job => ({
  name: RESEAL_JOB,
  cron: '* * * * *',
  async run(payload) {
    const only = Payload.safeParse(payload).data?.rotation;
    for (const r of await world.db.read({}, listRunningRotations)) {
      if (only !== undefined && r.id !== only) continue;
      try {
        await resealAll(world, placeFor(world, RESEAL_JOB, r), r.id);
      } catch (err) {
        // One org's key service that is away must not stop the others; the next minute tries again.
        world.log.warn({ err, scope: r.scope }, 'sealing anew does not go on');
      }
    }
  },
});
