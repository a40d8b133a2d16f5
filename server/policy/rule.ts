import { createHash } from 'node:crypto';
import type { Actor } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import type { CedarPolicyJson } from './cedar.ts';
import type { Question, ToolClass } from './schema.ts';

export type Who =
  | { kind: 'everyone' }
  | { kind: 'group'; group: Id<'grp'>; name?: string | undefined }
  | { kind: 'user'; user: Id<'usr'>; name?: string | undefined };

export type WhichTools = { classes: readonly ToolClass[] } | { names: readonly string[] };

/** `asks: 'always'`: allowed, but each call waits for somebody's yes. */
export type Does = { effect: 'allow'; asks: 'never' | 'always' } | { effect: 'forbid' };

/** What an admin writes: a sentence with a name. Compiles to Cedar; nothing is decided from the rule itself. */
export type Rule = { id: Id<'rul'>; name: string; who: Who; connector: Id<'con'> | 'any'; tools: WhichTools } & Does;

/** A rule that has no id yet. */
export type RuleDraft = Omit<Rule, 'id' | 'effect' | 'asks'> & Does;

/** More rules than an organization can keep an eye on; each decision looks at a few of them (compile.ts has the index). */
export const MAX_RULES = 1000;

/** Who made or removed a rule, as its row says it. */
export const actorId = (actor: Actor): string => ('id' in actor ? actor.id : actor.kind);

const entity = (type: string, id: string): { type: string; id: string } => ({ type, id });
const value = (type: string, id: string): { Value: { __entity: { type: string; id: string } } } => ({
  Value: { __entity: { type, id } },
});
const attr = (of: 'resource' | 'context', name: string) => ({ '.': { left: { Var: of }, attr: name } }) as const;

function principal(who: Who, org: Id<'org'>): CedarPolicyJson['principal'] {
  switch (who.kind) {
    case 'everyone':
      return { op: 'in', entity: entity('Org', org) };
    case 'group':
      return { op: 'in', entity: entity('Group', who.group) };
    case 'user':
      return { op: '==', entity: entity('User', who.user) };
  }
}

/** The approver is somebody whose role may decide, and never the one who asked. */
const approver: CedarPolicyJson['conditions'] = [
  {
    kind: 'when',
    body: {
      '&&': {
        left: attr('context', 'may_decide'),
        right: { '!=': { left: { Var: 'principal' }, right: attr('context', 'requester') } },
      },
    },
  },
];

/**
 * The Cedar policies of a rule, by policy id: the rule's own id, and `<rule>:approve` for who may say yes. They are made as Cedar's JSON form
 * and never as text, so nothing that an admin or a tool is called can become syntax.
 */
export function policiesOf(rule: Rule, org: Id<'org'>): Record<string, CedarPolicyJson> {
  const resource: CedarPolicyJson['resource'] =
    rule.connector === 'any'
      ? { op: 'in', entity: entity('Org', org) }
      : { op: 'in', entity: entity('Connector', rule.connector) };
  const tools: CedarPolicyJson['conditions'][number] = {
    kind: 'when',
    body:
      'classes' in rule.tools
        ? {
            contains: {
              left: { Set: rule.tools.classes.map((c) => value('Class', c)) },
              right: attr('resource', 'class'),
            },
          }
        : {
            contains: {
              left: { Set: rule.tools.names.map((n) => ({ Value: n })) },
              right: attr('resource', 'name'),
            },
          },
  };
  const actions = (...names: Question[]): CedarPolicyJson['action'] => {
    const [only, ...more] = names.map((n) => entity('Action', n));
    return only && more.length === 0
      ? { op: '==', entity: only }
      : { op: 'in', entities: names.map((n) => entity('Action', n)) };
  };
  const unattended = rule.effect === 'forbid' || rule.asks === 'never';
  const main: CedarPolicyJson = {
    effect: rule.effect === 'allow' ? 'permit' : 'forbid',
    principal: principal(rule.who, org),
    action: unattended ? actions('call', 'call_unattended') : actions('call'),
    resource,
    conditions: [tools],
    annotations: { id: rule.id, name: rule.name },
  };
  if (unattended) return { [rule.id]: main };
  const id = `${rule.id}:approve`;
  return {
    [rule.id]: main,
    [id]: {
      effect: 'permit',
      principal: { op: 'All' },
      action: actions('approve'),
      resource,
      conditions: [tools, ...approver],
      annotations: { id, name: rule.name },
    },
  };
}

/** A rule in words, e.g. "Sales may use read tools". The name of the connector is the reader's to add: it belongs to a room above. */
export function wordsOf(rule: Rule): string {
  const who = rule.who.kind === 'everyone' ? 'everyone' : (rule.who.name ?? idOf(rule.who));
  const tools = 'classes' in rule.tools ? `${rule.tools.classes.join(' and ')} tools` : rule.tools.names.join(', ');
  const where = rule.connector === 'any' ? ' of every connector' : '';
  if (rule.effect === 'forbid') return `${who} may not use ${tools}${where}`;
  return `${who} may use ${tools}${where}${rule.asks === 'always' ? ' after somebody agrees' : ''}`;
}

const idOf = (who: Exclude<Who, { kind: 'everyone' }>): string => (who.kind === 'group' ? who.group : who.user);

/** Names exactly what a set of policies says, so that it changes when they do and is the same on every node. */
export const versionOf = (policies: Readonly<Record<string, unknown>>): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(policies).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex')
    .slice(0, 16);
