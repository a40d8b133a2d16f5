import type { Condition, Left, Query, Value } from '#connectors/vendors/salesforce/soql.ts';
import type { SalesforceObject, SalesforceRecord, SalesforceWorld } from './salesforce-world.ts';

export class SaidNo extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, says: string) {
    super(says);
    this.status = status;
    this.code = code;
  }
}

export const objectOf = (w: SalesforceWorld, named: string): SalesforceObject => {
  const o = w.objects.find((x) => x.name.toLowerCase() === named.toLowerCase());
  if (!o) throw new SaidNo(400, 'INVALID_TYPE', `sObject type '${named}' is not supported.`);
  return o;
};

/** People are records of the object User. */
const rowsOf = (w: SalesforceWorld, object: string): SalesforceRecord[] =>
  object === 'User'
    ? w.users
        .filter((u) => u.organization === w.organization)
        .map((u) => ({
          object,
          Id: u.id,
          Name: u.account,
          Username: u.username,
          Email: u.email,
          FederationIdentifier: u.federation ?? null,
          IsActive: u.active,
          UserType: 'Standard',
        }))
    : w.records.filter((r) => r.object === object);

/** Runs a query. It is read by Gatehouse's own reader of SOQL, which has tests of its own; what the real one would refuse beside is refused here. */
export function runQuery(
  w: SalesforceWorld,
  q: Query,
  object = objectOf(w, q.from),
  of?: [field: string, id: string],
): { total: number; records: Record<string, unknown>[] } {
  const found = rowsOf(w, object.name)
    .filter((r) => (of === undefined || r[of[0]] === of[1]) && (!q.where || holds(w, object, r, q.where)))
    .toSorted((a, b) => {
      for (const o of q.orderBy) {
        const [x, y] = [valueOf(w, object, a, o.by.path), valueOf(w, object, b, o.by.path)];
        if (x !== y) return (String(x) < String(y) ? -1 : 1) * (o.descending ? -1 : 1);
      }
      return 0;
    });
  if (q.items[0]?.kind === 'function' && q.items[0].of === undefined) return { total: found.length, records: [] };
  const page = found.slice(q.offset ?? 0, (q.offset ?? 0) + (q.limit ?? Infinity));
  const records = page.map((r) => {
    const out: Record<string, unknown> = {
      attributes: { type: object.name, url: `/services/data/v65.0/sobjects/${object.name}/${r.Id}` },
    };
    for (const item of q.items) {
      if (item.kind === 'field')
        place(
          out,
          item.path.length > 1 && item.path[0] === object.name && !relation(object, item.path[0])
            ? item.path.slice(1)
            : item.path,
          valueOf(w, object, r, item.path),
        );
      else if (item.kind === 'children') {
        const child = object.children?.find(([n]) => n.toLowerCase() === item.query.from.toLowerCase());
        if (!child)
          throw new SaidNo(400, 'INVALID_FIELD', `Didn't understand relationship '${item.query.from}' in field path.`);
        const below = runQuery(w, item.query, objectOf(w, child[1]), [child[2], r.Id]);
        out[child[0]] =
          below.records.length === 0 ? null : { totalSize: below.total, done: true, records: below.records };
      }
    }
    return out;
  });
  return { total: page.length, records };
}

const relation = (o: SalesforceObject, named: string) =>
  o.fields.find((f) => f.parent?.[0].toLowerCase() === named.toLowerCase());

function place(out: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [first = '', ...rest] = path;
  if (rest.length === 0) out[first] = value;
  else place((out[first] ??= { attributes: { type: first } }) as Record<string, unknown>, rest, value);
}

