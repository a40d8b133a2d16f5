import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { permissionsOfActor } from '#org/actor.ts';
import { refuseBeyondReach } from '#org/member.ts';
import { listOrgsOfUser } from '#org/org.sql.ts';
import { endSession } from '../end-session.ts';
import { noMemberSession } from '../session.ts';
import { findMemberSession } from '../session.sql.ts';

/** Ends one browser session of a member at once; the reach must be enough for the highest role that the person has anywhere. */
export async function endMemberSession(ctx: OrgCtx, id: Id<'ses'>): Promise<void> {
  const user = await ctx.db.read({ parent: ctx.parent, org: ctx.org }, async (db) => {
    const found = await findMemberSession(db, id);
    if (!found) throw noMemberSession();
    const has = await permissionsOfActor(db, ctx);
    for (const { role } of await listOrgsOfUser(db, found.user)) refuseBeyondReach(has, role);
    return found.user;
  });
  await endSession(ctx, user, id, 'revoked');
}
