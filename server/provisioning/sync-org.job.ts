import { z } from 'zod';
import { systemCtx, type World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import type { Job } from '#kernel/job.ts';
import { SYNC_JOB, syncOrg } from './sync-org.ts';

const Payload = z.object({ parent: z.custom<Id<'par'>>(), org: z.custom<Id<'org'>>() });

/** An organization follows what a directory of a sister organization changed. Enqueued with that change. */
export const syncOrgJob = (world: World): Job => ({
  name: SYNC_JOB,
  async run(payload) {
    const { parent, org } = Payload.parse(payload);
    await syncOrg({ ...systemCtx(world, SYNC_JOB, { parent, org }), org });
  },
});
