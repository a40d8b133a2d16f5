import { timingSafeEqual } from 'node:crypto';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { MAIL_LINK_KEY, readSignedId } from '#kernel/signed-id.ts';
import { lockUser } from '#org/user.sql.ts';
import { admitAtSignIn } from '#provisioning/admit-at-sign-in.ts';
import { refuseElsewhere } from '../access/org-access.ts';
import { hashSecret } from '../cookies.ts';
import { meetEnforcement } from '../enforcement/meet-enforcement.ts';
import { identityEvents } from '../identity.events.ts';
import { openSession, type Browser } from '../open-session.ts';
import { suspended } from '../session.ts';
import { insertTrace } from '../sign-in-trace.sql.ts';
import { traceAttempt, type Attempt } from '../trace-attempt.ts';
import { mailLinkExpired, mailLinkUsed, notByMail, noSuchMailLink, otherBrowser, type MailLink } from './mail-link.ts';
import { findMailLink, findMailOrg, lookupMailLinkParent, saveMailLinkUsed } from './mail-link.sql.ts';

/**
 * A link that could be used now, in this browser; looking uses nothing up, because mail scanners look, too. INVARIANT (same browser): who
 * uses a link asked for it. Else a stranger could sign you in as themselves, or a mail that was passed on would let its reader in.
 */
export const openMailLink = (
  anybody: Ctx,
  token: string,
  browser: string | undefined,
): Promise<{ ctx: Ctx; link: MailLink }> =>
  traceAttempt(anybody, 'mail_link', (attempt) => open(anybody, token, browser, attempt));

async function open(
  anybody: Ctx,
  token: string,
  browser: string | undefined,
  attempt: Attempt,
): Promise<{ ctx: Ctx; link: MailLink }> {
  const id = readSignedId(anybody.seal.derive(MAIL_LINK_KEY), 'mlk', token);
  const parent = id && (await anybody.db.lookup(lookupMailLinkParent(id)))?.parent;
  if (!id || !parent) throw noSuchMailLink(id ? 'no row' : 'altered');
  const ctx: Ctx = { ...anybody, parent, org: undefined, actor: { kind: 'nobody' } };
  const link = await ctx.db.read({ parent }, (db) => findMailLink(db, id));
  if (!link) throw noSuchMailLink('no row');
  attempt.isOf(ctx, link.user, link.id);
  if (link.usedAt) throw mailLinkUsed();
  if (link.expiresAt <= ctx.now) throw mailLinkExpired();
  if (browser === undefined || !timingSafeEqual(hashSecret(browser), link.browserHash)) throw otherBrowser();
  return { ctx, link };
}

/** Uses a link up and signs its user in; by what is true now, not when it was asked for. */
export const useMailLink = (anybody: Ctx, token: string, from: From): Promise<SignedIn> =>
  traceAttempt(anybody, 'mail_link', (attempt) => use(anybody, token, from, attempt));

type From = Browser & { browser: string | undefined };
type SignedIn = { cookie: string; returnTo: string };

async function use(anybody: Ctx, token: string, from: From, attempt: Attempt): Promise<SignedIn> {
  const { ctx, link } = await open(anybody, token, from.browser, attempt);
  const { user } = link;
  attempt.at('access');
  const { org } = await ctx.db.read({ parent: ctx.parent }, (db) => findMailOrg(db, user));
  if (org === null) throw notByMail();
  await ctx.db.read({ parent: ctx.parent, org }, (db) => refuseElsewhere(db, ctx.address));
  attempt.at('enforcement');
  await meetEnforcement(ctx, { user, via: { kind: 'mail_link' } });
  // As with a set-up link: a mail says nothing of groups, so it changes nobody's place or role, and only takes a seat.
  attempt.at('seat');
  await admitAtSignIn(ctx, user, 'setup_link');
  attempt.at('session');
  const session = newId('ses', ctx.now.getTime());
  return change({ ...ctx, actor: { kind: 'user', id: user, session } }, async (tx) => {
    if ((await saveMailLinkUsed(tx, link.id, ctx.now)) === 0) throw mailLinkUsed();
    if ((await lockUser(tx, user))?.state !== 'active') throw suspended();
    const opened = await openSession(tx, ctx, { id: session, user }, { via: { kind: 'mail_link' }, browser: from });
    await insertTrace(tx, attempt.led(session));
    const { replaced } = opened;
    return {
      value: { cookie: opened.cookie, returnTo: link.returnTo },
      events: [
        event(identityEvents, 'mail_link.used', { link: link.id, user }),
        event(identityEvents, 'session.opened', {
          session,
          user,
          via: 'mail_link',
          connection: null,
          trace: attempt.trace,
          replaced,
        }),
      ],
    };
  });
}
