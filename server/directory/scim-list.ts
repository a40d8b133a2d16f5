import { scopeOf } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import { Problem } from '#kernel/problem.ts';
import type { ScimCtx } from './directory.ts';
import { badSortKey, readCursor, refuseBoth, searchHash, writeCursor, type Cursor } from './scim-cursor.ts';
import { parseFilter, type Filter } from './scim-filter.ts';
import { sortSql } from './scim-filter.sql.ts';
import {
  countScimGroups,
  groupPlaces,
  listMembershipsOfGroups,
  listMembershipsOfUsers,
  listScimGroups,
  sortKeyOfGroup,
  type Membership,
} from './scim-group.sql.ts';
import type { ScimGroup } from './scim-group.ts';
import { findResourcePath, type Resource } from './scim-schema.ts';
import { countScimUsers, listScimUsers, sortKeyOfUser, userPlaces } from './scim-user.sql.ts';
import type { Page } from './scim-page.sql.ts';
import type { ScimUser } from './scim-user.ts';
import {
  listSchema,
  MAX_SCIM_PAGE,
  parseSelection,
  SCIM_PAGE,
  selected,
  selects,
  shownGroup,
  shownUser,
  type Selection,
  type Shown,
} from './scim-wire.ts';

export type ListQuery = Readonly<Record<string, string | undefined>>;

/** startIndex and count as RFC 7644 §3.4.2.4 has them: too small is the smallest, too large the largest, and no number is an error. */
function whole(query: ListQuery, name: 'startIndex' | 'count', or: number): number {
  const text = query[name];
  if (text === undefined || text === '') return or;
  const n = /^[+-]?\d{1,12}$/.test(text) ? Number(text) : undefined;
  if (n === undefined)
    throw new Problem('invalid', 'directory/invalid-page', {
      says: `${name} must be a whole number; it is ${JSON.stringify(text.slice(0, 40))}`,
      more: {
        scimType: name === 'count' && query['cursor'] !== undefined ? 'invalidCount' : 'invalidValue',
        path: name,
      },
    });
  return n;
}

/** What is asked for: of each kind a page, and the place in the walk. */
type Asked = {
  pages: { r: Resource; page: Page }[];
  selection: Selection;
  cursor: Cursor | 'first' | undefined;
  hash: string;
};

/** The filter for one kind, where a search may be over both: what only the other kind has is true of none of this one. */
function filterFor(ctx: ScimCtx, r: Resource, all: readonly Resource[], text: string): Filter {
  const quotes = ctx.settings.profile === 'strict' ? 'always' : 'sometimes';
  const tree = parseFilter(
    text,
    (name) => findResourcePath(r, name) ?? all.map((o) => findResourcePath(o, name)).find((p) => p !== undefined),
    quotes,
  );
  if (all.length === 1) return tree;
  const own = (f: Filter): Filter => {
    switch (f.is) {
      case 'and':
      case 'or':
        return { is: f.is, of: f.of.map(own) };
      case 'not':
        return { is: 'not', of: own(f.of) };
      case 'never':
        return f;
      case 'present':
      case 'some':
      case 'compare':
        if (r.top.includes(f.path[0]) || r.schema.attributes.includes(f.path[0])) return f;
        return f.is === 'compare' && f.op === 'ne' ? { is: 'not', of: { is: 'never' } } : { is: 'never' };
    }
  };
  return own(tree);
}

