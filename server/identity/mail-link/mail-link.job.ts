import { z } from 'zod';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { systemCtx, type World } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import type { Job } from '#kernel/job.ts';
import { identityEvents } from '../identity.events.ts';
import { MAIL_LINK_JOB } from './ask-mail-link.ts';
import { MAIL_LINK_MS, type MailDoor } from './mail-link.ts';
import { deleteOldMailLinks, insertMailLink, lookupAccounts } from './mail-link.sql.ts';

const DAY_MS = 24 * 3600_000;
const Payload = z.object({ email: z.string(), browser: z.hex(), returnTo: z.string() });

/** Makes a link for each account that an address has and that may sign in by mail, and hands it to the mail. Most often one, or none. */
export const mailLinkJob = (world: World, mail: MailDoor): Job => ({
  name: MAIL_LINK_JOB,
  async run(payload) {
    const { email, browser, returnTo } = Payload.parse(payload);
    const { accounts } = (await world.db.lookup(lookupAccounts(email))) ?? { accounts: [] };
    for (const { parent, user, org } of accounts) {
      const ctx = { ...systemCtx(world, MAIL_LINK_JOB, { parent, org }), org };
      const link = newId('mlk', ctx.now.getTime());
      const until = new Date(ctx.now.getTime() + MAIL_LINK_MS);
      await change(ctx, async (tx) => {
        await deleteOldMailLinks(tx, new Date(ctx.now.getTime() - DAY_MS));
        const row = { id: link, user, org, browserHash: Buffer.from(browser, 'hex'), returnTo, expiresAt: until };
        await insertMailLink(tx, row, ctx.now);
        await mail(tx, ctx, { to: user, link, until });
        return { value: undefined, events: [event(identityEvents, 'mail_link.made', { link, user })] };
      });
    }
  },
});
