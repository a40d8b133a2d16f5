import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { permissionsOfActor } from './actor.ts';
import { noSuchMember, refuseBeyondReach, refusePrimaryOwner, type GivenRole, type Member } from './member.ts';
import { lockMember, saveMemberRole } from './member.sql.ts';
import { orgEvents } from './org.events.ts';

/** Gives a member another role. Takes the reach for both: to take the old one away and to give the new one. */
export const changeRole = (ctx: OrgCtx, id: Id<'mem'>, role: GivenRole): Promise<Member> =>
  change(ctx, async (tx) => {
    const member = await lockMember(tx, id);
    if (!member) throw noSuchMember();
    refusePrimaryOwner(member.role, 'given another role');
    const has = await permissionsOfActor(tx, ctx);
    refuseBeyondReach(has, member.role);
    refuseBeyondReach(has, role);
    if (member.role === role) return { value: member, unchanged: true };
    await saveMemberRole(tx, id, role);
    return {
      value: { ...member, role },
      events: [event(orgEvents, 'org.role_changed', { member: id, user: member.user, from: member.role, to: role })],
    };
  });
