import type { Id } from '#kernel/id.ts';
import type { ArgumentFacts } from './argument.ts';
import { because, namedPolicies, type NamedPolicy } from './because.ts';
import type { CatalogueTool } from './catalogue.ts';
import { run } from './compile.ts';
import { couldCall, factsOf, type CallRequest, type PolicySet } from './decide.ts';
import { ask, type AskedCall } from './decided-call.ts';
import type { Circumstances } from './schema.ts';
import { CedarRecord } from './value.ts';

/** `depends`: it depends on the arguments; `conditions` says how. */
export const simulated = ['allowed', 'asks', 'denied', 'depends'] as const;
export type Simulated = (typeof simulated)[number];

export type SimulatedTool = {
  connector: CatalogueTool['connector'];
  tool: string;
  class: AskedCall['tool']['class'];
  outcome: Simulated;
  says: string;
  /** The policies that decide it. */
  policies: NamedPolicy[];
  /** Those that look at arguments: what `depends` depends on. */
  conditions: NamedPolicy[];
};

export type Somebody = { user: Id<'usr'>; groups: readonly Id<'grp'>[]; live: boolean };

/**
 * What becomes of calls of one tool by one person, from there and then. `facts` are the arguments where they are given; else any are possible.
 * Asks what a real call asks, so it cannot tell another story; only what the arguments would decide is left open.
 */
export function simulateTool(
  set: PolicySet,
  who: Somebody,
  tool: CatalogueTool,
  moment: Circumstances,
  facts: ArgumentFacts | undefined,
): SimulatedTool {
  const klass = tool.class ?? 'destructive';
  const shown = { connector: tool.connector, tool: tool.name, class: klass };
  const no = (says: string): SimulatedTool => ({ ...shown, outcome: 'denied', says, policies: [], conditions: [] });
  if (!who.live) return no('the account is suspended');
  if (!tool.connector.on) return no('the connector is switched off');
  if (!tool.reviewed) return no('nobody has reviewed the tool as it is now');
  const call = {
    user: who.user,
    groups: who.groups,
    tool: {
      connector: tool.connector.id,
      name: tool.name,
      class: klass,
      outward: tool.outward,
      type: tool.connector.type,
    },
    context: moment,
  };
  const decision = ask(set, { ...call, args: [facts ?? {}] });
  // Rules see arguments only where a reviewer has said what they are.
  const open = facts === undefined && tool.projection.length > 0;
  const looking = open && couldCall(set, call) ? lookingAtArguments(set, call) : [];
  const depends = looking.length > 0;
  return {
    ...shown,
    outcome: depends ? 'depends' : decision.outcome,
    says: depends ? 'it depends on the arguments' : because(decision.telling, set),
    policies: namedPolicies(set, decision.reasons),
    conditions: namedPolicies(set, looking),
  };
}

/** Policies about this call that cannot be evaluated without its arguments. */
function lookingAtArguments(set: PolicySet, call: CallRequest): string[] {
  const found = (['call', 'call_unattended'] as const).flatMap((action) => {
    const facts = factsOf(set.org, { ...call, action, context: { ...call.context, args: {} } });
    const context = new Map(facts.context.fields);
    context.delete('args');
    return run(set.program, { ...facts, context: new CedarRecord(context) }).errors.map((e) => e.policy);
  });
  return [...new Set(found)].sort();
}

const order: readonly Simulated[] = ['allowed', 'asks', 'depends', 'denied'];
/** The widest of several: what a person can do with some of the tools asked about. */
export const widest = (of: readonly Simulated[]): Simulated => order.find((o) => of.includes(o)) ?? 'denied';

/** A domain that nobody's rules can have in mind: RFC 2606 keeps it from ever being anybody's. */
const ANY_DOMAIN = 'outside.invalid';
const domainForm = /(?:^|[@.*])((?:[a-z0-9-]+\.)+[a-z]{2,63})$/;

/** Domains to try for "outside": one that no rule names, and every one that a policy names and is not ours. */
export function outsideDomains(set: PolicySet, ours: readonly string[]): readonly { domain: string; shown: string }[] {
  const named = new Set<string>();
  const walk = (v: unknown): void => {
    if (typeof v === 'string') {
      const found = domainForm.exec(v.toLowerCase())?.[1];
      if (found !== undefined) named.add(found);
    } else if (typeof v === 'object' && v !== null) Object.values(v).forEach(walk);
  };
  for (const policy of Object.values(set.policies)) walk(typeof policy === 'string' ? policy.split(/["\s]+/) : policy);
  const isOurs = (d: string): boolean => ours.some((o) => d === o || d.endsWith(`.${o}`));
  return [
    { domain: ANY_DOMAIN, shown: 'any' },
    ...[...named].filter((d) => !isOurs(d)).map((domain) => ({ domain, shown: domain })),
  ];
}
