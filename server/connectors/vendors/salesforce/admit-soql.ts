import { Problem } from '#kernel/problem.ts';
import { listed, openObject, type SalesforceSettings } from './settings.ts';
import type { Description } from './describe.ts';
import type { Condition, Item, Left, Path, Query } from './soql.ts';
import { badSoql } from './soql-tokens.ts';

/** Rows of one answer. Who needs more narrows the query or goes on with OFFSET. */
export const MAX_ROWS = 500;
/** Rows of children below each row. */
const MAX_CHILD_ROWS = 50;
/** Salesforce takes no larger one. */
const MAX_OFFSET = 2000;
/** Objects that one query may ask about. */
const MAX_DESCRIBED = 12;

/** An object that a query reaches, as the settings spell it, or the refusal. */
type Reach = (object: string) => string;
export type Describe = (object: string) => Promise<Description>;

/**
 * The query as it may be run: every object that it reaches, as parent, as child or in IN (…), is on the list, and no more rows come than an answer
 * can hold. INVARIANT (no second object unseen): where a path leads is what Salesforce says about the object, not what the name looks like; where
 * it can lead to several objects, all of them must be on the list. And all of them are in `declared`, which is what rules saw of the call.
 */
export async function admitSoql(
  q: Query,
  s: SalesforceSettings,
  declared: readonly string[],
  describe: Describe,
): Promise<Query> {
  const reach: Reach = (object) => {
    const name = openObject(s, object);
    if (listed(declared, name) !== undefined) return name;
    throw new Problem('invalid', 'connectors/soql-undeclared', {
      says: `the query reaches ${name}, which is not among the objects that the call names (${declared.join(', ')})`,
      fix: `add ${name} to "objects" of the call`,
    });
  };
  const asked = new Set<string>();
  const known: Describe = (object) => {
    asked.add(object.toLowerCase());
    if (asked.size > MAX_DESCRIBED) throw badSoql(`the query reaches more than ${MAX_DESCRIBED} objects`);
    return describe(object);
  };
  const admitted = await admitOne(q, reach(q.from), reach, known);
  const counting =
    admitted.items.length === 1 && admitted.items[0]?.kind === 'function' && admitted.items[0].of === undefined;
  if ((admitted.offset ?? 0) > MAX_OFFSET)
    throw badSoql(`OFFSET goes to ${MAX_OFFSET}; go on by a condition on what the rows are ordered by`);
  return counting ? admitted : { ...admitted, limit: Math.min(admitted.limit ?? MAX_ROWS, MAX_ROWS) };
}

async function admitOne(q: Query, object: string, reach: Reach, describe: Describe): Promise<Query> {
  for (const path of paths(q)) await admitPath(path, object, reach, describe);
  const items: Item[] = [];
  for (const item of q.items) {
    if (item.kind !== 'children') {
      items.push(item);
      continue;
    }
    const relationship = item.query.from;
    const child = (await describe(object)).childRelationships?.find(
      (r) => r.relationshipName?.toLowerCase() === relationship.toLowerCase(),
    );
    if (!child) throw badSoql(`${object} has no children by the name ${relationship}`);
    const below = await admitOne(item.query, reach(child.childSObject), reach, describe);
    items.push({
      kind: 'children',
      query: { ...below, from: relationship, limit: Math.min(below.limit ?? MAX_CHILD_ROWS, MAX_CHILD_ROWS) },
    });
  }
  return {
    ...q,
    from: object,
    items,
    where: q.where && (await admitCondition(q.where, reach, describe)),
    having: q.having && (await admitCondition(q.having, reach, describe)),
  };
}

/** The queries inside conditions; the fields of conditions are among `paths`. */
async function admitCondition(c: Condition, reach: Reach, describe: Describe): Promise<Condition> {
  switch (c.kind) {
    case 'and':
    case 'or': {
      const parts: Condition[] = [];
      for (const p of c.parts) parts.push(await admitCondition(p, reach, describe));
      return { ...c, parts };
    }
    case 'not':
      return { ...c, part: await admitCondition(c.part, reach, describe) };
    case 'semi':
      return { ...c, query: await admitOne(c.query, reach(c.query.from), reach, describe) };
    case 'compare':
    case 'list':
      return c;
  }
}

/** Every path of a query but those of the queries in it. */
function paths(q: Query): Path[] {
  const ofCondition = (c: Condition): Left[] => {
    if ('parts' in c) return c.parts.flatMap(ofCondition);
    return c.kind === 'not' ? ofCondition(c.part) : [c.left];
  };
  return [
    ...q.items.flatMap((i) => (i.kind === 'field' ? [i.path] : i.kind === 'function' && i.of ? [i.of] : [])),
    ...[...(q.where ? ofCondition(q.where) : []), ...(q.having ? ofCondition(q.having) : [])].map((l) => l.path),
    ...q.groupBy.map((l) => l.path),
    ...q.orderBy.map((o) => o.by.path),
  ];
}

async function admitPath(path: Path, from: string, reach: Reach, describe: Describe): Promise<void> {
  let objects: readonly string[] = [from];
  // The object's own name may stand first: Account.Name FROM Account.
  const parents = path.slice(
    path.length > 1 && path[0]?.toLowerCase() === from.toLowerCase() && (await own(path, from, describe)) ? 1 : 0,
    -1,
  );
  for (const parent of parents) {
    const [object, ...others] = objects;
    // Of a parent that can be several objects Salesforce shows the fields of the object "Name" only.
    if (object === undefined || others.length > 0)
      throw badSoql(`the path ${path.join('.')} goes on from a parent that can be several objects`);
    const field = (await describe(object)).fields.find(
      (f) => f.relationshipName?.toLowerCase() === parent.toLowerCase(),
    );
    if (!field?.referenceTo || field.referenceTo.length === 0)
      throw badSoql(`${object} has no parent by the name ${parent}`);
    objects = field.referenceTo.map(reach);
  }
}

/** Whether the first name of a path is the object itself and not a parent of the same name. */
const own = async (path: Path, from: string, describe: Describe): Promise<boolean> =>
  !(await describe(from)).fields.some((f) => f.relationshipName?.toLowerCase() === path[0]?.toLowerCase());
