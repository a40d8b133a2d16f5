import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

const LastRow = z.object({ member: z.custom<Id<'mem'>>(), at: z.date() });

/** When each of these members last called a tool; those who never did are left out. */
export const listLastCalls = async (db: Reader, members: readonly Id<'mem'>[]): Promise<ReadonlyMap<Id<'mem'>, Date>> =>
  new Map(
    (
      await db.many(read(LastRow)`
    select m.id as member, c.opened_at as at from unnest(${members}::text[]) as m(id)
      cross join lateral (select opened_at from tool_call t where t.org = app_org() and t.member = m.id order by opened_at desc limit 1) c`)
    ).map((r) => [r.member, r.at]),
  );
