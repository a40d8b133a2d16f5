import { escapeSegment, unescapeSegment } from '#kernel/json-pointer.ts';
import { linearPattern } from '#kernel/linear-pattern.ts';
import type { ArgumentKind, ArgumentPlace, Projection } from '#policy/argument.ts';
import { pointedAt } from './json-schema.ts';
import { isRecord } from './tool.ts';

/**
 * A place in a tool's arguments, as its input schema has it. `suggests`: what its name sounds like; a person decides. `freeText`: any text fits,
 * and a long one.
 */
export type SchemaPlace = { at: string; types: readonly JsonType[]; suggests: ArgumentKind | null; freeText: boolean };
const jsonTypes = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'] as const;
export type JsonType = (typeof jsonTypes)[number];

/** A form with more places is not projected by looking at a list. */
const MAX_PLACES = 300;
const MAX_DEPTH = 8;
const MAX_ALTERNATIVES = 200;

/** Every scalar place that an input schema names, with `*` for the items of a list and the values of a map. */
export function placesOf(inputSchema: unknown): SchemaPlace[] {
  const out = new Map<string, SchemaPlace>();
  const walk = (schemas: readonly unknown[], at: string, name: string, depth: number): void => {
    if (out.size >= MAX_PLACES || depth > MAX_DEPTH) return;
    const all = alternatives(inputSchema, schemas);
    const types = typesOf(all);
    const scalar = types.filter((t) => t !== 'object' && t !== 'array' && t !== 'null');
    if (at !== '' && scalar.length > 0 && !out.has(at)) {
      const guess = sounds.find((s) => s.names.test(name))?.kind ?? null;
      out.set(at, {
        at,
        types,
        suggests: guess && fits(guess, types) ? guess : null,
        freeText: types.includes('string') && !all.some(bounds),
      });
    }
    const names = new Set(all.flatMap((s) => (isRecord(s['properties']) ? Object.keys(s['properties']) : [])));
    for (const n of names) walk(stepInto(inputSchema, all, n), `${at}/${escapeSegment(n)}`, n, depth + 1);
    const rest = all.flatMap(inside);
    if (rest.length > 0) walk(rest, `${at}/*`, name, depth + 1);
  };
  walk([inputSchema], '', '', 0);
  return [...out.values()];
}

/** Long enough for a name or an address, too short for a file. */
const LONG = 1000;
const bounds = (s: Schema): boolean =>
  ['enum', 'const', 'format', 'pattern'].some((k) => k in s) ||
  (typeof s['maxLength'] === 'number' && s['maxLength'] <= LONG);

/** What the reviewer is offered to begin with. */
export const suggestedProjection = (places: readonly SchemaPlace[]): ArgumentPlace[] =>
  places.flatMap((p) => (p.suggests ? [{ kind: p.suggests, at: p.at }] : [])).slice(0, 40);

/** The places of a projection that the input schema cannot have, each with the reason. */
export function misplaced(projection: Projection, inputSchema: unknown): { at: string; why: string }[] {
  const wrong: { at: string; why: string }[] = [];
  for (const p of projection) {
    const why = whyNot(p, inputSchema);
    if (why !== undefined) wrong.push({ at: p.at, why });
  }
  return wrong;
}

function whyNot(p: ArgumentPlace, inputSchema: unknown): string | undefined {
  let all = alternatives(inputSchema, [inputSchema]);
  for (const raw of p.at.slice(1).split('/')) {
    const name = unescapeSegment(raw);
    const next = name === '*' ? all.flatMap(members) : stepInto(inputSchema, all, name);
    all = alternatives(inputSchema, next);
    if (all.length === 0) return `the input schema has no ${p.at}`;
  }
  const types = typesOf(all);
  if (fits(p.kind, types)) return undefined;
  const containers = types.filter((t) => t === 'array' || t === 'object');
  return containers.length > 0
    ? `${p.at} is ${containers.join(' or ')}; point at what is in it, e.g. ${p.at}/*`
    : `${p.at} is ${types.join(' or ') || 'nothing'}, and ${p.kind} is ${p.kind === 'amount' ? 'a number' : 'text'}`;
}

const fits = (kind: ArgumentKind, types: readonly JsonType[]): boolean =>
  kind === 'amount' ? types.includes('number') || types.includes('integer') : types.includes('string');

type Schema = Record<string, unknown>;

/** A schema with all that judges the same value: behind references and in alternatives. `false` allows nothing and is left out. */
function alternatives(root: unknown, schemas: readonly unknown[]): Schema[] {
  const seen = new Set<unknown>();
  const out: Schema[] = [];
  const queue = [...schemas];
  for (let s = queue.shift(); queue.length > 0 || s !== undefined; s = queue.shift()) {
    if (s === true) s = {};
    if (!isRecord(s) || seen.has(s) || out.length >= MAX_ALTERNATIVES) continue;
    seen.add(s);
    out.push(s);
    for (const k of ['allOf', 'anyOf', 'oneOf']) if (Array.isArray(s[k])) queue.push(...(s[k] as unknown[]));
    for (const k of ['then', 'else']) if (k in s) queue.push(s[k]);
    if ('$ref' in s) queue.push(pointedAt(root, s['$ref']) ?? false);
  }
  return out;
}

