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
import { lockUser } from '#org/user.sql.ts';
import { admitAtSignIn } from '#provisioning/admit-at-sign-in.ts';
import { hashSecret } from '../cookies.ts';
import { meetEnforcement } from '../enforcement/meet-enforcement.ts';
import { identityEvents } from '../identity.events.ts';
import { openSession, type Browser } from '../open-session.ts';
import { suspended } from '../session.ts';
import { insertTrace } from '../sign-in-trace.sql.ts';
import { traceAttempt, type Attempt } from '../trace-attempt.ts';
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
export const signInWithPasskey = (anybody: Ctx, answer: Answer, from: From): Promise<SignedIn> =>
  traceAttempt(anybody, 'passkey', (attempt) => signIn(anybody, answer, from, attempt));

type Answer = z.infer<typeof Authentication>;
type From = Browser & { browser: string | undefined };
type SignedIn = { cookie: string; user: Id<'usr'>; breakGlass: boolean };

async function signIn(anybody: Ctx, answer: Answer, from: From, attempt: Attempt): Promise<SignedIn> {
  const whose = await anybody.db.lookup(lookupPasskey(answer.id));
  if (!whose) throw passkeyRefused('unknown credential');
  const ctx: Ctx = { ...anybody, parent: whose.parent, org: undefined, actor: { kind: 'nobody' } };
  const passkey = await ctx.db.read({ parent: whose.parent }, (db) => findPasskey(db, answer.id));
  if (!passkey) throw passkeyRefused('unknown credential');
  const { user } = passkey;
  attempt.isOf(ctx, user, passkey.id);
  if (from.browser === undefined) throw passkeyRefused('no cookie of the browser that asked');
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

  attempt.at('access');
  const standings = await ctx.db.read({ parent: ctx.parent }, (db) => listStandings(db, user));
  if (!passkeyMaySignIn(standings)) throw passkeyNotAllowed(standings);
  const breakGlass = standings.some((s) => s.breakGlass);
  attempt.at('enforcement');
  await meetEnforcement(ctx, { user, via: { kind: 'passkey' } });
  // As with a set-up link: a passkey says nothing of groups, so it changes nobody's place or role, and only takes a seat.
  attempt.at('seat');
  await admitAtSignIn(ctx, user, 'setup_link');
  attempt.at('session');
  const session = newId('ses', ctx.now.getTime());
  return change({ ...ctx, actor: { kind: 'user', id: user, session } }, async (tx) => {
    if ((await lockUser(tx, user))?.state !== 'active') throw suspended();
    const used = { counter: info.newCounter, backedUp: info.credentialBackedUp, madeAt: challengeAt, at: ctx.now };
    if ((await savePasskeyUsed(tx, passkey.id, used)) === 0) throw passkeyRefused('answered already');
    const opened = await openSession(tx, ctx, { id: session, user }, { via: { kind: 'passkey' }, browser: from });
    await insertTrace(tx, attempt.led(session));
    const began = event(identityEvents, 'session.opened', {
      session,
      user,
      via: 'passkey',
      connection: null,
      trace: attempt.trace,
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
