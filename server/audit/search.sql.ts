import { z } from 'zod';
import { read, sql, type Fragment, type Query, type Reader } from '#kernel/db.ts';
import type { StoredEvent } from './event.sql.ts';
import { EventRow } from './event.sql.ts';
import type { LogId } from './inbox.sql.ts';
import { driverOf, SLACK_MS, type Driver, type Search } from './search.ts';

const size = z.coerce.number().int().nonnegative();
/** Positions [low, high) of a log. */
export type Span = { readonly low: number; readonly high: number };

const Seq = z.object({ seq: size.nullable() });

/** The first position at which something of this time or later may be; undefined: nothing is that late. */
async function firstSince(db: Reader, log: LogId, at: Date): Promise<number | undefined> {
  const found = await db.maybe(read(Seq)`
    select seq from audit_event where log = ${log} and at >= ${new Date(at.getTime() - SLACK_MS)} order by at limit 1`);
  return found?.seq ?? undefined;
}

/** The positions that the times of a search leave of a log. */
export async function spanOf(db: Reader, log: LogId, s: Search, whole: number): Promise<Span> {
  let { low, high } = { low: 0, high: whole };
  if (s.since) low = (await firstSince(db, log, s.since)) ?? whole;
  // What comes that long after the end begins after everything before it.
  if (s.until) high = (await firstSince(db, log, new Date(s.until.getTime() + 2 * SLACK_MS))) ?? whole;
  return { low, high };
}

const columns: Record<Driver | 'tool' | 'resource', Fragment> = {
  call: sql`e.call`,
  request: sql`e.header ->> 'request'`,
  outcome: sql`e.header ->> 'disposition'`,
  actor: sql`e.actor`,
  type: sql`e.type`,
  connector: sql`e.connector`,
  tool: sql`e.header ->> 'tool'`,
  resource: sql`e.header ->> 'resource'`,
};
const like = (text: string): string => `%${text.replaceAll(/[\\%_]/g, (c) => `\\${c}`)}%`;

/** Everything that is asked beside what the index is walked by. */
function fits(s: Search, driver: Driver | undefined): Fragment {
  let all = sql``;
  for (const [key, column] of Object.entries(columns)) {
    const any = s[key as keyof typeof columns];
    if (any !== undefined && key !== driver) all = sql`${all} and ${column} = any(${any}::text[])`;
  }
  if (s.since) all = sql`${all} and e.at >= ${s.since}`;
  if (s.until) all = sql`${all} and e.at < ${s.until}`;
  if (s.text !== undefined)
    all = sql`${all} and (e.header::text ilike ${like(s.text)} or e.data::text ilike ${like(s.text)})`;
  return all;
}

/** The partial index is taken only where its condition is spelt out. */
const walked = (driver: Driver): Fragment =>
  driver === 'outcome' ? sql`and e.header ->> 'disposition' <> 'returned'` : sql``;

/** Newest first, up to a limit. One walk for each value, so that each is by its index from its newest end; merged then. */
function newest(log: LogId, s: Search, { low, high }: Span, limit: number, what: Fragment): Fragment {
  const driver = driverOf(s);
  const within = sql`e.log = ${log} and e.seq >= ${String(low)}::bigint and e.seq < ${String(high)}::bigint`;
  if (!driver)
    return sql`select ${what} from audit_event e where ${within}${fits(s, driver)} order by e.seq desc, e.at desc limit ${limit}`;
  return sql`
    select x.* from unnest(${s[driver] ?? []}::text[]) as v(value)
      cross join lateral (
        select ${what} from audit_event e
         where ${within} and ${columns[driver]} = v.value ${walked(driver)}${fits(s, driver)}
         order by e.seq desc limit ${limit}) x
     order by x.seq desc limit ${limit}`;
}

/** What fits, newest first. */
export const searchStored = (db: Reader, log: LogId, s: Search, span: Span, limit: number): Promise<StoredEvent[]> => {
  const found = newest(log, s, span, limit, sql`e.seq, e.header, e.data, e.salt, e.commitment`);
  return db.many(read(EventRow)`${found}`);
};

