import {
  generateAuthenticationOptions,
  verifyAuthenticationResponse,
  type PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import type { z } from 'zod';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { lockUser } from '#org/user.sql.ts';
import { admitAtSignIn } from '#provisioning/admit-at-sign-in.ts';
import { hashSecret } from '../cookies.ts';
import { meetEnforcement } from '../enforcement/meet-enforcement.ts';
import { identityEvents } from '../identity.events.ts';
import { openSession, type Browser } from '../open-session.ts';
import { CHALLENGE_KEY } from './add-passkey.ts';
import { authenticationOf, siteOf, type Authentication } from './answer.ts';
import { CHALLENGE_MS, makeChallenge, readChallenge, type Purpose } from './challenge.ts';
import { passkeyMaySignIn, passkeyNotAllowed, passkeyRefused } from './passkey.ts';
import { passkeyEvents } from './passkey.events.ts';
import { findPasskey, listStandings, lookupPasskey, savePasskeyUsed } from './passkey.sql.ts';

const forBrowser = (browser: string): Purpose => `sign_in ${hashSecret(browser).toString('hex')}`;

/** What a browser needs to use a passkey. Names no account: the authenticator knows which passkeys it has for this site. */
export const askForPasskey = (ctx: Ctx, browser: string): Promise<PublicKeyCredentialRequestOptionsJSON> =>
  generateAuthenticationOptions({
    rpID: siteOf(ctx.origin),
    challenge: makeChallenge(ctx.seal.derive(CHALLENGE_KEY), forBrowser(browser), ctx.now),
    timeout: CHALLENGE_MS,
    userVerification: 'required',
  });

/**
 * Signs in whoever proves to hold a passkey and to be the one who unlocks it. INVARIANT (nothing to strangers): until the proof holds, every
 * refusal has the same words, whether there is such a passkey or not.
 */
export async function signInWithPasskey(
  anybody: Ctx,
  answer: z.infer<typeof Authentication>,
  from: Browser & { browser: string | undefined },
): Promise<{ cookie: string; user: Id<'usr'>; breakGlass: boolean }> {
  const whose = await anybody.db.lookup(lookupPasskey(answer.id));
  if (!whose || from.browser === undefined)
    throw passkeyRefused(whose ? 'no cookie of the browser that asked' : 'unknown credential');
  const ctx: Ctx = { ...anybody, parent: whose.parent, org: undefined, actor: { kind: 'nobody' } };
  const passkey = await ctx.db.read({ parent: whose.parent }, (db) => findPasskey(db, answer.id));
  if (!passkey) throw passkeyRefused('unknown credential');
  const { user } = passkey;
  const handle = answer.response.userHandle;
  if (handle !== undefined && Buffer.from(handle, 'base64url').toString() !== user)
    throw passkeyRefused('the passkey says that it is of another account');

  const key = ctx.seal.derive(CHALLENGE_KEY);
  const purpose = forBrowser(from.browser);
  let madeAt: Date | undefined;
  const { verified, authenticationInfo: info } = await verifyAuthenticationResponse({
    response: authenticationOf(answer),
    expectedChallenge: (c) => (madeAt = readChallenge(key, purpose, c, ctx.now)) !== undefined,
    expectedOrigin: ctx.origin,
    expectedRPID: siteOf(ctx.origin),
    credential: {
      id: passkey.credential,
      publicKey: Uint8Array.from(passkey.publicKey),
      counter: passkey.counter,
    },
    requireUserVerification: true,
  }).catch((e: unknown) => {
    throw passkeyRefused(e);
  });
  const challengeAt = madeAt;
  if (!verified || !challengeAt) throw passkeyRefused('not verified');

  const standings = await ctx.db.read({ parent: ctx.parent }, (db) => listStandings(db, user));
  if (!passkeyMaySignIn(standings)) throw passkeyNotAllowed(standings);
  const breakGlass = standings.some((s) => s.breakGlass);
  await meetEnforcement(ctx, { user, via: { kind: 'passkey' } });
  // As with a set-up link: a passkey says nothing of groups, so it changes nobody's place or role, and only takes a seat.
  await admitAtSignIn(ctx, user, 'setup_link');
  const session = newId('ses', ctx.now.getTime());
  return change({ ...ctx, actor: { kind: 'user', id: user, session } }, async (tx) => {
    if ((await lockUser(tx, user))?.state !== 'active')
      throw new Problem('forbidden', 'identity/suspended', {
        says: 'this account is suspended',
        fix: 'whoever manages people in your organization can say why and let you back in',
      });
    const used = { counter: info.newCounter, backedUp: info.credentialBackedUp, madeAt: challengeAt, at: ctx.now };
    if ((await savePasskeyUsed(tx, passkey.id, used)) === 0) throw passkeyRefused('answered already');
    const opened = await openSession(tx, ctx, { id: session, user }, { connection: null, browser: from });
    const began = event(identityEvents, 'session.opened', {
      session,
      user,
      via: 'passkey',
      connection: null,
      trace: null,
      replaced: opened.replaced,
    });
    return {
      value: { cookie: opened.cookie, user, breakGlass },
      events: breakGlass
        ? [began, event(passkeyEvents, 'break_glass.used', { user, passkey: passkey.id, session })]
        : [began],
    };
  });
}
