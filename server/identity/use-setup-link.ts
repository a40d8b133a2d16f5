import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { findUser, lockUser } from '#org/user.sql.ts';
import { admitAtSignIn } from '#provisioning/admit-at-sign-in.ts';
import type { User } from '#org/user.ts';
import { hashSecret, isSecret } from './cookies.ts';
import { meetEnforcement } from './enforcement/meet-enforcement.ts';
import { identityEvents } from './identity.events.ts';
import { openSession, type Browser } from './open-session.ts';
import { suspended } from './session.ts';
import { insertTrace } from './sign-in-trace.sql.ts';
import { traceAttempt, type Attempt } from './trace-attempt.ts';
import { findSetupLink, lookupSetupLinkParent, saveSetupLinkUsed, type SetupLink } from './setup-link.sql.ts';

/** A link that could be used now and whom it would sign in; looking uses nothing up, because mail scanners look, too. */
export const openSetupLink = (anybody: Ctx, token: string): Promise<Opened> =>
  traceAttempt(anybody, 'setup_link', (attempt) => open(anybody, token, attempt));

type Opened = { ctx: Ctx; link: SetupLink; user: User };

async function open(anybody: Ctx, token: string, attempt: Attempt): Promise<Opened> {
  const hash = hashSecret(token);
  const parent = isSecret(token) ? (await anybody.db.lookup(lookupSetupLinkParent(hash)))?.parent : undefined;
  if (!parent) throw noSuchLink();
  const ctx: Ctx = { ...anybody, parent, org: undefined, actor: { kind: 'nobody' } };
  return ctx.db.read({ parent }, async (db) => {
    const link = await findSetupLink(db, hash);
    const user = link && (await findUser(db, link.user));
    if (!link || !user) throw noSuchLink();
    attempt.isOf(ctx, user.id, link.id);
    if (link.usedAt) throw usedUp();
    if (link.expiresAt <= ctx.now)
      throw new Problem('conflict', 'identity/setup-link-expired', {
        says: 'this set-up link was valid for 24 hours and has expired',
        fix: 'whoever runs this deployment can make another on its machine',
      });
    return { ctx, link, user };
  });
}

/** Uses a set-up link up and signs its user in. */
export const useSetupLink = (anybody: Ctx, token: string, browser: Browser): Promise<SignedIn> =>
  traceAttempt(anybody, 'setup_link', (attempt) => use(anybody, token, browser, attempt));

type SignedIn = { cookie: string; user: Id<'usr'> };

async function use(anybody: Ctx, token: string, browser: Browser, attempt: Attempt): Promise<SignedIn> {
  const { ctx, link } = await open(anybody, token, attempt);
  attempt.at('enforcement');
  await meetEnforcement(ctx, { user: link.user, via: { kind: 'setup_link' } });
  attempt.at('seat');
  await admitAtSignIn(ctx, link.user, 'setup_link');
  attempt.at('session');
  const session = newId('ses', ctx.now.getTime());
  return change({ ...ctx, actor: { kind: 'user', id: link.user, session } }, async (tx) => {
    if ((await saveSetupLinkUsed(tx, link.id, ctx.now)) === 0) throw usedUp();
    if ((await lockUser(tx, link.user))?.state !== 'active') throw suspended();
    const who = { id: session, user: link.user };
    const opened = await openSession(tx, ctx, who, { via: { kind: 'setup_link' }, browser });
    await insertTrace(tx, attempt.led(session));
    return {
      value: { cookie: opened.cookie, user: link.user },
      events: [
        event(identityEvents, 'setup_link.used', { link: link.id, user: link.user }),
        event(identityEvents, 'session.opened', {
          session,
          user: link.user,
          via: 'setup_link',
          connection: null,
          trace: attempt.trace,
          replaced: opened.replaced,
        }),
      ],
    };
  });
}

const noSuchLink = (): Problem =>
  new Problem('missing', 'identity/no-setup-link', {
    says: 'there is no such set-up link',
    fix: 'check that the address is whole; whoever runs this deployment can make another on its machine',
  });

const usedUp = (): Problem =>
  new Problem('conflict', 'identity/setup-link-used', {
    says: 'this set-up link was used already; it works once',
    fix: 'if it was not you, tell whoever runs this deployment now; else sign in at /sign-in',
  });