const Counted = z.object({ n: z.number(), oldest: size.nullable() });

/** How many fit, of the newest ones up to a limit; `oldest`: the position that was come to. */
export const countStored = (
  db: Reader,
  log: LogId,
  s: Search,
  span: Span,
  limit: number,
): Promise<z.infer<typeof Counted>> =>
  db.one(read(Counted)`
    select count(*)::int as n, min(f.seq) as oldest from (${newest(log, s, span, limit, sql`e.seq`)}) f`);

const Ends = z.object({ first: z.date().nullable(), last: z.date().nullable() });
/** The times of the first and the last of some positions. */
export const timesOf = (db: Reader, log: LogId, { low, high }: Span): Promise<z.infer<typeof Ends>> =>
  db.one(read(Ends)`
    select (select at from audit_event where log = ${log} and seq >= ${String(low)}::bigint and seq < ${String(high)}::bigint order by seq, at limit 1) as first,
           (select at from audit_event where log = ${log} and seq >= ${String(low)}::bigint and seq < ${String(high)}::bigint order by seq desc, at desc limit 1) as last`);

const Interval = z.object({ i: z.number(), n: z.number(), odd: z.number() });
export type Interval = z.infer<typeof Interval>;
export type Picture = { readonly from: Date; readonly to: Date; readonly intervals: number };

/** How many of the newest that fit, up to a limit, lie in each interval; `odd` of them did not end as answered. */
export const pictureFound = (
  db: Reader,
  log: LogId,
  s: Search,
  span: Span,
  p: Picture,
  limit: number,
): Promise<Interval[]> =>
  db.many(read(Interval)`
    select least(greatest(width_bucket(extract(epoch from f.at), ${p.from.getTime() / 1000}::numeric, ${p.to.getTime() / 1000}::numeric, ${p.intervals}), 1), ${p.intervals}) - 1 as i,
           count(*)::int as n, (count(*) filter (where f.disposition <> 'returned'))::int as odd
      from (${newest(log, s, span, limit, sql`e.seq, e.at, e.header ->> 'disposition' as disposition`)}) f
     group by 1 order by 1`);

/**
 * The same of a whole span, however long, without walking it: where each interval begins is one look into the index of times, and positions are
 * dense. Events that stand apart from their time count where they stand.
 */
export const pictureWhole = (db: Reader, log: LogId, span: Span, p: Picture, mostOdd: number): Promise<Interval[]> => {
  const step = (p.to.getTime() - p.from.getTime()) / p.intervals;
  const edges = Array.from({ length: p.intervals }, (_, i) => new Date(p.from.getTime() + i * step));
  const query: Query<Interval> = read(Interval)`
    with edge as (
      select i, coalesce((select seq from audit_event where log = ${log} and at >= x.at order by at limit 1), ${String(span.high)}::bigint) as seq
        from unnest(${edges}::timestamptz[]) with ordinality as x(at, i)
    ), whole as (
      select i::int - 1 as i,
             greatest(least(lead(seq, 1, ${String(span.high)}::bigint) over (order by i), ${String(span.high)}::bigint)
                      - greatest(case when i = 1 then ${String(span.low)}::bigint else seq end, ${String(span.low)}::bigint), 0)::int as n
        from edge
    ), odd as (
      select least(greatest(width_bucket(extract(epoch from f.at), ${p.from.getTime() / 1000}::numeric, ${p.to.getTime() / 1000}::numeric, ${p.intervals}), 1), ${p.intervals}) - 1 as i, count(*)::int as n
        from (select e.at from audit_event e
               where e.log = ${log} and e.header ->> 'disposition' <> 'returned'
                 and e.header ->> 'disposition' in ('held', 'denied', 'blocked', 'failed', 'lost')
                 and e.seq >= ${String(span.low)}::bigint and e.seq < ${String(span.high)}::bigint
               limit ${mostOdd}) f group by 1
    )
    select w.i, w.n, coalesce(o.n, 0) as odd from whole w left join odd o on o.i = w.i order by w.i`;
  return db.many(query);
};
