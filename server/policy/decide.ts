import type { Id } from '#kernel/id.ts';
import type { Policies } from './cedar.ts';
import { compile, reach, run } from './compile.ts';
import type { Program } from './compile.ts';
import { policiesOf, versionOf } from './rule.ts';
import type { Rule } from './rule.ts';
import type { ArgumentFacts } from './argument-value.ts';
import { devices, isOutward, questions, surfaces, toolClasses } from './schema.ts';
import type { ApproveContext, Asker, AskedTool, Circumstances, Moment, PolicyRequest, SessionFacts } from './schema.ts';
import { CedarRecord, Uid } from './value.ts';
import type { EntityData, Facts, Value } from './value.ts';

/** Everything an organization's decisions stand on. Immutable; a change of rules makes another one with another version. */
export type PolicySet = {
  readonly org: Id<'org'>;
  readonly version: string;
  /** By whose clock rules speak of time. */
  readonly zone: string;
  readonly rules: ReadonlyMap<Id<'rul'>, Rule>;
  /** What policies that no rule says are called in a refusal, by policy id. */
  readonly names: ReadonlyMap<string, string>;
  readonly policies: Policies;
  readonly program: Program;
  /** For which calls what their session has read must be known. */
  readonly asksOfSession: 'never' | 'outward' | 'always';
  /** Whether policies speak of types of connectors. */
  readonly asksOfType: boolean;
  /** For how long what was read counts. */
  readonly sessionHours: number;
};

/** `reasons` are ids of the policies that decided; `engine` says who evaluated; `request` is what was asked, for `because` and `explain`. */
export type Decision = {
  readonly allowed: boolean;
  readonly reasons: readonly string[];
  readonly errors: readonly { policy: string; says: string }[];
  readonly engine: 'compiled' | 'cedar-wasm';
  readonly version: string;
  readonly request: PolicyRequest;
};

/** Makes a policy set. `more` is Cedar that no structured rule says, by policy id; `names` says what it is called. */
export function policySet(
  org: Id<'org'>,
  rules: readonly Rule[],
  more: Policies = {},
  zone = 'UTC',
  names: ReadonlyMap<string, string> = new Map(),
  sessionHours = 8,
): PolicySet {
  const policies: Record<string, Policies[string]> = { ...more };
  for (const rule of rules) Object.assign(policies, policiesOf(rule, org));
  return {
    org,
    version: versionOf(policies, zone),
    zone,
    names,
    rules: new Map(rules.map((r) => [r.id, r])),
    policies,
    program: compile(policies),
    asksOfSession: asksOfSession(policies),
    asksOfType: Object.values(policies).some((p) => JSON.stringify(p).includes('ConnectorType')),
    sessionHours,
  };
}

/** Experts may ask about the session of any call; the control of ours asks about outward ones. A name that only looks like it costs a query. */
function asksOfSession(policies: Policies): PolicySet['asksOfSession'] {
  const mentions = (p: Policies[string]): boolean =>
    /\bsession\b/.test(typeof p === 'string' ? p : JSON.stringify(p.conditions));
  const others = Object.entries(policies).filter(([id]) => id !== AFTER_READING);
  if (others.some(([, p]) => mentions(p))) return 'always';
  return AFTER_READING in policies ? 'outward' : 'never';
}

/** The id of the policy that the control of what sessions have read makes (after-reading.ts). */
export const AFTER_READING = 'after_reading';

/** Whether a call of this tool cannot be decided before it is known what its session has read. */
export const needsSession = (set: PolicySet, tool: AskedTool): boolean =>
  set.asksOfSession === 'always' || (set.asksOfSession === 'outward' && isOutward(tool));

const uids = (type: string, ids: readonly string[]): ReadonlyMap<string, Uid> =>
  new Map(ids.map((id) => [id, new Uid(type, id)]));
const action = uids('Action', questions);
const surface = uids('Surface', surfaces);
const device = uids('Device', devices);
const klass = uids('Class', toolClasses);
const known = (of: ReadonlyMap<string, Uid>, id: string): Uid => {
  const uid = of.get(id);
  if (!uid) throw new TypeError(`${id} is not in the Cedar schema`);
  return uid;
};

const nothing: ReadonlyMap<string, Value> = new Map();

// Both questions about a call, of the policies now and of a draft, are asked with the same lists and tools: what is made of them is kept with them.
const usersMade = new WeakMap<Asker['groups'], EntityData>();
const toolsMade = new WeakMap<AskedTool, EntityData>();

function userEntity(who: Asker, org: Uid): EntityData {
  const made = usersMade.get(who.groups);
  if (made?.uid.id === who.user && made.ancestors.has(org.key)) return made;
  const ancestors = new Map([[org.key, org]]);
  for (const g of who.groups) {
    const uid = new Uid('Group', g);
    ancestors.set(uid.key, uid);
  }
  const user: EntityData = { uid: new Uid('User', who.user), attrs: nothing, ancestors, tags: nothing };
  usersMade.set(who.groups, user);
  return user;
}

function toolEntity(tool: AskedTool, org: Uid): EntityData {
  const made = toolsMade.get(tool);
  if (made?.ancestors.has(org.key)) return made;
  const connector = new Uid('Connector', tool.connector);
  const type = tool.type === undefined ? undefined : new Uid('ConnectorType', tool.type);
  const entity: EntityData = {
    uid: new Uid('Tool', `${tool.connector}/${tool.name}`),
    attrs: new Map<string, Value>([
      ['name', tool.name],
      ['class', known(klass, tool.class)],
      ['outward', isOutward(tool)],
    ]),
    ancestors: new Map([[connector.key, connector], ...(type ? [[type.key, type] as const] : []), [org.key, org]]),
    tags: nothing,
  };
  toolsMade.set(tool, entity);
  return entity;
}

