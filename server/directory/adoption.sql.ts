import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { memberRoles } from '#org/member.ts';

const Entry = z.object({
  entry: z.custom<Id<'scu'>>(),
  version: z.number(),
  attributes: z.unknown(),
  externalId: z.string().nullable(),
  was: z.enum(['local_user', 'address_in_use', 'no_address', 'domain_held']),
});
export type UnlinkedEntry = z.infer<typeof Entry>;

/** Entries without an account, in the order in which they came. */
export const listUnlinked = (
  db: Reader,
  directory: Id<'dir'>,
  after: string,
  limit: number,
): Promise<UnlinkedEntry[]> =>
  db.many(read(Entry)`
  select id as entry, version, attributes, external_id as "externalId", unlinked_because as was
    from scim_user
   where parent = app_parent() and directory = ${directory} and deleted_at is null and user_id is null and id > ${after}
   order by id
   limit ${limit}`);

const Account = z.object({
  user: z.custom<Id<'usr'>>(),
  key: z.string(),
  email: z.string(),
  displayName: z.string(),
  state: z.enum(['active', 'suspended']),
  roles: z.array(z.object({ org: z.custom<Id<'org'>>(), role: z.enum(memberRoles) })),
});
export type Account = z.infer<typeof Account>;

/** Accounts with one of these addresses (in small letters) that no live entry of any directory has. */
export const listFreeByAddress = (db: Reader, addresses: readonly string[]): Promise<Account[]> =>
  db.many(read(Account)`
  select u.id as "user", u.email_key as key, u.email, u.display_name as "displayName", u.state,
         coalesce((select json_agg(json_build_object('org', o.org, 'role', o.role)) from orgs_of_user(u.id) o), '[]') as roles
    from app_user u
   where u.parent = app_parent() and u.email_key = any(${addresses}::text[])
     and not exists (select from scim_user l where l.user_id = u.id and l.deleted_at is null)`);

/** Accounts that an entry with one of these external ids had, in any directory of the parent, and that no live entry has. An id of two accounts is nobody's. */
export const listFreeByExternalId = (db: Reader, externalIds: readonly string[]): Promise<Account[]> =>
  db.many(read(Account)`
  select min(u.id) as "user", f.external_id as key, min(u.email) as email, min(u.display_name) as "displayName", min(u.state) as state,
         coalesce((select json_agg(json_build_object('org', o.org, 'role', o.role)) from orgs_of_user(min(u.id)) o), '[]') as roles
    from (select distinct external_id, user_id from scim_user
           where parent = app_parent() and external_id = any(${externalIds}::text[]) and deleted_at is not null and user_id is not null) f
    join app_user u on u.parent = app_parent() and u.id = f.user_id
   where not exists (select from scim_user l where l.user_id = u.id and l.deleted_at is null)
   group by f.external_id
  having count(*) = 1`);
