import { Problem } from '#kernel/problem.ts';
import { findResourcePath, type Attribute, type Path, type Resource } from './scim-schema.ts';

/** A value of a resource after parsing: typed by the schema, under the schema's own spelling of every name. */
export type Value = string | number | boolean | Complex | readonly Value[];

/**
 * INVARIANT (no prototype): an object of values has no prototype, and its keys come from the schema, never from a request. Together with
 * the refusal of the three names below, no request can reach `Object.prototype`.
 */
export type Complex = { [name: string]: Value };

export const complex = (from: Readonly<Complex> = {}): Complex => {
  const made: Complex = Object.create(null) as Complex;
  for (const [k, v] of Object.entries(from)) made[k] = v;
  return made;
};

export const isComplex = (v: unknown): v is Complex => typeof v === 'object' && v !== null && !Array.isArray(v);

/** Longest single value. A certificate or a picture's URL fits. */
export const MAX_VALUE_CHARS = 32 * 1024;

const forbidden = new Set(['__proto__', 'constructor', 'prototype']);

/** Refuses the names by which a JavaScript object can be turned into something else, wherever they stand. */
export function refuseForbidden(name: string): void {
  for (const part of name.split(/[.:[\]]/))
    if (forbidden.has(part.trim().toLowerCase()))
      throw new Problem('invalid', 'directory/forbidden-name', {
        says: `"${part.trim()}" cannot be the name of an attribute`,
        fix: 'name an attribute of /Schemas',
        more: { scimType: 'invalidPath' },
      });
}

const wrong = (at: string, expected: string, found: unknown): Problem =>
  new Problem('invalid', 'directory/invalid-value', {
    says: `${at} must be ${expected}; it is ${inWords(found)}`,
    fix: 'compare the attribute with /Schemas',
    more: { scimType: 'invalidValue', path: at },
  });

/** What a value is, without repeating more of it than helps. */
function inWords(v: unknown): string {
  if (v === null) return 'null';
  if (Array.isArray(v)) return 'a list';
  if (typeof v === 'object') return 'an object';
  return `the ${typeof v} ${(JSON.stringify(v) ?? '').slice(0, 60)}`;
}

/** A value as clients say "none": null, "", [] and lists of such (Okta, Entra, ConductorOne). */
const saysNothing = (v: unknown): boolean => v === undefined || v === null || v === '';

/** Names that were left out because no schema has them. For the journal; never stored. */
export type Ignored = Set<string>;

/** The typed value, or undefined where the client says that there is none. */
export function typedValue(a: Attribute, raw: unknown, at: string, ignored: Ignored): Value | undefined {
  if (saysNothing(raw)) return undefined;
  if (a.multi) {
    const list = (Array.isArray(raw) ? raw : [raw]).flatMap((each: unknown, i) => {
      const v = typedElement(a, each, `${at}[${i}]`, ignored);
      return v === undefined ? [] : [v];
    });
    return list.length > 0 ? list : undefined;
  }
  if (Array.isArray(raw) && raw.length === 0) return undefined;
  return typedElement(a, raw, at, ignored);
}

/** One element of a multi-valued attribute, or the value of a single one. */
export function typedElement(a: Attribute, raw: unknown, at: string, ignored: Ignored): Value | undefined {
  if (saysNothing(raw)) return undefined;
  switch (a.type) {
    case 'complex':
      return typedComplex(a, raw, at, ignored);
    case 'boolean': {
      // Entra sends "True" and "False" (a flag of the job turns that off); others send true and false.
      const low = typeof raw === 'string' ? raw.toLowerCase() : raw;
      if (low === true || low === 'true') return true;
      if (low === false || low === 'false') return false;
      throw wrong(at, 'true or false', raw);
    }
    case 'integer': {
      const n = typeof raw === 'string' && /^(0|-?[1-9]\d{0,15})$/.test(raw) ? Number(raw) : raw;
      if (typeof n === 'number' && Number.isSafeInteger(n)) return n;
      throw wrong(at, 'a whole number', raw);
    }
    case 'decimal': {
      const n = typeof raw === 'string' && /^-?(0|[1-9]\d{0,15})(\.\d{1,15})?$/.test(raw) ? Number(raw) : raw;
      if (typeof n === 'number' && Number.isFinite(n)) return n;
      throw wrong(at, 'a number', raw);
    }
    case 'dateTime':
      if (typeof raw === 'string' && dateTime(raw)) return raw;
      throw wrong(at, 'a date and time like 2026-01-31T09:00:00Z', raw);
    case 'string':
    case 'reference':
    case 'binary':
      if (typeof raw !== 'string') throw wrong(at, 'a string', raw);
      if (raw.length > MAX_VALUE_CHARS)
        throw wrong(at, `at most ${MAX_VALUE_CHARS} characters`, `${raw.length} characters`);
      // PostgreSQL's text cannot hold it, and no name has one.
      if (raw.includes('\u0000')) throw wrong(at, 'a string without the character U+0000', 'a string with it');
      return raw;
  }
}

/** A dateTime of XML Schema with a zone, as RFC 7643 §2.3.5 wants it. */
export function dateTime(text: string): Date | undefined {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/i.test(text)) return undefined;
  const d = new Date(text);
  return Number.isNaN(d.getTime()) ? undefined : d;
}

