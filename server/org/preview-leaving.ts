import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { permissionsOfActor } from './actor.ts';
import { countLiveKeys } from './api-key.sql.ts';
import { refusalOf, type Held, type HeldOf, type Refusal } from './leaving.ts';
import { noSuchMember, refuseBeyondReach, refusePrimaryOwner, refuseState } from './member.ts';
import { findMember } from './member.sql.ts';
import type { OrgOfUser } from './org.ts';
import { listOrgsOfUser } from './org.sql.ts';

/** What would end with a member, where else they are a member, and what of it would be refused to whoever asks. */
export type Leaving = Held & {
  keys: number;
  orgs: OrgOfUser[];
  refused: Record<'role' | 'remove' | 'suspend', Refusal | null>;
};

/** Shows what removing or suspending a member would end. Changes nothing, and asks the same rules as the changes do. */
export const previewLeaving = (ctx: OrgCtx, id: Id<'mem'>, heldOf: HeldOf): Promise<Leaving> =>
  ctx.db.read(scopeOf(ctx), async (db) => {
    const member = await findMember(db, id);
    if (!member) throw noSuchMember();
    const { user, role } = member;
    const [has, orgs, held, keys] = [
      await permissionsOfActor(db, ctx),
      await listOrgsOfUser(db, user),
      await heldOf(db, { user, member: id }, ctx.now),
      await countLiveKeys(db, user, ctx.now),
    ];
    const self = ctx.actor.kind === 'user' && ctx.actor.id === user;
    const within = (what: Parameters<typeof refusePrimaryOwner>[1]): Refusal | null =>
      refusalOf(() => {
        refusePrimaryOwner(role, what);
        refuseBeyondReach(has, role);
      });
    return {
      ...held,
      keys: keys.n,
      orgs,
      refused: {
        role: within('given another role'),
        remove: within('removed'),
        suspend: refusalOf(() => refuseState('suspended', { roles: orgs.map((o) => o.role), has, self })),
      },
    };
  });
