import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';

/** A member whom policies are about, with the groups that rules know them by. */
export type Person = { user: Id<'usr'>; name: string; groups: Id<'grp'>[] };

const Row: z.ZodType<Person> = z.object({
  user: z.custom<Id<'usr'>>(),
  name: z.string(),
  groups: z.array(z.custom<Id<'grp'>>()),
});

/** Every active member of the organization with the groups that `groupsOfUser` would give, in one look; or one of them. By id. */
export const listPeople = (db: Reader, user?: Id<'usr'>): Promise<Person[]> =>
  db.many(read(Row)`
    with of as (
      select u.user_id, m.group_id from scim_user u join scim_membership m on m.scim_user = u.id
       where u.parent = app_parent() and u.user_id is not null and u.deleted_at is null and u.active
         and (${user ?? null}::text is null or u.user_id = ${user ?? null})
      union
      select y.user_id, y.group_id from org_group_member y
       where y.parent = app_parent() and (${user ?? null}::text is null or y.user_id = ${user ?? null}))
    select m.user_id as user, a.display_name as name,
           coalesce((select array_agg(of.group_id order by of.group_id) from of where of.user_id = m.user_id), '{}') as groups
      from member m join app_user a on a.parent = app_parent() and a.id = m.user_id
     where m.org = app_org() and a.state = 'active' and (${user ?? null}::text is null or m.user_id = ${user ?? null})
     order by m.user_id`);

const PageRow = z.object({
  user: z.custom<Id<'usr'>>(),
  email: z.string(),
  displayName: z.string(),
  live: z.boolean(),
  groups: z.array(z.custom<Id<'grp'>>()),
});
/** A member with the groups that count for policy; as `groupsOfUser` says them, for many people at once. */
export type PersonWithGroups = z.infer<typeof PageRow>;

/** Members by e-mail; one more than asked. `q` is looked for in e-mail and name. */
export const listPeoplePage = (
  db: Reader,
  f: { q?: string | undefined; after?: readonly string[] | undefined; limit: number },
): Promise<PersonWithGroups[]> =>
  db.many(read(PageRow)`
    select m.user_id as user, u.email, u.display_name as "displayName", u.state = 'active' as live,
           array(select g.id from (
                   select s.group_id as id from scim_user x join scim_membership s on s.scim_user = x.id
                    where x.parent = app_parent() and x.user_id = m.user_id and x.deleted_at is null and x.active
                   union
                   select y.group_id from org_group_member y where y.parent = app_parent() and y.user_id = m.user_id) g
                  order by g.id) as groups
      from member m join app_user u on u.id = m.user_id and u.parent = app_parent()
     where m.org = app_org()
       and (${containing(f.q)}::text is null or u.email ilike ${containing(f.q)} or u.display_name ilike ${containing(f.q)})
       and (${f.after?.[0] ?? null}::text is null or (lower(u.email), m.user_id) > (${f.after?.[0] ?? ''}, ${f.after?.[1] ?? ''}))
     order by lower(u.email), m.user_id
     limit ${f.limit + 1}`);

/** What accounts are called, for showing; those that are gone are left out. */
export const listAccountNames = (
  db: Reader,
  ids: readonly Id<'usr'>[],
): Promise<{ user: Id<'usr'>; email: string; displayName: string }[]> =>
  db.many(read(PageRow.omit({ live: true, groups: true }))`
    select id as user, email, display_name as "displayName" from app_user where parent = app_parent() and id = any(${ids})`);
