import { z } from 'zod';
import { systemCtx, type World } from '#kernel/ctx.ts';
import { parseId } from '#kernel/id.ts';
import type { Job } from '#kernel/job.ts';
import { lookupOrgParent } from '#org/org.sql.ts';
import type { Mailer } from './mailer.ts';
import { SEND_JOB } from './notify.ts';
import { sendMessage } from './send-message.ts';
import type { Words } from './words.ts';

const Payload = z.object({ message: z.string(), org: z.string() });

/** Sends what `notify` queued. Without a mail server the message is kept as not sent, and nothing fails. */
export const sendMessageJob = (world: World, mailer: Mailer | undefined, words: Words): Job => ({
  name: SEND_JOB,
  async run(payload) {
    const p = Payload.parse(payload);
    const [message, org] = [parseId('msg', p.message), parseId('org', p.org)];
    const parent = org && (await world.db.lookup(lookupOrgParent(org)))?.parent;
    if (!message || !org || !parent) return;
    const ctx = { ...systemCtx(world, SEND_JOB, { parent, org }), org };
    const attempt = await sendMessage(ctx, message, mailer, words);
    // Thrown so that the queue asks again after a pause that grows.
    if (attempt !== 'settled') throw new Error('the mail server did not take it yet', { cause: attempt.later });
  },
});
