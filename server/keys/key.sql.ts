import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { KeyRow } from '#kernel/seal.sql.ts';
import type { Rotation } from './rotation.ts';

const Key = z.object({
  generation: z.number(),
  provider: z.string(),
  wrapped: z.instanceof(Buffer).nullable(),
  createdAt: z.date(),
  wrappedAt: z.date(),
  retiredAt: z.date().nullable(),
});
/** A key of a scope; a retired one has no bytes any more. */
export type Key = z.infer<typeof Key>;

/** Newest first; a scope has as many as it was rotated. */
export const listKeys = (db: Reader, scope: string): Promise<Key[]> =>
  db.many(read(Key)`
    select generation, provider, wrapped, created_at as "createdAt", wrapped_at as "wrappedAt", retired_at as "retiredAt"
      from seal_key where scope = ${scope} order by generation desc`);

/** Only over the wrapping that was read: false when somebody was faster. */
export const saveWrapping = async (tx: Tx, scope: string, was: Buffer, key: KeyRow, now: Date): Promise<boolean> =>
  (await tx.run(write`
    update seal_key set provider = ${key.provider}, wrapped = ${key.wrapped}, wrapped_at = ${now}
     where scope = ${scope} and generation = ${key.generation} and wrapped = ${was}`)) === 1;

/** How many of a scope's keys another provider wraps. */
export const countOtherwiseWrapped = async (db: Reader, scope: string, provider: string): Promise<number> =>
  (
    await db.one(
      read(z.object({ n: z.number() }))`
      select count(*)::int as n from seal_key where scope = ${scope} and wrapped is not null and provider <> ${provider}`,
    )
  ).n;

/** Destroys a key; its row says that it was there. */
export const retire = (tx: Tx, scope: string, generation: number, now: Date): Promise<number> =>
  tx.run(write`
    update seal_key set wrapped = null, retired_at = ${now}
     where scope = ${scope} and generation = ${generation} and wrapped is not null`);

const Scope = z.object({
  scope: z.string(),
  parent: z.custom<Id<'par'>>().nullable(),
  org: z.custom<Id<'org'>>().nullable(),
  providers: z.array(z.string()).nullable(),
});
export type KeyScope = z.infer<typeof Scope>;

/** Every scope that has keys, in order; for whoever runs the deployment. */
export const listKeyScopes = (db: Reader, after: string, limit: number): Promise<KeyScope[]> =>
  db.many(read(Scope)`select scope, parent, org, providers from lookup_key_scopes(${after}, ${limit})`);

const Column = z.object({ tab: z.string(), col: z.string() });
/** Where a scope may have sealed bytes. */
export const listSealedColumns = (db: Reader, scope: string): Promise<z.infer<typeof Column>[]> =>
  db.many(read(Column)`select tab, col from lookup_sealed_columns(${scope})`);

const Sealed = z.object({ row: z.string(), generation: z.number(), sealed: z.instanceof(Buffer) });
export type Sealed = z.infer<typeof Sealed>;

/** The next sealed values of one column, by row. */
export const listSealed = (db: Reader, scope: string, at: { tab: string; col: string; after: string }, limit: number) =>
  db.many(
    read(
      Sealed,
    )`select "row", generation, sealed from lookup_sealed(${scope}, ${at.tab}, ${at.col}, ${at.after}, ${limit})`,
  );

const Count = z.object({ tab: z.string(), col: z.string(), generation: z.coerce.number(), n: z.coerce.number() });
export type SealedCount = z.infer<typeof Count>;

/** How many secrets each table has, by the generation of the key that they need. */
export const countSealed = (db: Reader, scope: string): Promise<SealedCount[]> =>
  db.many(read(Count)`
    select tab, col, key_generation as generation, n from lookup_sealed_counts(${scope}) order by tab, col, key_generation`);

/** false: the secret has been replaced, or is gone, since it was read. */
export const placeResealed = async (
  tx: Tx,
  scope: string,
  at: { tab: string; col: string },
  s: { row: string; was: Buffer; becomes: Buffer },
): Promise<boolean> =>
  (
    await tx.one(
      read(z.object({ placed: z.boolean() }))`
      select place_resealed(${scope}, ${at.tab}, ${at.col}, ${s.row}, ${s.was}, ${s.becomes}) as placed`,
    )
  ).placed;

const RotationRow = z.object({
  id: z.custom<Id<'rot'>>(),
  scope: z.string(),
  generation: z.number(),
  newKey: z.boolean(),
  state: z.enum(['running', 'done']),
  tab: z.string(),
  col: z.string(),
  after: z.string(),
  resealed: z.coerce.number(),
  total: z.coerce.number(),
  startedAt: z.date(),
  finishedAt: z.date().nullable(),
});

/** The newest of a scope. */
export const findRotation = (db: Reader, scope: string): Promise<Rotation | undefined> =>
  db.maybe(read(RotationRow)`
    select id, scope, generation, new_key as "newKey", state, tab, col, after, resealed, total, started_at as "startedAt", finished_at as "finishedAt"
      from seal_rotation where scope = ${scope} order by id desc limit 1`);

export const lockRotation = (tx: Tx, id: Id<'rot'>): Promise<Rotation | undefined> =>
  tx.maybe(read(RotationRow)`
    select id, scope, generation, new_key as "newKey", state, tab, col, after, resealed, total, started_at as "startedAt", finished_at as "finishedAt"
      from seal_rotation where id = ${id} for update`);

/** False when one of this scope runs already. */
export const insertRotation = async (tx: Tx, r: Rotation & { startedBy: string }): Promise<boolean> =>
  (await tx.run(write`
    insert into seal_rotation (scope, id, generation, new_key, state, total, started_by, started_at)
    values (${r.scope}, ${r.id}, ${r.generation}, ${r.newKey}, 'running', ${r.total}, ${r.startedBy}, ${r.startedAt})
    on conflict (scope) where state = 'running' do nothing`)) === 1;

export const saveRotation = (tx: Tx, r: Rotation): Promise<number> =>
  tx.run(write`
    update seal_rotation set state = ${r.state}, tab = ${r.tab}, col = ${r.col}, after = ${r.after}, resealed = ${r.resealed},
           finished_at = ${r.finishedAt}
     where id = ${r.id}`);

const Running = z.object({
  id: z.custom<Id<'rot'>>(),
  scope: z.string(),
  parent: z.custom<Id<'par'>>().nullable(),
  org: z.custom<Id<'org'>>().nullable(),
});
/** Every rotation that is not finished, in all scopes. */
export const listRunningRotations = (db: Reader): Promise<z.infer<typeof Running>[]> =>
  db.many(read(Running)`select id, scope, parent, org from lookup_running_rotations()`);
