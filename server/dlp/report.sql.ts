import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';

const Row = z.object({
  waiting: z.number(),
  seconds: z.number(),
  since: z.date().nullable(),
  until: z.date().nullable(),
});

/** What is kept and waits for a reviewer; `seconds` of it have one yes and need another. */
export const countKept = (db: Reader, now: Date): Promise<z.infer<typeof Row>> =>
  db.one(read(Row)`
  select count(*)::int as waiting, count(*) filter (where q.needs = 2 and exists (
           select from quarantine_decision d where d.org = q.org and d.quarantine = q.id))::int as seconds,
         min(q.kept_at) as since, min(q.expires_at) as until
    from quarantine q where q.org = app_org() and q.state = 'waiting' and q.expires_at > ${now}`);
