import { z } from 'zod';
import { read, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

const GrantRow = z.object({
  id: z.string(),
  member: z.custom<Id<'mem'>>(),
  client: z.string(),
  clientName: z.string().nullable(),
  scopes: z.record(z.string(), z.string()),
  givenAt: z.date(),
  expiresAt: z.date(),
  lastUsedAt: z.date().nullable(),
  connection: z.string().nullable(),
});
/** A consent as people see it; `scopes` by resource. */
export type GrantRow = z.infer<typeof GrantRow>;

export const listGrantRows = (
  db: Reader,
  of: Id<'mem'> | undefined,
  pattern: string | null,
  after: string,
  limit: number,
  at: Date,
): Promise<GrantRow[]> =>
  db.many(read(GrantRow)`
  select id, member, client, client_name as "clientName", scopes, given_at as "givenAt", expires_at as "expiresAt", last_used_at as "lastUsedAt", connection
    from list_oauth_grants(${of ?? null}, ${pattern}, ${after}, ${limit}, ${at})`);

/** How many consents of a member live. */
export const countGrantRows = async (db: Reader, of: Id<'mem'>, at: Date): Promise<number> =>
  (
    await db.one(read(z.object({ n: z.number() }))`
    select count(*)::int as n from list_oauth_grants(${of}, null, '', 10000, ${at})`)
  ).n;

const Ended = z.object({ member: z.custom<Id<'mem'>>(), client: z.string() });

/** Ends a consent of this organization, of one member where `of` says so; undefined: there is none. */
export const endGrant = (tx: Tx, id: string, of: Id<'mem'> | undefined): Promise<z.infer<typeof Ended> | undefined> =>
  tx.maybe(read(Ended)`select member, client from revoke_oauth_grant(${id}, ${of ?? null})`);
