import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

/** For `Db.lookup`: the connection of an issuer that takes its assertions, else any. `shared`: a second parent has the same issuer. */
export const lookupIdJagIssuer = (issuer: string) =>
  read(
    z.object({ parent: z.custom<Id<'par'>>(), connection: z.custom<Id<'sso'>>(), shared: z.boolean() }),
  )`select parent, connection, shared from lookup_id_jag_issuer(${issuer})`;

/** Whether another connection takes the assertions of this one's issuer, in whichever parent. */
export const idJagTaken = (db: Reader, id: Id<'sso'>): Promise<{ taken: boolean }> =>
  db.one(read(z.object({ taken: z.boolean() }))`select id_jag_taken(${id}) as taken`);

/** INVARIANT (once): an assertion is taken by the insert. 0: it was taken before. */
export const insertIdJagSeen = (tx: Tx, connection: Id<'sso'>, hash: Buffer, until: Date): Promise<number> =>
  tx.run(write`
  insert into id_jag_seen (parent, connection, hash, until) values (app_parent(), ${connection}, ${hash}, ${until})
  on conflict do nothing`);

/** Assertions that are refused for their age by now. Some at a time. */
export const deleteOldIdJagSeen = (tx: Tx, before: Date): Promise<number> =>
  tx.run(write`
  delete from id_jag_seen
   where parent = app_parent()
     and (connection, hash) in (select connection, hash from id_jag_seen where parent = app_parent() and until < ${before} limit 100)`);

const Place = z.object({
  org: z.custom<Id<'org'>>(),
  member: z.custom<Id<'mem'>>(),
  state: z.enum(['active', 'suspended']),
});

/** The organizations of this parent that a person belongs to, and whether the account may come in. */
export const listPlaces = (db: Reader, user: Id<'usr'>): Promise<z.infer<typeof Place>[]> =>
  db.many(read(Place)`
  select org, member, state from lookup_memberships_of_user(${user}) where parent = app_parent()`);
