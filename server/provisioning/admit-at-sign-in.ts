import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type Ctx, type OrgCtx } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import { newId, type Id } from '#kernel/id.ts';
import { decide, highest } from './decide.ts';
import { freshSituation } from './fresh-situation.ts';
import { listAttributeGroups, noteAttributeGroups, replaceAttributeGroups } from './group.sql.ts';
import { saveIdentitySeen } from './identity-seen.sql.ts';
import { isAdvanced, isJit } from './mode.ts';
import { listFacts } from './person.sql.ts';
import { provisioningEvents } from './provisioning.events.ts';
import { mappedGroups, rulesOf, settlePeople, situationOf, type Rules } from './settle-people.ts';
import { seatsLeft } from './seat.ts';
import { listSeatLimits } from './seat.sql.ts';
import { findSettings, listMappings, listOrgIds } from './settings.sql.ts';
import { judgeAddress, saidGroups, type SaidAtSignIn, type Verdict } from './sign-in.ts';

/**
 * Keeps what an identity provider said at a sign-in, let in or not: its groups are "seen" from now on, and how it names the person can be
 * compared with how a directory does. `user` undefined: nobody here.
 */
export const noteSignIn = (ctx: Ctx, said: SaidAtSignIn, user: Id<'usr'> | undefined): Promise<void> =>
  change({ ...ctx, org: undefined }, async (tx) => {
    const groups = saidGroups(said);
    await saveIdentitySeen(tx, said, user, ctx.now);
    if (groups.length > 0)
      await noteAttributeGroups(
        tx,
        groups.map((g) => ({ ...g, id: newId('grp', ctx.now.getTime()) })),
        ctx.now,
      );
    const { connection } = said;
    const noted = event(provisioningEvents, 'provisioning.sign_in_noted', {
      connection,
      user: user ?? null,
      groups: groups.length,
    });
    if (!user) return { value: undefined, events: [noted] };
    const moved = await replaceAttributeGroups(tx, user, await listAttributeGroups(tx, groups), ctx.now);
    if (moved.added + moved.removed === 0) return { value: undefined, events: [noted] };
    // Rules speak of these groups, too, so every node must hear of it.
    return {
      value: undefined,
      events: [noted, event(provisioningEvents, 'provisioning.attribute_groups_changed', { user, ...moved })],
    };
  });

/**
 * Asks every organization of the parent what it makes of a person who proved to be `user`, and does what it decides: members are made, roles
 * set, seats taken, before the session begins. Each organization in a transaction of its own, because each has its own log.
 *
 * A set-up link is no identity provider: it says nothing of groups, so it changes nobody's place or role, and only takes a seat.
 */
export async function admitAtSignIn(ctx: Ctx, user: Id<'usr'>, by: By = 'identity_provider'): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const org of await ctx.db.read({ parent: ctx.parent }, listOrgIds)) {
    const inside: OrgCtx = { ...ctx, org, actor: { kind: 'system', id: 'sign-in' } };
    const judged = await ctx.db.read(scopeOf(inside), (db) => judge(db, org, user, by));
    const { effects, admit, seat } = judged.decision;
    // A member who comes in is noted; somebody of another organization is not worth a transaction.
    verdicts.push(effects.length > 0 || admit || seat === 'refused' ? await settle(inside, user, judged, by) : judged);
  }
  return verdicts;
}

type By = 'identity_provider' | 'setup_link';
async function rulesFor(db: Reader, by: By): Promise<Rules> {
  const settings = await findSettings(db);
  return rulesOf(db, by === 'setup_link' ? { ...settings, mode: 'login_only' } : settings);
}

async function judge(db: Reader, org: Id<'org'>, user: Id<'usr'>, by: By): Promise<Verdict> {
  const rules = await rulesFor(db, by);
  const [facts] = await listFacts(db, [user], mappedGroups(rules.mappings));
  const decision = decide(
    facts ? situationOf(rules, 'login', facts, { lastOwner: false }) : freshSituation(rules.settings.mode, 'login'),
  );
  return { org, orgName: rules.settings.name, mode: rules.settings.mode, decision, wanted: await wantedBy(db, rules) };
}

const settle = (ctx: OrgCtx, user: Id<'usr'>, judged: Verdict, by: By): Promise<Verdict> =>
  change(ctx, async (tx) => {
    const rules = await rulesFor(tx, by);
    const { decisions, events } = await settlePeople(tx, ctx, rules, { event: 'login', users: [user], brake: 'off' });
    const value = { ...judged, decision: decisions.get(user) ?? judged.decision };
    const [first, ...rest] = events;
    return first ? { value, events: [first, ...rest] } : { value, unchanged: true };
  });

/**
 * What every organization of the parent would make of somebody who has no account yet. Reads only. `verified`: the parent may take new people
 * in by the domain of the address.
 */
export async function judgeStranger(ctx: Ctx, said: SaidAtSignIn, verified: boolean): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const org of await ctx.db.read({ parent: ctx.parent }, listOrgIds))
    verdicts.push(
      await ctx.db.read({ parent: ctx.parent, org }, async (db) => {
        const rules = await rulesOf(db, await findSettings(db));
        const { settings, mappings } = rules;
        const groups = isAdvanced(settings.mode) ? await listAttributeGroups(db, saidGroups(said)) : [];
        const limits = isJit(settings.mode) ? await listSeatLimits(db) : [];
        const decision = decide({
          ...freshSituation(settings.mode, 'login'),
          account: 'none',
          groups,
          mappings,
          seatsLeft: seatsLeft(limits, highest(groups, mappings)?.tier ?? null),
          address: judgeAddress(said.email, settings.domains, verified),
        });
        return { org, orgName: settings.name, mode: settings.mode, decision, wanted: await wantedBy(db, rules) };
      }),
    );
  return verdicts;
}

/** The names that would have let somebody in, as administrators know them. */
async function wantedBy(db: Reader, rules: Rules): Promise<string[]> {
  if (!isAdvanced(rules.settings.mode)) return [];
  return (await listMappings(db, rules.settings)).map((m) => ('name' in m.by ? m.by.name : m.by.group));
}
