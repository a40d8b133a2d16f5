import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import { newId } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { findUser } from '#org/user.sql.ts';
import { noConnector, noGroup, noUser, type Catalogue } from './catalogue.ts';
import { checkPolicies } from './cedar.ts';
import { policyEvents } from './policy.events.ts';
import { actorId, MAX_RULES, policiesOf, type Rule, type RuleDraft } from './rule.ts';
import { countRules, findGroupName, insertRule } from './rule.sql.ts';

/** Adds a rule. It applies from the next decision on. Refuses a rule about somebody or something that is not here, because it would quietly do nothing. */
export async function addRule(
  ctx: OrgCtx,
  draft: RuleDraft,
  catalogue: Pick<Catalogue, 'hasConnector'>,
): Promise<Rule> {
  const rule: Rule = { ...draft, id: newId('rul', ctx.now.getTime()) };
  if (rule.effect === 'allow' && rule.connector === 'any' && 'names' in rule.tools)
    throw new Problem('invalid', 'policy/names-need-connector', {
      says: `the rule allows ${rule.tools.names.join(', ')} of every connector, but a name means something only within one`,
      fix: 'name the connector, or allow classes of tools',
    });
  // The policies are ours, so this can only fail by a mistake of ours; it is here because nothing unchecked is ever kept.
  checkPolicies(policiesOf(rule, ctx.org));
  return change(ctx, async (tx) => {
    const who = await knownWho(tx, rule.who);
    if (rule.connector !== 'any' && !(await catalogue.hasConnector(tx, rule.connector)))
      throw noConnector(rule.connector);
    const rules = await countRules(tx);
    if (rules >= MAX_RULES)
      throw new Problem('conflict', 'policy/too-many-rules', {
        says: `this organization has ${rules} rules, which is the most it can have`,
        fix: 'remove rules that no longer apply, or say with one rule for a group what several say for people',
      });
    if (!(await insertRule(tx, rule, actorId(ctx.actor), ctx.now)))
      throw new Problem('conflict', 'policy/name-taken', {
        says: `there is a rule named "${rule.name}" already`,
        fix: 'refusals name their rule, so give this one another name',
      });
    const data = {
      rule: rule.id,
      effect: rule.effect,
      asks: rule.effect === 'allow' ? rule.asks : null,
      who: who.kind,
      whoId: who.kind === 'everyone' ? null : who.kind === 'group' ? who.group : who.user,
      connector: rule.connector === 'any' ? null : rule.connector,
      classes: 'classes' in rule.tools ? [...rule.tools.classes] : [],
      names: 'names' in rule.tools ? [...rule.tools.names] : [],
    };
    return { value: { ...rule, who }, events: [event(policyEvents, 'policy.rule_added', data)] };
  });
}

/** Whom the rule is about, with the name they have now. */
async function knownWho(db: Reader, who: Rule['who']): Promise<Rule['who']> {
  switch (who.kind) {
    case 'everyone':
      return who;
    case 'group': {
      const group = await findGroupName(db, who.group);
      if (!group) throw noGroup(who.group);
      return { ...who, name: group.name };
    }
    case 'user': {
      const user = (await findMemberByUser(db, who.user)) && (await findUser(db, who.user));
      if (!user) throw noUser(who.user);
      return { ...who, name: user.displayName };
    }
  }
}
