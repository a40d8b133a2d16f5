import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

const LastSignInRow = z.object({ user: z.custom<Id<'usr'>>(), at: z.date(), method: z.string() });

/** The newest sign-in of each of these users, if there was one: when, and by which kind of connection, or in which other way. */
export const listLastSignIns = (db: Reader, users: readonly Id<'usr'>[]): Promise<z.infer<typeof LastSignInRow>[]> =>
  db.many(read(LastSignInRow)`
  select distinct on (s.user_id) s.user_id as user, s.created_at as at, coalesce(c.kind, s.method) as method
    from session s left join sso_connection c on c.parent = s.parent and c.id = s.connection
   where s.parent = app_parent() and s.user_id = any(${users})
   order by s.user_id, s.id desc`);
