// What a Cedar expression can be while it is evaluated. Extension values (ip, decimal, datetime, duration) are not here on purpose: a policy
// that uses them is evaluated by cedar-wasm (compile-expression.ts says so with NotCompilable).

/** A signed 64-bit integer: a number where that is exact, a bigint beyond. INVARIANT (one form): never a bigint that a number could hold. */
export type Long = number | bigint;
export type Value = boolean | Long | string | Uid | CedarSet | CedarRecord;

/** An entity's name. `key` is what maps and sets are keyed by; a type name has no NUL, so two entities never share one. */
export class Uid {
  readonly type: string;
  readonly id: string;
  readonly key: string;
  constructor(type: string, id: string) {
    this.type = type;
    this.id = id;
    this.key = `${type}\0${id}`;
  }
}

/** A set: equal elements are one. */
export class CedarSet {
  readonly elements: readonly Value[];
  readonly keys: ReadonlySet<string>;
  constructor(elements: readonly Value[]) {
    const byKey = new Map<string, Value>();
    for (const e of elements) byKey.set(keyOf(e), e);
    this.elements = [...byKey.values()];
    this.keys = new Set(byKey.keys());
  }
}

export class CedarRecord {
  readonly fields: ReadonlyMap<string, Value>;
  constructor(fields: ReadonlyMap<string, Value>) {
    this.fields = fields;
  }
}

export type EntityData = {
  readonly uid: Uid;
  readonly attrs: ReadonlyMap<string, Value>;
  /** Keys of every entity above this one, transitively, with their names. */
  readonly ancestors: ReadonlyMap<string, Uid>;
  readonly tags: ReadonlyMap<string, Value>;
};
/** The entities that a decision may look at, by key. What is not here exists only as a name. */
export type Entities = ReadonlyMap<string, EntityData>;

/** What one evaluation stands on. */
export type Facts = {
  readonly principal: Uid;
  readonly action: Uid;
  readonly resource: Uid;
  readonly context: CedarRecord;
  readonly entities: Entities;
};

/** An error of evaluation, as Cedar has them: the policy is skipped and named. */
export class EvaluationError extends Error {}

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;

/** Brings an exact result back into the one form, or fails as Cedar does outside 64 bits. */
export function long(exact: bigint): Long {
  if (exact < MIN || exact > MAX) throw new EvaluationError('integer overflow');
  const n = Number(exact);
  return Number.isSafeInteger(n) ? n : exact;
}

/** Text that is the same for equal values and only for them. Every part says its own length or end, so parts cannot run into each other. */
export function keyOf(v: Value): string {
  if (typeof v === 'string') return `s${v.length}:${v}`;
  if (typeof v === 'boolean') return v ? 't' : 'f';
  if (typeof v === 'number' || typeof v === 'bigint') return `i${v};`;
  if (v instanceof Uid) return `e${v.key.length}:${v.key}`;
  if (v instanceof CedarSet) return `[${[...v.keys].sort().join('')}]`;
  return `{${[...v.fields]
    .map(([k, x]) => keyOf(k) + keyOf(x))
    .sort()
    .join('')}}`;
}

/** Cedar's `==`: values of different kinds are unequal, never an error. */
export function equal(a: Value, b: Value): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  if (a instanceof Uid) return b instanceof Uid && a.key === b.key;
  if (a instanceof CedarSet) return b instanceof CedarSet && a.keys.size === b.keys.size && a.keys.isSubsetOf(b.keys);
  return b instanceof CedarRecord && a.fields.size === b.fields.size && keyOf(a) === keyOf(b);
}

/** Cedar's `in` for one target: the entity itself or anything above it. */
export const isIn = (entities: Entities, a: Uid, b: Uid): boolean =>
  a.key === b.key || entities.get(a.key)?.ancestors.has(b.key) === true;
