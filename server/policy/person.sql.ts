import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';

const Person = z.object({
  user: z.custom<Id<'usr'>>(),
  email: z.string(),
  displayName: z.string(),
  live: z.boolean(),
  groups: z.array(z.custom<Id<'grp'>>()),
});
/** A member with the groups that count for policy; as `groupsOfUser` says them, for many people at once. */
export type PersonWithGroups = z.infer<typeof Person>;

/** Members by e-mail; one more than asked. `q` is looked for in e-mail and name. */
export const listPeople = (
  db: Reader,
  f: { q?: string | undefined; after?: readonly string[] | undefined; limit: number },
): Promise<PersonWithGroups[]> =>
  db.many(read(Person)`
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
  db.many(read(Person.omit({ live: true, groups: true }))`
    select id as user, email, display_name as "displayName" from app_user where parent = app_parent() and id = any(${ids})`);
