import { decideByWasm, policyJson } from './cedar.ts';
import type { CedarPolicyJson, Policies, Verdict } from './cedar.ts';
import { compileExpression, fieldsOf, NotCompilable, textOf, uidOf } from './compile-expression.ts';
import type { Run } from './compile-expression.ts';
import { EvaluationError, isIn } from './value.ts';
import type { Facts, Uid } from './value.ts';

export type Test = (f: Facts) => boolean;
type Compiled = {
  id: string;
  forbids: boolean;
  principal: Test;
  action: Test;
  resource: Test;
  conditions: Run[];
  unless: boolean[];
};

/** Policies ready to be asked. Immutable: a change makes another one. */
export type Program = {
  /** By the key of the entity that a policy's resource must be or lie under. */
  readonly under: ReadonlyMap<string, readonly Compiled[]>;
  /** Policies about any resource. */
  readonly anywhere: readonly Compiled[];
  /** What is left to cedar-wasm, with what it is that our compiler lacks. */
  readonly rest: Policies;
  readonly lacks: readonly { policy: string; what: string }[];
};

const always: Test = () => true;

function scopeTest(scope: unknown, of: (f: Facts) => Uid): Test {
  const parts = fieldsOf(scope);
  const op = textOf(parts['op']);
  if ('slot' in parts) throw new NotCompilable('a template');
  switch (op) {
    case 'All':
      return always;
    case '==': {
      const { key } = uidOf(parts['entity']);
      return (f) => of(f).key === key;
    }
    case 'in': {
      const targets = Array.isArray(parts['entities']) ? parts['entities'].map(uidOf) : [uidOf(parts['entity'])];
      const [only] = targets;
      if (only && targets.length === 1) return (f) => isIn(f.entities, of(f), only);
      return (f) => targets.some((t) => isIn(f.entities, of(f), t));
    }
    case 'is': {
      const type = textOf(parts['entity_type']);
      if (parts['in'] === undefined) return (f) => of(f).type === type;
      const within = uidOf(fieldsOf(parts['in'])['entity']);
      return (f) => of(f).type === type && isIn(f.entities, of(f), within);
    }
    default:
      throw new NotCompilable(`the scope operator ${op}`);
  }
}

/** The one entity that the resource must be or lie under, if the scope names one. */
function anchor(scope: CedarPolicyJson['resource']): string | undefined {
  const parts = fieldsOf(scope);
  if (parts['op'] === '==' || parts['op'] === 'in') return uidOf(parts['entity']).key;
  return parts['op'] === 'is' && parts['in'] !== undefined ? uidOf(fieldsOf(parts['in'])['entity']).key : undefined;
}

/** The three tests of a policy's scope, apart: they can be compiled even where its conditions cannot. */
export const scopeTests = (json: CedarPolicyJson): Record<'principal' | 'action' | 'resource', Test> => ({
  principal: scopeTest(json.principal, (f) => f.principal),
  action: scopeTest(json.action, (f) => f.action),
  resource: scopeTest(json.resource, (f) => f.resource),
});

function compilePolicy(id: string, json: CedarPolicyJson): Compiled {
  return {
    id,
    forbids: json.effect === 'forbid',
    ...scopeTests(json),
    conditions: json.conditions.map((c) => compileExpression(c.body)),
    unless: json.conditions.map((c) => c.kind === 'unless'),
  };
}

/** Compiles policies to closures and indexes them. What cannot be compiled is kept for cedar-wasm and named. */
export function compile(policies: Policies): Program {
  const under = new Map<string, Compiled[]>();
  const anywhere: Compiled[] = [];
  const rest: Record<string, Policies[string]> = {};
  const lacks: { policy: string; what: string }[] = [];
  for (const [id, policy] of Object.entries(policies)) {
    try {
      const json = policyJson(policy);
      const compiled = compilePolicy(id, json);
      const key = anchor(json.resource);
      if (key === undefined) anywhere.push(compiled);
      else under.set(key, [...(under.get(key) ?? []), compiled]);
    } catch (e) {
      if (!(e instanceof NotCompilable)) throw e;
      rest[id] = policy;
      lacks.push({ policy: id, what: e.what });
    }
  }
  return { under, anywhere, rest, lacks };
}

