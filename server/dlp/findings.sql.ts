import { z } from 'zod';
import { read, sql, type Fragment, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { dlpActions } from './verdict.ts';

const Found = z.object({ detector: z.string(), at: z.string(), count: z.number(), hashes: z.array(z.string()) });
const Row = z.object({
  seq: z.coerce.number(),
  at: z.date(),
  type: z.string(),
  actor: z.string().nullable(),
  /** As the account is called now. */
  name: z.string().nullable(),
  connector: z.string().nullable(),
  tool: z.string().nullable(),
  call: z.string().nullable(),
  outcome: z.string().nullable(),
  phase: z.string().nullable(),
  action: z.enum(dlpActions),
  findings: z.array(Found),
  quarantine: z.string().nullable(),
});
/** One event in which something was found in content. */
export type FoundIn = z.infer<typeof Row>;

/** As the index has it; what was kept for review is told of twice, and counts where it was found. */
const hasFindings: Fragment = sql`
  jsonb_array_length(case when jsonb_typeof(e.data -> 'findings') = 'array' then e.data -> 'findings' else '[]' end) > 0
  and e.type <> 'dlp.quarantined'`;
/** The most severe of what was to be done with the arguments and with the result, or with the one content that there was. */
const severest: Fragment = sql`
  (select coalesce(
    (array['block', 'quarantine', 'require_approval', 'redact', 'alert', 'allow'])[
      min(array_position(array['block', 'quarantine', 'require_approval', 'redact', 'alert', 'allow'], said))], 'alert')
     from unnest(array[e.data ->> 'action', e.data #>> '{content,arguments}', e.data #>> '{content,result}']) as said)`;

/** Newest first; `before` is a position in the log. The search looks at what was found, tool, connector, call and person. */
export const listFindings = (
  db: Reader,
  log: Id<'org'>,
  f: { q: string | null; detector: string | undefined; before: string | undefined; limit: number },
): Promise<FoundIn[]> =>
  db.many(read(Row)`
    select e.seq, e.at, e.type, e.actor, u.display_name as name, e.connector, e.header ->> 'tool' as tool, e.call,
           e.data ->> 'outcome' as outcome, e.data ->> 'phase' as phase, ${severest} as action, e.data -> 'findings' as findings,
           e.data ->> 'quarantine' as quarantine
      from audit_event e
      left join app_user u on u.id = e.actor
     where e.log = ${log} and ${hasFindings}
       and (${f.before ?? null}::bigint is null or e.seq < ${f.before ?? null}::bigint)
       and (${f.detector ?? null}::text is null or exists (
             select from jsonb_array_elements(e.data -> 'findings') x where x ->> 'detector' = ${f.detector ?? null}))
       and (${f.q}::text is null or e.data ->> 'findings' ilike ${f.q} or e.header ->> 'tool' ilike ${f.q} or e.connector ilike ${f.q}
            or e.call ilike ${f.q} or u.display_name ilike ${f.q} or u.email ilike ${f.q})
     order by e.seq desc, e.at desc
     limit ${f.limit}`);

const Day = z.object({ day: z.string(), action: z.enum(dlpActions), events: z.number() });
/** How many events with findings there were on each day in UTC, by what was to be done; a day without any is not there. */
export const countFindingDays = (
  db: Reader,
  log: Id<'org'>,
  f: { from: Date; to: Date },
): Promise<z.infer<typeof Day>[]> =>
  db.many(read(Day)`
    select to_char(x.at at time zone 'utc', 'YYYY-MM-DD') as day, x.action, count(*)::int as events
      from (select e.at, ${severest} as action from audit_event e
             where e.log = ${log} and ${hasFindings} and e.at >= ${f.from} and e.at < ${f.to}) x
     group by 1, 2 order by 1, 2`);

const Detected = z.object({ detector: z.string(), events: z.number(), matches: z.coerce.number() });
/** What was found most in a time. */
export const countDetectors = (
  db: Reader,
  log: Id<'org'>,
  f: { from: Date; to: Date; limit: number },
): Promise<z.infer<typeof Detected>[]> =>
  db.many(read(Detected)`
    select x ->> 'detector' as detector, count(distinct e.seq)::int as events, sum((x ->> 'count')::bigint) as matches
      from audit_event e, jsonb_array_elements(e.data -> 'findings') x
     where e.log = ${log} and ${hasFindings} and e.at >= ${f.from} and e.at < ${f.to}
     group by 1 order by 2 desc, 1 limit ${f.limit}`);
