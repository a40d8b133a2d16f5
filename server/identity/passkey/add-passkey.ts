import {
  generateRegistrationOptions,
  verifyRegistrationResponse,
  type PublicKeyCredentialCreationOptionsJSON,
} from '@simplewebauthn/server';
import type { z } from 'zod';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { findUser, lockUser } from '#org/user.sql.ts';
import { refuseStaleSignIn } from '../fresh-sign-in.ts';
import type { SignedIn } from '../session.ts';
import { registrationOf, siteOf, type Registration } from './answer.ts';
import { CHALLENGE_MS, makeChallenge, readChallenge } from './challenge.ts';
import { MAX_PASSKEYS, passkeyRefused, type Passkey, type StoredPasskey } from './passkey.ts';
import { passkeyEvents } from './passkey.events.ts';
import { insertPasskey, listCredentials } from './passkey.sql.ts';

/** EdDSA, ES256, RS256 (COSE). Newer ones are left out until whoever checks an approval years later can be expected to know them. */
const ALGORITHMS = [-8, -7, -257];

/** Names the key that tags challenges. */
export const CHALLENGE_KEY = 'passkey challenge';

/**
 * What a browser needs to make a passkey for the person who is signed in. Whether it signs anybody in is asked at sign-in; where no organization
 * takes it for that, it still proves who says yes to a call (approvals).
 */
export async function offerPasskey(ctx: Ctx, me: SignedIn): Promise<PublicKeyCredentialCreationOptionsJSON> {
  await refuseStaleSignIn(ctx, 'adding a passkey');
  const { user, known } = await ctx.db.read({ parent: ctx.parent }, async (db) => ({
    user: await findUser(db, me.user),
    known: await listCredentials(db, me.user),
  }));
  if (!user) throw new Problem('bug', 'identity/no-user', { says: 'the session has no user' });
  refuseMore(known.length);
  return generateRegistrationOptions({
    rpName: 'Gatehouse',
    rpID: siteOf(ctx.origin),
    userID: Uint8Array.from(Buffer.from(user.id)),
    userName: user.email,
    userDisplayName: user.displayName,
    challenge: makeChallenge(ctx.seal.derive(CHALLENGE_KEY), `add ${me.session}`, ctx.now),
    timeout: CHALLENGE_MS,
    attestationType: 'none',
    supportedAlgorithmIDs: ALGORITHMS,
    excludeCredentials: known,
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  });
}

/** Keeps the passkey that the browser made. */
export async function addPasskey(
  ctx: Ctx,
  me: SignedIn,
  made: { name: string; answer: z.infer<typeof Registration> },
): Promise<Passkey> {
  await refuseStaleSignIn(ctx, 'adding a passkey');
  const response = registrationOf(made.answer);
  const key = ctx.seal.derive(CHALLENGE_KEY);
  let madeAt: Date | undefined;
  const verified = await verifyRegistrationResponse({
    response,
    expectedChallenge: (c) => (madeAt = readChallenge(key, `add ${me.session}`, c, ctx.now)) !== undefined,
    expectedOrigin: ctx.origin,
    expectedRPID: siteOf(ctx.origin),
    requireUserVerification: true,
    supportedAlgorithmIDs: ALGORITHMS,
  }).catch((e: unknown) => {
    throw passkeyRefused(e);
  });
  const challengeAt = madeAt;
  if (!verified.verified || !challengeAt) throw passkeyRefused('not verified');
  const { credential, credentialBackedUp } = verified.registrationInfo;
  const passkey: StoredPasskey = {
    id: newId('pky', ctx.now.getTime()),
    user: me.user,
    credential: credential.id,
    publicKey: Buffer.from(credential.publicKey),
    counter: credential.counter,
    transports: made.answer.response.transports,
    name: made.name,
    backedUp: credentialBackedUp,
    createdAt: ctx.now,
    usedAt: null,
  };
  return change({ ...ctx, org: undefined }, async (tx) => {
    // Serializes two tabs, so that the limit holds.
    await lockUser(tx, me.user);
    refuseMore((await listCredentials(tx, me.user)).length);
    if ((await insertPasskey(tx, passkey, challengeAt)) === 0)
      throw new Problem('conflict', 'identity/passkey-known', {
        says: 'this passkey is known already',
        fix: 'use it to sign in, or make another',
      });
    const { id, user, backedUp } = passkey;
    return { value: passkey, events: [event(passkeyEvents, 'passkey.added', { passkey: id, user, backedUp })] };
  });
}

function refuseMore(n: number): void {
  if (n >= MAX_PASSKEYS)
    throw new Problem('conflict', 'identity/too-many-passkeys', {
      says: `you have ${n} passkeys; ${MAX_PASSKEYS} are possible`,
      fix: 'remove one that you do not use',
    });
}
