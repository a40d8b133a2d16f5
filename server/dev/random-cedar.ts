// Random Cedar for policy/compile.test.ts: policies, entities and requests that are mostly well typed, with enough that are not to meet every error.
import type { CedarPolicyJson } from '#policy/cedar.ts';
import { CedarRecord, CedarSet, Uid } from '#policy/value.ts';
import type { EntityData, Facts, Value } from '#policy/value.ts';

export type Random = { (below: number): number; seed: number };

/** A small deterministic generator (mulberry32): a failing case is found again by its seed. */
export function random(seed: number): Random {
  let a = seed >>> 0;
  const next = (below: number): number => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below;
  };
  return Object.assign((below: number) => Math.floor(next(below)), { seed });
}

type Expr = CedarPolicyJson['conditions'][number]['body'];
type Kind = 'bool' | 'long' | 'text' | 'entity' | 'set' | 'record';

const types = ['User', 'Group', 'Org', 'Connector', 'Tool', 'Ns::Thing'];
const ids = ['a', 'b', 'c', 'we"ird\\', ''];
const names = ['n', 's', 'e', 'l', 'r', 'b', '__proto__', 'two words'];
const texts = ['', 'a', 'ab', 'abc', 'a*b', 'x😀y', 'é', '"', 'constructor', 'aXbXc'];
const longs = [0, 1, -1, 2, 3, 7, 1000, 2 ** 31, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 3037000499];

