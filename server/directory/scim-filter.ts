import { Problem } from '#kernel/problem.ts';
import type { Attribute, Path } from './scim-schema.ts';
import { dateTime, isComplex, refuseForbidden, valuesAt, type Complex, type Value } from './scim-value.ts';

export const compareOps = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const;
export type CompareOp = (typeof compareOps)[number];
export type Literal = string | number | boolean | Date;

/**
 * A filter as a tree (RFC 7644 §3.4.2.2), typed by the schema: every attribute exists, every operator fits its type, every value has it.
 * `ne` means "no value is equal", so it is true where there is none, as Okta and Entra expect.
 */
export type Filter =
  | { is: 'and' | 'or'; of: readonly Filter[] }
  | { is: 'not'; of: Filter }
  | { is: 'present'; path: Path }
  | { is: 'compare'; path: Path; op: CompareOp; value: Literal }
  /** `emails[type eq "work" and …]`: one and the same element fits; the paths inside begin at the element. */
  | { is: 'some'; path: Path; where: Filter }
  /** About an attribute that this kind of resource does not have, where two kinds are searched at once. */
  | { is: 'never' };

/** What names mean: the whole resource outside brackets, one attribute inside. */
export type Names = (text: string) => Path | undefined;

export const MAX_FILTER_CHARS = 4096;
export const MAX_FILTER_DEPTH = 32;
export const MAX_FILTER_TERMS = 64;

const refused = (says: string, fix?: string): Problem =>
  new Problem('invalid', 'directory/invalid-filter', { says, fix, more: { scimType: 'invalidFilter' } });

const tooMuch = (says: string): Problem =>
  new Problem('invalid', 'directory/filter-too-large', {
    says,
    fix: 'ask in several requests',
    more: { scimType: 'tooMany' },
  });

