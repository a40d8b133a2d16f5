import { event, type AuditEvent } from '#audit/events.ts';
import type { Reader } from '#kernel/db.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { findUser } from '#org/user.sql.ts';
import type { Approvers } from './approvers.ts';
import {
  noCedar,
  noConnector,
  noControl,
  noGroup,
  noRule,
  noType,
  noTypeControl,
  noUser,
  noVersion,
  type Catalogue,
} from './catalogue.ts';
import { checkPolicies } from './cedar.ts';
import { checkCedar, MAX_CEDAR } from './check-cedar.ts';
import { differences, typeSays, type PolicyContent } from './content.ts';
import { loadContent } from './content.sql.ts';
import { controlKey, MAX_CONTROLS } from './control.ts';
import { policyEvents } from './policy.events.ts';
import { currentNumber } from './policy-version.sql.ts';
import { approversOfRule, MAX_RULES, policiesOf, type Rule, type RuleDraft } from './rule.ts';
import { currentOrg, findGroupName, whoId } from './rule.sql.ts';
import { MAX_TYPE_CONTROLS, type TypeControl } from './type-control.ts';
import type { Wish } from './wish.ts';

/** What a wish comes to. `unchanged`: it is so already. */
export type Resolved = {
  after: PolicyContent;
  unchanged: boolean;
  /** The rule, control or policy that it is about. */
  about: string | null;
  restored: number | null;
  events: AuditEvent[];
};

/**
 * What the policies would be after a wish, and what the log would say. Refuses what is about somebody or something that is not here, because it
 * would quietly do nothing. Writes nothing.
 */
