import { createECDH } from 'node:crypto';
import type { CryptoKey } from 'jose';
import type { Id } from '#kernel/id.ts';
import type { Seal } from '#kernel/seal.ts';

/** How our client keys sign: every provider that takes a key set by address takes this. */
export const CLIENT_KEY_ALG = 'ES256';
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

type PublicJwk = { kty: 'EC'; crv: 'P-256'; x: string; y: string; kid: string; use: 'sig'; alg: typeof CLIENT_KEY_ALG };
type Secret = { d: string };

/** A key with which a connection proves that it is us (`private_key_jwt`). */
export type ClientKey = { kid: string; key: CryptoKey };

/**
 * The key of a connection and generation. INVARIANT (kept nowhere): it follows from the root key, so there is no row to steal or to lose, every
 * node has the same, and it moves with its connection to another parent. Candidates as in FIPS 186-5 A.2.1 (64 bits more than needed).
 */
function derived(seal: Pick<Seal, 'derive'>, connection: Id<'sso'>, generation: number): PublicJwk & Secret {
  const wide = BigInt(`0x${seal.derive(`oidc client key ${connection} ${generation}`, 40).toString('hex')}`);
  const d = Buffer.from(((wide % (ORDER - 1n)) + 1n).toString(16).padStart(64, '0'), 'hex');
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(d);
  const point = curve.getPublicKey();
  return {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33, 65).toString('base64url'),
    d: d.toString('base64url'),
    kid: `${connection}-${generation}`,
    use: 'sig',
    alg: CLIENT_KEY_ALG,
  };
}

/** The key that signs now. */
export async function clientKey(
  seal: Pick<Seal, 'derive'>,
  connection: Id<'sso'>,
  generation: number,
): Promise<ClientKey> {
  const { kid, ...jwk } = derived(seal, connection, generation);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  return { kid, key: await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign']) };
}

/** The public halves: of now, of before (what it signed is under way), and of next, so that providers know it before it signs. */
export function publicKeys(
  seal: Pick<Seal, 'derive'>,
  connection: Id<'sso'>,
  generation: number,
): { keys: PublicJwk[] } {
  const generations = [generation - 1, generation, generation + 1].filter((g) => g > 0);
  return {
    keys: generations.map((g) => {
      const { kty, crv, x, y, kid, use, alg } = derived(seal, connection, g);
      return { kty, crv, x, y, kid, use, alg };
    }),
  };
}