function typedComplex(a: Attribute, raw: unknown, at: string, ignored: Ignored): Complex | undefined {
  if (typeof raw === 'string' || typeof raw === 'number') {
    // Entra sends the manager as a bare id.
    const value = a.sub.find((s) => s.name === 'value');
    if (!value) throw wrong(at, 'an object', raw);
    return typedComplex(a, { value: String(raw) }, at, ignored);
  }
  if (!isObject(raw)) throw wrong(at, 'an object', raw);
  const made = complex();
  let emptied = false;
  for (const [key, v] of Object.entries(raw)) {
    refuseForbidden(key);
    const sub = a.sub.find((s) => s.name.toLowerCase() === key.toLowerCase());
    if (!sub) {
      ignored.add(`${at}.${key}`.slice(0, 200));
      continue;
    }
    if (Object.hasOwn(made, sub.name)) throw twice(`${at}.${sub.name}`);
    const value = typedValue(sub, v, `${at}.${sub.name}`, ignored);
    if (value !== undefined) made[sub.name] = value;
    else if (sub.name === 'value') emptied = true;
  }
  // `[{"type":"work","value":""}]` says that there is none.
  if (emptied || Object.keys(made).length === 0) return undefined;
  return made;
}

/** An object as JSON has it. */
export const isObject = (v: unknown): v is Record<string, unknown> =>
  typeof v === 'object' && v !== null && !Array.isArray(v);

export const twice = (at: string): Problem =>
  new Problem('invalid', 'directory/attribute-twice', {
    says: `${at} is there twice, in different spellings`,
    fix: 'send every attribute once',
    more: { scimType: 'invalidSyntax', path: at },
  });

/** A resource as a POST or PUT sent it. */
export type Sent = {
  attributes: Complex;
  /** Names that the request mentioned, also those it mentioned in order to say "none". */
  mentioned: ReadonlySet<string>;
  id: unknown;
  ignored: Ignored;
};

/** Parses the body of a POST or PUT. Read-only attributes are left out, as RFC 7644 §3.3 has it; `password` is in no schema and so is never kept. */
export function typedResource(r: Resource, body: unknown, ignored: Ignored = new Set()): Sent {
  if (!isObject(body))
    throw new Problem('invalid', 'directory/not-an-object', {
      says: `the body must be one ${r.name}; it is ${inWords(body)}`,
      more: { scimType: 'invalidSyntax' },
    });
  const sent = { attributes: complex(), mentioned: new Set<string>(), id: body['id'], ignored };
  const { schemas } = body;
  if (schemas !== undefined) {
    if (!Array.isArray(schemas) || !schemas.every((s) => typeof s === 'string'))
      throw new Problem('invalid', 'directory/invalid-schemas', {
        says: 'schemas must be a list of URNs',
        more: { scimType: 'invalidSyntax', path: 'schemas' },
      });
    // Entra lists a schema of its own for groups; nothing of it is kept.
    const known = new Set([r.schema.id, ...r.extensions.map((e) => e.id)].map((id) => id.toLowerCase()));
    for (const s of schemas) if (!known.has(s.toLowerCase())) sent.ignored.add(s.slice(0, 200));
  }
  for (const [key, raw] of Object.entries(body)) {
    refuseForbidden(key);
    if (key === 'schemas') continue;
    const path = findResourcePath(r, key);
    const [top] = path ?? [];
    if (!path || !top || path.length > 1) {
      sent.ignored.add(key.slice(0, 200));
      continue;
    }
    if (top.mutability === 'readOnly') continue;
    if (sent.mentioned.has(top.name)) throw twice(top.name);
    sent.mentioned.add(top.name);
    const value = typedValue(top, raw, top.name, sent.ignored);
    if (value !== undefined) sent.attributes[top.name] = value;
  }
  return sent;
}

/** Refuses a resource that lacks what its schema requires. */
export function requireAll(r: Resource, attributes: Complex): void {
  for (const a of r.top)
    if (a.required && attributes[a.name] === undefined)
      throw new Problem('invalid', 'directory/required', {
        says: `${a.name} is required`,
        fix: `map ${a.name} in the directory`,
        more: { scimType: 'invalidValue', path: a.name },
      });
}

/** A read-only `id` may be repeated, not changed. */
export function refuseOtherId(id: unknown, own: string): void {
  if (id !== undefined && id !== null && id !== own)
    throw new Problem('invalid', 'directory/id-fixed', {
      says: `the id is ${own} and cannot be changed`,
      fix: 'leave id out',
      more: { scimType: 'mutability', path: 'id' },
    });
}

/** Rows as PostgreSQL gives them back, made safe to work on. */
export function fromStored(json: unknown): Complex {
  const copy = (v: unknown): Value => {
    if (Array.isArray(v)) return v.map(copy);
    if (isObject(v)) {
      const made = complex();
      for (const [k, inner] of Object.entries(v)) if (!forbidden.has(k)) made[k] = copy(inner);
      return made;
    }
    if (typeof v === 'string' || typeof v === 'number' || typeof v === 'boolean') return v;
    throw new Problem('bug', 'directory/stored-value', { says: 'a stored attribute has no type' });
  };
  return isObject(json) ? complex(copy(json) as Complex) : complex();
}

export function sameValue(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((x: Value, i) => sameValue(x, b[i]));
  if (isComplex(a) && isComplex(b)) {
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((k) => sameValue(a[k], b[k]));
  }
  return false;
}

/** Names of the attributes that differ. */
export const changedNames = (before: Complex, after: Complex): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((k) => !sameValue(before[k], after[k])).sort();

/** All values at the end of a path: the elements of multi-valued attributes one by one. */
export function valuesAt(from: Complex, path: Path | readonly Attribute[]): Value[] {
  let now: Value[] = [from];
  for (const a of path)
    now = now.flatMap((v) => {
      const next = isComplex(v) ? v[a.name] : undefined;
      if (next === undefined) return [];
      return Array.isArray(next) ? (next as readonly Value[]) : [next];
    });
  return now;
}
