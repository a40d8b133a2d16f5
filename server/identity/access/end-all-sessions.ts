import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { permissionsOfActor } from '#org/actor.ts';
import { noSuchMember, refuseBeyondReach } from '#org/member.ts';
import { findMember } from '#org/member.sql.ts';
import { listOrgsOfUser } from '#org/org.sql.ts';
import { saveAllSessionsRevoked } from '../session.sql.ts';
import { accessEvents } from './access.events.ts';

/**
 * Ends every browser session of a member. Sessions are of the account, not of one organization, so the reach must be enough for the highest
 * role that the person has anywhere. Agents go on: their consents are ended one by one, or by suspending the person.
 */
export async function endAllSessions(ctx: OrgCtx, id: Id<'mem'>): Promise<{ ended: number }> {
  const { has, member } = await ctx.db.read({ parent: ctx.parent, org: ctx.org }, async (db) => ({
    has: await permissionsOfActor(db, ctx),
    member: await findMember(db, id),
  }));
  if (!member) throw noSuchMember();
  return change({ ...ctx, org: undefined }, async (tx) => {
    for (const { role } of await listOrgsOfUser(tx, member.user)) refuseBeyondReach(has, role);
    const count = (await saveAllSessionsRevoked(tx, member.user, ctx.now)).length;
    return count === 0
      ? { value: { ended: 0 }, unchanged: true }
      : {
          value: { ended: count },
          events: [event(accessEvents, 'sessions.ended', { user: member.user, count })],
        };
  });
}
