import { CedarRecord, CedarSet, equal, EvaluationError, isIn, keyOf, long, Uid } from './value.ts';
import type { EntityData, Facts, Long, Value } from './value.ts';

/** A policy uses something that this compiler leaves to cedar-wasm; `what` names it. */
export class NotCompilable extends Error {
  readonly what: string;
  constructor(what: string) {
    super(`not compilable: ${what}`);
    this.what = what;
  }
}

export type Run = (f: Facts) => Value;

const typeError = (expected: string, v: Value): EvaluationError =>
  new EvaluationError(`type error: expected ${expected}, got ${kindOf(v)}`);

function kindOf(v: Value): string {
  if (typeof v === 'string') return 'string';
  if (typeof v === 'boolean') return 'bool';
  if (typeof v !== 'object') return 'long';
  if (v instanceof Uid) return `entity of type ${v.type}`;
  return v instanceof CedarSet ? 'set' : 'record';
}

const asBool = (v: Value): boolean => {
  if (typeof v !== 'boolean') throw typeError('bool', v);
  return v;
};
const asLong = (v: Value): Long => {
  if (typeof v !== 'number' && typeof v !== 'bigint') throw typeError('long', v);
  return v;
};
const asText = (v: Value): string => {
  if (typeof v !== 'string') throw typeError('string', v);
  return v;
};
const asEntity = (v: Value): Uid => {
  if (!(v instanceof Uid)) throw typeError('entity', v);
  return v;
};
const asSet = (v: Value): CedarSet => {
  if (!(v instanceof CedarSet)) throw typeError('set', v);
  return v;
};

/** Reads an object of Cedar's JSON form; anything of another shape is not ours to guess at. */
export function fieldsOf(json: unknown): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new NotCompilable('an unknown form');
  return Object.fromEntries(Object.entries(json));
}
export function textOf(json: unknown): string {
  if (typeof json !== 'string') throw new NotCompilable('an unknown form');
  return json;
}
function listOf(json: unknown): unknown[] {
  if (!Array.isArray(json)) throw new NotCompilable('an unknown form');
  return json;
}

/** An entity as Cedar's JSON writes it: `{type, id}`, with or without `__entity` around. */
export function uidOf(json: unknown): Uid {
  const outer = fieldsOf(json);
  const { type, id } = '__entity' in outer ? fieldsOf(outer['__entity']) : outer;
  return new Uid(textOf(type), textOf(id));
}

/** A value as Cedar's JSON writes it. */
export function valueOf(json: unknown): Value {
  if (typeof json === 'string' || typeof json === 'boolean') return json;
  if (typeof json === 'number') {
    // cedar-wasm hands over 64-bit literals as doubles and rounds them; a rounded literal is never a safe integer, so we cannot be fooled.
    if (!Number.isSafeInteger(json)) throw new NotCompilable('an integer beyond 2^53');
    return json;
  }
  if (Array.isArray(json)) return new CedarSet(json.map(valueOf));
  const fields = fieldsOf(json);
  if ('__entity' in fields) return uidOf(json);
  if ('__extn' in fields || '__expr' in fields) throw new NotCompilable('an extension value');
  return new CedarRecord(new Map(Object.entries(fields).map(([k, v]) => [k, valueOf(v)])));
}

function add(a: Long, b: Long): Long {
  if (typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(a + b)) return a + b;
  return long(BigInt(a) + BigInt(b));
}
function subtract(a: Long, b: Long): Long {
  if (typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(a - b)) return a - b;
  return long(BigInt(a) - BigInt(b));
}
function multiply(a: Long, b: Long): Long {
  if (typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(a * b)) return a * b;
  return long(BigInt(a) * BigInt(b));
}

/** `like`: the pieces between wildcards must occur in this order, the first at the start and the last at the end. No backtracking. */
function likeMatcher(pattern: readonly unknown[]): (text: string) => boolean {
  const pieces = [''];
  for (const p of pattern) {
    if (p === 'Wildcard') pieces.push('');
    else pieces.push((pieces.pop() ?? '') + textOf(fieldsOf(p)['Literal']));
  }
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (pieces.length === 1) return (text) => text === first;
  const middle = pieces.slice(1, -1);
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    const end = text.length - last.length;
    for (const piece of middle) {
      const found = text.indexOf(piece, at);
      if (found < 0 || found + piece.length > end) return false;
      at = found + piece.length;
    }
    return true;
  };
}

function attributesOf(f: Facts, v: Value): ReadonlyMap<string, Value> | undefined {
  if (v instanceof CedarRecord) return v.fields;
  if (v instanceof Uid) return f.entities.get(v.key)?.attrs;
  throw typeError('record or entity', v);
}

function attribute(f: Facts, v: Value, name: string): Value {
  const found = attributesOf(f, v)?.get(name);
  if (found === undefined) throw new EvaluationError(`there is no attribute ${JSON.stringify(name)}`);
  return found;
}

function inAny(f: Facts, a: Uid, b: Value): boolean {
  if (b instanceof Uid) return isIn(f.entities, a, b);
  if (!(b instanceof CedarSet)) throw typeError('entity or set of entities', b);
  // Every element is checked before any is compared: a set with a non-entity in it is an error even if another element matches.
  return b.elements.map(asEntity).reduce((found, e) => found || isIn(f.entities, a, e), false);
}

const tagsOf = (f: Facts, v: Value): EntityData['tags'] | undefined => f.entities.get(asEntity(v).key)?.tags;

