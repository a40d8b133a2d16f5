import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { noSuchMember, type Member } from './member.ts';
import { lockPrimaryOwnerAnd, saveMemberRole } from './member.sql.ts';
import { orgEvents } from './org.events.ts';
import { lockUser } from './user.sql.ts';

/**
 * Hands the organization over: `to` becomes its primary owner, who was it stays as owner. Only the primary owner in person may do it;
 * an API key may not, whatever it carries, because a leaked key must not be able to take an organization away.
 */
export const transferOwnership = (ctx: OrgCtx, to: Id<'mem'>): Promise<Member> =>
  change(ctx, async (tx) => {
    const rows = await lockPrimaryOwnerAnd(tx, to);
    const from = rows.find((m) => m.role === 'primary_owner');
    if (!from || ctx.actor.kind !== 'user' || ctx.actor.id !== from.user)
      throw new Problem('forbidden', 'org/only-primary-owner', {
        says: 'only the primary owner, signed in in person, hands an organization over',
        fix: 'ask the primary owner to sign in and do it',
      });
    const next = rows.find((m) => m.id === to);
    if (!next) throw noSuchMember();
    if (next.id === from.id) return { value: from, unchanged: true };
    if ((await lockUser(tx, next.user))?.state !== 'active')
      throw new Problem('conflict', 'org/suspended-successor', {
        says: 'this member is suspended, and a primary owner must be able to sign in',
        fix: 'reactivate the person first, or choose another',
      });
    // Down before up: the index allows no moment with two.
    await saveMemberRole(tx, from.id, 'owner');
    await saveMemberRole(tx, next.id, 'primary_owner');
    return {
      value: { ...next, role: 'primary_owner' },
      events: [event(orgEvents, 'org.ownership_transferred', { org: ctx.org, from: from.user, to: next.user })],
    };
  });
