import { sql, type Fragment } from '#kernel/db.ts';
import { Problem } from '#kernel/problem.ts';
import { fold, folds, type CompareOp, type Filter, type Literal } from './scim-filter.ts';
import type { Attribute, Path } from './scim-schema.ts';

/** Elements of a multi-valued attribute as rows: `exists (select from <from> where …)`. */
export type Rows = { from: Fragment; where: Fragment; columns: ReadonlyMap<string, Fragment> };

/**
 * Where a resource's attributes are in the database, keyed by their path (`name.givenName`). Columns of attributes whose case does not count
 * are folded already (scim-filter.ts `fold`) unless they are in `tail`, the typed jsonb of all the rest. A read-only attribute is only found if it is named here.
 */
export type Places = {
  columns: ReadonlyMap<string, Fragment>;
  rows: ReadonlyMap<string, Rows>;
  tail?: Fragment;
};

/**
 * A filter as a condition. INVARIANT (filter is data): text is only ever literal SQL of this file and of a `Places`; names and values of a
 * request are only ever parameters. Every piece is true or false, never null, so that `not` means not.
 */
export function filterSql(f: Filter, places: Places): Fragment {
  switch (f.is) {
    case 'and':
      return f.of.map((x) => filterSql(x, places)).reduce((a, b) => sql`(${a} and ${b})`);
    case 'or':
      return f.of.map((x) => filterSql(x, places)).reduce((a, b) => sql`(${a} or ${b})`);
    case 'not':
      return sql`(not ${filterSql(f.of, places)})`;
    case 'never':
      return sql`false`;
    case 'present':
      return present(f.path, places);
    case 'some': {
      const multi = f.path.findIndex((a) => a.multi);
      if (multi < 0) return sql`(${present(f.path, places)} and ${filterSql(below(f.path, f.where), places)})`;
      const rows = rowsOf(f.path.slice(0, multi + 1), places);
      return sql`exists (select from ${rows.from} where ${rows.where} and ${filterSql(f.where, rowPlaces(rows))})`;
    }
    case 'compare':
      return f.op === 'ne'
        ? sql`(not ${compare(f.path, 'eq', f.value, places)})`
        : compare(f.path, f.op, f.value, places);
  }
}

/** What to sort by, and how the text of such a value becomes one again (a cursor has it as text). */
export type SortKey = { by: Fragment; cast(text: string): Fragment };

/** The expression to sort by; multi-valued and complex attributes have no order. */
export function sortSql(path: Path, places: Places): SortKey {
  const last = path.at(-1) ?? path[0];
  if (path.some((a) => a.multi) || last.type === 'complex')
    throw new Problem('invalid', 'directory/no-order', {
      says: `resources cannot be sorted by ${keyOf(path)}`,
      fix: 'sort by an attribute with one simple value, e.g. userName',
      more: { scimType: 'invalidValue', path: 'sortBy' },
    });
  const { type } = last;
  return {
    by: scalar(path, places),
    cast: (text) =>
      type === 'boolean'
        ? sql`${text}::boolean`
        : type === 'integer' || type === 'decimal'
          ? sql`${text}::numeric`
          : type === 'dateTime'
            ? sql`${text}::timestamptz`
            : sql`${text}::text collate "C"`,
  };
}

const keyOf = (path: readonly Attribute[]): string => path.map((a) => a.name).join('.');

const below = (above: Path, f: Filter): Filter => {
  switch (f.is) {
    case 'and':
    case 'or':
      return { is: f.is, of: f.of.map((x) => below(above, x)) };
    case 'not':
      return { is: 'not', of: below(above, f.of) };
    case 'never':
      return f;
    case 'present':
    case 'compare':
    case 'some':
      return { ...f, path: [...above, ...f.path] };
  }
};

const unsearchable = (path: readonly Attribute[]): Problem =>
  new Problem('invalid', 'directory/not-searchable', {
    says: `${keyOf(path)} cannot be searched`,
    fix: 'search by another attribute',
    more: { scimType: 'invalidFilter', path: keyOf(path) },
  });

