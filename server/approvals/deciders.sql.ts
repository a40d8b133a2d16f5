import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

const Figures = z.object({
  user: z.custom<Id<'usr'>>(),
  /** As the account is called now. */
  name: z.string().nullable(),
  decisions: z.number(),
  approved: z.number(),
  unseen: z.number(),
  quick: z.number(),
  medianMs: z.number().nullable(),
});
export type DeciderFigures = z.infer<typeof Figures>;

/**
 * How people decided in a time: how much, how often yes, and how long they looked. Looking begins when somebody opens the request; what was
 * decided without opening it counts as not looked at. Most decisions first.
 */
export const listDeciders = (
  db: Reader,
  f: {
    from: Date;
    to: Date;
    q: string | null;
    after: { decisions: number; user: string } | undefined;
    quickMs: number;
    limit: number;
  },
): Promise<DeciderFigures[]> =>
  db.many(read(Figures)`
    select * from (
      select d.decided_by as user, (select u.display_name from app_user u where u.id = d.decided_by) as name, count(*)::int as decisions, count(*) filter (where d.verdict = 'approved')::int as approved,
             count(*) filter (where s.seen_at is null)::int as unseen,
             count(*) filter (where s.seen_at is null or d.decided_at - s.seen_at < ${f.quickMs} * interval '1 ms')::int as quick,
             (extract(epoch from percentile_cont(0.5) within group (order by d.decided_at - s.seen_at)
                filter (where s.seen_at is not null)) * 1000)::float8 as "medianMs"
        from approval_decision d
        join approval a on a.org = d.org and a.decision = d.id
        left join approval_sight s on s.org = a.org and s.approval = a.id and s.person = d.decided_by and s.seen_at <= d.decided_at
       where d.org = app_org() and d.decided_at >= ${f.from} and d.decided_at < ${f.to}
         and (${f.q}::text is null or d.decided_by ilike ${f.q}
           or exists (select from app_user u where u.id = d.decided_by and (u.display_name ilike ${f.q} or u.email ilike ${f.q})))
       group by d.decided_by) x
     where ${f.after?.decisions ?? null}::int is null or (-x.decisions, x.user) > (-(${f.after?.decisions ?? 0}::int), ${f.after?.user ?? ''})
     order by -x.decisions, x.user
     limit ${f.limit}`);
