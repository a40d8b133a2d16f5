import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

const TestRow = z.object({
  id: z.custom<Id<'tst'>>(),
  connection: z.custom<Id<'sso'>>(),
  begunBy: z.string(),
  createdAt: z.date(),
  expiresAt: z.date(),
  finishedAt: z.date().nullable(),
  outcome: z.string().nullable(),
  sealed: z.instanceof(Buffer).nullable(),
});
/** A dry sign-in; finished, its result is sealed. */
export type SsoTest = z.infer<typeof TestRow>;

export const insertTest = (
  tx: Tx,
  t: Pick<SsoTest, 'id' | 'connection' | 'begunBy' | 'createdAt' | 'expiresAt'>,
  hash: Buffer,
): Promise<number> =>
  tx.run(write`
  insert into sso_test (org, id, connection, hash, begun_by, created_at, expires_at)
  values (app_org(), ${t.id}, ${t.connection}, ${hash}, ${t.begunBy}, ${t.createdAt}, ${t.expiresAt})`);

export const findTest = (db: Reader, id: Id<'tst'>): Promise<SsoTest | undefined> =>
  db.maybe(read(TestRow)`
  select id, connection, begun_by as "begunBy", created_at as "createdAt", expires_at as "expiresAt", finished_at as "finishedAt", outcome, sealed
    from sso_test where org = app_org() and id = ${id}`);

/** The last result stands: whoever tests again with the same address wants to see what is new. 0: there is no such test any more. */
export const saveTestFinished = (
  tx: Tx,
  id: Id<'tst'>,
  r: { outcome: string; sealed: Buffer },
  at: Date,
): Promise<number> =>
  tx.run(
    write`update sso_test set finished_at = ${at}, outcome = ${r.outcome}, sealed = ${r.sealed} where org = app_org() and id = ${id}`,
  );

/** The dry sign-in that an attempt is for, if it is for one. */
export const findTestOfAttempt = (db: Reader, state: Buffer) =>
  db.maybe(read(z.object({ test: z.custom<Id<'tst'>>(), org: z.custom<Id<'org'>>() }))`
  select test, test_org as org from sign_in_attempt where parent = app_parent() and state_hash = ${state} and intent = 'test'`);

const Found = z.object({
  parent: z.custom<Id<'par'>>(),
  org: z.custom<Id<'org'>>(),
  test: z.custom<Id<'tst'>>(),
  connection: z.custom<Id<'sso'>>(),
});
/** For `Db.lookup`: which test the secret of an address is for. */
export const lookupTest = (hash: Buffer) =>
  read(Found)`select parent, org, test, connection from lookup_sso_test(${hash})`;