export async function resolveWish(
  db: Reader,
  before: PolicyContent,
  wish: Wish,
  now: Date,
  catalogue: Pick<Catalogue, 'hasConnector' | 'types'>,
): Promise<Resolved> {
  const said = (after: PolicyContent, about: string | null, ...events: AuditEvent[]): Resolved => ({
    after,
    unchanged: differences(before, after).length === 0,
    about,
    restored: null,
    events,
  });
  switch (wish.kind) {
    case 'add_rule': {
      const rule = await ruleFrom(db, before.rules, newId('rul', now.getTime()), wish.rule, catalogue);
      return said(
        { ...before, rules: [...before.rules, rule] },
        rule.id,
        event(policyEvents, 'policy.rule_added', dataOf(rule)),
      );
    }
    case 'replace_rule': {
      const was = before.rules.find((r) => r.id === wish.rule);
      if (!was) throw noRule(wish.rule);
      const others = before.rules.filter((r) => r !== was);
      const rule = await ruleFrom(db, others, was.id, wish.by, catalogue);
      const rules = before.rules.map((r) => (r === was ? rule : r));
      return said({ ...before, rules }, rule.id, event(policyEvents, 'policy.rule_replaced', dataOf(rule)));
    }
    case 'remove_rule': {
      const { rule } = wish;
      if (!before.rules.some((r) => r.id === rule)) throw noRule(rule);
      const rules = before.rules.filter((r) => r.id !== rule);
      return said({ ...before, rules }, rule, event(policyEvents, 'policy.rule_removed', { rule }));
    }
    case 'set_settings':
      return said(
        { ...before, settings: { ...before.settings, ...wish.settings } },
        null,
        event(policyEvents, 'policy.settings_changed', wish.settings),
      );
    case 'set_after_reading':
      return said(
        { ...before, settings: { ...before.settings, afterReading: wish.afterReading } },
        null,
        event(policyEvents, 'policy.after_reading_set', wish.afterReading),
      );
    case 'set_control': {
      const control = { ...wish.control, who: await knownWho(db, wish.control.who), id: newId('ctl', now.getTime()) };
      if (control.connector !== 'any' && !(await catalogue.hasConnector(db, control.connector)))
        throw noConnector(control.connector);
      const was = before.controls.find((c) => controlKey(c) === controlKey(control));
      if (was?.access === control.access) return said(before, was.id);
      const controls = [...before.controls.filter((c) => c !== was), control];
      if (controls.length > MAX_CONTROLS) throw tooMany('controls', MAX_CONTROLS);
      const data = {
        control: control.id,
        who: control.who.kind,
        whoId: whoId(control.who),
        connector: control.connector === 'any' ? null : control.connector,
        access: control.access,
      };
      return said({ ...before, controls }, control.id, event(policyEvents, 'policy.control_set', data));
    }
    case 'remove_control': {
      const { control } = wish;
      if (!before.controls.some((c) => c.id === control)) throw noControl(control);
      const controls = before.controls.filter((c) => c.id !== control);
      return said({ ...before, controls }, control, event(policyEvents, 'policy.control_removed', { control }));
    }
    case 'set_type_control': {
      const { type } = wish.control;
      if (catalogue.types && !catalogue.types().some((t) => t.type === type)) throw noType(type);
      const groups = await Promise.all(
        wish.control.groups.map(async ({ group }) => ({ group, name: await groupName(db, group) })),
      );
      const control: TypeControl = { ...wish.control, groups, id: newId('ctl', now.getTime()) };
      const was = before.types.find((t) => t.type === type);
      const after = { ...before, types: [...before.types.filter((t) => t !== was), control] };
      if (was && typeSays({ ...control, id: was.id }) === typeSays(was)) return said(before, was.id);
      if (after.types.length > MAX_TYPE_CONTROLS) throw tooMany('controls of types', MAX_TYPE_CONTROLS);
      const { id, state, access } = control;
      const data = { control: id, type, state, access, groups: groups.map((g) => g.group) };
      return said(after, id, event(policyEvents, 'policy.type_control_set', data));
    }
    case 'remove_type_control': {
      const { type } = wish;
      const was = before.types.find((t) => t.type === type);
      if (!was) throw noTypeControl(type);
      const data = { control: was.id, type };
      const types = before.types.filter((t) => t !== was);
      return said({ ...before, types }, was.id, event(policyEvents, 'policy.type_control_removed', data));
    }
    case 'save_cedar': {
      const { id, name, cedar } = wish.policy;
      const was = id && before.cedar.find((p) => p.id === id);
      if (id && !was) throw noCedar(id);
      const others = before.cedar.filter((p) => p !== was);
      if (others.length >= MAX_CEDAR) throw tooMany('policies in Cedar', MAX_CEDAR);
      if (others.some((p) => p.name.toLowerCase() === name.toLowerCase())) throw nameTaken('policy in Cedar', name);
      const { engine } = checkCedar(cedar);
      const policy = { id: id ?? newId('ced', now.getTime()), name, cedar };
      const after = { ...before, cedar: [...others, policy] };
      const data = { policy: policy.id, replaces: was !== undefined, engine };
      return said(after, policy.id, event(policyEvents, 'policy.cedar_saved', data));
    }
    case 'remove_cedar': {
      const { policy } = wish;
      if (!before.cedar.some((p) => p.id === policy)) throw noCedar(policy);
      const cedar = before.cedar.filter((p) => p.id !== policy);
      return said({ ...before, cedar }, policy, event(policyEvents, 'policy.cedar_removed', { policy }));
    }
    case 'restore': {
      const { version } = wish;
      if (version > (await currentNumber(db))) throw noVersion(version);
      const then = await loadContent(db, version);
      // What is the same already stays the very same, so that only what differs is written.
      const changed = new Set(differences(before, then).map((d) => d.id ?? 'settings'));
      const same = <T extends { id: string }>(was: readonly T[], is: readonly T[]): T[] =>
        is.map((x) => (changed.has(x.id) ? x : (was.find((y) => y.id === x.id) ?? x)));
      const after: PolicyContent = {
        settings: changed.has('settings') ? then.settings : before.settings,
        rules: same(before.rules, then.rules),
        controls: same(before.controls, then.controls),
        types: same(before.types, then.types),
        cedar: same(before.cedar, then.cedar),
      };
      // Old policies are read as they would be if they were saved now: the schema may have grown since.
      for (const p of after.cedar) if (!before.cedar.includes(p)) checkCedar(p.cedar);
      return { ...said(after, null), restored: version };
    }
  }
}