/** Whether the policy applies. Scope first, then every condition in order; the first that fails ends it, as in Cedar's `&&`. */
function satisfied(p: Compiled, f: Facts): boolean {
  if (!p.principal(f) || !p.action(f) || !p.resource(f)) return false;
  for (let i = 0; i < p.conditions.length; i++) {
    const value = p.conditions[i]?.(f);
    if (typeof value !== 'boolean') throw new EvaluationError('type error: a condition is not a bool');
    if (value === p.unless[i]) return false;
  }
  return true;
}

export type Found = {
  permits: string[];
  forbids: string[];
  errors: { policy: string; says: string }[];
  /** Which of the errors are permits and which forbids; both, where we cannot tell. */
  failed: { permits: string[]; forbids: string[] };
};

/** Asks every policy that could apply. */
function ask(program: Program, f: Facts): Found {
  const found: Found = { permits: [], forbids: [], errors: [], failed: { permits: [], forbids: [] } };
  const each = (list: readonly Compiled[]): void => {
    for (const p of list)
      try {
        if (satisfied(p, f)) (p.forbids ? found.forbids : found.permits).push(p.id);
      } catch (e) {
        if (!(e instanceof EvaluationError)) throw e;
        found.errors.push({ policy: p.id, says: e.message });
        (p.forbids ? found.failed.forbids : found.failed.permits).push(p.id);
      }
  };
  each(program.anywhere);
  const own = program.under.get(f.resource.key);
  if (own) each(own);
  for (const key of f.entities.get(f.resource.key)?.ancestors.keys() ?? []) {
    // An entity may be listed among its own ancestors; its policies are asked once.
    const list = key === f.resource.key ? undefined : program.under.get(key);
    if (list) each(list);
  }
  if (program.lacks.length > 0) {
    // Answering for the rest alone loses nothing: forbids are reported whenever there are any, permits whenever there are no forbids.
    const more = decideByWasm(program.rest, f);
    (more.allowed ? found.permits : found.forbids).push(...more.reasons);
    found.errors.push(...more.errors);
    for (const e of more.errors) {
      found.failed.permits.push(e.policy);
      found.failed.forbids.push(e.policy);
    }
  }
  return found;
}

/**
 * Cedar's decision: allowed if some permit applies and no forbid does. A policy that fails to evaluate applies to nothing and is named.
 * INVARIANT (same as Cedar): compile.test.ts holds this against cedar-wasm on generated policies.
 */
export function run(program: Program, f: Facts): Verdict & { engine: 'compiled' | 'cedar-wasm' } {
  const { permits, forbids, errors } = ask(program, f);
  const allowed = forbids.length === 0 && permits.length > 0;
  return {
    allowed,
    reasons: (allowed ? permits : forbids).sort(),
    errors,
    engine: program.lacks.length > 0 ? 'cedar-wasm' : 'compiled',
  };
}

/** How far something is allowed when not all facts are known, and by which policies. */
export type Reach = { may: 'never' | 'some' | 'always'; policies: string[] };

/**
 * What holds whatever the missing facts are. A policy that cannot be evaluated for want of one might apply and might not: with a permit of this
 * kind something may be possible, with a forbid of this kind nothing is sure.
 */
export const reach = (program: Program, f: Facts): Reach => reachOf(ask(program, f));

/** The same, of policies of which it is known already whether they apply. */
export function reachOf({ permits, forbids, failed }: Omit<Found, 'errors'>): Reach {
  if (forbids.length > 0) return { may: 'never', policies: forbids.sort() };
  if (permits.length === 0 && failed.permits.length === 0) return { may: 'never', policies: [] };
  if (permits.length > 0 && failed.forbids.length === 0) return { may: 'always', policies: permits.sort() };
  return { may: 'some', policies: [...new Set([...permits, ...failed.permits, ...failed.forbids])].sort() };
}
