import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import type { LogId } from './inbox.sql.ts';
import { INTERVALS, MOST_COUNTED, onlyTime, reads, SPAN, type Search } from './search.ts';
import {
  countStored,
  pictureFound,
  pictureWhole,
  searchStored,
  spanOf,
  timesOf,
  type Interval,
  type Span,
} from './search.sql.ts';
import { shownEvent, type ShownEvent, type Vocabulary } from './shown-event.ts';
import { findSize } from './tree.sql.ts';

/** Names of people and connectors that events speak of by id: the rooms that own them are asked. */
export type Names = {
  people(db: Reader, ids: readonly string[]): Promise<readonly { id: string; name: string }[]>;
  connectors(db: Reader, ids: readonly string[]): Promise<readonly { id: string; name: string }[]>;
};

export type Found = {
  log: LogId;
  size: number;
  events: ShownEvent[];
  names: Record<string, string>;
  /** Pass as `before` for the next page; null: there is nothing further back. */
  next: number | null;
};

/** One page of what fits, newest first. A page may be short, or empty, and still have a next one: then it has looked at as much as one page may. */
export async function searchEvents(
  ctx: Ctx,
  rooms: { vocabulary: Vocabulary; names: Names },
  log: LogId,
  page: { search: Search; before: number | undefined; limit: number },
): Promise<Found> {
  return ctx.db.read(scopeOf(ctx), async (db) => {
    const size = await findSize(db, log);
    const whole = await spanOf(db, log, page.search, size);
    const high = Math.min(whole.high, page.before ?? size);
    const low = reads(page.search) ? Math.max(whole.low, high - SPAN) : whole.low;
    const rows = high > low ? await searchStored(db, log, page.search, { low, high }, page.limit) : [];
    const events = rows.map((row) => shownEvent(rooms.vocabulary, row));
    const last = rows.length === page.limit ? rows.at(-1)?.seq : undefined;
    return {
      log,
      size,
      events,
      names: await namesIn(db, rooms.names, events),
      next: last ?? (low > whole.low ? low : null),
    };
  });
}

const idInText = /\b(?:usr|con)_[0-9a-f]{32}\b/g;

/** What is called how, of everything that some events name by id, in their sentences too. */
export async function namesIn(
  db: Reader,
  names: Names,
  events: readonly ShownEvent[],
): Promise<Record<string, string>> {
  const ids = new Set(events.flatMap((e) => [e.actor.id ?? '', e.connector ?? '', ...(e.says.match(idInText) ?? [])]));
  const of = (kind: string): string[] => [...ids].filter((id) => id.startsWith(kind));
  const [people, connectors] = [of('usr_'), of('con_')];
  const found = [
    ...(people.length ? await names.people(db, people) : []),
    ...(connectors.length ? await names.connectors(db, connectors) : []),
  ];
  return Object.fromEntries(found.map((n) => [n.id, n.name]));
}

export type Totals = {
  size: number;
  /** `exact` is false when there are more; then `since` is the oldest position that was looked at. */
  found: { count: number; exact: boolean; since: number };
  picture: { from: Date; to: Date; intervals: { at: Date; count: number; odd: number }[] } | undefined;
};

/** How many events fit, and when they were. Exact up to a bound, and it says so. */
export async function countEvents(ctx: Ctx, log: LogId, search: Search): Promise<Totals> {
  return ctx.db.read(scopeOf(ctx), async (db) => {
    const size = await findSize(db, log);
    const whole = await spanOf(db, log, search, size);
    const low = reads(search) ? Math.max(whole.low, whole.high - SPAN) : whole.low;
    const span = { low, high: whole.high };
    const plain = onlyTime(search);
    const counted =
      plain && search.since === undefined && search.until === undefined
        ? { count: size, exact: true, since: 0 }
        : await count(db, log, search, span, whole.low);
    return { size, found: counted, picture: await picture(ctx, db, log, search, { ...span, low: counted.since }) };
  });
}

async function count(db: Reader, log: LogId, search: Search, span: Span, beginning: number) {
  if (span.high <= span.low) return { count: 0, exact: true, since: span.low };
  const { n, oldest } = await countStored(db, log, search, span, MOST_COUNTED);
  const full = n === MOST_COUNTED;
  return {
    count: n,
    exact: !full && span.low === beginning,
    since: full ? (oldest ?? span.low) : span.low,
  };
}

async function picture(ctx: Ctx, db: Reader, log: LogId, s: Search, span: Span): Promise<Totals['picture']> {
  if (span.high <= span.low) return undefined;
  const ends = await timesOf(db, log, span);
  const from = s.since ?? ends.first;
  const to = s.until && s.until < ctx.now ? s.until : ctx.now;
  if (!from || from >= to) return undefined;
  const p = { from, to, intervals: INTERVALS };
  const rows: Interval[] = onlyTime(s)
    ? await pictureWhole(db, log, span, p, MOST_COUNTED)
    : await pictureFound(db, log, s, span, p, MOST_COUNTED);
  const by = new Map(rows.map((r) => [r.i, r]));
  const step = (to.getTime() - from.getTime()) / INTERVALS;
  return {
    from,
    to,
    intervals: Array.from({ length: INTERVALS }, (_, i) => ({
      at: new Date(from.getTime() + i * step),
      count: by.get(i)?.n ?? 0,
      odd: by.get(i)?.odd ?? 0,
    })),
  };
}