/** The rule that a draft makes beside others. */
async function ruleFrom(
  db: Reader,
  others: readonly Rule[],
  id: Id<'rul'>,
  draft: RuleDraft,
  catalogue: Pick<Catalogue, 'hasConnector' | 'types'>,
): Promise<Rule> {
  const rule: Rule = { ...draft, id };
  if (rule.effect !== 'forbid' && rule.connector === 'any' && 'names' in rule.tools)
    throw new Problem('invalid', 'policy/names-need-connector', {
      says: `the rule ${rule.effect}s ${rule.tools.names.join(', ')} of every connector, but a name means something only within one`,
      fix: 'name the connector, or allow classes of tools',
    });
  // The policies are ours, so this can only fail by a mistake of ours; it is here because nothing unchecked is ever kept.
  checkPolicies(policiesOf(rule, await currentOrg(db)));
  const who = await knownWho(db, rule.who);
  if (rule.connector !== 'any' && !(await catalogue.hasConnector(db, rule.connector)))
    throw noConnector(rule.connector);
  if (others.length >= MAX_RULES)
    throw new Problem('conflict', 'policy/too-many-rules', {
      says: `this organization has ${others.length} rules, which is the most it can have`,
      fix: 'remove rules that no longer apply, or say with one rule for a group what several say for people',
    });
  if (others.some((r) => r.name.toLowerCase() === rule.name.toLowerCase())) throw nameTaken('rule', rule.name);
  const made = { ...rule, who, when: rule.when?.length ? rule.when : undefined };
  const approvers = approversOfRule(made);
  if (!approvers || made.effect === 'forbid' || (made.effect === 'allow' && made.asks === 'never')) return made;
  return { ...made, approvers: { ...approvers, who: await knownApprover(db, approvers.who) } };
}

const dataOf = (rule: Rule) => ({
  rule: rule.id,
  effect: rule.effect,
  asks: rule.effect === 'allow' ? rule.asks : null,
  who: rule.who.kind,
  whoId: whoId(rule.who),
  connector: rule.connector === 'any' ? null : rule.connector,
  classes: 'classes' in rule.tools ? [...rule.tools.classes] : [],
  names: 'names' in rule.tools ? [...rule.tools.names] : [],
});

const nameTaken = (what: string, name: string): Problem =>
  new Problem('conflict', 'policy/name-taken', {
    says: `there is a ${what} named "${name}" already`,
    fix: 'refusals name what they stand on, so give this one another name',
  });
const tooMany = (what: string, most: number): Problem =>
  new Problem('conflict', 'policy/too-many', {
    says: `this organization has ${most} ${what}, which is the most it can have`,
    fix: 'remove what no longer applies',
  });

/** Whom something is about, with the name they have now. */
async function knownWho(db: Reader, who: Rule['who']): Promise<Rule['who']> {
  switch (who.kind) {
    case 'everyone':
      return who;
    case 'group':
      return { ...who, name: await groupName(db, who.group) };
    case 'user':
      return { ...who, name: await memberName(db, who.user) };
  }
}

async function knownApprover(db: Reader, who: Approvers['who']): Promise<Approvers['who']> {
  if (who.kind === 'group') return { ...who, name: await groupName(db, who.group) };
  if (who.kind === 'user') return { ...who, name: await memberName(db, who.user) };
  return who;
}

async function groupName(db: Reader, id: Id<'grp'>): Promise<string> {
  const group = await findGroupName(db, id);
  if (!group) throw noGroup(id);
  return group.name;
}

async function memberName(db: Reader, id: Id<'usr'>): Promise<string> {
  const user = (await findMemberByUser(db, id)) && (await findUser(db, id));
  if (!user) throw noUser(id);
  return user.displayName;
}
