import { jcs } from '@gatehouse/contract/jcs.ts';
import { linearPattern } from '#kernel/linear-pattern.ts';
import { isRecord } from '../tool.ts';
import type { Schema } from './argument-schema.ts';

// Judges arguments by walking the schema. No program is made of it: the schema is somebody else's text.

export type Misfit = { path: string[]; message: string };

/** Looks at schemas for one value; alternatives inside alternatives multiply. */
const MAX_STEPS = 50_000;
const MAX_DEPTH = 200;

type Work = { root: Schema; steps: number; path: string[]; depth: number };

/** What does not fit, or undefined. Time is bounded whatever schema and value are. The value itself is never repeated. */
export function checkValue(root: Schema, value: unknown): Misfit | undefined {
  try {
    return judge(root, value, { root, steps: 0, path: [], depth: 0 });
  } catch (e) {
    if (e instanceof TooHard) return { path: [], message: 'this takes too long to check; send less at once' };
    throw e;
  }
}

class TooHard extends Error {}

function judge(schema: Schema, value: unknown, w: Work): Misfit | undefined {
  if (++w.steps > MAX_STEPS || w.depth > MAX_DEPTH) throw new TooHard();
  if (schema === true) return undefined;
  if (schema === false) return misfit(w, 'nothing is allowed here');
  w.depth++;
  try {
    return (
      referred(schema, value, w) ??
      plain(schema, value, w) ??
      (typeof value === 'string' ? text(schema, value, w) : undefined) ??
      (typeof value === 'number' ? number(schema, value, w) : undefined) ??
      (Array.isArray(value) ? list(schema, value, w) : undefined) ??
      (isRecord(value) ? object(schema, value, w) : undefined) ??
      combined(schema, value, w)
    );
  } finally {
    w.depth--;
  }
}

type Words = Exclude<Schema, boolean>;

function referred(s: Words, value: unknown, w: Work): Misfit | undefined {
  const ref = s['$ref'];
  if (typeof ref !== 'string') return undefined;
  const name = ref.replace(/^#\/\$defs\//, '');
  const defs = typeof w.root === 'object' ? w.root['$defs'] : undefined;
  const target = isRecord(defs) && Object.hasOwn(defs, name) ? defs[name] : undefined;
  return judge(schemaOf(target), value, w);
}

function plain(s: Words, value: unknown, w: Work): Misfit | undefined {
  const { type } = s;
  if (type !== undefined) {
    const all: unknown[] = Array.isArray(type) ? type : [type];
    if (!all.some((t) => isOf(t, value))) return misfit(w, `${all.join(' or ')} is expected`);
  }
  const allowed = s['enum'];
  if (Array.isArray(allowed) && !allowed.some((a) => same(a, value)))
    return misfit(w, `one of ${JSON.stringify(allowed).slice(0, 200)} is expected`);
  if (Object.hasOwn(s, 'const') && !same(s['const'], value))
    return misfit(w, `${JSON.stringify(s['const']).slice(0, 200)} is expected`);
  return undefined;
}

const isOf = (type: unknown, v: unknown): boolean =>
  type === 'null'
    ? v === null
    : type === 'array'
      ? Array.isArray(v)
      : type === 'object'
        ? isRecord(v)
        : type === 'integer'
          ? Number.isInteger(v)
          : typeof v === type;

const same = (a: unknown, b: unknown): boolean =>
  a === b || (typeof a === 'object' && typeof b === 'object' && a !== null && b !== null && jcs(a) === jcs(b));

function text(s: Words, value: string, w: Work): Misfit | undefined {
  const length = (): number => Array.from(value).length;
  const { minLength, maxLength, pattern } = s;
  if (typeof minLength === 'number' && length() < minLength)
    return misfit(w, `at least ${minLength} characters are expected`);
  // Characters are never more than code units.
  if (typeof maxLength === 'number' && value.length > maxLength && length() > maxLength)
    return misfit(w, `at most ${maxLength} characters are expected`);
  if (typeof pattern === 'string') {
    const p = linearPattern(pattern);
    if (!('refused' in p) && !p.test(value)) return misfit(w, `text that matches ${pattern.slice(0, 100)} is expected`);
  }
  return undefined;
}

function number(s: Words, value: number, w: Work): Misfit | undefined {
  // It would be sent as another one than was given.
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21)
    return misfit(w, 'the number is too large to be sent exactly');
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = s;
  if (typeof minimum === 'number' && value < minimum) return misfit(w, `at least ${minimum} is expected`);
  if (typeof maximum === 'number' && value > maximum) return misfit(w, `at most ${maximum} is expected`);
  if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum)
    return misfit(w, `more than ${exclusiveMinimum} is expected`);
  if (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum)
    return misfit(w, `less than ${exclusiveMaximum} is expected`);
  if (typeof multipleOf === 'number' && multipleOf > 0) {
    const times = value / multipleOf;
    // 0.3 is a multiple of 0.1 to everybody but binary floating point.
    if (Math.abs(times - Math.round(times)) > 1e-9 * Math.max(1, Math.abs(times)))
      return misfit(w, `a multiple of ${multipleOf} is expected`);
  }
  return undefined;
}

