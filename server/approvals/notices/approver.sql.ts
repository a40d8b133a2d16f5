import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { MemberRole } from '#org/member.ts';

/** Live members who have one of these roles, are one of these people or are in one of these groups; longest here first. */
export const listCandidates = async (
  db: Reader,
  f: { roles: readonly MemberRole[]; users: readonly Id<'usr'>[]; groups: readonly Id<'grp'>[]; limit: number },
): Promise<Id<'usr'>[]> =>
  (
    await db.many(read(z.object({ user: z.custom<Id<'usr'>>() }))`
    select m.user_id as user
      from member m join app_user u on u.parent = app_parent() and u.id = m.user_id and u.state = 'active'
     where m.org = app_org()
       and (m.role = any(${f.roles}) or m.user_id = any(${f.users})
            or exists (select from org_group_member y where y.parent = app_parent() and y.user_id = m.user_id and y.group_id = any(${f.groups}))
            or exists (select from scim_user s join scim_membership k on k.scim_user = s.id
                        where s.parent = app_parent() and s.user_id = m.user_id and s.deleted_at is null and s.active
                          and k.group_id = any(${f.groups})))
     order by m.created_at, m.id limit ${f.limit}`)
  ).map((r) => r.user);
