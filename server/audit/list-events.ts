import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import { listStored, type EventFilter } from './event.sql.ts';
import type { LogId } from './inbox.sql.ts';
import { shownEvent, type ShownEvent, type Vocabulary } from './shown-event.ts';
import { findSize } from './tree.sql.ts';

/** A search for text reads rows, so one page looks at no more positions than this; its cursor says how far it got. */
const TEXT_SPAN = 20_000;

export type EventPage = {
  log: LogId;
  /** Events in the log when the page was read. */
  size: number;
  /** In the order asked for: newest first with `before`, oldest first with `after`. */
  events: ShownEvent[];
  /** Pass as `before` (newest first) or `after` (oldest first) for the next page; null when there is nothing beyond now. */
  next: number | null;
};

/** Where a page begins: everything before a position, newest first, or everything after one, oldest first. */
export type From = { readonly before: number | undefined } | { readonly after: number };

/** One page of a log. Positions are dense and final, so a cursor neither skips nor repeats whatever is written meanwhile. */
export async function listEvents(
  ctx: Ctx,
  vocabulary: Vocabulary,
  log: LogId,
  page: { from: From; limit: number; filter: EventFilter },
): Promise<EventPage> {
  return ctx.db.read(scopeOf(ctx), async (db) => {
    const size = await findSize(db, log);
    const span = page.filter.text === undefined ? size : TEXT_SPAN;
    const oldest = 'after' in page.from;
    const high =
      'after' in page.from ? Math.min(size, page.from.after + 1 + span) : Math.min(size, page.from.before ?? size);
    const low = 'after' in page.from ? page.from.after + 1 : Math.max(0, high - span);
    const rows = await listStored(db, log, page.filter, {
      low,
      high,
      order: oldest ? 'oldest' : 'newest',
      limit: page.limit,
    });
    const last = rows.length === page.limit ? rows.at(-1)?.seq : undefined;
    // The page was filled, or the span was read to its end and there is more of the log behind it.
    const beyond = oldest ? (high < size ? high - 1 : null) : low > 0 ? low : null;
    return { log, size, events: rows.map((row) => shownEvent(vocabulary, row)), next: last ?? beyond };
  });
}