const nowRecord = ({ now }: Moment): CedarRecord =>
  new CedarRecord(
    new Map([
      ['weekday', now.weekday],
      ['minute', now.minute],
    ]),
  );
const momentOf = (m: Moment): [string, Value][] => [
  ['surface', known(surface, m.surface)],
  ['device', known(device, m.device)],
  ['now', nowRecord(m)],
];
const sessionRecord = (s: SessionFacts): CedarRecord =>
  new CedarRecord(
    new Map([
      ['read_untrusted', s.readUntrusted],
      ['read_private', s.readPrivate],
    ]),
  );
const argsRecord = (args: ArgumentFacts): CedarRecord => new CedarRecord(new Map<string, Value>(Object.entries(args)));

/** The request as entities and a context: only the slice that this decision can look at. */
export function factsOf(org: Id<'org'>, r: PolicyRequest): Facts {
  const home = new Uid('Org', org);
  const user = userEntity(r, home);
  const tool = toolEntity(r.tool, home);
  const entities = new Map([
    [user.uid.key, user],
    [tool.uid.key, tool],
  ]);
  const context = new Map<string, Value>([...momentOf(r.context), ['args', argsRecord(r.context.args)]]);
  if (r.action !== 'approve' && r.context.session) context.set('session', sessionRecord(r.context.session));
  if (r.action === 'approve') {
    const requester = userEntity(r.context.requester, home);
    // When people ask about their own call, the approver's entity is already the requester's.
    if (requester.uid.key !== user.uid.key) entities.set(requester.uid.key, requester);
    context.set('requester', requester.uid);
    context.set('asked', new CedarRecord(new Map(momentOf(r.context.asked))));
    context.set('fresh', r.context.fresh);
    context.set('may_decide', r.context.mayDecide);
    context.set('is_manager', r.context.isManager);
  }
  return {
    principal: user.uid,
    action: known(action, r.action),
    resource: tool.uid,
    context: new CedarRecord(context),
    entities,
  };
}

/** Answers one question. Pure and synchronous, for the hot path; throws only if the engine itself fails, which the caller must treat as no. */
export function decide(set: PolicySet, request: PolicyRequest): Decision {
  return { ...run(set.program, factsOf(set.org, request)), version: set.version, request };
}

/** A call as the gate asks about it; its arguments come beside it, as combinations (argument.ts). */
export type CallRequest = Asker & { tool: AskedTool; context: Circumstances };

export type CallDecision = {
  /** `asks`: allowed, but somebody must say yes first. */
  readonly outcome: 'allowed' | 'asks' | 'denied';
  /** What to tell: the first refusal, else the first that asks, else the first. `because` puts it into words. */
  readonly telling: Decision;
  /** Every policy that had a say, sorted. */
  readonly reasons: readonly string[];
};

/**
 * Whether a call may run, and whether without asking. INVARIANT (every combination): a permit is needed for each combination of its arguments,
 * another one for each if need be, and one forbid for one of them forbids the call.
 */
export function decideCall(set: PolicySet, call: CallRequest, combinations: readonly ArgumentFacts[]): CallDecision {
  const reasons = new Set<string>();
  let [telling, asks]: [Decision | undefined, boolean] = [undefined, false];
  for (const args of oneAtLeast(combinations)) {
    const request = { ...call, context: { ...call.context, args } };
    const may = decide(set, { ...request, action: 'call' });
    if (!may.allowed) return { outcome: 'denied', telling: may, reasons: may.reasons };
    const unattended = decide(set, { ...request, action: 'call_unattended' });
    for (const id of [...may.reasons, ...unattended.reasons]) reasons.add(id);
    if (!asks) telling = unattended.allowed ? (telling ?? unattended) : may;
    asks ||= !unattended.allowed;
  }
  if (!telling) throw new TypeError('no combination was asked about');
  return { outcome: asks ? 'asks' : 'allowed', telling, reasons: [...reasons].sort() };
}

/** A yes that somebody wants to give. */
export type ApproveRequest = Asker & { tool: AskedTool; context: ApproveContext };

/** Whether this person may say yes from here to a call with these arguments: to every combination of them. The first refusal, else what allowed the first. */
export function decideApproval(set: PolicySet, yes: ApproveRequest, combinations: readonly ArgumentFacts[]): Decision {
  let first: Decision | undefined;
  for (const args of oneAtLeast(combinations)) {
    const decision = decide(set, { ...yes, action: 'approve', context: { ...yes.context, args } });
    if (!decision.allowed) return decision;
    first ??= decision;
  }
  if (!first) throw new TypeError('no combination was asked about');
  return first;
}

// Nobody may be let through by being asked about nothing.
const oneAtLeast = (of: readonly ArgumentFacts[]): readonly ArgumentFacts[] => (of.length === 0 ? [{}] : of);

/** Whether some call of this tool could be allowed, whatever its arguments: for showing tools, never for letting a call through. */
export function couldCall(set: PolicySet, call: CallRequest): boolean {
  const facts = factsOf(set.org, { ...call, action: 'call', context: { ...call.context, args: {} } });
  const context = new Map(facts.context.fields);
  context.delete('args');
  return reach(set.program, { ...facts, context: new CedarRecord(context) }).may !== 'never';
}