function rowsOf(path: readonly Attribute[], { rows, tail }: Places): Rows {
  const named = rows.get(keyOf(path));
  if (named) return named;
  const [top] = path;
  const last = path.at(-1);
  if (!tail || !top || !last || top.mutability === 'readOnly') throw unsearchable(path);
  // The elements of a list of simple values have no parts: the element itself stands under no name.
  const columns = new Map(
    last.sub.length === 0
      ? [['', typedText(last, sql`e.v #>> '{}'`)] as const]
      : last.sub.map((s) => [s.name, typedText(s, sql`e.v ->> ${s.name}::text`)] as const),
  );
  return {
    from: sql`jsonb_array_elements(${tail} #> ${path.map((a) => a.name)}::text[]) as e(v)`,
    where: sql`true`,
    columns,
  };
}

const rowPlaces = (r: Rows): Places => ({ columns: r.columns, rows: new Map() });

/** jsonb text as the attribute's type, folded where case does not count. */
function typedText(a: Attribute, text: Fragment): Fragment {
  switch (a.type) {
    case 'boolean':
      return sql`(${text})::boolean`;
    case 'integer':
    case 'decimal':
      return sql`(${text})::numeric`;
    case 'dateTime':
      return sql`(${text})::timestamptz`;
    case 'string':
      return a.caseExact ? sql`(${text}) collate "C"` : sql`lower(${text}) collate "C"`;
    case 'reference':
    case 'binary':
    case 'complex':
      return sql`(${text}) collate "C"`;
  }
}

function scalar(path: readonly Attribute[], { columns, tail }: Places): Fragment {
  const named = columns.get(keyOf(path));
  if (named) return named;
  const [top] = path;
  const last = path.at(-1);
  if (!tail || !top || !last || top.mutability === 'readOnly') throw unsearchable(path);
  return typedText(last, sql`${tail} #>> ${path.map((a) => a.name)}::text[]`);
}

function present(path: readonly Attribute[], places: Places): Fragment {
  const multi = path.findIndex((a) => a.multi);
  if (multi >= 0) {
    const rows = rowsOf(path.slice(0, multi + 1), places);
    const rest = path.slice(multi + 1);
    const inner = rest.length > 0 ? present(rest, rowPlaces(rows)) : sql`true`;
    return sql`exists (select from ${rows.from} where ${rows.where} and ${inner})`;
  }
  const last = path.at(-1);
  if (last?.type === 'complex' && !places.columns.has(keyOf(path))) {
    const [top] = path;
    if (!places.tail || top?.mutability === 'readOnly') throw unsearchable(path);
    return sql`(${places.tail} #> ${path.map((a) => a.name)}::text[] is not null)`;
  }
  return sql`(${scalar(path, places)} is not null)`;
}

function compare(
  path: readonly Attribute[],
  op: CompareOp,
  value: Literal,
  places: Places,
  element?: Attribute,
): Fragment {
  const multi = path.findIndex((a) => a.multi);
  if (multi >= 0) {
    const rows = rowsOf(path.slice(0, multi + 1), places);
    const inner = compare(path.slice(multi + 1), op, value, rowPlaces(rows), path[multi]);
    return sql`exists (select from ${rows.from} where ${rows.where} and ${inner})`;
  }
  const last = path.at(-1) ?? element;
  const left = scalar(path, places);
  // The parameter is folded here, once; a value of the tail is folded by the database as well, which differs for letters that its locale does not know.
  const right = last && folds(last) && typeof value === 'string' ? fold(value) : value;
  return sql`(${left} is not null and ${pair(op, left, right)})`;
}

function pair(op: CompareOp, left: Fragment, right: Literal): Fragment {
  switch (op) {
    case 'eq':
    case 'ne':
      return sql`${left} = ${right}`;
    case 'co':
      return sql`strpos(${left}, ${String(right)}) > 0`;
    case 'sw':
      return sql`starts_with(${left}, ${String(right)})`;
    case 'ew':
      return sql`right(${left}, length(${String(right)})) = ${String(right)}`;
    case 'gt':
      return sql`${left} > ${right}`;
    case 'ge':
      return sql`${left} >= ${right}`;
    case 'lt':
      return sql`${left} < ${right}`;
    case 'le':
      return sql`${left} <= ${right}`;
  }
}
