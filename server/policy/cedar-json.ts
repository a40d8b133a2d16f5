// Cedar's JSON form, built piece by piece. What an admin writes only ever becomes a value in it, never syntax.
import type { CedarPolicyJson } from './cedar.ts';

export type Expr = CedarPolicyJson['conditions'][number]['body'];

export const entity = (type: string, id: string): { type: string; id: string } => ({ type, id });
export const named = (type: string, id: string): Expr => ({ Value: { __entity: entity(type, id) } });
export const plain = (value: string | number): Expr => ({ Value: value });
export const principal: Expr = { Var: 'principal' };

/** `of.a.b`, e.g. `at('context', 'now', 'minute')`. */
export const at = (of: 'resource' | 'context', ...path: readonly string[]): Expr =>
  path.reduce<Expr>((left, attr) => ({ '.': { left, attr } }), { Var: of });

export const oneOf = (of: readonly Expr[], what: Expr): Expr => ({ contains: { left: { Set: [...of] }, right: what } });
export const not = (arg: Expr): Expr => ({ '!': { arg } });
// Balanced, so that a rule with hundreds of globs is a dozen levels deep: Cedar's readers go down one level per operator, and not for ever.
function joined(op: '&&' | '||', parts: readonly Expr[], none: boolean): Expr {
  const [first, ...more] = parts;
  if (!first) return { Value: none };
  if (more.length === 0) return first;
  const half = Math.ceil(parts.length / 2);
  const [left, right] = [joined(op, parts.slice(0, half), none), joined(op, parts.slice(half), none)];
  return op === '&&' ? { '&&': { left, right } } : { '||': { left, right } };
}
export const and = (...parts: readonly Expr[]): Expr => joined('&&', parts, true);
export const or = (...parts: readonly Expr[]): Expr => joined('||', parts, false);
export const has = (left: Expr, attr: string): Expr => ({ has: { left, attr } });
export const notLess = (left: Expr, than: number): Expr => ({ '>=': { left, right: plain(than) } });
export const notMore = (left: Expr, than: number): Expr => ({ '<=': { left, right: plain(than) } });
export const less = (left: Expr, than: number): Expr => ({ '<': { left, right: plain(than) } });
export const same = (left: Expr, right: Expr): Expr => ({ '==': { left, right } });