function list(s: Words, value: readonly unknown[], w: Work): Misfit | undefined {
  const { minItems, maxItems } = s;
  if (typeof minItems === 'number' && value.length < minItems)
    return misfit(w, `at least ${minItems} items are expected`);
  if (typeof maxItems === 'number' && value.length > maxItems)
    return misfit(w, `at most ${maxItems} items are expected`);
  if (s['uniqueItems'] === true && new Set(value.map((v) => jcs(v))).size < value.length)
    return misfit(w, 'each item once is expected');
  const first: readonly unknown[] = Array.isArray(s['prefixItems']) ? s['prefixItems'] : [];
  for (const [i, item] of value.entries()) {
    const schema = i < first.length ? first[i] : s['items'];
    const wrong = schema === undefined ? undefined : at(w, String(i), () => judge(schemaOf(schema), item, w));
    if (wrong) return wrong;
  }
  if (s['contains'] !== undefined) {
    const schema = schemaOf(s['contains']);
    const found = value.filter((item) => judge(schema, item, w) === undefined).length;
    const { minContains, maxContains } = s;
    if (
      found < (typeof minContains === 'number' ? minContains : 1) ||
      (typeof maxContains === 'number' && found > maxContains)
    )
      return misfit(w, 'the list does not contain what it must');
  }
  return undefined;
}

function object(s: Words, value: Readonly<Record<string, unknown>>, w: Work): Misfit | undefined {
  const names = Object.keys(value);
  const { minProperties, maxProperties, required, dependentRequired } = s;
  const lacks = Array.isArray(required) ? required.find((r) => !Object.hasOwn(value, String(r))) : undefined;
  if (lacks !== undefined) return at(w, String(lacks), () => misfit(w, 'this is required'));
  if (typeof minProperties === 'number' && names.length < minProperties)
    return misfit(w, `at least ${minProperties} properties are expected`);
  if (typeof maxProperties === 'number' && names.length > maxProperties)
    return misfit(w, `at most ${maxProperties} properties are expected`);
  if (isRecord(dependentRequired))
    for (const [name, needs] of Object.entries(dependentRequired))
      if (Object.hasOwn(value, name) && Array.isArray(needs)) {
        const missing = needs.find((n) => !Object.hasOwn(value, String(n)));
        if (missing !== undefined) return at(w, String(missing), () => misfit(w, `this is required beside ${name}`));
      }
  const properties = isRecord(s['properties']) ? s['properties'] : {};
  const patterns = isRecord(s['patternProperties']) ? Object.entries(s['patternProperties']) : [];
  const rest = s['additionalProperties'];
  for (const name of names) {
    const inner = value[name];
    let known = false;
    if (s['propertyNames'] !== undefined) {
      const wrong = at(w, name, () => judge(schemaOf(s['propertyNames']), name, w));
      if (wrong) return wrong;
    }
    if (Object.hasOwn(properties, name)) {
      known = true;
      const wrong = at(w, name, () => judge(schemaOf(properties[name]), inner, w));
      if (wrong) return wrong;
    }
    for (const [source, schema] of patterns) {
      const p = linearPattern(source);
      if ('refused' in p || !p.test(name)) continue;
      known = true;
      const wrong = at(w, name, () => judge(schemaOf(schema), inner, w));
      if (wrong) return wrong;
    }
    if (known || rest === undefined) continue;
    if (rest === false) return at(w, name, () => misfit(w, 'there is no such argument'));
    const wrong = at(w, name, () => judge(schemaOf(rest), inner, w));
    if (wrong) return wrong;
  }
  return undefined;
}

function combined(s: Words, value: unknown, w: Work): Misfit | undefined {
  for (const inner of listOf(s['allOf'])) {
    const wrong = judge(schemaOf(inner), value, w);
    if (wrong) return wrong;
  }
  const any = listOf(s['anyOf']);
  if (any.length > 0) {
    const wrongs: Misfit[] = [];
    for (const inner of any) {
      const wrong = judge(schemaOf(inner), value, w);
      if (!wrong) break;
      wrongs.push(wrong);
    }
    if (wrongs.length === any.length) return deepest(wrongs) ?? misfit(w, 'it fits none of the forms that are allowed');
  }
  const one = listOf(s['oneOf']);
  if (one.length > 0) {
    const wrongs = one.flatMap((inner) => judge(schemaOf(inner), value, w) ?? []);
    if (wrongs.length === one.length) return deepest(wrongs) ?? misfit(w, 'it fits none of the forms that are allowed');
    if (one.length - wrongs.length > 1) return misfit(w, 'it fits several forms of which exactly one is allowed');
  }
  if (s['not'] !== undefined && judge(schemaOf(s['not']), value, w) === undefined)
    return misfit(w, 'it has a form that is not allowed');
  if (s['if'] !== undefined) {
    const branch = judge(schemaOf(s['if']), value, w) === undefined ? s['then'] : s['else'];
    return branch === undefined ? undefined : judge(schemaOf(branch), value, w);
  }
  return undefined;
}

/** Of several reasons the one that came furthest: the others are about other forms. */
const deepest = (wrongs: readonly Misfit[]): Misfit | undefined =>
  wrongs.toSorted((a, b) => b.path.length - a.path.length)[0];

function at<T>(w: Work, step: string, look: () => T): T {
  w.path.push(step);
  try {
    return look();
  } finally {
    w.path.pop();
  }
}

const misfit = (w: Work, message: string): Misfit => ({ path: [...w.path], message });
const listOf = (v: unknown): readonly unknown[] => (Array.isArray(v) ? v : []);
/** INVARIANT: schemas come from argument-schema.ts; what is none lets nothing through. */
const schemaOf = (v: unknown): Schema => (typeof v === 'boolean' ? v : isRecord(v) ? v : false);
