import { createHash } from 'node:crypto';
import { Problem } from '#kernel/problem.ts';

/**
 * Where a walk by cursor stands (RFC 9865). INVARIANT (cursors are inert): a cursor comes back from outside, so what it says is only ever
 * compared with, as a parameter; whoever writes one of their own sees what they could have asked for anyway. `of` binds it to the search
 * that it was made for. It names a place and not a number, so who is added or deleted meanwhile moves nobody else.
 */
export type Cursor = { of: string; kind: 'User' | 'Group'; after: string; key: string | null; total: number };

const invalid = (
  says: string,
  scimType: 'invalidCursor' | 'invalidValue' | 'invalidCount' = 'invalidCursor',
): Problem =>
  new Problem('invalid', 'directory/invalid-cursor', {
    says,
    fix: 'begin again with "cursor=" (empty) and the same filter and order throughout',
    more: { scimType, path: 'cursor' },
  });

/** What a cursor belongs to: the kind of resource, the filter, the order. */
export const searchHash = (...parts: readonly (string | undefined)[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 16);

export const writeCursor = (c: Cursor): string =>
  Buffer.from(JSON.stringify([c.of, c.kind, c.after, c.key, c.total])).toString('base64url');

/** Undefined: the first page (an empty cursor asks for it). */
export function readCursor(text: string, of: string): Cursor | undefined {
  if (text === '') return undefined;
  let v: unknown;
  try {
    v = text.length <= 2000 ? JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) : undefined;
  } catch {
    v = undefined;
  }
  if (!Array.isArray(v) || v.length !== 5) throw invalid('this cursor was not made by this server');
  const [hash, kind, after, key, total]: unknown[] = v;
  if (
    typeof hash !== 'string' ||
    (kind !== 'User' && kind !== 'Group') ||
    typeof after !== 'string' ||
    !/^[a-z]{3}_[0-9a-f]{32}$/.test(after) ||
    !(key === null || (typeof key === 'string' && !key.includes('\u0000'))) ||
    typeof total !== 'number' ||
    !Number.isSafeInteger(total) ||
    total < 0
  )
    throw invalid('this cursor was not made by this server');
  if (hash !== of) throw invalid('this cursor was made for another filter or order');
  return { of, kind, after, key, total };
}

export const refuseBoth = (): Problem => invalid('cursor and startIndex cannot be used together', 'invalidValue');
export const badSortKey = (because: unknown): unknown =>
  because instanceof Error &&
  'code' in because &&
  (because.code === '22P02' || because.code === '22007' || because.code === '22008')
    ? invalid('this cursor was not made by this server')
    : because;