/** Operators that evaluate both sides, left first, and then look at them. */
const binary: Record<string, (a: Value, b: Value, f: Facts) => Value> = {
  '==': (a, b) => equal(a, b),
  '!=': (a, b) => !equal(a, b),
  '<': (a, b) => asLong(a) < asLong(b),
  '<=': (a, b) => asLong(a) <= asLong(b),
  '>': (a, b) => asLong(a) > asLong(b),
  '>=': (a, b) => asLong(a) >= asLong(b),
  '+': (a, b) => add(asLong(a), asLong(b)),
  '-': (a, b) => subtract(asLong(a), asLong(b)),
  '*': (a, b) => multiply(asLong(a), asLong(b)),
  in: (a, b, f) => inAny(f, asEntity(a), b),
  contains: (a, b) => asSet(a).keys.has(keyOf(b)),
  containsAll: (a, b) => asSet(b).keys.isSubsetOf(asSet(a).keys),
  containsAny: (a, b) => !asSet(a).keys.isDisjointFrom(asSet(b).keys),
  hasTag: (a, b, f) => {
    const tags = tagsOf(f, a);
    const name = asText(b);
    return tags?.has(name) === true;
  },
  getTag: (a, b, f) => {
    const tags = tagsOf(f, a);
    const tag = tags?.get(asText(b));
    if (tag === undefined) throw new EvaluationError('there is no such tag');
    return tag;
  },
};

function variable(name: string): Run {
  switch (name) {
    case 'principal':
      return (f) => f.principal;
    case 'action':
      return (f) => f.action;
    case 'resource':
      return (f) => f.resource;
    case 'context':
      return (f) => f.context;
    default:
      throw new NotCompilable(`the variable ${name}`);
  }
}

/** `e has a.b.c` is `e has a && e.a has b && e.a.b has c`. */
function has(left: Run, path: readonly string[]): Run {
  return (f) => {
    let at = left(f);
    for (const [i, name] of path.entries()) {
      const found = attributesOf(f, at)?.get(name);
      if (found === undefined) return false;
      if (i < path.length - 1) at = found;
    }
    return true;
  };
}

/** Turns an expression of Cedar's JSON form into a function. Throws NotCompilable for what cedar-wasm must do. */
export function compileExpression(json: unknown): Run {
  const [entry, ...more] = Object.entries(fieldsOf(json));
  if (entry === undefined || more.length > 0) throw new NotCompilable('an unknown form');
  const [op, body] = entry;
  if (op === 'Value') {
    const value = valueOf(body);
    return () => value;
  }
  if (op === 'Var') return variable(textOf(body));
  if (op === 'Set') {
    const elements = listOf(body).map(compileExpression);
    const constant = listOf(body).every((e) => 'Value' in fieldsOf(e));
    if (!constant) return (f) => new CedarSet(elements.map((e) => e(f)));
    const set = new CedarSet(listOf(body).map((e) => valueOf(fieldsOf(e)['Value'])));
    return () => set;
  }
  if (op === 'Record') {
    const fields = Object.entries(fieldsOf(body)).map(([k, v]) => [k, compileExpression(v)] as const);
    return (f) => new CedarRecord(new Map(fields.map(([k, v]) => [k, v(f)])));
  }
  const both = Object.hasOwn(binary, op) ? binary[op] : undefined;
  if (both) {
    const sides = fieldsOf(body);
    const left = compileExpression(sides['left']);
    const right = compileExpression(sides['right']);
    return (f) => both(left(f), right(f), f);
  }
  return compileForm(op, body);
}

/** Forms that are neither leaves nor plain binary operators. */
function compileForm(op: string, body: unknown): Run {
  switch (op) {
    case '&&': {
      const { left, right } = fieldsOf(body);
      const [a, b] = [compileExpression(left), compileExpression(right)];
      return (f) => asBool(a(f)) && asBool(b(f));
    }
    case '||': {
      const { left, right } = fieldsOf(body);
      const [a, b] = [compileExpression(left), compileExpression(right)];
      return (f) => asBool(a(f)) || asBool(b(f));
    }
    case '!': {
      const arg = compileExpression(fieldsOf(body)['arg']);
      return (f) => !asBool(arg(f));
    }
    case 'neg': {
      const arg = compileExpression(fieldsOf(body)['arg']);
      return (f) => subtract(0, asLong(arg(f)));
    }
    case 'isEmpty': {
      const arg = compileExpression(fieldsOf(body)['arg']);
      return (f) => asSet(arg(f)).keys.size === 0;
    }
    case 'if-then-else': {
      const parts = fieldsOf(body);
      const [when, yes, no] = [parts['if'], parts['then'], parts['else']].map(compileExpression);
      if (!when || !yes || !no) throw new NotCompilable('an unknown form');
      return (f) => (asBool(when(f)) ? yes(f) : no(f));
    }
    case '.': {
      const { left, attr } = fieldsOf(body);
      const [of, name] = [compileExpression(left), textOf(attr)];
      return (f) => attribute(f, of(f), name);
    }
    case 'has': {
      const { left, attr } = fieldsOf(body);
      return has(compileExpression(left), Array.isArray(attr) ? attr.map(textOf) : [textOf(attr)]);
    }
    case 'like': {
      const { left, pattern } = fieldsOf(body);
      const [of, matches] = [compileExpression(left), likeMatcher(listOf(pattern))];
      return (f) => matches(asText(of(f)));
    }
    case 'is': {
      const parts = fieldsOf(body);
      const [of, type] = [compileExpression(parts['left']), textOf(parts['entity_type'])];
      if (parts['in'] === undefined) return (f) => asEntity(of(f)).type === type;
      const within = compileExpression(parts['in']);
      return (f) => {
        const e = asEntity(of(f));
        return e.type === type && inAny(f, e, within(f));
      };
    }
    default:
      // Extension functions come as {"ip": [...]}; templates' slots and whatever a later Cedar adds end here too.
      throw new NotCompilable(`the function ${op}`);
  }
}
