import type { Id } from '#kernel/id.ts';
import type { CedarPolicyJson, Policies } from './cedar.ts';
import { at, entity, named, oneOf, principal, type Expr } from './cedar-json.ts';
import { classesOf } from './control.ts';
import { principalOf } from './rule.ts';

/** `groups`: for nobody but people of these groups, whatever a rule says. */
export const typeStates = ['on', 'groups', 'off'] as const;

/**
 * What an organization says about a whole kind of systems (google-drive, slack, mcp for its own servers), whichever connectors of it there are
 * now or later. `access` is what those who may use them have without any rule.
 */
export type TypeControl = {
  id: Id<'ctl'>;
  type: string;
  state: (typeof typeStates)[number];
  /** Of `groups`; else none. */
  groups: readonly { group: Id<'grp'>; name?: string | undefined }[];
  access: 'off' | 'read' | 'read_write';
};

/** As many as there are kinds of systems, and some. */
export const MAX_TYPE_CONTROLS = 200;
export const MAX_TYPE_GROUPS = 100;

const calls: CedarPolicyJson['action'] = {
  op: 'in',
  entities: [entity('Action', 'call'), entity('Action', 'call_unattended')],
};
const isIn = (left: Expr, of: readonly Expr[]): Expr => ({ in: { left, right: { Set: [...of] } } });

/**
 * The policies of these controls, by policy id: the control's own id is what keeps people away, `<control>:access` what lets them in. What was
 * said about one connector for everyone (`own`) counts more than what its type says by default.
 */
export function policiesOfTypes(types: readonly TypeControl[], own: readonly Expr[], org: Id<'org'>): Policies {
  const policies: Record<string, CedarPolicyJson> = {};
  for (const t of types) {
    const everyone = principalOf({ kind: 'everyone' }, org);
    const resource: CedarPolicyJson['resource'] = { op: 'in', entity: entity('ConnectorType', t.type) };
    const inGroups = isIn(
      principal,
      t.groups.map((g) => named('Group', g.group)),
    );
    if (t.state !== 'on')
      policies[t.id] = {
        effect: 'forbid',
        principal: everyone,
        action: calls,
        resource,
        conditions: t.state === 'groups' ? [{ kind: 'unless', body: inGroups }] : [],
        annotations: { id: t.id, name: `type: ${t.state}` },
      };
    if (t.access === 'off') continue;
    const id = accessOf(t);
    const classes = oneOf(
      classesOf[t.access].map((c) => named('Class', c)),
      at('resource', 'class'),
    );
    policies[id] = {
      effect: 'permit',
      principal: everyone,
      action: calls,
      resource,
      conditions: [
        { kind: 'when', body: classes },
        ...(t.state === 'groups' ? [{ kind: 'when' as const, body: inGroups }] : []),
        ...(own.length > 0 ? [{ kind: 'unless' as const, body: isIn({ Var: 'resource' }, own) }] : []),
      ],
      annotations: { id, name: `type: ${t.access}` },
    };
  }
  return policies;
}

/** The id of the policy by which a type is open without any rule. */
export const accessOf = (t: TypeControl): string => `${t.id}:access`;

const words: Record<TypeControl['access'], string> = {
  off: 'no access but by rules',
  read: 'read access',
  read_write: 'read and write access',
};
/** A control in words, e.g. "connectors of the type slack: only Sales, with read access". */
export function wordsOfType(t: TypeControl): string {
  const type = `connectors of the type ${t.type}`;
  if (t.state === 'off') return `${type} are switched off`;
  const who = t.state === 'on' ? 'everyone' : `only ${t.groups.map((g) => g.name ?? g.group).join(', ')}`;
  return `${type}: ${who}, with ${words[t.access]}`;
}

/** What keeps somebody from connecting to systems of a type, whatever else holds; undefined: nothing. */
export const typeBars = (
  types: readonly TypeControl[],
  type: string,
  groups: readonly Id<'grp'>[],
): TypeControl | undefined =>
  types.find(
    (t) =>
      t.type === type &&
      (t.state === 'off' || (t.state === 'groups' && !t.groups.some((g) => groups.includes(g.group)))),
  );
