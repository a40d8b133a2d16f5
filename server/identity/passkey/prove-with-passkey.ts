import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import {
  generateAuthenticationOptions,
  verifyAuthenticationResponse,
  type PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import { cose, decodeCredentialPublicKey } from '@simplewebauthn/server/helpers';
import type { z } from 'zod';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { authenticationOf, siteOf, type Authentication } from './answer.ts';
import { CHALLENGE_MS } from './challenge.ts';
import { passkeyRefused } from './passkey.ts';
import { findPasskey, listCredentials, savePasskeyProved } from './passkey.sql.ts';

/** What a passkey said to a challenge, with everything that somebody needs to check it later and without us. */
export type PasskeyProof = {
  credential: string;
  /** SubjectPublicKeyInfo, DER, base64url. */
  publicKey: string;
  origin: string;
  clientDataJSON: string;
  authenticatorData: string;
  signature: string;
};
export type CheckedProof = {
  passkey: Id<'pky'>;
  counter: number;
  proof: PasskeyProof;
  /** The same for every form in which this one signature can be written, so that it can be made to count once. */
  once: Buffer;
};

/** What a browser needs so that a person signs `challenge` with one of his passkeys. Unlike at sign-in, the challenge says what it is about. */
export async function askForProof(
  ctx: Ctx,
  user: Id<'usr'>,
  challenge: Uint8Array,
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const known = await ctx.db.read(scopeOf(ctx), (db) => listCredentials(db, user));
  if (known.length === 0)
    throw new Problem('conflict', 'identity/no-passkey', {
      says: 'this needs a passkey, and you have none yet',
      fix: 'add one at /me/passkeys and come back',
    });
  return generateAuthenticationOptions({
    rpID: siteOf(ctx.origin),
    challenge: Uint8Array.from(challenge),
    allowCredentials: known.map((k) => ({ id: k.id })),
    timeout: CHALLENGE_MS,
    userVerification: 'required',
  });
}

/** Checks that a passkey of this very person signed exactly `challenge` here, and that he was there and unlocked it. */
export async function checkProof(
  ctx: Ctx,
  user: Id<'usr'>,
  challenge: Uint8Array,
  answer: z.infer<typeof Authentication>,
): Promise<CheckedProof> {
  const passkey = await ctx.db.read(scopeOf(ctx), (db) => findPasskey(db, answer.id));
  if (passkey?.user !== user) throw passkeyRefused('not a passkey of the person who is signed in');
  const { verified, authenticationInfo: info } = await verifyAuthenticationResponse({
    response: authenticationOf(answer),
    expectedChallenge: Buffer.from(challenge).toString('base64url'),
    expectedOrigin: ctx.origin,
    expectedRPID: siteOf(ctx.origin),
    credential: { id: passkey.credential, publicKey: Uint8Array.from(passkey.publicKey), counter: passkey.counter },
    requireUserVerification: true,
  }).catch((e: unknown) => {
    throw passkeyRefused(e);
  });
  if (!verified) throw passkeyRefused('not verified');
  const key = publicKeyOf(passkey.publicKey);
  const { clientDataJSON, authenticatorData, signature } = answer.response;
  return {
    passkey: passkey.id,
    counter: info.newCounter,
    proof: {
      credential: passkey.credential,
      publicKey: key.export({ format: 'der', type: 'spki' }).toString('base64url'),
      origin: ctx.origin,
      clientDataJSON,
      authenticatorData,
      signature,
    },
    once: hash(
      'sha256',
      Buffer.concat([
        Buffer.from(`${passkey.credential}\0${clientDataJSON}\0${authenticatorData}\0`),
        essence(key, Buffer.from(signature, 'base64url')),
      ]),
      'buffer',
    ),
  };
}

/** Writes down that a passkey was used; part of the change that its proof was for. */
export const noteProof = (tx: Tx, p: CheckedProof): Promise<number> => savePasskeyProved(tx, p.passkey, p.counter);

/** Of an ECDSA signature (r, s) the pair (r, -s) is as good: what both have is r. */
function essence(key: KeyObject, signature: Buffer): Buffer {
  if (key.asymmetricKeyType !== 'ec') return signature;
  const at = (signature[1] ?? 0) < 0x80 ? 2 : 3;
  const length = signature[at + 1] ?? 0;
  return Buffer.from(
    signature
      .subarray(at + 2, at + 2 + length)
      .toString('hex')
      .replace(/^(00)+/, ''),
    'hex',
  );
}

/** A passkey's stored key (COSE, RFC 9053) as one that others can use. */
function publicKeyOf(stored: Buffer): KeyObject {
  const key = decodeCredentialPublicKey(Uint8Array.from(stored));
  const text = (b: Uint8Array | undefined): string => Buffer.from(b ?? []).toString('base64url');
  const { COSEKEYS } = cose;
  if (cose.isCOSEPublicKeyEC2(key)) {
    const crv = { 1: 'P-256', 2: 'P-384', 3: 'P-521' }[Number(key.get(COSEKEYS.crv))];
    if (crv === undefined) throw passkeyRefused('a curve that is not one of NIST');
    const jwk = { kty: 'EC', crv, x: text(key.get(COSEKEYS.x)), y: text(key.get(COSEKEYS.y)) };
    return createPublicKey({ format: 'jwk', key: jwk });
  }
  if (cose.isCOSEPublicKeyOKP(key))
    return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: text(key.get(COSEKEYS.x)) } });
  if (cose.isCOSEPublicKeyRSA(key))
    return createPublicKey({
      format: 'jwk',
      key: { kty: 'RSA', n: text(key.get(COSEKEYS.n)), e: text(key.get(COSEKEYS.e)) },
    });
  throw passkeyRefused('a kind of key that is not known');
}
