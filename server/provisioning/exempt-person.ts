import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { deleteExempt, saveExempt } from './exempt.sql.ts';
import { provisioningEvents } from './provisioning.events.ts';

export const noPerson = (): Problem =>
  new Problem('missing', 'provisioning/no-person', {
    says: 'there is no such person in this organization',
    fix: 'list the people that provisioning knows',
  });

/** Makes a member a break-glass account, whom no identity provider may lower, remove or suspend; `why` undefined ends it. */
export const exemptPerson = (ctx: OrgCtx, user: Id<'usr'>, why: string | undefined): Promise<void> =>
  change(ctx, async (tx) => {
    if (why === undefined)
      return (await deleteExempt(tx, user)) === 0
        ? { value: undefined, unchanged: true }
        : { value: undefined, events: [event(provisioningEvents, 'provisioning.exemption_ended', { user })] };
    if (!(await findMemberByUser(tx, user))) throw noPerson();
    const by = 'id' in ctx.actor ? ctx.actor.id : ctx.actor.kind;
    return (await saveExempt(tx, user, why, by, ctx.now)) === 0
      ? { value: undefined, unchanged: true }
      : { value: undefined, events: [event(provisioningEvents, 'provisioning.exempted', { user })] };
  });
