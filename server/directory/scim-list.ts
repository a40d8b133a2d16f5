import { scopeOf } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import type { ScimCtx } from './directory.ts';
import { parseFilter } from './scim-filter.ts';
import { sortSql } from './scim-filter.sql.ts';
import {
  countScimGroups,
  groupPlaces,
  listMembershipsOfGroups,
  listMembershipsOfUsers,
  listScimGroups,
  type Membership,
} from './scim-group.sql.ts';
import { findResourcePath, userResource, type Resource } from './scim-schema.ts';
import { countScimUsers, listScimUsers, userPlaces, type Page } from './scim-user.sql.ts';
import {
  MAX_SCIM_PAGE,
  parseSelection,
  SCIM_PAGE,
  selected,
  selects,
  shownGroup,
  shownList,
  shownUser,
  type Shown,
} from './scim-wire.ts';

type Query = Readonly<Record<string, string | undefined>>;

/** startIndex and count as RFC 7644 §3.4.2.4 has them: too small is the smallest, too large the largest, and no number is an error. */
function whole(query: Query, name: 'startIndex' | 'count', or: number): number {
  const text = query[name];
  if (text === undefined || text === '') return or;
  const n = /^[+-]?\d{1,12}$/.test(text) ? Number(text) : undefined;
  if (n === undefined)
    throw new Problem('invalid', 'directory/invalid-page', {
      says: `${name} must be a whole number; it is ${JSON.stringify(text.slice(0, 40))}`,
      more: { scimType: 'invalidValue', path: name },
    });
  return n;
}

/** What a list request asks for. */
export function parsePage(r: Resource, query: Query): Page {
  const by = query['sortBy'];
  const path = by === undefined || by === '' ? undefined : findResourcePath(r, by);
  if (by !== undefined && by !== '' && !path)
    throw new Problem('invalid', 'directory/unknown-sort', {
      says: `there is no attribute "${by.slice(0, 100)}" to sort by`,
      more: { scimType: 'invalidValue', path: 'sortBy' },
    });
  const filter = query['filter'];
  return {
    // An empty filter is a mistake of the client; answering with everyone would hide it.
    filter: filter === undefined ? undefined : parseFilter(filter, (name) => findResourcePath(r, name)),
    sort: path && {
      by: sortSql(path, r === userResource ? userPlaces : groupPlaces),
      descending: query['sortOrder']?.toLowerCase() === 'descending',
    },
    offset: Math.max(1, whole(query, 'startIndex', 1)) - 1,
    limit: Math.min(MAX_SCIM_PAGE, Math.max(0, whole(query, 'count', SCIM_PAGE))),
  };
}

const grouped = (by: 'user' | 'group', rows: readonly Membership[]): Map<string, Membership[]> =>
  Map.groupBy(rows, (m) => m[by]);

/** A page of users or groups. Groups and members are read only if the answer shows them. */
export async function scimList(ctx: ScimCtx, r: Resource, base: string, query: Query): Promise<Shown> {
  const s = parseSelection(r, query['attributes'], query['excludedAttributes']);
  const p = parsePage(r, query);
  return ctx.db.read(scopeOf(ctx), async (db) => {
    if (r === userResource) {
      const total = await countScimUsers(db, ctx.directory, p.filter);
      const users = p.limit > 0 && total > p.offset ? await listScimUsers(db, ctx.directory, p) : [];
      const wanted = selects(s, 'groups') && users.length > 0;
      const groups = grouped(
        'user',
        wanted
          ? await listMembershipsOfUsers(
              db,
              users.map((u) => u.id),
            )
          : [],
      );
      return shownList(
        users.map((u) => selected(shownUser(base, u, groups.get(u.id) ?? []), s)),
        total,
        p.offset + 1,
      );
    }
    const total = await countScimGroups(db, ctx.directory, p.filter);
    const groups = p.limit > 0 && total > p.offset ? await listScimGroups(db, ctx.directory, p) : [];
    const wanted = selects(s, 'members');
    const members = grouped(
      'group',
      wanted && groups.length > 0
        ? await listMembershipsOfGroups(
            db,
            groups.map((g) => g.id),
          )
        : [],
    );
    return shownList(
      groups.map((g) => selected(shownGroup(base, g, wanted ? (members.get(g.id) ?? []) : undefined), s)),
      total,
      p.offset + 1,
    );
  });
}
