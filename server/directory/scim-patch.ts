import { Problem } from '#kernel/problem.ts';
import { elementNames, filterText, parseFilter, type Filter } from './scim-filter.ts';
import { findPath, findResourcePath, type Attribute, type Path, type Resource } from './scim-schema.ts';
import {
  isObject,
  refuseForbidden,
  refuseOtherId,
  typedElement,
  typedValue,
  type Ignored,
  type Value,
} from './scim-value.ts';

/** Where an operation points: an attribute, or those elements of a multi-valued one that fit `where`, and of them perhaps one part. */
export type Target = { path: Path; where?: Filter; sub?: Attribute };

/** One change, typed by the schema: what a vendor's spelling meant. `value` undefined means "none". */
export type PatchOp =
  | { op: 'add' | 'replace'; at: Target; value: Value | undefined }
  /** `only`: the listed elements of a multi-valued attribute (Entra), else all that the target names. */
  | { op: 'remove'; at: Target; only?: readonly Value[] };

/** An operation as the journal shows it: what it meant, in the schema's own words. */
export function shownOp(op: PatchOp): { op: PatchOp['op']; path: string; value?: unknown } {
  const { path, where, sub } = op.at;
  const value = op.op === 'remove' ? op.only : (op.value ?? null);
  return {
    op: op.op,
    path: `${path.map((a) => a.name).join('.')}${where ? `[${filterText(where)}]` : ''}${sub ? `.${sub.name}` : ''}`,
    ...(value === undefined ? {} : { value }),
  };
}

/** A request of more operations than any client sends at once is a mistake or an attack. */
export const MAX_PATCH_OPS = 1000;

const bad = (scimType: string, code: `directory/${string}`, index: number, says: string, fix?: string): Problem =>
  new Problem('invalid', code, { says: `operation ${index}: ${says}`, fix, more: { scimType, operation: index } });

/**
 * Reads a PatchOp (RFC 7644 §3.5.2) in every spelling that vendors document. All operations are read before any is applied, so a request
 * is applied whole or not at all.
 */
export function parsePatch(
  r: Resource,
  body: unknown,
  ownId: string,
  ignored: Ignored,
  refuse: (ignored: Ignored) => void = () => undefined,
): PatchOp[] {
  const raw = isObject(body) ? keyOf(body, 'operations') : undefined;
  if (!Array.isArray(raw) || raw.length === 0 || raw.length > MAX_PATCH_OPS)
    throw new Problem('invalid', 'directory/no-operations', {
      says: `a PATCH must have a list "Operations" of 1 to ${MAX_PATCH_OPS} operations`,
      fix: 'send {"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[…]}',
      more: { scimType: 'invalidSyntax' },
    });
  const ops = raw.flatMap((o: unknown, i) => parseOp(r, o, i, ownId, ignored));
  refuse(ignored);
  return ops;
}

/** A member of the envelope in any case: Entra writes `Operations`, others `operations`. */
function keyOf(o: Record<string, unknown>, low: string): unknown {
  const key = Object.keys(o).find((k) => k.toLowerCase() === low);
  return key === undefined ? undefined : o[key];
}

function parseOp(r: Resource, raw: unknown, index: number, ownId: string, ignored: Ignored): PatchOp[] {
  if (!isObject(raw)) throw bad('invalidSyntax', 'directory/invalid-operation', index, 'it is not an object');
  for (const k of Object.keys(raw)) refuseForbidden(k);
  const opRaw = keyOf(raw, 'op');
  const op = typeof opRaw === 'string' ? opRaw.toLowerCase() : undefined;
  if (op !== 'add' && op !== 'replace' && op !== 'remove')
    throw bad(
      'invalidSyntax',
      'directory/invalid-operation',
      index,
      opRaw === undefined ? 'it has no "op"' : `${JSON.stringify(opRaw).slice(0, 40)} is not an "op"`,
      'use add, replace or remove',
    );
  const path = keyOf(raw, 'path');
  const value = keyOf(raw, 'value');
  if (path === undefined || path === null || path === '') {
    if (op === 'remove')
      throw bad(
        'noTarget',
        'directory/remove-without-path',
        index,
        'a remove must have a "path"',
        'name what is to be removed',
      );
    if (!isObject(value))
      throw bad(
        'invalidValue',
        'directory/invalid-operation',
        index,
        `a "${op}" without "path" must have an object as "value"`,
      );
    // Each key is a path: Entra and Okta send `name.givenName`, URNs and `emails[type eq "work"].value` as keys.
    return Object.entries(value).flatMap(([key, v]) => one(r, op, key, v, index, ownId, ignored));
  }
  if (typeof path !== 'string') throw bad('invalidPath', 'directory/invalid-path', index, 'its "path" is not a string');
  return one(r, op, path, value, index, ownId, ignored);
}

