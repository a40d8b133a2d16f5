import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { permissionsOfActor } from './actor.ts';
import { refuseState } from './member.ts';
import { listOrgsOfUser } from './org.sql.ts';
import { orgEvents } from './org.events.ts';
import { lockUser, saveUserState } from './user.sql.ts';
import type { User } from './user.ts';

/**
 * Suspends a person or lets them back in. The account is the parent's, so it ends or returns in all its organizations at once; therefore
 * the reach must be enough for the highest role that the person has in any of them.
 */
export async function setUserState(ctx: OrgCtx, id: Id<'usr'>, state: User['state']): Promise<User> {
  const has = await ctx.db.read({ parent: ctx.parent, org: ctx.org }, (db) => permissionsOfActor(db, ctx));
  // Told in the parent's log and under the parent's version, so that caches of every organization notice.
  return change({ ...ctx, org: undefined }, async (tx) => {
    const user = await lockUser(tx, id);
    const orgs = await listOrgsOfUser(tx, id);
    if (!user || !orgs.some((o) => o.org === ctx.org))
      throw new Problem('missing', 'org/no-such-user', { says: 'there is no such person in this organization' });
    const self = ctx.actor.kind === 'user' && ctx.actor.id === id;
    refuseState(state, { roles: orgs.map((o) => o.role), has, self });
    if ((await saveUserState(tx, id, state, ctx.actor.kind === 'nobody' ? 'nobody' : ctx.actor.id, ctx.now)) === 0)
      return { value: user, unchanged: true };
    return {
      value: { ...user, state },
      events: [event(orgEvents, state === 'suspended' ? 'user.suspended' : 'user.reactivated', { user: id })],
    };
  });
}
