import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify, type JWTVerifyResult } from 'jose';
import type { World } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import { claimProof } from './dpop.sql.ts';
import type { AccessToken } from './verify-access-token.ts';

/** How old a proof may be, and how far its clock may run ahead. */
const PROOF_SECONDS = 60;

/** How a token came: `Authorization: <scheme> <token>`, with the DPoP header where there is one. */
export type Presented = {
  scheme: string;
  token: string;
  proof: string | undefined;
  method: string;
  /** Our own address of what is asked for, without query: from configuration, never from the Host header. */
  url: string;
};

const refuse = (code: string, says: string, fix: string, because?: unknown): Problem =>
  new Problem('unauthenticated', code, { says, fix, because });

/**
 * RFC 9449 §7: a token that is bound to a key is nothing without a fresh proof by that key for this very request; one that is not bound
 * must not pretend to be. Call it after `verifyAccessToken`.
 */
export async function checkDpop(world: Pick<World, 'db' | 'now'>, token: AccessToken, p: Presented): Promise<void> {
  const dpop = p.scheme.toLowerCase() === 'dpop';
  if (token.jkt === undefined) {
    if (dpop)
      throw refuse(
        'authorization/dpop-unbound',
        'the access token is not bound to a key',
        'send it as "Authorization: Bearer …"',
      );
    return;
  }
  // INVARIANT (no downgrade): a stolen bound token shown as a bearer token is refused.
  if (!dpop || p.proof === undefined)
    throw refuse(
      'authorization/dpop-missing',
      'the access token is bound to a key, and there is no proof of it',
      'send "Authorization: DPoP …" and a DPoP header',
    );
  const jkt = await provenKey(world, { ...p, proof: p.proof });
  if (jkt !== token.jkt)
    throw refuse(
      'authorization/dpop-key',
      'the proof is by another key than the token is bound to',
      'sign it with the key of the token request',
    );
}

/**
 * The thumbprint of the key by which a proof for this very request was made; works once. `token`: the access token that the proof must name;
 * absent where one is asked for.
 */
export async function provenKey(
  world: Pick<World, 'db' | 'now'>,
  p: { proof: string; method: string; url: string; token?: string },
): Promise<string> {
  const { payload, protectedHeader: header } = await prove(p.proof, world.now());
  const jkt = header.jwk ? await calculateJwkThumbprint(header.jwk) : '';
  if (payload['htm'] !== p.method || !sameUrl(payload['htu'], p.url))
    throw refuse(
      'authorization/dpop-request',
      `the proof is for another request than ${p.method} ${p.url}`,
      'make a proof for every request',
    );
  if (p.token !== undefined && payload['ath'] !== createHash('sha256').update(p.token).digest('base64url'))
    throw refuse(
      'authorization/dpop-token',
      'the proof names another access token',
      'put the hash of this token into ath',
    );
  if (typeof payload.jti !== 'string' || payload.jti === '' || payload.jti.length > 200)
    throw refuse('authorization/dpop-malformed', 'the proof has no usable jti', 'put a random jti into every proof');
  const at = world.now();
  const hash = createHash('sha256').update(`${jkt}\0${payload.jti}`).digest('base64url');
  const claimed = await world.db.lookup(claimProof(hash, at, new Date(at.getTime() + 3 * PROOF_SECONDS * 1000)));
  if (!claimed?.fresh)
    throw refuse('authorization/dpop-replayed', 'this proof was used before', 'make a proof for every request');
  return jkt;
}

async function prove(proof: string, now: Date): Promise<JWTVerifyResult> {
  try {
    const r = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: ['ES256', 'EdDSA'],
      currentDate: now,
      requiredClaims: ['jti', 'htm', 'htu', 'iat'],
    });
    const age = now.getTime() / 1000 - (r.payload.iat ?? 0);
    if (Math.abs(age) > PROOF_SECONDS) throw new RangeError(`the proof is ${Math.round(age)} seconds old`);
    return r;
  } catch (e) {
    throw refuse(
      'authorization/dpop-malformed',
      'the DPoP proof is not valid, too old, or not signed with ES256 or EdDSA',
      'make a new proof; compare your clock',
      e,
    );
  }
}

function sameUrl(htu: unknown, ours: string): boolean {
  const url = typeof htu === 'string' ? URL.parse(htu) : null;
  if (!url) return false;
  url.search = '';
  url.hash = '';
  return url.href === new URL(ours).href;
}
