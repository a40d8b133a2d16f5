import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'oidc-provider';
import { z } from 'zod';
import type { World } from '#kernel/ctx.ts';
import type { Db } from '#kernel/db.ts';
import { Problem } from '#kernel/problem.ts';
import { nextStep } from './key-rotation.ts';
import { advanceKeys } from './adapter-keys.ts';
import { listKeys, PublicJwk, type KeyRow } from './signing-key.sql.ts';

const PrivateJwk = PublicJwk.extend({ d: z.string() });

const aadOf = (kid: string): { table: string; scope: string; row: string; generation: number } => ({
  table: 'oauth_signing_key',
  scope: 'deployment',
  row: kid,
  generation: 1,
});

/** The private keys of a provider: the one that signs is the first. `version` changes when the set does. */
export type SigningKeys = { jwks: JWK[]; version: string };

/** A new key, sealed and not yet stored. ES256, because every client can check it. */
async function makeKey(world: Pick<World, 'seal'>, at: Date): Promise<Omit<KeyRow, 'retiredAt' | 'signsFrom'>> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  const whole = PrivateJwk.parse({ ...jwk, kid, alg: 'ES256', use: 'sig' });
  const { d: _d, ...open } = whole;
  const sealed = await world.seal.seal(aadOf(kid), Buffer.from(JSON.stringify(whole)));
  return { kid, public: open, sealed, publishedAt: at };
}

/** Does what is due: the first key, publishing the next one, promoting it, dropping what retired long ago. Safe on many nodes at once. */
export async function rotateSigningKeys(world: Pick<World, 'seal' | 'now'>, oauth: Db): Promise<void> {
  const at = world.now();
  if (nextStep(await oauth.read({}, listKeys), at).do === 'nothing') return;
  const spare = await makeKey(world, at);
  await advanceKeys(oauth, spare, at);
}

/** Opens the keys of a provider; makes the first one on the first start. */
export async function openSigningKeys(world: Pick<World, 'seal' | 'now'>, oauth: Db): Promise<SigningKeys> {
  if ((await oauth.read({}, listKeys)).length === 0) await rotateSigningKeys(world, oauth);
  const rows = await oauth.read({}, listKeys);
  const [first] = rows;
  if (!first || first.signsFrom === null || first.retiredAt !== null)
    throw new Problem('unavailable', 'authorization/no-signing-key', {
      says: 'there is no key to sign access tokens with',
      fix: 'restore the table oauth_signing_key, or empty it to start with a new key; every token out there ends then',
    });
  const jwks = await Promise.all(
    rows.map(async (r) =>
      PrivateJwk.parse(JSON.parse((await world.seal.open(aadOf(r.kid), r.sealed)).toString('utf8'))),
    ),
  );
  return {
    jwks,
    version: rows.map((r) => `${r.kid}:${r.signsFrom?.getTime() ?? 0}:${r.retiredAt?.getTime() ?? 0}`).join(),
  };
}
