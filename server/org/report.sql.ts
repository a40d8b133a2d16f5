import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';

const Key = z.object({ name: z.string(), expires: z.date() });

/** Keys in use that end before `by`, soonest first. */
export const listEndingKeys = (db: Reader, now: Date, by: Date): Promise<z.infer<typeof Key>[]> =>
  db.many(read(Key)`
  select name, expires_at as expires from api_key
   where org = app_org() and revoked_at is null and expires_at > ${now} and expires_at < ${by} and last_used_at is not null
   order by expires_at limit 20`);

const Joined = z.object({ members: z.number(), first: z.string().nullable() });

/** How many members there are, and who came first after whoever founded it. */
export const countMembers = (db: Reader): Promise<z.infer<typeof Joined>> =>
  db.one(read(Joined)`
  select (select count(*)::int from member where org = app_org()) as members,
         (select u.display_name from member m join app_user u on u.parent = app_parent() and u.id = m.user_id
           where m.org = app_org() order by m.created_at, m.id offset 1 limit 1) as first`);