export const generator = (r: Random) => {
  const pick = <T>(of: readonly T[]): T => of[r(of.length)]!;
  const many = <T>(max: number, make: () => T): T[] => Array.from({ length: r(max + 1) }, make);
  const uid = (): Uid => new Uid(pick(types), pick(ids));
  const raw = (u: Uid) => ({ type: u.type, id: u.id });

  const anyKind = (): Kind => pick(['bool', 'long', 'text', 'entity', 'set', 'record']);
  const value = (depth: number, kind: Kind = anyKind()): Value => {
    if (kind === 'bool') return r(2) === 0;
    if (kind === 'long') return pick(longs);
    if (kind === 'text') return pick(texts);
    if (kind === 'entity') return uid();
    if (depth <= 0) return pick(longs);
    if (kind === 'set') return new CedarSet(many(3, () => value(depth - 1)));
    return new CedarRecord(fields(depth - 1));
  };
  /** The attribute's name hints at its kind, so that most well-typed expressions find what they look for. */
  const kindOfName: Record<string, Kind> = { n: 'long', s: 'text', e: 'entity', l: 'set', r: 'record', b: 'bool' };
  const fields = (depth: number): Map<string, Value> =>
    new Map(many(5, () => pick(names)).map((k) => [k, value(depth, r(8) === 0 ? undefined : kindOfName[k])] as const));

  const attributeOf = (kind: Kind): string => {
    const own = Object.entries(kindOfName).find(([, k]) => k === kind);
    return r(6) === 0 || !own ? pick(names) : own[0];
  };
  const holder = (depth: number): Expr =>
    pick<() => Expr>([
      () => ({ Var: 'principal' }),
      () => ({ Var: 'resource' }),
      () => ({ Var: 'context' }),
      () => expr(depth - 1, 'record'),
      () => expr(depth - 1, 'entity'),
    ])();

  const leaf = (kind: Kind): Expr => {
    switch (kind) {
      case 'bool':
        return { Value: r(2) === 0 };
      case 'long':
        return { Value: pick(longs) };
      case 'text':
        return { Value: pick(texts) };
      case 'entity':
        return r(2) === 0
          ? { Var: pick(['principal', 'action', 'resource'] as const) }
          : { Value: { __entity: raw(uid()) } };
      case 'set':
        return { Set: many(3, () => leaf(pick(['long', 'text', 'entity']))) };
      case 'record':
        return r(2) === 0
          ? { Var: 'context' }
          : { Record: Object.fromEntries(many(2, () => [pick(['n', 's', 'b']), leaf(anyKind())])) };
    }
  };

  const sides = (depth: number, left: Kind, right: Kind = left) => ({
    left: expr(depth, left),
    right: expr(depth, right),
  });
  const bool = (d: number): Expr =>
    pick<() => Expr>([
      () => ({ '&&': sides(d, 'bool') }),
      () => ({ '||': sides(d, 'bool') }),
      () => ({ '!': { arg: expr(d, 'bool') } }),
      () => ({ '==': sides(d, anyKind(), anyKind()) }),
      () => {
        const kind = anyKind();
        return { '==': sides(d, kind) };
      },
      () => ({ '!=': sides(d, anyKind()) }),
      () => ({ '<': sides(d, 'long') }),
      () => ({ '<=': sides(d, 'long') }),
      () => ({ '>': sides(d, 'long') }),
      () => ({ '>=': sides(d, 'long') }),
      () => ({ in: sides(d, 'entity') }),
      () => ({
        in: { left: expr(d, 'entity'), right: { Set: many(3, () => expr(d - 1, r(4) === 0 ? 'text' : 'entity')) } },
      }),
      () => ({ contains: sides(d, 'set', anyKind()) }),
      () => ({ containsAll: sides(d, 'set') }),
      () => ({ containsAny: sides(d, 'set') }),
      () => ({ isEmpty: { arg: expr(d, 'set') } }),
      () => ({ has: { left: holder(d), attr: pick(names) } }),
      () => ({
        has: { left: holder(d), attr: [pick(['r', 'e']), ...many(2, () => pick(['n', 's', 'e', 'r', '__proto__']))] },
      }),
      optional,
      () => ({ '!': { arg: optional() } }),
      () => ({ hasTag: sides(d, 'entity', 'text') }),
      () => ({ like: { left: expr(d, 'text'), pattern: pattern() } }),
      () => ({ is: { left: expr(d, 'entity'), entity_type: pick(types) } }),
      () => ({ is: { left: expr(d, 'entity'), entity_type: pick(types), in: expr(d, 'entity') } }),
    ])();
  /** As rules ask about a call's arguments: an attribute of a record within the context, which may not be there. */
  const optional = (): Expr => {
    const record: Expr = { '.': { left: { Var: 'context' }, attr: 'r' } };
    const [guard, attr] = [pick(['s', 'n', 'l', 'two words']), r(8) === 0 ? pick(names) : undefined];
    const value: Expr = { '.': { left: record, attr: attr ?? guard } };
    const test: Expr =
      guard === 'n'
        ? { '<=': { left: value, right: { Value: pick(longs) } } }
        : guard === 'l'
          ? { contains: { left: value, right: leaf(anyKind()) } }
          : { like: { left: value, pattern: pattern() } };
    const known: Expr = { has: { left: record, attr: guard } };
    return r(3) === 0
      ? { '!': { arg: { '&&': { left: known, right: test } } } }
      : { '&&': { left: known, right: test } };
  };
  const pattern = () =>
    many(4, () => (r(2) === 0 ? ('Wildcard' as const) : { Literal: pick(['a', 'b', 'c', 'X', '*', '😀', 'é']) }));

  function expr(depth: number, wanted: Kind): Expr {
    const kind = r(25) === 0 ? anyKind() : wanted;
    if (depth <= 0 || r(6) === 0) return leaf(kind);
    const d = depth - 1;
    if (r(12) === 0) {
      const [when, yes, no] = [expr(d, 'bool'), expr(d, kind), expr(d, kind)];
      // oxlint-disable-next-line unicorn/no-thenable -- Cedar's JSON form has this key, and nobody awaits it
      return { 'if-then-else': { if: when, then: yes, else: no } };
    }
    if (kind !== 'bool' && r(3) === 0) return { '.': { left: holder(d), attr: attributeOf(kind) } };
    if (r(15) === 0) return { getTag: { left: expr(d, 'entity'), right: { Value: pick(names) } } };
    switch (kind) {
      case 'bool':
        return r(8) === 0 ? { '.': { left: holder(d), attr: attributeOf(kind) } } : bool(d);
      case 'long':
        return pick<() => Expr>([
          () => ({ '+': sides(d, 'long') }),
          () => ({ '-': sides(d, 'long') }),
          () => ({ '*': sides(d, 'long') }),
          () => ({ neg: { arg: expr(d, 'long') } }),
        ])();
      case 'set':
        return { Set: many(3, () => expr(d, anyKind())) };
      case 'record':
        return { Record: Object.fromEntries(many(2, () => [pick(['n', 's', 'b', 'r']), expr(d, anyKind())])) };
      case 'text':
      case 'entity':
        return leaf(kind);
    }
  }

  const scope = (): CedarPolicyJson['principal'] & CedarPolicyJson['resource'] =>
    pick<() => CedarPolicyJson['principal'] & CedarPolicyJson['resource']>([
      () => ({ op: 'All' }),
      () => ({ op: 'All' }),
      () => ({ op: 'All' }),
      () => ({ op: '==', entity: raw(uid()) }),
      () => ({ op: 'in', entity: raw(uid()) }),
      () => ({ op: 'is', entity_type: pick(types) }),
      () => ({ op: 'is', entity_type: pick(types), in: { entity: raw(uid()) } }),
    ])();
  const act = () => ({ type: 'Action', id: pick(['x', 'y', 'z']) });
  const policy = (): CedarPolicyJson => ({
    effect: r(3) === 0 ? 'forbid' : 'permit',
    principal: scope(),
    action: pick<() => CedarPolicyJson['action']>([
      () => ({ op: 'All' }),
      () => ({ op: '==', entity: act() }),
      () => ({ op: 'in', entity: act() }),
      () => ({ op: 'in', entities: many(3, act) }),
    ])(),
    resource: scope(),
    conditions: many(2, () => ({ kind: r(4) === 0 ? ('unless' as const) : ('when' as const), body: expr(4, 'bool') })),
  });

  const entities = (): Map<string, EntityData> => {
    // Parents only point to later ones, so that there are no cycles; ancestors are closed over them.
    const all = types.flatMap((t) => ids.map((id) => new Uid(t, id))).filter(() => r(4) === 0);
    const out = new Map<string, EntityData>();
    for (const [i, u] of [...all.entries()].toReversed()) {
      const ancestors = new Map<string, Uid>();
      for (const parent of many(2, () => all[i + 1 + r(all.length - i - 1)])) {
        if (!parent) continue;
        ancestors.set(parent.key, parent);
        for (const [k, v] of out.get(parent.key)?.ancestors ?? []) ancestors.set(k, v);
      }
      out.set(u.key, { uid: u, attrs: fields(2), ancestors, tags: r(2) === 0 ? fields(1) : new Map() });
    }
    return out;
  };

  const facts = (all: Map<string, EntityData>): Facts => ({
    principal: uid(),
    action: new Uid('Action', pick(['x', 'y', 'z'])),
    resource: uid(),
    context: new CedarRecord(fields(2)),
    entities: all,
  });
  return { policy, entities, facts };
};
