import type { Id } from '#kernel/id.ts';
import type { Decision, PolicySet } from './decide.ts';
import { decide } from './decide.ts';
import { wordsOf, type Rule } from './rule.ts';
import type { PolicyRequest } from './schema.ts';

/** Rules named by a refusal at most; more help nobody. */
const MAX_NAMED = 3;

/** The rule that a policy was made from, if it was. */
const ruleOf = (set: PolicySet, policy: string): Rule | undefined => {
  const id = policy.replace(/:approve$/, '');
  return [...set.rules.values()].find((r) => r.id === id);
};

const quoted = (names: readonly string[]): string => names.map((n) => `"${n}"`).join(', ');
const nameOf = (set: PolicySet, policy: string): string => ruleOf(set, policy)?.name ?? set.names.get(policy) ?? policy;

const about = (rule: Rule, r: PolicyRequest): { who: boolean; connector: boolean; tool: boolean } => ({
  who:
    rule.who.kind === 'everyone' ||
    (rule.who.kind === 'group' ? r.groups.includes(rule.who.group) : rule.who.user === r.user),
  connector: rule.connector === 'any' || rule.connector === r.tool.connector,
  tool: 'classes' in rule.tools ? rule.tools.classes.includes(r.tool.class) : rule.tools.names.includes(r.tool.name),
});

/** Rules that would have allowed it but for one thing: the tool, or who asks. Rules about oneself come first, one's groups before everyone. */
export function closeRules(set: PolicySet, r: PolicyRequest): { rule: Rule; differs: 'tool' | 'who' }[] {
  const close: { rule: Rule; differs: 'tool' | 'who' }[] = [];
  for (const rule of set.rules.values()) {
    const fits = about(rule, r);
    if (rule.effect !== 'allow' || !fits.connector || fits.who === fits.tool) continue;
    close.push({ rule, differs: fits.who ? 'tool' : 'who' });
  }
  return close.toSorted((a, b) => Number(a.differs === 'who') - Number(b.differs === 'who')).slice(0, MAX_NAMED);
}

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
  const close = closeRules(set, request);
  const near =
    close.length > 0
      ? `; rules that come ${close.length > 1 ? 'close' : 'closest'}: ${quoted(close.map((c) => c.rule.name))}`
      : '';
  return `no rule lets you ${use}${near}${skipped}`;
}

export type Explained = {
  /** `asks`: allowed, but each call waits for somebody's yes. */
  outcome: 'allowed' | 'asks' | 'denied';
  says: string;
  version: string;
  engine: Decision['engine'];
  /** The rules that decided, in words, with the group through which each applies. */
  rules: { rule: Id<'rul'>; name: string; words: string; through: string }[];
  close: { rule: Id<'rul'>; name: string; words: string; differs: 'tool' | 'who' }[];
};

const through = (rule: Rule): string =>
  rule.who.kind === 'everyone' ? 'everyone' : rule.who.kind === 'group' ? rule.who.group : rule.who.user;

/** Both questions about a call at once, with the rules in words. Asks the same `decide` as a real call, so it cannot tell another story. */
export function explain(set: PolicySet, request: PolicyRequest & { action: 'call' | 'call_unattended' }): Explained {
  const call = decide(set, { ...request, action: 'call' });
  const unattended = decide(set, { ...request, action: 'call_unattended' });
  const telling = call.allowed && unattended.allowed ? unattended : call;
  const rules = telling.reasons.flatMap((id) => ruleOf(set, id) ?? []);
  const outcome = call.allowed ? (unattended.allowed ? 'allowed' : 'asks') : 'denied';
  return {
    outcome,
    says: because(telling, set) + (outcome === 'asks' ? ', after somebody agrees' : ''),
    version: set.version,
    engine: telling.engine,
    rules: rules.map((r) => ({ rule: r.id, name: r.name, words: wordsOf(r), through: through(r) })),
    close: call.allowed
      ? []
      : closeRules(set, request).map((c) => ({
          rule: c.rule.id,
          name: c.rule.name,
          words: wordsOf(c.rule),
          differs: c.differs,
        })),
  };
}