/** Parses filter text. Refuses what it does not know by name: an unknown attribute never means "everyone". */
export function parseFilter(text: string, names: Names, quotes: 'always' | 'sometimes' = 'sometimes'): Filter {
  if (text.length > MAX_FILTER_CHARS) throw tooMuch(`the filter is longer than ${MAX_FILTER_CHARS} characters`);
  let at = 0;
  let terms = 0;

  const space = (): void => {
    while (text[at] === ' ' || text[at] === '\t') at++;
  };
  const here = (): string => (at >= text.length ? 'the end of the filter' : JSON.stringify(text.slice(at, at + 20)));
  const word = (): string => {
    const m = /^[^\s()[\]"]+/.exec(text.slice(at, at + MAX_FILTER_CHARS));
    at += m?.[0].length ?? 0;
    return m?.[0] ?? '';
  };
  const peek = (): string => {
    space();
    const back = at;
    const w = word().toLowerCase();
    at = back;
    return w;
  };
  const expect = (c: string): void => {
    space();
    if (text[at] !== c) throw refused(`"${c}" was expected at character ${at + 1}, where there is ${here()}`);
    at++;
  };

  const any = (scope: Names, depth: number): Filter => {
    if (depth > MAX_FILTER_DEPTH)
      throw refused(`the filter is nested deeper than ${MAX_FILTER_DEPTH} levels`, 'ask in several requests');
    return joined('or', () => joined('and', () => term(scope, depth)));
  };
  const joined = (is: 'and' | 'or', next: () => Filter): Filter => {
    const first = next();
    const of = [first];
    while (peek() === is) {
      at += is.length;
      of.push(next());
    }
    return of.length > 1 ? { is, of } : first;
  };
  const term = (scope: Names, depth: number): Filter => {
    space();
    if (text[at] === '(') {
      at++;
      const inner = any(scope, depth + 1);
      expect(')');
      return inner;
    }
    const name = word();
    if (name === '') throw refused(`an attribute was expected at character ${at + 1}, where there is ${here()}`);
    if (name.toLowerCase() === 'not') {
      space();
      if (text[at] === '(') {
        at++;
        const inner = any(scope, depth + 1);
        expect(')');
        return { is: 'not', of: inner };
      }
    }
    if (++terms > MAX_FILTER_TERMS) throw tooMuch(`the filter has more than ${MAX_FILTER_TERMS} terms`);
    refuseForbidden(name);
    const path = scope(name);
    if (!path) throw refused(`there is no attribute "${name.slice(0, 100)}"`, 'name an attribute of /Schemas');
    if (text[at] === '[') {
      at++;
      const last = path.at(-1) ?? path[0];
      if (last.type !== 'complex') throw refused(`${name} has no parts, so brackets cannot follow it`);
      const where = any(elementNames(last), depth + 1);
      expect(']');
      // Entra asks `emails[type eq "work"].value eq "…"`: one and the same element fits both.
      const tail = /^\.[A-Za-z$][\w$-]*/.exec(text.slice(at, at + 200))?.[0];
      if (tail === undefined) return { is: 'some', path, where };
      at += tail.length;
      const sub = elementNames(last)(tail.slice(1));
      if (!sub) throw refused(`there is no attribute "${name.slice(0, 100)}${tail}"`, 'name an attribute of /Schemas');
      const then = comparison(`${name}${tail}`, sub);
      return then.is === 'compare' && then.op === 'ne'
        ? { is: 'not', of: { is: 'some', path, where: { is: 'and', of: [where, { ...then, op: 'eq' }] } } }
        : { is: 'some', path, where: { is: 'and', of: [where, then] } };
    }
    return comparison(name, path);
  };

  const comparison = (name: string, path: Path): Filter => {
    space();
    const op = word().toLowerCase();
    if (op === 'pr') return { is: 'present', path };
    if (!isOp(op))
      throw refused(
        `${op === '' ? here() : `"${op.slice(0, 20)}"`} is not an operator; ${compareOps.join(', ')} and pr are`,
      );
    space();
    const full = comparable(name, path);
    return typedCompare(name, full, op, literal(name, full, op));
  };

  /** A JSON value or, as Entra's documentation has it, a bare word after `eq`. */
  const literal = (name: string, path: Path, op: CompareOp): string | null => {
    if (text[at] === '"') {
      let end = at + 1;
      while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
      if (end >= text.length) throw refused(`the string that begins at character ${at + 1} has no end`);
      const raw = text.slice(at, end + 1);
      at = end + 1;
      try {
        return String(JSON.parse(raw));
      } catch (e) {
        throw new Problem('invalid', 'directory/invalid-filter', {
          says: `the string ${raw.slice(0, 60)} is not a JSON string`,
          fix: 'escape as JSON does',
          more: { scimType: 'invalidFilter' },
          because: e,
        });
      }
    }
    const bare = word();
    if (bare === '') throw refused(`a value was expected at character ${at + 1}, where there is ${here()}`);
    if (bare === 'null') return null;
    const type = (path.at(-1) ?? path[0]).type;
    if (type === 'boolean' || type === 'integer' || type === 'decimal') return bare;
    if (op === 'eq' && quotes === 'sometimes') return bare;
    throw refused(`the value after ${name} ${op} must be in double quotes`);
  };

  const tree = any(names, 1);
  space();
  if (at < text.length) throw refused(`nothing more was expected at character ${at + 1}, where there is ${here()}`);
  return tree;
}

const isOp = (s: string): s is CompareOp => (compareOps as readonly string[]).includes(s);

/** Names inside `attribute[…]`. */
export const elementNames =
  (a: Attribute): Names =>
  (text) => {
    const sub = a.sub.find((s) => s.name.toLowerCase() === text.toLowerCase());
    return sub && [sub];
  };

/** `emails eq "x"` means `emails.value eq "x"` (RFC 7644 §3.4.2.2); Entra asks `members eq "id"`. */
function comparable(name: string, path: Path): Path {
  const last = path.at(-1) ?? path[0];
  if (last.type !== 'complex') return path;
  const value = last.sub.find((s) => s.name === 'value');
  if (!value)
    throw refused(`${name} has parts; name one of them: ${last.sub.map((s) => `${name}.${s.name}`).join(', ')}`);
  return [...path, value];
}

const text = new Set(['string', 'reference', 'binary']);

function typedCompare(name: string, path: Path, op: CompareOp, value: string | null): Filter {
  const { type } = path.at(-1) ?? path[0];
  if (value === null) {
    if (op === 'eq') return { is: 'not', of: { is: 'present', path } };
    if (op === 'ne') return { is: 'present', path };
    throw refused(`null can be compared by eq and ne only`);
  }
  const unfit = (): Problem => refused(`${name} is a ${type}; "${op}" does not apply to it`);
  const misfit = (): Problem => refused(`${name} is a ${type}; ${JSON.stringify(value.slice(0, 60))} is none`);
  if (text.has(type)) {
    if (value.includes('\u0000')) throw misfit();
    return { is: 'compare', path, op, value };
  }
  if (op === 'co' || op === 'sw' || op === 'ew') throw unfit();
  if (type === 'boolean') {
    if (op !== 'eq' && op !== 'ne') throw unfit();
    const low = value.toLowerCase();
    if (low !== 'true' && low !== 'false') throw misfit();
    return { is: 'compare', path, op, value: low === 'true' };
  }
  if (type === 'dateTime') {
    const d = dateTime(value);
    if (!d) throw misfit();
    return { is: 'compare', path, op, value: d };
  }
  const n = /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : undefined;
  if (n === undefined || (type === 'integer' && !Number.isInteger(n))) throw misfit();
  return { is: 'compare', path, op, value: n };
}

/** A filter as text again, in the schema's spelling. */
export function filterText(f: Filter): string {
  const name = (path: Path): string => path.map((a) => a.name).join('.');
  switch (f.is) {
    case 'and':
    case 'or':
      return `(${f.of.map(filterText).join(` ${f.is} `)})`;
    case 'not':
      return `not (${filterText(f.of)})`;
    case 'never':
      return 'never';
    case 'present':
      return `${name(f.path)} pr`;
    case 'some':
      return `${name(f.path)}[${filterText(f.where)}]`;
    case 'compare':
      return `${name(f.path)} ${f.op} ${JSON.stringify(f.value)}`;
  }
}

/** Whether case counts not, so that both sides are folded before they are compared. */
export const folds = (a: Attribute): boolean => a.type === 'string' && !a.caseExact;

/** Case folding of our own, so that keys do not depend on the locale of a database. */
export const fold = (s: string): string => s.toLowerCase();

/** Whether a resource, or an element, fits. PATCH uses it on elements; lists are filtered by SQL (scim-filter.sql.ts), which must agree. */
export function matches(f: Filter, from: Complex): boolean {
  switch (f.is) {
    case 'and':
      return f.of.every((x) => matches(x, from));
    case 'or':
      return f.of.some((x) => matches(x, from));
    case 'not':
      return !matches(f.of, from);
    case 'never':
      return false;
    case 'present':
      return valuesAt(from, f.path).length > 0;
    case 'some':
      return valuesAt(from, f.path).some((e) => isComplex(e) && matches(f.where, e));
    case 'compare': {
      const last = f.path.at(-1) ?? f.path[0];
      const values = valuesAt(from, f.path);
      return f.op === 'ne'
        ? !values.some((v) => compares(last, 'eq', v, f.value))
        : values.some((v) => compares(last, f.op, v, f.value));
    }
  }
}

function compares(a: Attribute, op: CompareOp, left: Value, right: Literal): boolean {
  if (typeof right === 'string' && typeof left === 'string') {
    const [l, r] = folds(a) ? [fold(left), fold(right)] : [left, right];
    if (op === 'co') return l.includes(r);
    if (op === 'sw') return l.startsWith(r);
    if (op === 'ew') return l.endsWith(r);
    return ordered(op, Buffer.compare(Buffer.from(l), Buffer.from(r)));
  }
  if (right instanceof Date && typeof left === 'string')
    return ordered(op, Math.sign(new Date(left).getTime() - right.getTime()));
  if (typeof right === 'number' && typeof left === 'number') return ordered(op, Math.sign(left - right));
  return op === 'eq' && left === right;
}

function ordered(op: CompareOp, sign: number): boolean {
  if (op === 'eq') return sign === 0;
  if (op === 'gt') return sign > 0;
  if (op === 'ge') return sign >= 0;
  if (op === 'lt') return sign < 0;
  return op === 'le' && sign <= 0;
}
