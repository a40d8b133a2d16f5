import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import { stateNow } from './approval.sql.ts';

const Day = z.object({
  day: z.string(),
  asked: z.number(),
  approved: z.number(),
  denied: z.number(),
  expired: z.number(),
  waiting: z.number(),
  ended: z.number(),
});
/** What was asked for on each day in UTC, and what became of it, in order; a day without any is not there. */
export const countDays = (db: Reader, f: { from: Date; to: Date; now: Date }): Promise<z.infer<typeof Day>[]> =>
  db.many(read(Day)`
    select to_char(x.asked_at at time zone 'utc', 'YYYY-MM-DD') as day, count(*)::int as asked,
           count(*) filter (where x.state = 'approved')::int as approved, count(*) filter (where x.state = 'denied')::int as denied,
           count(*) filter (where x.state = 'expired')::int as expired, count(*) filter (where x.state = 'pending')::int as waiting,
           count(*) filter (where x.state in ('cancelled', 'superseded'))::int as ended
      from (select a.asked_at, case when a.state = 'pending' and a.expires_at <= ${f.now} then 'expired' else ${stateNow} end as state
              from approval a where a.org = app_org() and a.asked_at >= ${f.from} and a.asked_at < ${f.to}) x
     group by 1 order by 1`);
