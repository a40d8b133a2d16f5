import { createHmac } from 'node:crypto';
import { change } from '#audit/change.ts';
import type { Ctx } from '#kernel/ctx.ts';
import { clientNetwork } from '#kernel/client-address.ts';
import { newId, type Id } from '#kernel/id.ts';
import { enqueue } from '#kernel/job.ts';
import { hashSecret } from '../cookies.ts';
import { askedTooOften, MAX_PER_ADDRESS, MAX_PER_CLIENT } from './mail-link.ts';
import { countAsk } from './mail-link.sql.ts';

/** Name of the job that mails; stored in rows, so it is for ever. */
export const MAIL_LINK_JOB = 'identity.mail_link';

/**
 * Somebody asks for a link. INVARIANT (nothing to strangers): here nobody looks for an account. Every address is counted and handed to a
 * job in the same way, so that neither the answer nor the time that it takes depends on whether there is one. What comes back is the number of the trace that is made if no link is sent.
 */
export async function askMailLink(
  ctx: Ctx,
  a: { email: string; browser: string; returnTo: string },
): Promise<Id<'sgn'>> {
  const trace = newId('sgn', ctx.now.getTime());
  const key = ctx.seal.derive('mail link asks');
  const email = a.email.trim().toLowerCase();
  const keyed = (text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const { ofClient } = await change({ ...ctx, org: undefined }, async (tx) => {
    const counts = {
      address: keyed(`address ${email}`),
      client: keyed(`client ${ctx.address === undefined ? 'unknown' : clientNetwork(ctx.address)}`),
    };
    const counted = await countAsk(tx, counts, ctx.now);
    if (counted.ofClient <= MAX_PER_CLIENT && counted.ofAddress <= MAX_PER_ADDRESS) {
      const payload = { email, browser: hashSecret(a.browser).toString('hex'), returnTo: a.returnTo, trace };
      await enqueue(tx, MAIL_LINK_JOB, payload);
    }
    // No event: anybody may ask, and nothing has happened yet. A link that is made is told of.
    return { value: counted, unchanged: true };
  });
  if (ofClient > MAX_PER_CLIENT) throw askedTooOften();
  return trace;
}
