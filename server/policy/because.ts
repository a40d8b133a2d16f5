import { ask, type Answer, type AskedCall } from './decided-call.ts';
import type { Decision, PolicySet } from './decide.ts';
import { MAX_NAMED, nearMisses, ruleOf, type NearMiss } from './near-miss.ts';
import { wordsOf, type Rule } from './rule.ts';

const quoted = (names: readonly string[]): string => names.map((n) => `"${n}"`).join(', ');
const nameOf = (set: PolicySet, policy: string): string => ruleOf(set, policy)?.name ?? set.names.get(policy) ?? policy;

/** Why a decision came out as it did, for the person it concerns. INVARIANT (named): a refusal names its rule or says that no rule allows it. */
export function because(decision: Decision, set: PolicySet): string {
  const { request, reasons, allowed, errors } = decision;
  const tool = `${request.tool.name} (${request.tool.class})`;
  const use = { call: `use ${tool}`, call_unattended: `use ${tool} without asking`, approve: `approve ${tool}` }[
    request.action
  ];
  const skipped = errors.length > 0 ? `; not counted because of an error: ${quoted(errors.map((e) => e.policy))}` : '';
  const rules = quoted([...new Set(reasons.map((id) => nameOf(set, id)))].slice(0, MAX_NAMED));
  const many = reasons.length > 1;
  if (allowed) return `the ${many ? 'rules' : 'rule'} ${rules} ${many ? 'let' : 'lets'} you ${use}${skipped}`;
  if (reasons.length > 0)
    return `the ${many ? 'rules' : 'rule'} ${rules} ${many ? 'do' : 'does'} not let you ${use}${skipped}`;
  const close = nearMisses(set, request);
  const near =
    close.length > 0
      ? `; rules that come ${close.length > 1 ? 'close' : 'closest'}: ${close.map((c) => near1(set, c)).join(', ')}`
      : '';
  return `no rule lets you ${use}${near}${skipped}`;
}

// What is missing is said where it is about the call; whose rule it is otherwise is not for everybody to know.
const near1 = (set: PolicySet, { policy, failed }: NearMiss): string =>
  `"${nameOf(set, policy)}"${failed.length > 0 ? ` (only when ${failed.join(' and ')})` : ''}`;

/** A policy as people know it: a rule by its name and words, Cedar by its id. */
export type NamedPolicy = { policy: string; rule: string | null; name: string; words: string | null };

export const namedPolicies = (set: PolicySet, ids: readonly string[]): NamedPolicy[] =>
  [...new Set(ids)].map((policy) => {
    const rule = ruleOf(set, policy);
    return {
      policy,
      rule: rule?.id ?? null,
      name: rule?.name ?? set.names.get(policy) ?? policy,
      words: rule ? wordsOf(rule) : null,
    };
  });

export type Explained = {
  outcome: Answer;
  says: string;
  version: string;
  engine: Decision['engine'];
  /** What decided, in words, with the group through which each applies. */
  rules: (NamedPolicy & { through: string | null })[];
  close: (NamedPolicy & { differs: NearMiss['differs']; failed: readonly string[] })[];
  /** The combination of arguments that `says` is about. */
  args: AskedCall['args'][number];
};

const through = (rule: Rule): string =>
  rule.who.kind === 'everyone' ? 'everyone' : rule.who.kind === 'group' ? rule.who.group : rule.who.user;

/** Both questions about a call at once, with the rules in words. Asks what a real call asks, so it cannot tell another story. */
export function explain(set: PolicySet, asked: AskedCall): Explained {
  const { outcome, telling, reasons } = ask(set, asked);
  const { request } = telling;
  return {
    outcome,
    says: because(telling, set) + (outcome === 'asks' ? ', after somebody agrees' : ''),
    version: set.version,
    engine: telling.engine,
    // Of what asks: both what lets it run and what makes it wait.
    rules: namedPolicies(set, outcome === 'asks' ? reasons : telling.reasons).map((p) => {
      const rule = ruleOf(set, p.policy);
      return { ...p, through: rule ? through(rule) : null };
    }),
    // Where a forbid speaks, no permit that comes close would help.
    close:
      outcome === 'denied' && telling.reasons.length === 0
        ? nearMisses(set, request).flatMap(({ policy, ...m }) =>
            namedPolicies(set, [policy]).map((p) => ({ ...p, ...m })),
          )
        : [],
    args: request.context.args,
  };
}