function valueOf(
  w: SalesforceWorld,
  object: SalesforceObject,
  r: SalesforceRecord | undefined,
  path: readonly string[],
): string | number | boolean | null {
  const [first = '', ...rest] = path;
  if (rest.length === 0) {
    const field = object.fields.find((f) => f.name.toLowerCase() === first.toLowerCase());
    if (!field) throw new SaidNo(400, 'INVALID_FIELD', `No such column '${first}' on entity '${object.name}'.`);
    return r?.[field.name] ?? null;
  }
  const via = relation(object, first);
  if (!via?.parent) {
    if (first.toLowerCase() === object.name.toLowerCase()) return valueOf(w, object, r, rest);
    throw new SaidNo(400, 'INVALID_FIELD', `Didn't understand relationship '${first}' in field path.`);
  }
  const parent = objectOf(w, via.parent[1] ?? '');
  return valueOf(
    w,
    parent,
    rowsOf(w, parent.name).find((x) => x.Id === r?.[via.name]),
    rest,
  );
}

const plain = (v: Value): string | number | boolean | null => {
  if (v.kind === 'string') return v.text.replaceAll('\\\\', '\\');
  if (v.kind === 'number') return Number(v.text);
  return v.text === 'NULL' ? null : v.text === 'TRUE' ? true : v.text === 'FALSE' ? false : v.text;
};

function holds(w: SalesforceWorld, object: SalesforceObject, r: SalesforceRecord, c: Condition): boolean {
  const left = (l: Left) => valueOf(w, object, r, l.path);
  switch (c.kind) {
    case 'and':
    case 'or':
      return c.kind === 'and'
        ? c.parts.every((p) => holds(w, object, r, p))
        : c.parts.some((p) => holds(w, object, r, p));
    case 'not':
      return !holds(w, object, r, c.part);
    case 'semi': {
      const inner = objectOf(w, c.query.from);
      const [item] = c.query.items;
      const values = rowsOf(w, inner.name)
        .filter((x) => !c.query.where || holds(w, inner, x, c.query.where))
        .map((x) => (item?.kind === 'field' ? valueOf(w, inner, x, item.path) : null));
      return values.includes(left(c.left)) === (c.sign === 'IN');
    }
    case 'list':
      return c.values.some((v) => same(left(c.left), plain(v))) === !c.sign.startsWith('NOT');
    case 'compare': {
      const [a, b] = [left(c.left), plain(c.value)];
      if (c.sign === 'LIKE') {
        const like = c.value.text.replace(/\\([\\%_])|[.*+?^${}()|[\]]|%|_/g, (m, e: string | undefined) =>
          e !== undefined ? `\\x${e.charCodeAt(0).toString(16)}` : m === '%' ? '.*' : m === '_' ? '.' : `\\${m}`,
        );
        return new RegExp(`^${like}$`, 'is').test(String(a ?? ''));
      }
      if (c.sign === '=') return same(a, b);
      if (c.sign === '!=') return !same(a, b);
      return a !== null && b !== null && (c.sign.startsWith('<') ? a < b : a > b);
    }
  }
}

/** Text is compared without regard to case; ids of 15 characters are those of 18. */
const same = (a: unknown, b: unknown): boolean =>
  typeof a === 'string' && typeof b === 'string' ? a.toLowerCase() === b.toLowerCase() : a === b;

export const describeObject = (w: SalesforceWorld, o: SalesforceObject): Record<string, unknown> => ({
  name: o.name,
  label: o.name,
  keyPrefix: o.prefix,
  createable: true,
  updateable: true,
  deletable: true,
  fields: o.fields.map((f) => ({
    name: f.name,
    label: f.name,
    type: f.type,
    length: f.type === 'string' ? 255 : 0,
    nillable: !f.required && f.name !== 'Id',
    createable: !f.fixed,
    updateable: !f.fixed,
    defaultedOnCreate: f.name === 'OwnerId',
    relationshipName: f.parent?.[0] ?? null,
    referenceTo: f.parent?.slice(1) ?? [],
    picklistValues: (f.choices ?? []).map((value) => ({ value, label: value, active: true, defaultValue: false })),
  })),
  childRelationships: (o.children ?? []).map(([relationshipName, childSObject, field]) => ({
    relationshipName,
    childSObject,
    field,
  })),
});
