import { z } from 'zod';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { systemCtx, type Ctx, type World } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import type { Job } from '#kernel/job.ts';
import { identityEvents } from '../identity.events.ts';
import { MAIL_LINK_JOB } from './ask-mail-link.ts';
import { suspended } from '../session.ts';
import { findTrace } from '../sign-in-trace.sql.ts';
import { keepRefusal } from '../trace-attempt.ts';
import { MAIL_LINK_MS, notByMail, type MailDoor } from './mail-link.ts';
import { deleteOldMailLinks, insertMailLink, lookupAccounts } from './mail-link.sql.ts';

const DAY_MS = 24 * 3600_000;
const Payload = z.object({ email: z.string(), browser: z.hex(), returnTo: z.string(), trace: z.custom<Id<'sgn'>>() });

/**
 * Makes a link for each account that an address has and that may sign in by mail, and hands it to the mail. Most often one, or none. Where
 * none is sent, the trace has the number that the asking page showed, so that administrators can say why.
 */
export const mailLinkJob = (world: World, mail: MailDoor): Job => ({
  name: MAIL_LINK_JOB,
  async run(payload) {
    const { email, browser, returnTo, trace } = Payload.parse(payload);
    const { accounts } = (await world.db.lookup(lookupAccounts(email))) ?? { accounts: [] };
    for (const [i, { parent, user, org, active }] of accounts.entries()) {
      if (org === null || !active) {
        // The number on the page is of one trace only; nothing tells one parent of the other's.
        const id = i === 0 ? trace : newId('sgn', world.now().getTime());
        await traceNoMail(systemCtx(world, MAIL_LINK_JOB, { parent }), { trace: id, user }, active);
        continue;
      }
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

/** A job may run again: what it traced already is not traced twice. */
async function traceNoMail(ctx: Ctx, who: { trace: Id<'sgn'>; user: Id<'usr'> }, active: boolean): Promise<void> {
  if (await ctx.db.read({ parent: ctx.parent }, (db) => findTrace(db, who.trace))) return;
  const refused = { ...who, method: 'mail_link' as const, subject: null, stages: [], stage: 'access' as const };
  await keepRefusal(ctx, refused, active ? notByMail() : suspended());
}
