import { Problem } from '@gatehouse/server/kernel/problem.ts';
import type { Target } from './target.ts';
import { errorText, field, parseList, textOf, type Json } from './wire.ts';

/** What a walk through a list brought home. */
export type Walked = { resources: Json[]; warnings: string[] };

/** A list that changes while we read it is read again, this often. */
const WALKS = 3;
/** No target has more; a list without end has. */
const MAX_RESOURCES = 2_000_000;

type Walk = Walked & { steady: boolean };

/**
 * Reads a whole list. Each step goes on by what really came, whatever the target says about its pages. A list that moves while it is read
 * (its total changes, or fewer came than it says there are) is read again; after three walks the last one is taken, with a warning.
 */
export async function walkList(
  t: Target,
  path: '/Users' | '/Groups',
  query: Readonly<Record<string, string>> = {},
  tell: (done: number, total: number | undefined) => void = () => undefined,
): Promise<Walked> {
  for (let walk = 1; ; walk++) {
    const got =
      t.profile.paging === 'cursor' ? await byCursor(t, path, query, tell) : await byIndex(t, path, query, tell);
    if (got.steady || walk === WALKS) return got;
  }
}

export const withQuery = (path: string, query: Readonly<Record<string, string | number>>): string => {
  const q = Object.entries(query).map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(v)}`);
  return q.length === 0 ? path : `${path}?${q.join('&')}`;
};

async function page(t: Target, path: string): Promise<ReturnType<typeof parseList>> {
  const a = await t.ask({ method: 'GET', path });
  if (!a.ok) throw unread(t, path, errorText(a.status, a.body), a.body);
  return parseList(a.body ?? {}, path.split('?')[0] ?? path);
}

/** Takes in what is new; returns how much that was. */
function take(into: Map<string, Json>, resources: readonly Json[]): number {
  const before = into.size;
  for (const r of resources) into.set(textOf(r, 'id') ?? `without id ${into.size}`, r);
  if (into.size > MAX_RESOURCES) throw stuck('the list has no end', 'it gave more than two million resources');
  return into.size - before;
}

async function byIndex(
  t: Target,
  path: string,
  query: Readonly<Record<string, string>>,
  tell: (done: number, total: number | undefined) => void,
): Promise<Walk> {
  const seen = new Map<string, Json>();
  const totals = new Set<number>();
  let [start, total] = [1, Infinity];
  while (start <= total) {
    const p = await page(t, withQuery(path, { ...query, startIndex: start, count: t.profile.pageSize }));
    total = p.total ?? (p.resources.length > 0 ? Infinity : start - 1);
    if (p.total !== undefined) totals.add(p.total);
    if (p.resources.length === 0) break;
    const fresh = take(seen, p.resources);
    // The whole page is known: it ignores startIndex, and the next page would be the same for ever.
    if (fresh === 0 && seen.size < total)
      throw stuck(
        `${path} gives the same page again at startIndex ${start}`,
        `${seen.size} of ${total === Infinity ? 'an unknown number' : total} were seen`,
      );
    start += p.resources.length;
    tell(seen.size, total === Infinity ? undefined : total);
  }
  return ended(path, seen, totals);
}

async function byCursor(
  t: Target,
  path: string,
  query: Readonly<Record<string, string>>,
  tell: (done: number, total: number | undefined) => void,
): Promise<Walk> {
  const seen = new Map<string, Json>();
  const totals = new Set<number>();
  const cursors = new Set<string>();
  let cursor = '';
  for (;;) {
    let p: ReturnType<typeof parseList>;
    try {
      p = await page(t, withQuery(path, { ...query, cursor, count: t.profile.pageSize }));
    } catch (e) {
      // RFC 9865 §2.3: a walk that took too long begins again.
      if (e instanceof Problem && e.more?.['scimType'] === 'expiredCursor')
        return { resources: [...seen.values()], warnings: [`the cursor of ${path} expired`], steady: false };
      throw e;
    }
    if (p.total !== undefined) totals.add(p.total);
    take(seen, p.resources);
    tell(seen.size, p.total);
    // A page may be empty and not the last: only the absence of a next cursor ends a list.
    if (p.nextCursor === undefined) return ended(path, seen, totals);
    if (cursors.has(p.nextCursor)) throw stuck(`${path} gives the same cursor again`, `${seen.size} were seen`);
    cursors.add(p.nextCursor);
    cursor = p.nextCursor;
  }
}

function ended(path: string, seen: ReadonlyMap<string, Json>, totals: ReadonlySet<number>): Walk {
  const [total = seen.size] = [...totals].slice(-1);
  const steady = totals.size <= 1 && seen.size === total;
  const says = totals.size > 1 ? `its total changed (${[...totals].join(', ')})` : `it says ${total}`;
  return {
    resources: [...seen.values()],
    warnings: steady ? [] : [`${path} moved while it was read: ${seen.size} came, ${says}`],
    steady,
  };
}

const stuck = (says: string, found: string): Problem =>
  new Problem('upstream', 'scim/no-progress', {
    says: `${says}; ${found}`,
    fix: 'the target does not page as RFC 7644 §3.4.2.4 says; try a larger pageSize or paging "cursor" in a profile file',
  });

const unread = (t: Target, path: string, says: string, body: Json | undefined): Problem =>
  new Problem('upstream', 'scim/unread', {
    says: `${new URL(t.base).host} does not let us read ${path.split('?')[0]}: ${says}`,
    fix: 'check the address, what the token may do, and the profile',
    more: { scimType: body && field(body, 'scimType') },
  });
