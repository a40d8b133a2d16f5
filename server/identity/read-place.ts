import { z } from 'zod';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import { permissions, type Permission } from '#kernel/permission.ts';
import { memberRoles } from '#org/member.ts';
import { findMemberByUser, listPeopleWithRole } from '#org/member.sql.ts';
import { noSuchOrg, surfaces } from '#org/org.ts';
import { findOrg } from '#org/org.sql.ts';
import { MAX_NAMED, notPermitted } from '#org/refusal.ts';
import { can, rolesWith } from '#org/roles.ts';
import { findUser } from '#org/user.sql.ts';
import type { SignedIn } from './session.ts';

/** What a person is in an organization. */
export const Place = z.object({
  org: z.object({ id: z.string(), parent: z.string(), name: z.string(), surface: z.enum(surfaces) }),
  user: z.object({ id: z.string(), email: z.string(), displayName: z.string() }),
  member: z.string(),
  role: z.enum(memberRoles),
  session: z.string(),
  permissions: z.array(
    z.object({
      permission: z.enum(permissions),
      allowed: z.boolean(),
      refusal: z
        .object({ code: z.string(), says: z.string(), fix: z.string(), who: z.array(z.string()) })
        .nullable()
        .describe('What the server would answer, and some of the people who may.'),
    }),
  ),
});
export type Place = z.infer<typeof Place>;

/** What the doors judge otherwise than by a member's role. */
const notByRole: readonly Permission[] = ['public', 'signed_in', 'scim', 'agent'];

/** Role and permissions of whoever is signed in, as the gate judges them. */
export async function readPlace(ctx: Ctx, me: SignedIn): Promise<Place> {
  return ctx.db.read(scopeOf(ctx), async (db) => {
    const member = await findMemberByUser(db, me.user);
    const user = await findUser(db, me.user);
    const org = ctx.org && (await findOrg(db, ctx.org));
    if (!member || !user || !org) throw noSuchOrg();
    const having = new Map<string, { name: string }[]>();
    const shown: Place['permissions'] = [];
    for (const permission of permissions.filter((p) => !notByRole.includes(p))) {
      if (can(member.role, permission)) {
        shown.push({ permission, allowed: true, refusal: null });
        continue;
      }
      const roles = rolesWith(permission);
      const people = having.get(roles.join()) ?? (await listPeopleWithRole(db, roles, MAX_NAMED));
      having.set(roles.join(), people);
      const { code, says, fix = '' } = notPermitted(member.role, permission, people);
      shown.push({ permission, allowed: false, refusal: { code, says, fix, who: people.map((p) => p.name) } });
    }
    return {
      org: { id: org.id, parent: ctx.parent, name: org.name, surface: org.surface },
      user: { id: user.id, email: user.email, displayName: user.displayName },
      member: member.id,
      role: member.role,
      session: me.session,
      permissions: shown,
    };
  });
}
