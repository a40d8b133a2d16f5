import { unescapeSegment } from '#kernel/json-pointer.ts';
import { isRecord } from './tool.ts';

/** One schema inside another, and the steps that lead to it. `same`: it judges the same value, not a part of it. */
export type Sub = { steps: readonly (string | number)[]; schema: unknown; same: boolean };

const one: readonly [string, boolean][] = [
  ['additionalItems', false],
  ['additionalProperties', false],
  ['contains', false],
  ['else', true],
  ['if', true],
  ['items', false],
  ['not', true],
  ['propertyNames', false],
  ['then', true],
  ['unevaluatedItems', false],
  ['unevaluatedProperties', false],
];
const lists: readonly [string, boolean][] = [
  ['allOf', true],
  ['anyOf', true],
  ['oneOf', true],
  ['prefixItems', false],
  ['items', false],
];
const maps: readonly [string, boolean][] = [
  ['properties', false],
  ['patternProperties', false],
  ['dependentSchemas', true],
];
const definitions = ['$defs', 'definitions'];

/** Schemas directly inside a schema (2020-12 and the drafts that MCP servers use), without what it only defines. */
export function subschemas(schema: unknown): Sub[] {
  if (!isRecord(schema)) return [];
  const out: Sub[] = [];
  for (const [k, same] of one)
    if (isRecord(schema[k]) || typeof schema[k] === 'boolean') out.push({ steps: [k], schema: schema[k], same });
  for (const [k, same] of lists) {
    const list = schema[k];
    if (Array.isArray(list)) list.forEach((s: unknown, i) => out.push({ steps: [k, i], schema: s, same }));
  }
  for (const [k, same] of maps) {
    const map = schema[k];
    if (isRecord(map)) for (const [name, s] of Object.entries(map)) out.push({ steps: [k, name], schema: s, same });
  }
  return out;
}

/** Those too that it defines for others to point at. */
export function allSubschemas(schema: unknown): Sub[] {
  const out = subschemas(schema);
  if (isRecord(schema))
    for (const k of definitions) {
      const map = schema[k];
      if (isRecord(map))
        for (const [name, s] of Object.entries(map)) out.push({ steps: [k, name], schema: s, same: false });
    }
  return out;
}

/** Where a reference of ours leads: `#` or a JSON Pointer in the same document. Undefined: elsewhere, or nowhere. Nothing is ever fetched. */
export function pointedAt(root: unknown, ref: unknown): unknown {
  if (typeof ref !== 'string' || !ref.startsWith('#')) return undefined;
  if (ref === '#') return root;
  if (!ref.startsWith('#/')) return undefined;
  let at: unknown = root;
  for (const raw of ref.slice(2).split('/')) {
    let name: string;
    try {
      name = unescapeSegment(decodeURIComponent(raw));
    } catch {
      return undefined;
    }
    if (Array.isArray(at)) at = at[Number(name)];
    else if (isRecord(at) && Object.hasOwn(at, name)) at = at[name];
    else return undefined;
  }
  return at;
}

export type Cost = {
  /** Schemas as written. */
  nodes: number;
  depth: number;
  /** Schemas that somebody meets who follows every reference once more wherever it stands; `Infinity` where that has no end. */
  expanded: number;
  /** A reference that leads back to itself without going into the value: judging it would never end. */
  endless: boolean;
  /** A reference that leads back to itself through a part of the value, as trees do. */
  recursive: boolean;
};

const MAX_VISITED = 20_000;
const MAX_DEPTH = 64;

/** What it costs to read and to judge by a schema. Linear in its size: every schema is weighed once. */
export function costOf(root: unknown): Cost {
  const cost: Cost = { nodes: 0, depth: 0, expanded: 0, endless: false, recursive: false };
  const count = (schema: unknown, depth: number): void => {
    if (cost.nodes > MAX_VISITED || depth > MAX_DEPTH) return;
    cost.nodes++;
    cost.depth = Math.max(cost.depth, depth);
    for (const s of allSubschemas(schema)) count(s.schema, depth + 1);
  };
  count(root, 1);

  const weights = new Map<object, number>();
  // The schemas that we are inside of, and how often the way to each has gone into a part of the value.
  const open = new Map<object, number>();
  let parts = 0;
  const weigh = (schema: unknown, depth: number): number => {
    if (!isRecord(schema)) return 1;
    const known = weights.get(schema);
    if (known !== undefined) return known;
    const at = open.get(schema);
    if (at !== undefined) {
      if (parts === at) cost.endless = true;
      else cost.recursive = true;
      return 1;
    }
    if (depth > MAX_VISITED / 20) return Infinity;
    open.set(schema, parts);
    let sum = 1;
    const target = pointedAt(root, schema['$ref']);
    if (target !== undefined) sum += weigh(target, depth + 1);
    for (const s of subschemas(schema)) {
      if (!s.same) parts++;
      sum += weigh(s.schema, depth + 1);
      if (!s.same) parts--;
    }
    open.delete(schema);
    weights.set(schema, sum);
    return sum;
  };
  cost.expanded = cost.nodes > MAX_VISITED ? Infinity : weigh(root, 1);
  // What is only defined may have a loop that nothing leads to yet.
  if (isRecord(root)) for (const s of allSubschemas(root)) weigh(s.schema, 1);
  if (cost.endless) cost.expanded = Infinity;
  return cost;
}
