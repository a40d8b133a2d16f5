import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';
import { memberRoles } from '#org/member.ts';

const AccountRow = z.object({
  user: z.custom<Id<'usr'>>(),
  email: z.string(),
  /** What the list is ordered by, as the database folds it. */
  emailKey: z.string(),
  displayName: z.string(),
  state: z.enum(['active', 'suspended']),
  origin: z.enum(['local', 'directory', 'sign_in']),
  domain: z.string(),
});
export type Account = z.infer<typeof AccountRow>;

/**
 * Accounts whose address lies in a verified domain of the parent, by address. The domain of an address as it is written is compared with
 * both forms of a name, since an account may have come with either.
 */
export const listAccounts = (
  db: Reader,
  f: { q?: string | undefined; domain?: Id<'dom'> | undefined; after?: readonly string[] | undefined; limit: number },
): Promise<Account[]> =>
  db.many(read(AccountRow)`
  select u.id as user, u.email, u.email_key as "emailKey", u.display_name as "displayName", u.state, u.origin, d.name as domain
    from app_user u
    join lateral (
      select d.name
        from domain d, lower(substring(u.email from '@([^@]*)$')) as at
       where d.parent = app_parent() and d.state in ('verified', 'failing')
         and (${f.domain ?? null}::text is null or d.id = ${f.domain ?? ''})
         and (at in (d.name, d.shown) or (d.include_subdomains and (right(at, length(d.name) + 1) = '.' || d.name or right(at, length(d.shown) + 1) = '.' || d.shown)))
       order by length(d.name) desc limit 1
    ) d on true
   where u.parent = app_parent()
     and (${containing(f.q)}::text is null or u.email ilike ${containing(f.q)} or u.display_name ilike ${containing(f.q)})
     and (${f.after?.[0] ?? null}::text is null or (u.email_key, u.id) > (${f.after?.[0] ?? ''}, ${f.after?.[1] ?? ''}))
   order by u.email_key, u.id
   limit ${f.limit + 1}`);

/** How many `listAccounts` would give in all. */
export const countAccounts = (db: Reader): Promise<{ n: number }> =>
  db.one(read(z.object({ n: z.number() }))`
  select count(*)::int as n
    from app_user u, lower(substring(u.email from '@([^@]*)$')) as at
   where u.parent = app_parent()
     and exists (
       select from domain d
        where d.parent = app_parent() and d.state in ('verified', 'failing')
          and (at in (d.name, d.shown) or (d.include_subdomains and (right(at, length(d.name) + 1) = '.' || d.name or right(at, length(d.shown) + 1) = '.' || d.shown))))`);

const PlaceRow = z.object({
  user: z.custom<Id<'usr'>>(),
  org: z.custom<Id<'org'>>(),
  name: z.string(),
  role: z.enum(memberRoles),
});
export type Place = z.infer<typeof PlaceRow>;

/** Where these users are members, in all organizations of the parent. */
export const listPlaces = (db: Reader, users: readonly Id<'usr'>[]): Promise<Place[]> =>
  db.many(read(PlaceRow)`
  select user_id as user, org, org_name as name, role from members_of_users(${users})`);

/** The parent's organizations, by name. */
export const listOrgsOfParent = (db: Reader): Promise<{ org: Id<'org'>; name: string }[]> =>
  db.many(read(z.object({ org: z.custom<Id<'org'>>(), name: z.string() }))`
  select id as org, name from org where parent = app_parent() order by name, id limit 1000`);
