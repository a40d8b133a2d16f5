import { z } from 'zod';
import { read, type Query, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { Decision } from './decide.ts';
import type { Answer } from './decided-call.ts';

/** For `Db.lookup`: forgets what calls were decided on that began before `edge`. */
export const pruneDecidedCalls = (edge: Date, most: number): Query<{ gone: number }> =>
  read(z.object({ gone: z.number() }))`select prune_decided_calls(${edge}, ${most}) as gone`;

/** A recorded call with what it was decided on; without an answer where policy was not asked or it is not known any more. */
export type RecordedCall = {
  id: Id<'tcl'>;
  user: Id<'usr'>;
  connector: Id<'con'>;
  tool: string;
  at: Date;
  outcome: string | null;
  why: string | null;
  answer: Answer | null;
  /** Null beside an answer: it was too much to keep. */
  asked: string | null;
};
// A backtest reads tens of thousands a second, so a column is believed and not looked at.
const Recorded = z.custom<RecordedCall>();

/** The first id that a call could have that begins at this time. */
const idAt = (at: Date): string => `tcl_${at.getTime().toString(16).padStart(12, '0')}`;

/** Calls of a time, newest first. `before`: the last one of the page before. */
export const listRecordedCalls = (
  db: Reader,
  f: { since: Date; until: Date; before: Id<'tcl'> | undefined; limit: number },
): Promise<RecordedCall[]> =>
  db.many(read(Recorded)`
    select c.id, c.user_id as user, c.connector, c.tool, c.opened_at as at, c.outcome, c.why, d.answer, d.asked::text as asked
      from tool_call c left join decided_call d on d.org = c.org and d.call = c.id
     where c.org = app_org() and c.id >= ${idAt(f.since)} and c.id < ${f.before ?? idAt(f.until)}
     order by c.id desc
     limit ${f.limit}`);

/** How many there are. */
export const countRecordedCalls = async (db: Reader, f: { since: Date; until: Date }): Promise<number> =>
  (
    await db.one(read(z.object({ calls: z.coerce.number() }))`
    select count(*) as calls from tool_call c where c.org = app_org() and c.id >= ${idAt(f.since)} and c.id < ${idAt(f.until)}`)
  ).calls;

const Decided = z.object({
  id: z.custom<Id<'tcl'>>(),
  user: z.custom<Id<'usr'>>(),
  connector: z.custom<Id<'con'>>(),
  tool: z.string(),
  at: z.date(),
  outcome: z.string().nullable(),
  why: z.string().nullable(),
  answer: z.custom<Answer>().nullable(),
  asked: z.string().nullable(),
  version: z.string().nullable(),
  engine: z.custom<Decision['engine']>().nullable(),
  policies: z.array(z.string()).nullable(),
});
export type FoundCall = z.infer<typeof Decided>;

/** One call with everything that is kept about its decision. */
export const findDecidedCall = (db: Reader, id: Id<'tcl'>): Promise<FoundCall | undefined> =>
  db.maybe(read(Decided)`
    select c.id, c.user_id as user, c.connector, c.tool, c.opened_at as at, c.outcome, c.why,
           d.answer, d.asked::text as asked, d.version, d.engine, d.policies
      from tool_call c left join decided_call d on d.org = c.org and d.call = c.id
     where c.org = app_org() and c.id = ${id}`);
