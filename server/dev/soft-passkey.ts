import { generateKeyPairSync, hash, randomBytes, sign } from 'node:crypto';
import { newId, type Id } from '#kernel/id.ts';
import type { TestDb } from './test-db.ts';

/** What a browser sends back after using a passkey. */
export type Assertion = {
  id: string;
  rawId: string;
  type: 'public-key';
  response: { clientDataJSON: string; authenticatorData: string; signature: string };
};

/** A passkey made of software, which signs whatever it is asked to; the row of its owner is there already. */
export type SoftPasskey = {
  id: string;
  use(challenge: string, over?: { origin?: string; flags?: number; type?: string }): Assertion;
};

export async function softPasskey(
  t: Pick<TestDb, 'super'>,
  owner: { parent: Id<'par'>; user: Id<'usr'> },
  origin: string,
): Promise<SoftPasskey> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const id = randomBytes(16).toString('base64url');
  // COSE (RFC 9053 §7.1.1) in CBOR: {1: 2, 3: -7, -1: 1, -2: x, -3: y}.
  const cose = Buffer.concat([
    Buffer.from('a5010203262001215820', 'hex'),
    Buffer.from(x, 'base64url'),
    Buffer.from('225820', 'hex'),
    Buffer.from(y, 'base64url'),
  ]);
  await t.super(
    `insert into passkey (parent, id, user_id, credential_id, public_key, counter, transports, name, backed_up, created_at, challenge_at)
     values ($1, $2, $3, $4, $5, 0, '{}', 'soft', false, now(), 0)`,
    owner.parent,
    newId('pky'),
    owner.user,
    id,
    cose,
  );
  return {
    id,
    use(challenge, over = {}) {
      const client = Buffer.from(
        JSON.stringify({
          type: over.type ?? 'webauthn.get',
          challenge,
          origin: over.origin ?? origin,
          crossOrigin: false,
        }),
      );
      const site = hash('sha256', new URL(origin).hostname, 'buffer');
      // User present and verified; a counter of 0, as passkeys that are kept in more than one place have it.
      const auth = Buffer.concat([site, Buffer.of(over.flags ?? 5), Buffer.alloc(4)]);
      const signature = sign('sha256', Buffer.concat([auth, hash('sha256', client, 'buffer')]), privateKey);
      const b64 = (b: Buffer): string => b.toString('base64url');
      return {
        id,
        rawId: id,
        type: 'public-key',
        response: { clientDataJSON: b64(client), authenticatorData: b64(auth), signature: b64(signature) },
      };
    },
  };
}