function parseAsked(ctx: ScimCtx, all: readonly Resource[], query: ListQuery): Asked {
  const { filter, cursor: text, sortBy, sortOrder } = query;
  const sorted = sortBy !== undefined && sortBy !== '';
  if (sorted && all.length > 1)
    throw new Problem('invalid', 'directory/no-order', {
      says: 'users and groups together have no order',
      fix: 'search /Users or /Groups, or leave sortBy out',
      more: { scimType: 'invalidValue', path: 'sortBy' },
    });
  const descending = sortOrder?.toLowerCase() === 'descending';
  const hash = searchHash(all.map((r) => r.name).join(), filter, sortBy?.toLowerCase(), descending ? 'd' : 'a');
  if (text !== undefined && query['startIndex'] !== undefined && query['startIndex'] !== '') throw refuseBoth();
  const cursor = text === undefined ? undefined : (readCursor(text, hash) ?? 'first');
  const place = typeof cursor === 'object' ? cursor : undefined;
  const limit = Math.min(MAX_SCIM_PAGE, Math.max(0, whole(query, 'count', SCIM_PAGE)));
  return {
    hash,
    cursor,
    // The names of both kinds, so that a list of wanted attributes works for a search over both.
    selection: parseSelection(all, query['attributes'], query['excludedAttributes']),
    pages: all.map((r) => {
      const path = sorted ? findResourcePath(r, sortBy) : undefined;
      if (sorted && !path)
        throw new Problem('invalid', 'directory/unknown-sort', {
          says: `there is no attribute "${sortBy.slice(0, 100)}" to sort by`,
          more: { scimType: 'invalidValue', path: 'sortBy' },
        });
      return {
        r,
        page: {
          // An empty filter is a mistake of the client; answering with everyone would hide it.
          filter: filter === undefined ? undefined : filterFor(ctx, r, all, filter),
          sort: path && { ...sortSql(path, r.name === 'User' ? userPlaces : groupPlaces), descending },
          offset: Math.max(1, whole(query, 'startIndex', 1)) - 1,
          limit,
          after: place?.kind === r.name ? { id: place.after, key: place.key } : undefined,
        },
      };
    }),
  };
}

type Found = { r: Resource; users: ScimUser[]; groups: ScimGroup[] };
const rows = (f: Found): readonly { id: string }[] => (f.r.name === 'User' ? f.users : f.groups);

/** A page that is read from the database but not yet put into words; groups come without their members. */
export type Listed = {
  found: Found[];
  /** Of each user. */
  groups: ReadonlyMap<string, readonly Membership[]>;
  total: number;
  startIndex: number | undefined;
  next: string | undefined;
  selection: Selection;
};

/** Reads a page of users, of groups, or of both (users first). */
export async function scimList(ctx: ScimCtx, all: readonly Resource[], query: ListQuery): Promise<Listed> {
  const asked = parseAsked(ctx, all, query);
  try {
    return await ctx.db.read(scopeOf(ctx), (db) => (asked.cursor ? walked(ctx, db, asked) : numbered(ctx, db, asked)));
  } catch (e) {
    throw badSortKey(e);
  }
}

const readPage = async (ctx: ScimCtx, db: Reader, r: Resource, p: Page): Promise<Found> =>
  r.name === 'User'
    ? { r, users: await listScimUsers(db, ctx.directory, p), groups: [] }
    : { r, users: [], groups: await listScimGroups(db, ctx.directory, p) };

const count = (ctx: ScimCtx, db: Reader, r: Resource, p: Page): Promise<number> =>
  (r.name === 'User' ? countScimUsers : countScimGroups)(db, ctx.directory, p.filter);

/** A page by startIndex. Nobody is counted where the page itself shows how many there are: most questions are about one person. */
async function numbered(ctx: ScimCtx, db: Reader, asked: Asked): Promise<Listed> {
  const [first] = asked.pages;
  const { offset, limit } = first?.page ?? { offset: 0, limit: 0 };
  const found: Found[] = [];
  let [total, skip, left] = [0, offset, limit];
  for (const { r, page } of asked.pages) {
    const f = left > 0 ? await readPage(ctx, db, r, { ...page, offset: skip, limit: left }) : undefined;
    const n = f ? rows(f).length : 0;
    const here = f && n < left && (n > 0 || skip === 0) ? skip + n : await count(ctx, db, r, page);
    if (f) found.push(f);
    total += here;
    left -= n;
    skip = Math.max(0, skip - here);
  }
  const groups = await groupsOfPage(db, asked.selection, found);
  return { found, groups, total, startIndex: offset + 1, next: undefined, selection: asked.selection };
}

