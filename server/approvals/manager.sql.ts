import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

const Found = z.object({ user: z.custom<Id<'usr'>>() });

/**
 * Whom a directory names as somebody's manager, if that is a live account here. Providers put into `manager.value` our id of the person, their
 * own, the user name or an address. Undefined where two could be meant.
 */
export async function findManagerInDirectory(db: Reader, user: Id<'usr'>): Promise<Id<'usr'> | undefined> {
  const found = await db.many(read(Found)`
    select distinct m.user_id as user
      from scim_user s
      cross join lateral (select s.attributes #>> '{urn:ietf:params:scim:schemas:extension:enterprise:2.0:User,manager,value}' as value) said
      join scim_user m on m.parent = s.parent and m.directory = s.directory and m.deleted_at is null and m.active and m.user_id is not null
       and (m.id = said.value or m.external_id = said.value or m.user_name_key = lower(said.value))
      join app_user u on u.parent = m.parent and u.id = m.user_id and u.state = 'active'
     where s.parent = app_parent() and s.user_id = ${user} and s.deleted_at is null and s.active and m.user_id <> ${user}
     limit 2`);
  return found.length === 1 ? found[0]?.user : undefined;
}
