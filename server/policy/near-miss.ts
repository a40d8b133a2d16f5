import { policyJson } from './cedar.ts';
import type { Program } from './compile.ts';
import { wordsOfCondition } from './condition.ts';
import { factsOf, type PolicySet } from './decide.ts';
import type { Rule } from './rule.ts';
import type { PolicyRequest } from './schema.ts';
import { EvaluationError, type Facts } from './value.ts';

/** Policies named by a refusal at most; more help nobody. */
export const MAX_NAMED = 3;

/** A policy that would have allowed it but for one thing: the tool, who asks, or a condition; `failed` says which conditions, in words. */
export type NearMiss = { policy: string; differs: 'tool' | 'who' | 'condition'; failed: readonly string[] };

const order: readonly NearMiss['differs'][] = ['condition', 'tool', 'who'];

/**
 * Permits that come close, nearest first: those about oneself and this tool whose condition does not hold, then about oneself and other tools,
 * then about others. The policies themselves are asked, part by part, so no condition is judged here in another way than in a decision.
 */
export function nearMisses(set: PolicySet, request: PolicyRequest): NearMiss[] {
  const facts = factsOf(set.org, request);
  const close: NearMiss[] = [];
  for (const p of about(set.program, facts)) {
    if (p.forbids || !p.action(facts) || !p.resource(facts)) continue;
    const who = p.principal(facts);
    const held = p.conditions.map((_, i) => holds(p, i, facts));
    // A policy that cannot be evaluated is named as such, and came close to nothing.
    if (held.includes(undefined)) continue;
    const failed = held.flatMap((h, i) => (h === true ? [] : (clausesOf(set, p.id)[i] ?? [])));
    const tool = failed.some((c) => c.aboutTool);
    const others = failed.filter((c) => !c.aboutTool);
    if (Number(!who) + Number(tool) + Number(others.length > 0) !== 1) continue;
    close.push({
      policy: p.id,
      differs: !who ? 'who' : tool ? 'tool' : 'condition',
      failed: others.map((c) => c.words),
    });
  }
  return close.toSorted((a, b) => order.indexOf(a.differs) - order.indexOf(b.differs)).slice(0, MAX_NAMED);
}

type Compiled = Program['anywhere'][number];

/** What the compiler's index leaves to look at. */
function about(program: Program, f: Facts): Compiled[] {
  const keys = new Set([f.resource.key, ...(f.entities.get(f.resource.key)?.ancestors.keys() ?? [])]);
  return [...program.anywhere, ...[...keys].flatMap((key) => program.under.get(key) ?? [])];
}

function holds(p: Compiled, i: number, f: Facts): boolean | undefined {
  try {
    return p.conditions[i]?.(f) === !p.unless[i];
  } catch (e) {
    if (e instanceof EvaluationError) return undefined;
    throw e;
  }
}

type Clause = { aboutTool: boolean; words: string };
// Kept with the set, because a refusal is told on the way of a call and Cedar's text takes long to read.
const clausesMade = new WeakMap<PolicySet, Map<string, Clause[]>>();

/** What the conditions of a policy are about. Those of a rule come after the one that says which tools it means, in the rule's own order. */
function clausesOf(set: PolicySet, policy: string): Clause[] {
  const made = clausesMade.get(set) ?? new Map<string, Clause[]>();
  clausesMade.set(set, made);
  const known = made.get(policy);
  if (known) return known;
  const [source, when] = [set.policies[policy], ruleOf(set, policy)?.when];
  const clauses = (source === undefined ? [] : policyJson(source).conditions).map((c, i): Clause => {
    const json = JSON.stringify(c.body);
    const condition = when?.[i - 1];
    return {
      aboutTool: json.includes('"Var":"resource"') && !/"Var":"(?:context|principal)"/.test(json),
      words: condition ? wordsOfCondition(condition) : `clause ${i + 1} (${c.kind}) of the policy holds`,
    };
  });
  made.set(policy, clauses);
  return clauses;
}

/** The rule that a policy was made from, if it was. */
export const ruleOf = (set: PolicySet, policy: string): Rule | undefined => {
  const id = policy.replace(/:approve$/, '');
  return [...set.rules.values()].find((r) => r.id === id);
};
