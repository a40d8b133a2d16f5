import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import type { Ctx } from '#kernel/ctx.ts';
import { KiB } from '#kernel/limits.ts';
import type { SsoConnection } from '../sso-connection.ts';

/** Key sets by connection and address. The library asks again for a key that it does not know, at most every 30 seconds. */
const keySets = new Map<string, JWTVerifyGetKey>();
const MAX_KEY_SETS = 1000;

/** The key set could not be asked for: nothing is wrong with what it should prove. */
export class NoKeySet extends Error {}

/** The keys with which a connection's identity provider signs. */
export function keySetOf(ctx: Pick<Ctx, 'egress'>, c: SsoConnection): JWTVerifyGetKey {
  const name = `${c.id} ${c.discovery.jwks_uri} ${c.allowPrivate.join(' ')}`;
  const known = keySets.get(name);
  if (known) return known;
  const set = createRemoteJWKSet(new URL(c.discovery.jwks_uri), {
    timeoutDuration: 10_000,
    [customFetch]: (url, init) =>
      ctx.egress.fetch(url, init, { allowPrivate: c.allowPrivate, maxBytes: 512 * KiB, timeoutMs: 10_000 }),
  });
  // A key that is not there is the token's fault; a set that is not there is not.
  const keys: JWTVerifyGetKey = async (header, token) => {
    try {
      return await set(header, token);
    } catch (e) {
      if (e instanceof errors.JWKSNoMatchingKey || e instanceof errors.JWKSMultipleMatchingKeys) throw e;
      throw new NoKeySet('the key set could not be asked for', { cause: e });
    }
  };
  if (keySets.size >= MAX_KEY_SETS) keySets.clear();
  keySets.set(name, keys);
  return keys;
}
