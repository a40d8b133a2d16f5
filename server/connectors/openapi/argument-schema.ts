import { escapeSegment } from '#kernel/json-pointer.ts';
import { linearPattern } from '#kernel/linear-pattern.ts';
import { visible } from '#kernel/visible.ts';
import { pointedAt } from '../json-schema.ts';
import { isRecord } from '../tool.ts';
import type { OpenApiDocument } from './read-document.ts';
import { Unfit } from './refusal.ts';

/** JSON Schema 2020-12 of our own making: every word of it is one that check-value.ts knows. */
export type Schema = boolean | { readonly [word: string]: unknown };

/** Schemas of one operation, with those that it refers to; a form with more is one that nobody reviews. */
const MAX_SCHEMAS = 4000;
const MAX_WORDS = 600;
const types = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'] as const;
const numbers = ['minimum', 'maximum', 'multipleOf'] as const;
const counts = [
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'minContains',
  'maxContains',
] as const;
const inside = ['not', 'if', 'then', 'else', 'contains', 'propertyNames'] as const;
const several = ['allOf', 'anyOf', 'oneOf', 'prefixItems'] as const;

/** Makes the schemas of one operation, and keeps what they refer to once each, so that trees stay trees. */
export type SchemaMaker = {
  /** The schema at a place of the document, as what a request must fit. */
  of(schema: unknown, at: string): Schema;
  /** Those that others point at, by `#/$defs/{name}`. */
  defs(): Readonly<Record<string, Schema>>;
};

/** @param words whether descriptions inside are kept; without them a definition is smaller */
export function schemaMaker({ root, version }: OpenApiDocument, words: boolean): SchemaMaker {
  const defs = new Map<string, Schema>();
  const names = new Map<string, string>();
  let made = 0;

  /** The name of what a reference leads to, which is made if it was not. */
  const named = (ref: string, at: string): string => {
    const known = names.get(ref);
    if (known !== undefined) return known;
    const target = resolved(root, ref, at);
    const wanted = (/([^/]*)$/.exec(ref)?.[1] ?? '').replace(/[^A-Za-z0-9_]/g, '_').slice(0, 60) || 'schema';
    let name = /^_*(?:proto|constructor|prototype)_*$/.test(wanted) ? `schema_${wanted}` : wanted;
    for (let n = 2; [...names.values()].includes(name); n++) name = `${wanted}_${n}`;
    names.set(ref, name);
    defs.set(name, make(target, ref));
    return name;
  };

  const make = (schema: unknown, at: string): Schema => {
    if (++made > MAX_SCHEMAS) throw new Unfit(at, `its arguments come to more than ${MAX_SCHEMAS} schemas`);
    if (typeof schema === 'boolean') return schema;
    if (!isRecord(schema)) throw new Unfit(at, 'this is not a schema');
    const ref = own(schema, '$ref');
    if (ref !== undefined) {
      if (typeof ref !== 'string') throw new Unfit(`${at}/$ref`, 'a $ref is a text');
      const pointer = { $ref: `#/$defs/${named(ref, `${at}/$ref`)}` };
      // In 3.0 what stands beside a reference means nothing.
      if (version === '3.0') return pointer;
      const { $ref: _, ...beside } = schema;
      const more = wordsOf(beside, at);
      return typeof more === 'object' ? { ...more, ...pointer } : pointer;
    }
    return wordsOf(schema, at);
  };

  const wordsOf = (s: Readonly<Record<string, unknown>>, at: string): Schema => {
    const out: Record<string, unknown> = {};
    const type = typeOf(s, at);
    if (type !== undefined) out['type'] = type;
    if (words)
      for (const k of ['title', 'description'] as const) {
        const said = own(s, k);
        if (typeof said === 'string' && said !== '') out[k] = shortened(said);
      }
    const format = own(s, 'format');
    if (typeof format === 'string' && /^[a-z0-9-]{1,40}$/i.test(format)) out['format'] = format;
    const allowed = own(s, 'enum');
    if (allowed !== undefined) {
      if (!Array.isArray(allowed)) throw new Unfit(`${at}/enum`, 'an enum is a list');
      out['enum'] = nullable(s) && !allowed.includes(null) ? [...allowed, null] : allowed;
    }
    if (Object.hasOwn(s, 'const')) out['const'] = s['const'];
    if (Object.hasOwn(s, 'default')) out['default'] = s['default'];
    numbersOf(s, at, out);
    if (own(s, 'uniqueItems') === true) out['uniqueItems'] = true;
    const pattern = own(s, 'pattern');
    // What cannot be run in linear time is the service's to judge.
    if (typeof pattern === 'string' && !('refused' in linearPattern(pattern))) out['pattern'] = pattern;
    for (const k of inside) if (isSchema(own(s, k))) out[k] = make(s[k], `${at}/${k}`);
    for (const k of several) {
      const list = own(s, k);
      if (list === undefined) continue;
      if (!Array.isArray(list) || list.length === 0) throw new Unfit(`${at}/${k}`, 'this is a list of schemas');
      out[k] = list.map((inner: unknown, i) => make(inner, `${at}/${k}/${i}`));
    }
    if (isSchema(own(s, 'items'))) out['items'] = make(s['items'], `${at}/items`);
    objectOf(s, at, out);
    // Of a nullable one without a type (`allOf` and a reference, mostly) no word says that null fits.
    return nullable(s) && type === undefined && !Object.hasOwn(s, 'enum') && Object.keys(out).length > 0
      ? { anyOf: [out, { type: 'null' }] }
      : out;
  };

  const objectOf = (s: Readonly<Record<string, unknown>>, at: string, out: Record<string, unknown>): void => {
    const properties = own(s, 'properties');
    const hidden = new Set<string>();
    if (properties !== undefined) {
      if (!isRecord(properties)) throw new Unfit(`${at}/properties`, 'properties are an object');
      out['properties'] = Object.fromEntries(
        Object.entries(properties).flatMap(([name, inner]) => {
          // The service writes these; whoever sends one is refused or not heard.
          if (isReadOnly(root, inner)) {
            hidden.add(name);
            return [];
          }
          return [[name, make(inner, `${at}/properties/${escapeSegment(name)}`)]];
        }),
      );
    }
    const required = own(s, 'required');
    // A boolean here is what JSON Schema's third draft said, and some generators still do.
    if (Array.isArray(required)) {
      const needed = [...new Set(required.filter((r) => typeof r === 'string'))].filter((r) => !hidden.has(r));
      if (needed.length > 0) out['required'] = needed;
    }
    const rest = own(s, 'additionalProperties');
    if (isSchema(rest)) out['additionalProperties'] = make(rest, `${at}/additionalProperties`);
    const dependent = own(s, 'dependentRequired');
    if (
      isRecord(dependent) &&
      Object.values(dependent).every((d) => Array.isArray(d) && d.every((n) => typeof n === 'string'))
    )
      out['dependentRequired'] = dependent;
    const patterns = own(s, 'patternProperties');
    if (isRecord(patterns))
      out['patternProperties'] = Object.fromEntries(
        Object.entries(patterns).map(([source, inner]) => {
          const p = linearPattern(source);
          const place = `${at}/patternProperties/${escapeSegment(source)}`;
          if ('refused' in p) throw new Unfit(place, `the pattern cannot be run in linear time: ${p.refused}`);
          return [source, make(inner, place)];
        }),
      );
  };

  const nullable = (s: Readonly<Record<string, unknown>>): boolean => version === '3.0' && own(s, 'nullable') === true;

  const typeOf = (s: Readonly<Record<string, unknown>>, at: string): unknown => {
    const said = own(s, 'type');
    if (said === undefined) return undefined;
    const all: unknown[] = Array.isArray(said) ? said : [said];
    const strange = all.find((t) => !types.some((known) => known === t));
    if (strange !== undefined || all.length === 0)
      throw new Unfit(`${at}/type`, `${JSON.stringify(strange ?? said).slice(0, 40)} is no type of JSON Schema`);
    if (nullable(s) && !all.includes('null')) all.push('null');
    return all.length === 1 ? all[0] : all;
  };

  return { of: make, defs: () => Object.fromEntries(defs) };
}