function stepInto(root: unknown, all: readonly Schema[], name: string): unknown[] {
  const named = all.flatMap((s) => {
    const properties = s['properties'];
    return isRecord(properties) && Object.hasOwn(properties, name) ? [properties[name]] : [];
  });
  if (named.length > 0) return named;
  const patterned = all.flatMap((s) =>
    Object.entries(isRecord(s['patternProperties']) ? s['patternProperties'] : {}).flatMap(([source, schema]) => {
      const p = linearPattern(source);
      return 'test' in p && p.test(name) ? [schema] : [];
    }),
  );
  if (patterned.length > 0) return patterned;
  if (/^\d+$/.test(name) && all.some(isList)) return all.flatMap(items);
  // A schema that names properties is taken at its word: an argument beside them would be a slip of the pen far more often than meant.
  const closed = all.some((s) => isRecord(s['properties']) || s['additionalProperties'] === false);
  return all.flatMap((s) => {
    const rest = s['additionalProperties'];
    if (isRecord(rest) || rest === true) return [rest];
    return !closed && canBe(s, 'object') ? [{}] : [];
  });
}

const isList = (s: Schema): boolean => 'items' in s || 'prefixItems' in s || (canBe(s, 'array') && 'type' in s);
const items = (s: Schema): unknown[] => {
  const out: unknown[] = [];
  if (Array.isArray(s['items'])) out.push(...(s['items'] as unknown[]));
  else if ('items' in s) out.push(s['items']);
  if (Array.isArray(s['prefixItems'])) out.push(...(s['prefixItems'] as unknown[]));
  return out.length > 0 ? out : isList(s) ? [{}] : [];
};
const maps = (s: Schema): unknown[] => [
  ...(isRecord(s['additionalProperties']) ? [s['additionalProperties']] : []),
  ...(isRecord(s['patternProperties']) ? Object.values(s['patternProperties']) : []),
];
/** What is in it without a name. */
const inside = (s: Schema): unknown[] => [...items(s), ...maps(s)];
/** What `*` can mean: items, values of a map, and the named properties too. */
const members = (s: Schema): unknown[] => {
  const named = isRecord(s['properties']) ? Object.values(s['properties']) : [];
  const all = [...inside(s), ...named];
  if (all.length > 0) return all;
  return s['additionalProperties'] === true || (canBe(s, 'object') && s['additionalProperties'] !== false) ? [{}] : [];
};

function typesIn(s: Schema): readonly JsonType[] | undefined {
  const said: unknown[] = typeof s['type'] === 'string' ? [s['type']] : Array.isArray(s['type']) ? s['type'] : [];
  if (said.length > 0) return jsonTypes.filter((t) => said.includes(t));
  const values: unknown[] = 'const' in s ? [s['const']] : Array.isArray(s['enum']) ? s['enum'] : [];
  if (values.length > 0) return jsonTypes.filter((t) => values.some((v) => isOf(v, t)));
  if (isRecord(s['properties'])) return ['object'];
  if ('items' in s || 'prefixItems' in s) return ['array'];
  return undefined;
}
const isOf = (v: unknown, t: JsonType): boolean =>
  t === 'null' ? v === null : t === 'array' ? Array.isArray(v) : t === 'integer' ? Number.isInteger(v) : typeof v === t;
const canBe = (s: Schema, t: JsonType): boolean => typesIn(s)?.includes(t) ?? true;

/** The types that any of these allows; all where none says. */
function typesOf(all: readonly Schema[]): readonly JsonType[] {
  const said = all.map(typesIn).filter((t) => t !== undefined);
  if (said.length === 0) return all.length === 0 ? [] : jsonTypes;
  return jsonTypes.filter((t) => said.some((s) => s.includes(t)));
}

const sounds: readonly { kind: ArgumentKind; names: RegExp }[] = [
  {
    kind: 'recipient',
    names: /^(to|cc|bcc|recipients?|e?-?mails?|email_?address(es)?|invitees?|attendees?|assignees?|share_?with)$/i,
  },
  { kind: 'channel', names: /channel|chat_?id|room|conversation_?id/i },
  { kind: 'repository', names: /^(repo(sitory)?(_?name)?|project_?path)$/i },
  { kind: 'folder', names: /folder|^parents?(_?id)?$|directory/i },
  { kind: 'path', names: /path|^files?(_?name)?$/i },
  { kind: 'url', names: /ur[li]$|^link|href|webhook|endpoint/i },
  { kind: 'amount', names: /amount|total|price|^sum$|value$|quantity|budget/i },
  { kind: 'text', names: /body|text|message|content|note|subject|comment|description|title|quer(y|ies)|^q$/i },
];