/** A page by cursor. A walk carries the total of its beginning along, so that its later pages look at nothing but themselves. */
async function walked(ctx: ScimCtx, db: Reader, asked: Asked): Promise<Listed> {
  const { cursor, selection } = asked;
  const place = typeof cursor === 'object' ? cursor : undefined;
  let total = place?.total ?? 0;
  if (!place) for (const { r, page } of asked.pages) total += await count(ctx, db, r, page);
  const limit = asked.pages[0]?.page.limit ?? 0;
  const found: Found[] = [];
  let [left, more] = [limit, false];
  for (const { r, page } of asked.pages) {
    // A walk that has come to the groups is done with the users.
    if (limit === 0 || (place?.kind === 'Group' && r.name === 'User')) continue;
    if (left === 0) {
      more = true;
      break;
    }
    const f = await readPage(ctx, db, r, { ...page, offset: 0, limit: left + 1 });
    more = rows(f).length > left;
    f.users.splice(left);
    f.groups.splice(left);
    found.push(f);
    left -= rows(f).length;
    if (more) break;
  }
  const groups = await groupsOfPage(db, selection, found);
  const next = more ? await nextCursor(ctx, db, asked, found, total) : undefined;
  return { found, groups, total, startIndex: undefined, next, selection };
}

/** The groups of the users of a page, if the answer shows them. */
async function groupsOfPage(db: Reader, s: Selection, found: readonly Found[]): Promise<Map<string, Membership[]>> {
  const ids = found.flatMap((f) => f.users.map((u) => u.id));
  return Map.groupBy(
    ids.length > 0 && selects(s, 'groups') ? await listMembershipsOfUsers(db, ids) : [],
    (m) => m.user,
  );
}

async function nextCursor(
  ctx: ScimCtx,
  db: Reader,
  asked: Asked,
  found: readonly Found[],
  total: number,
): Promise<string> {
  const last = found.findLast((f) => rows(f).length > 0);
  const id = last && rows(last).at(-1)?.id;
  if (!last || id === undefined)
    throw new Problem('bug', 'directory/no-cursor', { says: 'a page with nothing on it has no next page' });
  const sort = asked.pages.find((p) => p.r === last.r)?.page.sort;
  const keyOf = last.r.name === 'User' ? sortKeyOfUser : sortKeyOfGroup;
  const key = sort ? await keyOf(db, ctx.directory, id, sort.by) : null;
  return writeCursor({ of: asked.hash, kind: last.r.name, after: id, key, total });
}

/** The page as SCIM shows it. `itemsPerPage` is how many there are here: ConductorOne adds these up to know when to stop. */
export const shownPage = (l: Pick<Listed, 'total' | 'startIndex' | 'next'>, resources: readonly Shown[]): Shown => ({
  schemas: [listSchema],
  totalResults: l.total,
  ...(l.startIndex === undefined ? {} : { startIndex: l.startIndex }),
  itemsPerPage: resources.length,
  ...(l.next === undefined ? {} : { nextCursor: l.next }),
  Resources: resources,
});

/** The users of a page. */
export const shownUsers = (
  ctx: ScimCtx,
  base: string,
  l: Pick<Listed, 'groups' | 'selection'>,
  users: readonly ScimUser[],
): Shown[] => users.map((u) => selected(shownUser(base, ctx.resources.user, u, l.groups.get(u.id) ?? []), l.selection));

/** More members than this of one page of groups are not held in memory: they are streamed. */
export const MAX_MEMBERS_HELD = 20_000;

/** The groups of a page with their members; undefined: too many, stream them. */
export async function shownGroups(
  ctx: ScimCtx,
  base: string,
  groups: readonly ScimGroup[],
  s: Selection,
): Promise<Shown[] | undefined> {
  const wanted = selects(s, 'members');
  const ids = groups.map((g) => g.id);
  const all =
    wanted && ids.length > 0
      ? await ctx.db.read(scopeOf(ctx), (db) => listMembershipsOfGroups(db, ids, MAX_MEMBERS_HELD + 1))
      : [];
  if (all.length > MAX_MEMBERS_HELD) return undefined;
  const members = Map.groupBy(all, (m) => m.group);
  return groups.map((g) => selected(shownGroup(base, g, wanted ? (members.get(g.id) ?? []) : undefined), s));
}
