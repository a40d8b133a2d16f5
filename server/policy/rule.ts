import { createHash } from 'node:crypto';
import type { Actor } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { anyDecider, approverOf, wordsOfApprovers, type Approvers } from './approvers.ts';
import type { CedarPolicyJson } from './cedar.ts';
import { at, entity, named, oneOf, plain } from './cedar-json.ts';
import { expressionOf, wordsOfCondition, type Condition } from './condition.ts';
import type { Question, ToolClass } from './schema.ts';

export type Who =
  | { kind: 'everyone' }
  | { kind: 'group'; group: Id<'grp'>; name?: string | undefined }
  | { kind: 'user'; user: Id<'usr'>; name?: string | undefined };

export type WhichTools = { classes: readonly ToolClass[] } | { names: readonly string[] };

/** `asks: 'always'`: allowed, but each call waits for a yes; of whoever may decide, if nobody is named. */
export type Does =
  | { effect: 'allow'; asks: 'never' }
  | { effect: 'allow'; asks: 'always'; approvers?: Approvers | undefined }
  /** Allows nothing by itself: what another rule lets run waits for a yes all the same. */
  | { effect: 'ask'; approvers?: Approvers | undefined }
  | { effect: 'forbid' };

/** What an admin writes: a sentence with a name. Compiles to Cedar; nothing is decided from the rule itself. */
export type Rule = {
  id: Id<'rul'>;
  name: string;
  who: Who;
  connector: Id<'con'> | 'any';
  tools: WhichTools;
  /** All of them must be so; none where it is absent. */
  when?: readonly Condition[] | undefined;
} & Does;

/** A rule that has no id yet. */
export type RuleDraft = Omit<Rule, 'id' | 'effect' | 'asks' | 'approvers'> & Does;

/** More rules than an organization can keep an eye on; each decision looks at a few of them (compile.ts has the index). */
export const MAX_RULES = 1000;

/** Who made or removed a rule, as its row says it. */
export const actorId = (actor: Actor): string => ('id' in actor ? actor.id : actor.kind);

/** Who may say yes to what the rule asks about; undefined where it asks about nothing. */
export const approversOfRule = (rule: Rule): Approvers | undefined =>
  rule.effect === 'ask' || (rule.effect === 'allow' && rule.asks === 'always')
    ? (rule.approvers ?? anyDecider)
    : undefined;

/** Whom a policy is about. */
export function principalOf(who: Who, org: Id<'org'>): CedarPolicyJson['principal'] {
  switch (who.kind) {
    case 'everyone':
      return { op: 'in', entity: entity('Org', org) };
    case 'group':
      return { op: 'in', entity: entity('Group', who.group) };
    case 'user':
      return { op: '==', entity: entity('User', who.user) };
  }
}

/** Tools of which connector a policy is about. */
export const resourceOf = (connector: Id<'con'> | 'any', org: Id<'org'>): CedarPolicyJson['resource'] => ({
  op: 'in',
  entity: connector === 'any' ? entity('Org', org) : entity('Connector', connector),
});

/**
 * The Cedar policies of a rule, by policy id: the rule's own id, and `<rule>:approve` for who may say yes. They are made as Cedar's JSON form
 * and never as text, so nothing that an admin or a tool is called can become syntax.
 */
export function policiesOf(rule: Rule, org: Id<'org'>): Record<string, CedarPolicyJson> {
  const resource = resourceOf(rule.connector, org);
  const tools: CedarPolicyJson['conditions'][number] = {
    kind: 'when',
    body:
      'classes' in rule.tools
        ? oneOf(
            rule.tools.classes.map((c) => named('Class', c)),
            at('resource', 'class'),
          )
        : oneOf(rule.tools.names.map(plain), at('resource', 'name')),
  };
  const actions = (...names: Question[]): CedarPolicyJson['action'] => {
    const [only, ...more] = names.map((n) => entity('Action', n));
    return only && more.length === 0
      ? { op: '==', entity: only }
      : { op: 'in', entities: names.map((n) => entity('Action', n)) };
  };
  const effect = rule.effect === 'allow' ? 'permit' : 'forbid';
  const when = (about: 'call' | 'approve'): CedarPolicyJson['conditions'] =>
    (rule.when ?? []).map((c) => ({ kind: 'when', body: expressionOf(c, effect, about) }));
  const about: Question[] =
    rule.effect === 'ask'
      ? ['call_unattended']
      : rule.effect === 'allow' && rule.asks === 'always'
        ? ['call']
        : ['call', 'call_unattended'];
  const main: CedarPolicyJson = {
    effect,
    principal: principalOf(rule.who, org),
    action: actions(...about),
    resource,
    conditions: [tools, ...when('call')],
    annotations: { id: rule.id, name: rule.name },
  };
  const approvers = approversOfRule(rule);
  if (!approvers) return { [rule.id]: main };
  const id = `${rule.id}:approve`;
  const approver = approverOf(approvers);
  return {
    [rule.id]: main,
    [id]: {
      effect: 'permit',
      principal: approver.principal,
      action: actions('approve'),
      resource,
      conditions: [tools, ...when('approve'), ...approver.conditions],
      annotations: { id, name: rule.name },
    },
  };
}

/** A rule in words, e.g. "Sales may use read tools". The name of the connector is the reader's to add: it belongs to a room above. */
export function wordsOf(rule: Rule): string {
  const who = rule.who.kind === 'everyone' ? 'everyone' : (rule.who.name ?? idOf(rule.who));
  const tools = 'classes' in rule.tools ? `${rule.tools.classes.join(' and ')} tools` : rule.tools.names.join(', ');
  const where = rule.connector === 'any' ? ' of every connector' : '';
  const when = (rule.when ?? []).map(wordsOfCondition).join(' and ');
  const what = `use ${tools}${where}${when === '' ? '' : ` when ${when}`}`;
  if (rule.effect === 'forbid') return `${who} may not ${what}`;
  const approvers = approversOfRule(rule);
  if (rule.effect === 'ask') return `${who} may ${what} only ${wordsOfApprovers(approvers ?? anyDecider)}`;
  return `${who} may ${what}${approvers ? ` ${wordsOfApprovers(approvers)}` : ''}`;
}

const idOf = (who: Exclude<Who, { kind: 'everyone' }>): string => (who.kind === 'group' ? who.group : who.user);

/** Names exactly what a set of policies says, and by whose clock, so that it changes when they do and is the same on every node. */
export const versionOf = (policies: Readonly<Record<string, unknown>>, zone: string): string =>
  createHash('sha256')
    .update(JSON.stringify([zone, ...Object.entries(policies).sort(([a], [b]) => (a < b ? -1 : 1))]))
    .digest('hex')
    .slice(0, 16);
