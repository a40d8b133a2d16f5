import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { findUser } from '#org/user.sql.ts';
import { listActiveOwners } from './person.sql.ts';
import { memberBehind, planFor } from './plan-for.ts';
import { difference, needsConfirming, refuseLockOut, type Line, type Target } from './plan.ts';
import { findPlan, listLines, savePlanApplied, type Plan } from './plan.sql.ts';
import { provisioningEvents } from './provisioning.events.ts';
import { settlePeople } from './settle-people.ts';
import {
  findSettings,
  listMappings,
  lockSettings,
  replaceMappings,
  saveSettings,
  type Settings,
} from './settings.sql.ts';

export const noPlan = (): Problem =>
  new Problem('missing', 'provisioning/no-plan', {
    says: 'there is no such plan in this organization',
    fix: 'make one: say what is to change, and look at what it does',
  });

/** People in one statement's arrays. */
const CHUNK = 2000;

/**
 * Does what a plan showed, all in one transaction. INVARIANT (nothing blind): everything is computed again, and if anything differs from what
 * was looked at, nothing is done and the difference is told.
 */
export const applyPlan = (
  ctx: OrgCtx,
  id: Id<'pln'>,
  given: { hash: string; confirm?: string | undefined },
): Promise<{ plan: Id<'pln'>; changed: number; atNextSignIn: number }> =>
  change(ctx, async (tx) => {
    await lockSettings(tx);
    const plan = await findPlan(tx, id);
    if (!plan) throw noPlan();
    if (plan.appliedAt)
      throw new Problem('conflict', 'provisioning/plan-applied', {
        says: `this plan was applied at ${plan.appliedAt.toISOString()}`,
        fix: 'make another',
      });
    const settings = await findSettings(tx);
    const now = await planFor(tx, settings, plan.target);
    if (given.hash !== plan.hash || now.hash !== plan.hash)
      throw await changedSince(tx, plan, given.hash, now.lines, settings);
    const owners = (await listActiveOwners(tx)).map((user) => ({ user, role: 'owner' as const }));
    refuseLockOut(now.lines, owners, await memberBehind(tx, ctx));
    if (needsConfirming(plan.target, now.ownersMapped) && given.confirm !== settings.name)
      throw new Problem('conflict', 'provisioning/confirm', {
        says: 'no group has come whose people would be owners, so nobody but the primary owner would have that role by a group',
        fix: `map a group of owners that has come; or, if you mean it, send "confirm" with the organization's name: ${settings.name}`,
      });

    const by = 'id' in ctx.actor ? ctx.actor.id : ctx.actor.kind;
    const version = settings.version + 1;
    const said = await settingEvents(tx, settings, plan.target);
    await saveSettings(tx, { ...plan.target, version }, by, ctx.now);
    await replaceMappings(tx, plan.target.mappings, by, ctx.now);
    await savePlanApplied(tx, id, ctx.now);
    const touched = now.lines.filter((l) => !l.atNextSignIn).map((l) => l.user);
    const events: AuditEvent[] = [];
    let changed = 0;
    for (let i = 0; i < touched.length; i += CHUNK) {
      const settled = await settlePeople(tx, ctx, now.rules, {
        event: 'mode_change',
        users: touched.slice(i, i + CHUNK),
        brake: 'off',
      });
      changed += settled.changed;
      events.push(...settled.events);
    }
    const applied = event(provisioningEvents, 'provisioning.plan_applied', {
      plan: id,
      hash: plan.hash,
      mode: plan.target.mode,
      mappings: plan.target.mappings.length,
      version,
    });
    return {
      value: { plan: id, changed, atNextSignIn: now.lines.length - touched.length },
      events: [applied, ...said, ...events],
    };
  });

/** What of the settings changes, an event each. */
async function settingEvents(tx: Tx, settings: Settings, target: Target): Promise<AuditEvent[]> {
  const before = (await listMappings(tx, settings)).filter((m) => !m.standing);
  return [
    ...(settings.mode === target.mode
      ? []
      : [event(provisioningEvents, 'provisioning.mode_changed', { from: settings.mode, to: target.mode })]),
    ...target.mappings
      .filter((m) => !before.some((b) => b.id === m.id))
      .map((m) =>
        event(provisioningEvents, 'provisioning.mapping_added', {
          mapping: m.id,
          group: 'group' in m.by ? m.by.group : null,
          role: m.role,
          tier: m.tier,
        }),
      ),
    ...before
      .filter((b) => !target.mappings.some((m) => m.id === b.id))
      .map((b) => event(provisioningEvents, 'provisioning.mapping_removed', { mapping: b.id, role: b.role })),
  ];
}

/** What changed since the plan was looked at. The first twenty people, with what they were told and what is so now. */
async function changedSince(
  tx: Tx,
  plan: Plan,
  hash: string,
  lines: readonly Line[],
  settings: Settings,
): Promise<Problem> {
  const before = await listLines(tx, plan.id, { like: null, what: null, after: undefined, limit: null });
  const differ = difference(before, lines);
  const people = await Promise.all(
    differ.slice(0, 20).map(async (d) => ({ ...d, email: (await findUser(tx, d.user))?.email ?? null })),
  );
  const other = settings.version !== plan.version;
  const says =
    hash !== plan.hash
      ? 'the hash is not the one of this plan'
      : other
        ? 'somebody changed the mode or the mappings since this plan was made'
        : `what this plan would do is not the same any more for ${differ.length} ${differ.length === 1 ? 'person' : 'people'}${
            people[0] ? `: ${people[0].email ?? people[0].user} was "${people[0].was}", is "${people[0].is}" now` : ''
          }`;
  return new Problem('conflict', 'provisioning/plan-changed', {
    says,
    fix: 'make the plan again, look at it, and apply that one',
    more: { differences: people, count: differ.length },
  });
}
