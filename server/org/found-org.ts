import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { systemCtx, type World } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { insertMember } from './member.sql.ts';
import { insertOrg, insertParent, lockFounding } from './org.sql.ts';
import { orgEvents } from './org.events.ts';
import type { Org } from './org.ts';
import { insertUser } from './user.sql.ts';

export type Founding = {
  parentName: string;
  orgName: string;
  surface?: Org['surface'];
  owner: { email: string; displayName: string };
  /** Only if the deployment is empty. */
  first?: boolean;
};
export type Founded = { parent: Id<'par'>; org: Id<'org'>; owner: Id<'usr'>; member: Id<'mem'> };

/**
 * Creates a parent, its first organization and the primary owner, who has no way in yet: see identity/create-setup-link.ts. For bootstrap,
 * and for the first owner of an empty deployment.
 */
export async function foundOrg(world: World, f: Founding): Promise<Founded> {
  const at = world.now();
  const made: Founded = {
    parent: newId('par', at.getTime()),
    org: newId('org', at.getTime()),
    owner: newId('usr', at.getTime()),
    member: newId('mem', at.getTime()),
  };
  const surface = f.surface ?? 'workspace';
  const ctx = systemCtx(world, 'bootstrap', { parent: made.parent, org: made.org });
  return change(ctx, async (tx) => {
    if (f.first && (await lockFounding(tx)))
      throw new Problem('conflict', 'org/already-founded', {
        says: 'this deployment has an organization already',
        fix: 'sign in at /sign-in; further organizations are made with `gatehouse bootstrap` on its machine',
      });
    await insertParent(tx, made.parent, f.parentName, at);
    await insertOrg(tx, { id: made.org, name: f.orgName, surface, region: 'local', createdAt: at });
    await insertUser(tx, { id: made.owner, ...f.owner, state: 'active', origin: 'local' }, at);
    await insertMember(tx, { id: made.member, user: made.owner, role: 'primary_owner' }, at);
    return { value: made, events: [event(orgEvents, 'org.founded', { org: made.org, surface, owner: made.owner })] };
  });
}
