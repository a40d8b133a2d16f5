import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { permissionsOfActor } from './actor.ts';
import { refuseBeyondReach, type GivenRole, type Member } from './member.ts';
import { insertMember } from './member.sql.ts';
import { orgEvents } from './org.events.ts';
import { findUserByEmail, insertUser } from './user.sql.ts';

/**
 * Adds a person by hand. Someone whom the parent knows by this e-mail is taken in as they are; anyone else gets a local account, which
 * opens nothing until it is linked to an identity: the e-mail alone never lets anybody in.
 */
export const addMember = (ctx: OrgCtx, who: { email: string; displayName: string; role: GivenRole }): Promise<Member> =>
  change(ctx, async (tx) => {
    refuseBeyondReach(await permissionsOfActor(tx, ctx), who.role);
    const known = await findUserByEmail(tx, who.email);
    const user: Id<'usr'> = known?.id ?? newId('usr', ctx.now.getTime());
    if (!known)
      await insertUser(
        tx,
        { id: user, email: who.email, displayName: who.displayName, state: 'active', origin: 'local' },
        ctx.now,
      );
    const member: Member = { id: newId('mem', ctx.now.getTime()), user, role: who.role };
    if ((await insertMember(tx, member, ctx.now)) === 0)
      throw new Problem('conflict', 'org/already-member', {
        says: `${who.email} is a member of this organization already`,
        fix: 'change the role of the member instead',
        more: { user },
      });
    return {
      value: member,
      events: [event(orgEvents, 'org.member_added', { member: member.id, user, role: who.role, newUser: !known })],
    };
  });
