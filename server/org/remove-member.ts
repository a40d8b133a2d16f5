import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { permissionsOfActor } from './actor.ts';
import { countLiveKeys } from './api-key.sql.ts';
import { noSuchMember, refuseBeyondReach, refusePrimaryOwner } from './member.ts';
import { deleteMember, lockMember } from './member.sql.ts';
import { orgEvents } from './org.events.ts';

/** Takes a person out of the organization. The account at the parent stays; keys that they created end, and the answer says how many. */
export const removeMember = (ctx: OrgCtx, id: Id<'mem'>): Promise<{ keysEnded: number }> =>
  change(ctx, async (tx) => {
    const member = await lockMember(tx, id);
    if (!member) throw noSuchMember();
    refusePrimaryOwner(member.role, 'removed');
    refuseBeyondReach(await permissionsOfActor(tx, ctx), member.role);
    const { n: keysEnded } = await countLiveKeys(tx, member.user, ctx.now);
    await deleteMember(tx, id);
    return {
      value: { keysEnded },
      events: [event(orgEvents, 'org.member_removed', { member: id, user: member.user, role: member.role, keysEnded })],
    };
  });
