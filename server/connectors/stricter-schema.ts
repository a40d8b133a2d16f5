import { jcs } from '@gatehouse/contract/jcs.ts';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { KiB } from '#kernel/limits.ts';
import { linearPattern } from '#kernel/linear-pattern.ts';
import { visible } from '#kernel/visible.ts';
import { step } from './diff-definition.ts';
import { allSubschemas, costOf, pointedAt } from './json-schema.ts';
import { isRecord } from './tool.ts';

/** What an argument is not that it must be: where, and what the reviewer's schema expected. */
export type Misfit = { at: string; expected: string };
export type ArgumentCheck = (args: unknown) => Misfit | undefined;

/** A rule about arguments, not a document format. */
const MAX_STRICTER_BYTES = 16 * KiB;
const MAX_STRICTER_NODES = 500;
const MAX_STRICTER_DEPTH = 16;
/** Comparing every item with every other: as many as this are compared at once. */
const MAX_UNIQUE_ITEMS = 1000;
const formats = ['date', 'date-time', 'time', 'email', 'hostname', 'ipv4', 'ipv6', 'uri', 'uuid'] as const;
const refusedKeywords = ['$id', '$anchor', '$dynamicRef', '$dynamicAnchor', '$vocabulary', '$recursiveRef'];
const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/**
 * A reviewer's schema as it is stored, or why it cannot be used. Bounded, without a loop and without anything outside it, so that judging
 * arguments by it takes time linear in them.
 */
export function readStricter(schema: unknown): { text: string } | { refused: string } {
  if (!isRecord(schema)) return { refused: 'it is not a JSON object' };
  let text: string;
  try {
    text = jcs(schema);
  } catch {
    return { refused: 'it has no canonical JSON form' };
  }
  if (Buffer.byteLength(text) > MAX_STRICTER_BYTES) return { refused: `it is larger than ${MAX_STRICTER_BYTES} bytes` };
  if (text.includes('\\u0000')) return { refused: 'it has the character U+0000' };
  if (schema['type'] !== 'object') return { refused: 'its "type" is not "object", which arguments always are' };
  if ('$schema' in schema && schema['$schema'] !== DIALECT)
    return { refused: `its "$schema" is not ${DIALECT}, the only dialect that is judged by` };
  const bad = wrongIn(schema, schema, '', 1);
  if (bad !== undefined) return { refused: bad };
  const cost = costOf(schema);
  if (cost.endless || cost.recursive) return { refused: 'a $ref in it leads back to itself' };
  if (cost.nodes > MAX_STRICTER_NODES || cost.expanded > MAX_STRICTER_NODES)
    return { refused: `it comes to more than ${MAX_STRICTER_NODES} schemas, with what its references repeat` };
  try {
    compile(schema);
  } catch (e) {
    return { refused: visible(e instanceof Error ? e.message : String(e)).slice(0, 300) };
  }
  return { text };
}

function wrongIn(root: unknown, schema: unknown, at: string, depth: number): string | undefined {
  if (typeof schema === 'boolean') return undefined;
  if (!isRecord(schema)) return `${at} is not a schema`;
  if (depth > MAX_STRICTER_DEPTH) return `it is nested deeper than ${MAX_STRICTER_DEPTH} schemas`;
  for (const k of refusedKeywords)
    if (k in schema) return `${at}/${k} is not supported: name what is used again in $defs`;
  if ('$ref' in schema && pointedAt(root, schema['$ref']) === undefined)
    return `${at}/$ref does not lead to a place in this schema; nothing is fetched from elsewhere`;
  const pattern = schema['pattern'];
  if (typeof pattern === 'string') {
    const why = wrongPattern(pattern);
    if (why !== undefined) return `${at}/pattern cannot be run in linear time: ${why}`;
  }
  if (isRecord(schema['patternProperties']))
    for (const source of Object.keys(schema['patternProperties'])) {
      const why = wrongPattern(source);
      if (why !== undefined) return `${at}/patternProperties${step(source)} cannot be run in linear time: ${why}`;
    }
  const format = schema['format'];
  if (format !== undefined && !formats.some((f) => f === format))
    return `${at}/format is none of ${formats.join(', ')}`;
  const many = schema['maxItems'];
  if (schema['uniqueItems'] === true && !(typeof many === 'number' && many <= MAX_UNIQUE_ITEMS))
    return `${at}/uniqueItems needs a maxItems of at most ${MAX_UNIQUE_ITEMS} beside it`;
  for (const s of allSubschemas(schema)) {
    const below = wrongIn(root, s.schema, at + s.steps.map(step).join(''), depth + 1);
    if (below !== undefined) return below;
  }
  return undefined;
}

/** Both engines must understand it: the linear one runs it, and JSON Schema says what it means by ECMAScript's. */
function wrongPattern(source: string): string | undefined {
  const p = linearPattern(source);
  if ('refused' in p) return p.refused;
  try {
    RegExp(source, 'u');
    return undefined;
  } catch {
    return 'it is not an ECMAScript pattern';
  }
}

function compile(schema: Record<string, unknown>): ValidateFunction {
  const linear = Object.assign(
    (source: string) => {
      const p = linearPattern(source);
      if ('refused' in p) throw new Error(`pattern ${JSON.stringify(source)}: ${p.refused}`);
      // ajv keeps patterns by how they print: two that print alike would be one.
      return { ...p, toString: () => source };
    },
    { code: 'linear' },
  );
  const ajv = new Ajv2020({
    strict: true,
    // What the upstream's schema describes may be required here without being described again.
    strictRequired: false,
    allowUnionTypes: true,
    allErrors: false,
    ownProperties: true,
    logger: false,
    code: { regExp: linear },
  });
  addFormats.default(ajv, [...formats]);
  return ajv.compile(schema);
}

const checks = new Map<string, ArgumentCheck>();
const MAX_CHECKS = 1000;

/** The check that a stored schema comes to; compiled once and kept. */
export function argumentCheck(text: string): ArgumentCheck {
  const known = checks.get(text);
  if (known) return known;
  const parsed: unknown = JSON.parse(text);
  const valid = compile(isRecord(parsed) ? parsed : {});
  const check: ArgumentCheck = (args) => (valid(args) ? undefined : misfit(valid.errors?.[0]));
  if (checks.size >= MAX_CHECKS) checks.clear();
  checks.set(text, check);
  return check;
}

const MAX_WORDS = 200;
/** Words about the schema, which a reviewer wrote, and never about the value, which may be a secret. */
function misfit(e: ErrorObject | undefined): Misfit {
  const p: Record<string, unknown> = isRecord(e?.params) ? e.params : {};
  const name = p['additionalProperty'] ?? p['unevaluatedProperty'];
  if (typeof name === 'string')
    return {
      at: `${shownAt(e)}${step(name)}`,
      expected: 'no such argument: the review names the ones that may be given',
    };
  const allowed: unknown = p['allowedValues'] ?? ('allowedValue' in p ? [p['allowedValue']] : undefined);
  if (Array.isArray(allowed))
    return { at: shownAt(e), expected: `one of ${JSON.stringify(allowed).slice(0, MAX_WORDS)}` };
  return {
    at: shownAt(e),
    expected: visible(e?.message ?? 'to fit the review')
      .replace(/^must /, 'it to ')
      .slice(0, MAX_WORDS),
  };
}
const shownAt = (e: ErrorObject | undefined): string => visible(e?.instancePath ?? '').slice(0, 300);
