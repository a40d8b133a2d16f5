import { z } from 'zod';
import type { Json } from '@gatehouse/contract/jcs.ts';
import { read, sql, type Reader } from '#kernel/db.ts';
import type { LogId } from './inbox.sql.ts';

const size = z.coerce.number().int().nonnegative();
/** A row of the log as it is stored. */
export const EventRow = z.object({
  seq: size,
  header: z.custom<{ readonly [key: string]: Json }>(),
  data: z.custom<Json>(),
  salt: z.instanceof(Buffer),
  commitment: z.instanceof(Buffer),
});
/** An event at its position. `header` is what the writer said; position and commitment are put in by `entryHeader`. */
export type StoredEvent = z.infer<typeof EventRow>;

export type EventFilter = {
  readonly type?: string | undefined;
  readonly actor?: string | undefined;
  readonly connector?: string | undefined;
  readonly call?: string | undefined;
  /** Looked for in header and data, without case. */
  readonly text?: string | undefined;
};

/** `low` <= position < `high`, and which end to begin at. */
export type Range = {
  readonly low: number;
  readonly high: number;
  readonly order: 'newest' | 'oldest';
  readonly limit: number;
};

const like = (text: string): string => `%${text.replaceAll(/[\\%_]/g, (c) => `\\${c}`)}%`;

/** By position, which is the only order that does not change while somebody pages. */
export const listStored = (db: Reader, log: LogId, f: EventFilter, r: Range): Promise<StoredEvent[]> =>
  db.many(read(EventRow)`
  select seq, header, data, salt, commitment
    from audit_event
   where log = ${log} and seq >= ${String(r.low)}::bigint and seq < ${String(r.high)}::bigint
     ${f.type === undefined ? sql`` : sql`and type = ${f.type}`}
     ${f.actor === undefined ? sql`` : sql`and actor = ${f.actor}`}
     ${f.connector === undefined ? sql`` : sql`and connector = ${f.connector}`}
     ${f.call === undefined ? sql`` : sql`and call = ${f.call}`}
     ${f.text === undefined ? sql`` : sql`and (header::text ilike ${like(f.text)} or data::text ilike ${like(f.text)})`}
   order by ${r.order === 'newest' ? sql`seq desc, at desc` : sql`seq, at`}
   limit ${r.limit}`);

/** The headers at positions [from, to): what an entry bundle is made of. */
export const listHeaders = (
  db: Reader,
  log: LogId,
  from: number,
  to: number,
): Promise<Pick<StoredEvent, 'seq' | 'header' | 'commitment'>[]> =>
  db.many(read(EventRow.pick({ seq: true, header: true, commitment: true }))`
  select seq, header, commitment from audit_event
   where log = ${log} and seq >= ${String(from)}::bigint and seq < ${String(to)}::bigint order by seq, at`);

/** The types of the events at positions [from, to), each once. */
export const listTypes = (db: Reader, log: LogId, from: number, to: number): Promise<{ type: string }[]> =>
  db.many(read(z.object({ type: z.string() }))`
  select distinct type from audit_event
   where log = ${log} and seq >= ${String(from)}::bigint and seq < ${String(to)}::bigint`);

const FirstRow = z.object({
  at: z.coerce.date(),
  actor: z.looseObject({ kind: z.string(), id: z.string().optional() }),
});
/** Who first did something of these types, and when. By index, however long the log is. */
export const findFirst = (
  db: Reader,
  log: LogId,
  types: readonly string[],
): Promise<z.infer<typeof FirstRow> | undefined> =>
  db.maybe(read(FirstRow)`
  select e.header ->> 'at' as at, e.header -> 'actor' as actor
    from unnest(${types}::text[]) as t(type)
    cross join lateral (select seq, header from audit_event where log = ${log} and type = t.type order by seq limit 1) e
   order by e.seq limit 1`);
