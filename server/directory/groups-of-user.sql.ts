import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

const GroupOf = z.object({ id: z.custom<Id<'grp'>>() });

/**
 * The groups of an account, for policy, of whatever kind: of its live and active entry in any directory of the parent, of its latest sign-in,
 * and made by hand in the present organization. Two index scans.
 */
export const groupsOfUser = async (db: Reader, user: Id<'usr'>): Promise<Id<'grp'>[]> =>
  (
    await db.many(read(GroupOf)`
    select m.group_id as id from scim_user u join scim_membership m on m.scim_user = u.id
     where u.parent = app_parent() and u.user_id = ${user} and u.deleted_at is null and u.active
    union all
    select y.group_id from org_group_member y where y.parent = app_parent() and y.user_id = ${user}
     order by id`)
  ).map((r) => r.id);
