import type { Id } from '#kernel/id.ts';
import type { CedarPolicyJson, Policies } from './cedar.ts';
import { askAfterReading, policiesAfterReading, type AfterReading } from './after-reading.ts';
import { at, entity, named, oneOf, type Expr } from './cedar-json.ts';
import { principalOf, resourceOf, type Who } from './rule.ts';
import type { ToolClass } from './schema.ts';
import { policiesOfTypes, type TypeControl } from './type-control.ts';

/**
 * How much of a connector is open without any rule. `blocked` is nothing, whatever a rule says; `off` is nothing but by rules. `read_write` is
 * not `destructive`: what cannot be undone always needs a rule of its own.
 */
export const accesses = ['blocked', 'off', 'read', 'read_write'] as const;
export type Access = (typeof accesses)[number];

/** What holds where nothing else is said. Regulated: everything is off until it is allowed. */
export type Defaults = { mode: 'regulated' | 'open'; defaultAccess: 'off' | 'read' | 'read_write'; timeZone: string };
export type Settings = Defaults & { afterReading: AfterReading };

/** A new organization's. */
export const regulated: Settings = {
  mode: 'regulated',
  defaultAccess: 'off',
  timeZone: 'UTC',
  afterReading: askAfterReading,
};

/** One sentence of the three levels: what everyone, a group or a person has of a connector. At most one for the same whom and what. */
export type Control = { id: Id<'ctl'>; who: Who; connector: Id<'con'> | 'any'; access: Access };

/** More than there are teams times systems; beyond it, rules say more with less. */
export const MAX_CONTROLS = 2000;

/** Whom and what a control is about. */
export const controlKey = (c: Pick<Control, 'who' | 'connector'>): string =>
  `${c.connector} ${c.who.kind === 'group' ? c.who.group : c.who.kind === 'user' ? c.who.user : 'everyone'}`;

/** Which classes of tools an access opens. */
export const classesOf: Record<'read' | 'read_write', readonly ToolClass[]> = {
  read: ['read'],
  read_write: ['read', 'write'],
};

const calls: CedarPolicyJson['action'] = {
  op: 'in',
  entities: [entity('Action', 'call'), entity('Action', 'call_unattended')],
};
const ofClasses = (access: 'read' | 'read_write'): Expr =>
  oneOf(
    classesOf[access].map((c) => named('Class', c)),
    at('resource', 'class'),
  );

/** The policies of the controls, by policy id: a control's own id, and `default`. One engine decides them with the rules, so one explains them. */
export function policiesOfControls(
  settings: Settings,
  controls: readonly Control[],
  types: readonly TypeControl[],
  org: Id<'org'>,
): Policies {
  const everyone = controls.filter((c) => c.who.kind === 'everyone');
  const own = everyone.flatMap((c) => (c.connector === 'any' ? [] : [named('Connector', c.connector)]));
  const policies: Record<string, Policies[string]> = {
    ...policiesAfterReading(settings.afterReading, org),
    ...policiesOfTypes(types, own, org),
  };
  for (const c of controls) {
    if (c.access === 'off') continue;
    policies[c.id] = {
      effect: c.access === 'blocked' ? 'forbid' : 'permit',
      principal: principalOf(c.who, org),
      action: calls,
      resource: resourceOf(c.connector, org),
      conditions: c.access === 'blocked' ? [] : [{ kind: 'when', body: ofClasses(c.access) }],
      annotations: { id: c.id, name: `control: ${c.access}` },
    };
  }
  if (settings.defaultAccess === 'off' || everyone.some((c) => c.connector === 'any')) return policies;
  const said = [...own, ...types.map((t) => named('ConnectorType', t.type))];
  policies['default'] = {
    effect: 'permit',
    principal: principalOf({ kind: 'everyone' }, org),
    action: calls,
    resource: resourceOf('any', org),
    conditions: [
      { kind: 'when', body: ofClasses(settings.defaultAccess) },
      ...(said.length > 0
        ? [{ kind: 'unless' as const, body: { in: { left: { Var: 'resource' as const }, right: { Set: said } } } }]
        : []),
    ],
    annotations: { id: 'default', name: `default: ${settings.defaultAccess}` },
  };
  return policies;
}

const of: Record<Access, string> = {
  blocked: 'no access, whatever a rule says',
  off: 'no access but by rules',
  read: 'read access',
  read_write: 'read and write access',
};

/** A control in words, e.g. "Sales: read access". */
export function wordsOfControl(c: Control): string {
  if (c.access === 'blocked' && c.who.kind === 'everyone')
    return c.connector === 'any' ? 'every connector is switched off' : 'this connector is switched off';
  const who =
    c.who.kind === 'everyone' ? 'everyone' : (c.who.name ?? (c.who.kind === 'group' ? c.who.group : c.who.user));
  return `${who}: ${of[c.access]}${c.connector === 'any' ? ' to every connector' : ''}`;
}

/** What holds by default, in words. */
export const wordsOfSettings = (s: Defaults): string =>
  s.mode === 'regulated'
    ? 'regulated: everything is off until it is allowed'
    : `open: everyone has ${of[s.defaultAccess]}`;
