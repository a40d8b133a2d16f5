import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

/** Which of these groups are of sign-ins, and so are replaced by the next one. */
export const listOfSignIns = async (db: Reader, groups: readonly Id<'grp'>[]): Promise<Id<'grp'>[]> =>
  (
    await db.many(read(z.object({ id: z.custom<Id<'grp'>>() }))`
  select id from org_group where parent = app_parent() and source = 'attribute' and id = any(${groups}::text[])`)
  ).map((r) => r.id);
