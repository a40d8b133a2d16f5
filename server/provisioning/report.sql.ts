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

const SeatsRow = z.object({ taken: z.number(), idle: z.number(), waiting: z.number(), limit: z.number().nullable() });
export type Seats = z.infer<typeof SeatsRow>;

/** Seats of the whole organization: taken, of them idle since then, members who have not signed in yet, and how many there may be. */
export const countSeats = (db: Reader, idleSince: Date): Promise<Seats> =>
  db.one(read(SeatsRow)`
  select count(*) filter (where s.activated_at is not null)::int as taken,
         count(*) filter (where s.activated_at is not null and coalesce(s.last_sign_in_at, s.activated_at) < ${idleSince})::int as idle,
         count(*) filter (where s.activated_at is null)::int as waiting,
         (select seats from seat_limit where org = app_org() and tier = '*') as "limit"
    from member m left join member_seat s on s.org = m.org and s.member = m.id where m.org = app_org()`);
