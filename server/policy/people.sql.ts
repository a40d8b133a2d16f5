import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

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
