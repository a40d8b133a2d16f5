import { z } from 'zod';
import { json, read, write, type Reader, type Tx } from '#kernel/db.ts';

/** The public half, as it stands in the published set. */
export const PublicJwk = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  kid: z.string(),
  alg: z.literal('ES256'),
  use: z.literal('sig'),
});
export type PublicJwk = z.infer<typeof PublicJwk>;

const KeyRow = z.object({
  kid: z.string(),
  public: PublicJwk,
  sealed: z.instanceof(Buffer),
  publishedAt: z.date(),
  signsFrom: z.date().nullable(),
  retiredAt: z.date().nullable(),
});
export type KeyRow = z.infer<typeof KeyRow>;

/** The one that signs first, then the one that will, then those that did. */
export const listKeys = (db: Reader): Promise<KeyRow[]> =>
  db.many(read(KeyRow)`
  select kid, public, sealed, published_at as "publishedAt", signs_from as "signsFrom", retired_at as "retiredAt"
    from oauth_signing_key
   order by (signs_from is not null and retired_at is null) desc, retired_at nulls first, published_at`);

/** What the role gatehouse_app may see: enough to check a signature. */
export const listPublicKeys = async (db: Reader): Promise<PublicJwk[]> =>
  (await db.many(read(z.object({ public: PublicJwk }))`select public from oauth_signing_key order by kid`)).map(
    (r) => r.public,
  );

/** Two nodes may both want to make or promote a key: one waits and then sees what the other did. */
export const lockKeys = (tx: Tx): Promise<number> =>
  tx.run(write`select pg_advisory_xact_lock(hashtext('gatehouse oauth signing keys'))`);

export const insertSigningKey = (tx: Tx, k: Omit<KeyRow, 'retiredAt'>): Promise<number> =>
  tx.run(write`
  insert into oauth_signing_key (kid, public, sealed, published_at, signs_from)
  values (${k.kid}, ${json(k.public)}, ${k.sealed}, ${k.publishedAt}, ${k.signsFrom})`);

export const retireKey = (tx: Tx, kid: string, at: Date): Promise<number> =>
  tx.run(write`update oauth_signing_key set retired_at = ${at} where kid = ${kid} and retired_at is null`);

export const promoteKey = (tx: Tx, kid: string, at: Date): Promise<number> =>
  tx.run(write`update oauth_signing_key set signs_from = ${at} where kid = ${kid} and signs_from is null`);

export const deleteRetiredKeys = (tx: Tx, before: Date): Promise<number> =>
  tx.run(write`delete from oauth_signing_key where retired_at < ${before}`);