/** Where a reference leads; only places in the same document are followed. */
export function resolved(root: unknown, ref: string, at: string): unknown {
  const target = ref.startsWith('#/') ? pointedAt(root, ref) : undefined;
  if (target !== undefined) return target;
  throw new Unfit(
    at,
    ref.startsWith('#')
      ? `the $ref ${visible(ref).slice(0, 200)} leads nowhere`
      : `the $ref ${visible(ref).slice(0, 200)} leads out of the document; nothing is fetched from elsewhere`,
  );
}

/** What stands at a place, with references followed; in a ring there is nothing. */
export function followed(root: unknown, value: unknown, at: string): { value: unknown; at: string } {
  let here = { value, at };
  for (let hops = 0; isRecord(here.value) && typeof here.value['$ref'] === 'string'; hops++) {
    if (hops > 16) throw new Unfit(at, 'its $ref leads to another and so on, and never to anything');
    const ref = here.value['$ref'];
    here = { value: resolved(root, ref, `${here.at}/$ref`), at: ref };
  }
  return here;
}

const own = (s: Readonly<Record<string, unknown>>, word: string): unknown =>
  Object.hasOwn(s, word) ? s[word] : undefined;
const isSchema = (v: unknown): boolean => typeof v === 'boolean' || isRecord(v);
const shortened = (said: string): string => visible(said.trim()).slice(0, MAX_WORDS);

function isReadOnly(root: unknown, schema: unknown): boolean {
  if (!isRecord(schema)) return false;
  if (own(schema, 'readOnly') === true) return true;
  const ref = own(schema, '$ref');
  const target = typeof ref === 'string' ? pointedAt(root, ref) : undefined;
  return isRecord(target) && own(target, 'readOnly') === true;
}

function numbersOf(s: Readonly<Record<string, unknown>>, at: string, out: Record<string, unknown>): void {
  for (const k of [...numbers, ...counts]) {
    const v = own(s, k);
    if (v === undefined || v === null) continue;
    if (typeof v !== 'number') throw new Unfit(`${at}/${k}`, 'this is a number');
    out[k] = v;
  }
  for (const [exclusive, plain] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    const v = own(s, exclusive);
    if (typeof v === 'number') out[exclusive] = v;
    // In 3.0 it is a switch for the limit beside it.
    else if (v === true && out[plain] !== undefined) {
      out[exclusive] = out[plain];
      delete out[plain];
    }
  }
}
