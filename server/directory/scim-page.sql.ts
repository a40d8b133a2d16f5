import { sql, type Fragment } from '#kernel/db.ts';
import type { SortKey } from './scim-filter.sql.ts';
import type { Filter } from './scim-filter.ts';

/** What a list is asked for, of users and groups alike. */
export type Page = {
  filter: Filter | undefined;
  sort: (SortKey & { descending: boolean }) | undefined;
  offset: number;
  limit: number;
  /** The last resource of the page before, with its sort value where there is a sort. */
  after: { id: string; key: string | null } | undefined;
};

/** What comes after the cursor's place, in the order of `inOrder`. Text of a cursor is only ever a parameter. */
export function afterCursor(id: Fragment, p: Page): Fragment {
  const { after, sort } = p;
  if (!after) return sql`true`;
  if (!sort) return sql`${id} > ${after.id}`;
  const { by, descending } = sort;
  if (after.key === null) return sql`(${by} is null and ${id} > ${after.id})`;
  const key = sort.cast(after.key);
  return descending
    ? sql`(${by} < ${key} or (${by} = ${key} and ${id} > ${after.id}) or ${by} is null)`
    : sql`(${by} > ${key} or (${by} = ${key} and ${id} > ${after.id}) or ${by} is null)`;
}

/** Nulls last in both directions, then by id, which is the order in which resources came. */
export const inOrder = (id: Fragment, { sort }: Page): Fragment =>
  sort ? (sort.descending ? sql`${sort.by} desc nulls last, ${id}` : sql`${sort.by} asc nulls last, ${id}`) : id;

/**
 * The statement's name if it is one that clients ask all day: a look-up by one attribute of the core schema, whose text is the same for all
 * values. An extension's attribute may have another type in another directory, and so another text.
 */
export function hotName(what: string, { filter, sort, after }: Page): string | undefined {
  if (filter?.is !== 'compare' || filter.op !== 'eq' || sort || after) return undefined;
  const path = filter.path.map((a) => a.name).join('.');
  return path.includes(':') ? undefined : `${what} by ${path}`;
}
