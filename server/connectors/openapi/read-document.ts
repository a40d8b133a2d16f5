import { isAlias, parseDocument, visit } from 'yaml';
import { MAX_JSON_DEPTH, parseJsonText } from '#kernel/json.ts';
import { MiB } from '#kernel/limits.ts';
import { Problem } from '#kernel/problem.ts';
import { isRecord } from '../tool.ts';
import { badDocument, placeOf, wordOf } from './refusal.ts';

/** The description of one service; what is larger describes several. */
export const MAX_DOCUMENT_BYTES = 4 * MiB;
/** YAML takes many times as long to read as JSON, and nobody else is served meanwhile. */
const MAX_YAML_BYTES = 1 * MiB;
/** Values in it, with everything that aliases repeat. */
const MAX_VALUES = 400_000;
/** Aliases are for sharing a few things; a document with more is one that expands. */
const MAX_ALIASES = 200;
/** Deeper nesting in one line of YAML than any document has, and than its parser survives. */
const MAX_OPEN_BRACKETS = 200;

export type Version = '3.0' | '3.1';
export type OpenApiDocument = { version: Version; root: Readonly<Record<string, unknown>> };

/** An OpenAPI document out of text (JSON or YAML) or out of a value that was JSON. Bounded, and read in one way only. */
export function readDocument(given: string | Readonly<Record<string, unknown>>): OpenApiDocument {
  const value = typeof given === 'string' ? parsed(given) : given;
  if (!isRecord(value)) throw badDocument('#', 'the document is not an object', 'give an OpenAPI document');
  bounded(value);
  return { version: versionOf(value), root: value };
}

function parsed(text: string): unknown {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_DOCUMENT_BYTES) throw badDocument('#', `the document is larger than ${MAX_DOCUMENT_BYTES} bytes`);
  const plain = text.replace(/^\ufeff/, '');
  if (/^\s*[{[]/.test(plain)) {
    try {
      return parseJsonText(plain);
    } catch (e) {
      // What begins with a bracket may be YAML in its flow style.
      const says = e instanceof Problem ? e.says.replace(/^the body/, 'the document') : 'it cannot be read';
      if (!(e instanceof Problem && e.code === 'http/not-json')) throw badDocument('#', says);
      if (bytes > MAX_YAML_BYTES) throw badDocument('#', says);
    }
  }
  if (bytes > MAX_YAML_BYTES)
    throw badDocument('#', `the document is YAML of more than ${MAX_YAML_BYTES} bytes`, 'give it as JSON');
  return fromYaml(plain);
}

function fromYaml(text: string): unknown {
  if (deepestRun(text) > MAX_OPEN_BRACKETS) throw badDocument('#', 'it is nested deeper than any document is');
  try {
    const doc = parseDocument(text, { version: '1.2', schema: 'core', uniqueKeys: true, prettyErrors: true });
    const [wrong] = [...doc.errors, ...doc.warnings];
    if (wrong) throw badDocument('#', `it is not YAML that means one thing: ${wrong.message.split('\n')[0] ?? ''}`);
    let aliases = 0;
    visit(doc, {
      Alias(_, node) {
        if (isAlias(node)) aliases++;
        return aliases > MAX_ALIASES ? visit.BREAK : undefined;
      },
    });
    if (aliases > MAX_ALIASES)
      throw badDocument('#', `it has more than ${MAX_ALIASES} aliases (*name)`, 'write out what they stand for');
    return doc.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (e) {
    if (e instanceof Problem) throw e;
    // The parser's own limits: aliases that repeat each other, and its stack.
    throw badDocument('#', `it cannot be read as YAML: ${e instanceof Error ? (e.message.split('\n')[0] ?? '') : ''}`);
  }
}

/** Brackets open at once, and markers of lists and keys in one line: what makes the parser go deeper. Strings count, which does no harm. */
function deepestRun(text: string): number {
  let deepest = 0;
  let open = 0;
  let inLine = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x5b || c === 0x7b) open++;
    else if (c === 0x5d || c === 0x7d) open = Math.max(0, open - 1);
    else if (c === 0x0a) inLine = 0;
    else if ((c === 0x2d || c === 0x3f || c === 0x3a) && text.charCodeAt(i + 1) === 0x20) inLine++;
    deepest = Math.max(deepest, open, inLine);
  }
  return deepest;
}

/** INVARIANT (bounded): every later reader may walk the whole document; aliases count for what they repeat. */
function bounded(root: unknown): void {
  let values = 0;
  const steps: (string | number)[] = [];
  const walk = (value: unknown): void => {
    if (++values > MAX_VALUES)
      throw badDocument('#', `it has more than ${MAX_VALUES} values, with what aliases repeat`);
    if (steps.length > MAX_JSON_DEPTH)
      throw badDocument(placeOf(steps), `it is nested deeper than ${MAX_JSON_DEPTH} levels`);
    if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value)))
      throw badDocument(placeOf(steps), 'it has a number that JSON does not have');
    if (typeof value === 'string' && !value.isWellFormed())
      throw badDocument(placeOf(steps), 'it has half of a surrogate pair');
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      steps.push(key);
      walk(inner);
      steps.pop();
    }
  };
  walk(root);
}

function versionOf(root: Readonly<Record<string, unknown>>): Version {
  if (Object.hasOwn(root, 'swagger'))
    throw badDocument(
      '#/swagger',
      'this is a Swagger 2.0 document; OpenAPI 3.0 and 3.1 are read',
      'convert it to OpenAPI 3 (the Swagger editor and swagger2openapi do that) and give what comes of it',
    );
  const said = Object.hasOwn(root, 'openapi') ? wordOf(root['openapi']) : undefined;
  if (said === undefined)
    throw badDocument(
      '#/openapi',
      'the document does not say which OpenAPI it is',
      'give a document with "openapi": "3.0.x" or "3.1.x"',
    );
  const [, version] = /^(3\.[01])(?:\.\d+)?(?:-[\w.]+)?$/.exec(said) ?? [];
  if (version === '3.0' || version === '3.1') return version;
  throw badDocument(
    '#/openapi',
    `OpenAPI ${said.slice(0, 20)} is not read; 3.0 and 3.1 are`,
    'give it as OpenAPI 3.0 or 3.1',
  );
}
