import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

const Row = z.object({
  directory: z.custom<Id<'dir'>>(),
  name: z.string(),
  state: z.enum(['active', 'paused']),
  /** When the last of its credentials ends; null: it has none. */
  ends: z.date().nullable(),
  credentials: z.number(),
  seen: z.date().nullable(),
  people: z.number(),
});
export type DirectoryStanding = z.infer<typeof Row>;

/** Each directory with when it can last come in, when it last did, and how many people it has. Tokens of clients count as their client. */
export const listStandings = (db: Reader, now: Date): Promise<DirectoryStanding[]> =>
  db.many(read(Row)`
  select d.id as directory, d.name, d.state,
         (select max(k.expires_at) from (
            select expires_at from scim_token where parent = d.parent and directory = d.id and client is null and revoked_at is null
            union all select expires_at from scim_client where parent = d.parent and directory = d.id and revoked_at is null) k) as ends,
         (select count(*)::int from (
            select 1 from scim_token where parent = d.parent and directory = d.id and client is null and revoked_at is null and expires_at > ${now}
            union all select 1 from scim_client where parent = d.parent and directory = d.id and revoked_at is null and expires_at > ${now}) k) as credentials,
         (select max(t.last_used_at) from scim_token t where t.parent = d.parent and t.directory = d.id) as seen,
         (select count(*)::int from (select 1 from scim_user u where u.parent = d.parent and u.directory = d.id limit 100000) u) as people
    from directory d where d.parent = app_parent() order by d.created_at, d.id`);
