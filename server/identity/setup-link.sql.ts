import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

/** A one-time way in for the first owner. */
export type SetupLink = { id: Id<'stp'>; user: Id<'usr'>; expiresAt: Date; usedAt: Date | null };

const LinkRow: z.ZodType<SetupLink> = z.object({
  id: z.custom<Id<'stp'>>(),
  user: z.custom<Id<'usr'>>(),
  expiresAt: z.date(),
  usedAt: z.date().nullable(),
});

export const insertSetupLink = (tx: Tx, l: Omit<SetupLink, 'usedAt'>, hash: Buffer, at: Date): Promise<number> =>
  tx.run(write`
  insert into setup_link (parent, id, user_id, hash, created_at, expires_at)
  values (app_parent(), ${l.id}, ${l.user}, ${hash}, ${at}, ${l.expiresAt})`);

export const findSetupLink = (db: Reader, hash: Buffer): Promise<SetupLink | undefined> =>
  db.maybe(read(LinkRow)`
  select id, user_id as user, expires_at as "expiresAt", used_at as "usedAt" from setup_link where parent = app_parent() and hash = ${hash}`);

/** 0: someone was faster. */
export const saveSetupLinkUsed = (tx: Tx, id: Id<'stp'>, at: Date): Promise<number> =>
  tx.run(
    write`update setup_link set used_at = ${at} where parent = app_parent() and id = ${id} and used_at is null and expires_at > ${at}`,
  );

/** For `Db.lookup`: whose link has this hash. */
export const lookupSetupLinkParent = (hash: Buffer) =>
  read(z.object({ parent: z.custom<Id<'par'>>().nullable() }))`select lookup_setup_link(${hash}) as parent`;
