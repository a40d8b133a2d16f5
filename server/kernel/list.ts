import { z } from 'zod';
import { MAX_PAGE } from './limits.ts';

/** How every list of the API is asked for: `q` searches, `limit` and `cursor` page. A room's query extends it. */
export const ListQuery = z.object({
  q: z.string().trim().min(1).max(200).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(50),
  cursor: z.string().max(2000).optional().transform(readCursor),
});
export type ListQuery = z.infer<typeof ListQuery>;

/** One page of a list. `next` is null on the last page. */
export const listOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), next: z.string().nullable() });
export type List<T> = { items: T[]; next: string | null };

/**
 * A page from rows of which one more than `limit` was asked for. `key` names the row's place in the order: what the query compares with.
 * Clients hand the cursor back and read nothing from it, so its inside may change.
 */
export function listed<T>(rows: readonly T[], limit: number, key: (row: T) => readonly string[]): List<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: last !== undefined && rows.length > limit ? writeCursor(key(last)) : null };
}

/** For a list that finds its own next place. */
export const writeCursor = (key: readonly string[]): string => Buffer.from(JSON.stringify(key)).toString('base64url');

function readCursor(text: string | undefined, ctx: z.RefinementCtx): readonly string[] | undefined {
  if (text === undefined) return undefined;
  try {
    const key: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    // INVARIANT (cursors are inert): they come back from outside, so they are only ever compared with as text parameters.
    if (Array.isArray(key) && key.length <= 4 && key.every((k) => typeof k === 'string' && !k.includes('\u0000')))
      return key;
  } catch {
    // told below
  }
  ctx.addIssue({ code: 'custom', message: 'this cursor was not made by this list; leave it out to begin at the top' });
  return z.NEVER;
}

/** A pattern for `ilike` that finds `q` anywhere, with its own wildcards taken literally. */
export const containing = (q: string | undefined): string | null =>
  q === undefined ? null : `%${q.replace(/[\\%_]/g, (c) => `\\${c}`)}%`;