function one(
  r: Resource,
  op: 'add' | 'replace' | 'remove',
  path: string,
  raw: unknown,
  index: number,
  ownId: string,
  ignored: Ignored,
): PatchOp[] {
  refuseForbidden(path.replace(/"(?:[^"\\]|\\.)*"/g, '""'));
  if (path.toLowerCase() === 'schemas') return [];
  const at = parseTarget(r, path, index);
  if (!at) {
    ignored.add(path.slice(0, 200));
    return [];
  }
  const [top] = at.path;
  if (top.mutability === 'readOnly') {
    // Okta repeats the id when it renames a group. Other read-only attributes are ours and are left alone.
    if (top.name === 'id') refuseOtherId(raw, ownId);
    return [];
  }
  const last = at.sub ?? at.path.at(-1) ?? top;
  // With a filter but no part, the value is one element; else it is whatever the attribute holds.
  const name = path.slice(0, 100);
  const typed = (v: unknown): Value | undefined =>
    at.where && !at.sub
      ? typedElement(last, Array.isArray(v) && v.length === 1 ? v[0] : v, name, ignored)
      : typedValue(last, v, name, ignored);
  if (op !== 'remove') {
    const value = typed(raw);
    // Nothing added is nothing changed; nothing in place of something is its removal (Entra's "", ConductorOne's null).
    return op === 'add' && value === undefined ? [] : [{ op, at, value }];
  }
  if (last.multi && !at.where && raw !== undefined && raw !== null && raw !== '') {
    const only = typedValue(last, raw, name, ignored);
    if (Array.isArray(only)) return [{ op, at, only: only as readonly Value[] }];
    // ConductorOne takes roles away by an empty list. Of people, an empty list removes nobody.
    if (last.name === 'members') return [];
  }
  return [{ op, at }];
}

/** Undefined: the path is well formed, but no schema has the attribute. */
function parseTarget(r: Resource, text: string, index: number): Target | undefined {
  const invalid = (says: string): Problem =>
    bad('invalidPath', 'directory/invalid-path', index, `the path ${JSON.stringify(text.slice(0, 100))} ${says}`);
  const open = text.indexOf('[');
  if (open < 0) {
    if (!/^[A-Za-z$][\w$:.-]*$/.test(text)) throw invalid('is not an attribute');
    const path = findResourcePath(r, text);
    return path && split(path);
  }
  const name = text.slice(0, open);
  if (!/^[A-Za-z$][\w$:.-]*$/.test(name)) throw invalid('does not begin with an attribute');
  let close = open + 1;
  for (let quoted = false; close < text.length && (quoted || text[close] !== ']'); close++) {
    if (quoted && text[close] === '\\') close++;
    else if (text[close] === '"') quoted = !quoted;
  }
  if (close >= text.length) throw invalid('has no "]"');
  const tail = text.slice(close + 1);
  if (tail !== '' && !/^\.[A-Za-z$][\w$-]*$/.test(tail)) throw invalid('has something after "]" that is not ".part"');
  const path = findResourcePath(r, name);
  if (!path) return undefined;
  const last = path.at(-1) ?? path[0];
  if (!last.multi || last.type !== 'complex') throw invalid(`has a filter, but ${name} is not a list of objects`);
  const where = parseFilter(text.slice(open + 1, close), elementNames(last));
  if (tail === '') return { path, where };
  const sub = findPath(last.sub, tail.slice(1))?.[0];
  return sub && { path, where, sub };
}

/** `emails.value` is a part of every element; the path ends at the list. */
function split(path: Path): Target {
  const multi = path.findIndex((a) => a.multi);
  const sub = multi >= 0 ? path[multi + 1] : undefined;
  const [first, ...rest] = path.slice(0, multi + 1);
  return sub && first ? { path: [first, ...rest], sub } : { path };
}
