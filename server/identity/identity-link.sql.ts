import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

/** The key of an identity. Never an e-mail: identity providers let people choose those, and hand them on. */
export type IdentityKey = { connection: Id<'sso'>; issuer: string; subject: string };

const Owner = z.object({ user: z.custom<Id<'usr'>>() });

export const findLinkedUser = (db: Reader, k: IdentityKey): Promise<{ user: Id<'usr'> } | undefined> =>
  db.maybe(read(Owner)`
  select user_id as user from identity_link
   where parent = app_parent() and connection = ${k.connection} and issuer = ${k.issuer} and subject = ${k.subject}`);

/** 0: somebody has linked this identity meanwhile. */
export const insertLink = (
  tx: Tx,
  k: IdentityKey,
  l: { user: Id<'usr'>; madeBy: 'directory' | 'person' | 'sign_in'; at: Date },
): Promise<number> =>
  tx.run(write`
  insert into identity_link (parent, connection, issuer, subject, user_id, made_by, linked_at)
  values (app_parent(), ${k.connection}, ${k.issuer}, ${k.subject}, ${l.user}, ${l.madeBy}, ${l.at})
  on conflict (parent, connection, issuer, subject) do nothing`);

export const saveLinkUsed = (tx: Tx, k: IdentityKey, at: Date): Promise<number> =>
  tx.run(write`
  update identity_link set last_sign_in_at = ${at}
   where parent = app_parent() and connection = ${k.connection} and issuer = ${k.issuer} and subject = ${k.subject}`);

/** The connections that a user has an identity at. */
export const listLinkedConnections = (db: Reader, user: Id<'usr'>): Promise<{ connection: Id<'sso'> }[]> =>
  db.many(read(z.object({ connection: z.custom<Id<'sso'>>() }))`
  select distinct connection from identity_link where parent = app_parent() and user_id = ${user}`);
