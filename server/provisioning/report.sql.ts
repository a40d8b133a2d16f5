import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';

const HeldRow = z.object({ directory: z.string().nullable(), people: z.number(), since: z.date() });

/** Removals that wait, by the directory that they came from. */
export const countHeld = (db: Reader): Promise<z.infer<typeof HeldRow>[]> =>
  db.many(read(HeldRow)`
  select d.name as directory, count(*)::int as people, min(r.at) as since
    from provisioning_removal r left join directory d on d.parent = app_parent() and d.id = r.directory
   where r.org = app_org() and r.state = 'held' group by d.name order by min(r.at)`);

const MappingsRow = z.object({ groups: z.number(), roles: z.number() });

export const countMappings = (db: Reader): Promise<z.infer<typeof MappingsRow>> =>
  db.one(read(MappingsRow)`
  select count(*)::int as groups, count(distinct role)::int as roles from group_mapping where org = app_org()`);
