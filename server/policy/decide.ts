import type { Id } from '#kernel/id.ts';
import type { Policies } from './cedar.ts';
import { compile, run } from './compile.ts';
import type { Program } from './compile.ts';
import { policiesOf, versionOf } from './rule.ts';
import type { Rule } from './rule.ts';
import { questions, surfaces, toolClasses } from './schema.ts';
import type { Asker, AskedTool, PolicyRequest } from './schema.ts';
import { CedarRecord, Uid } from './value.ts';
import type { EntityData, Facts, Value } from './value.ts';

/** Everything an organization's decisions stand on. Immutable; a change of rules makes another one with another version. */
export type PolicySet = {
  readonly org: Id<'org'>;
  readonly version: string;
  readonly rules: ReadonlyMap<Id<'rul'>, Rule>;
  readonly policies: Policies;
  readonly program: Program;
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

/** Makes the policy set of an organization. `more` is Cedar that no structured rule says, by policy id. */
export function policySet(org: Id<'org'>, rules: readonly Rule[], more: Policies = {}): PolicySet {
  const policies: Record<string, Policies[string]> = { ...more };
  for (const rule of rules) Object.assign(policies, policiesOf(rule, org));
  return {
    org,
    version: versionOf(policies),
    rules: new Map(rules.map((r) => [r.id, r])),
    policies,
    program: compile(policies),
  };
}

const uids = (type: string, ids: readonly string[]): ReadonlyMap<string, Uid> =>
  new Map(ids.map((id) => [id, new Uid(type, id)]));
const action = uids('Action', questions);
const surface = uids('Surface', surfaces);
const klass = uids('Class', toolClasses);
const known = (of: ReadonlyMap<string, Uid>, id: string): Uid => {
  const uid = of.get(id);
  if (!uid) throw new TypeError(`${id} is not in the Cedar schema`);
  return uid;
};

const nothing: ReadonlyMap<string, Value> = new Map();

function userEntity(who: Asker, org: Uid): EntityData {
  const ancestors = new Map([[org.key, org]]);
  for (const g of who.groups) {
    const uid = new Uid('Group', g);
    ancestors.set(uid.key, uid);
  }
  return { uid: new Uid('User', who.user), attrs: nothing, ancestors, tags: nothing };
}

function toolEntity(tool: AskedTool, org: Uid): EntityData {
  const connector = new Uid('Connector', tool.connector);
  return {
    uid: new Uid('Tool', `${tool.connector}/${tool.name}`),
    attrs: new Map<string, Value>([
      ['name', tool.name],
      ['class', known(klass, tool.class)],
    ]),
    ancestors: new Map([
      [connector.key, connector],
      [org.key, org],
    ]),
    tags: nothing,
  };
}

/** The request as entities and a context: only the slice that this decision can look at. */
export function factsOf(org: Id<'org'>, r: PolicyRequest): Facts {
  const home = new Uid('Org', org);
  const user = userEntity(r, home);
  const tool = toolEntity(r.tool, home);
  const entities = new Map([
    [user.uid.key, user],
    [tool.uid.key, tool],
  ]);
  const context = new Map<string, Value>([['surface', known(surface, r.context.surface)]]);
  if (r.action === 'approve') {
    const requester = userEntity(r.context.requester, home);
    // When people ask about their own call, the approver's entity is already the requester's.
    if (requester.uid.key !== user.uid.key) entities.set(requester.uid.key, requester);
    context.set('requester', requester.uid);
    context.set('may_decide', r.context.mayDecide);
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
