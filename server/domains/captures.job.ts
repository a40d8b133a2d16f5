import { z } from 'zod';
import { systemCtx, type World } from '#kernel/ctx.ts';
import { parseId } from '#kernel/id.ts';
import type { Job } from '#kernel/job.ts';
import { advanceCapture } from './advance-capture.ts';
import { APPLY_JOB } from './answer-capture.ts';
import { applyCapture } from './apply-capture.ts';
import { lookupDueCaptures } from './capture.sql.ts';
import type { Herald } from './herald.ts';

/** Every hour: reminders, and captures whose notice is over. */
export const advanceCapturesJob = (world: World, herald: Herald): Job => ({
  name: 'domains.advance_captures',
  cron: '7 * * * *',
  async run() {
    for (const { parent, capture } of (await world.db.lookup(lookupDueCaptures(world.now())))?.due ?? [])
      await advanceCapture(systemCtx(world, 'domains.advance_captures', { parent }), herald, capture);
  },
});

const Payload = z.object({
  parent: z.string().transform((t) => parseId('par', t)),
  capture: z.string().transform((t) => parseId('cpt', t)),
  user: z.string().transform((t) => parseId('usr', t)),
});

/** Carries out one person's choice. */
export const applyCaptureJob = (world: World): Job => ({
  name: 'domains.apply_capture',
  async run(payload) {
    const { parent, capture, user } = Payload.parse(payload);
    if (parent && capture && user) await applyCapture(systemCtx(world, APPLY_JOB, { parent }), capture, user);
  },
});
