import { createSetupLink } from '#identity/create-setup-link.ts';
import { systemCtx, type World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { lookupUserParent } from '#org/user.sql.ts';

/** A one-time link for a user, made on the machine by whoever runs the deployment: the way back in when single sign-on is broken. */
export async function setupLinkFor(world: World, user: Id<'usr'>): Promise<{ url: string; expiresAt: string }> {
  const parent = (await world.db.lookup(lookupUserParent(user)))?.parent;
  if (!parent)
    throw new Problem('missing', 'org/no-such-user', {
      says: `there is no user ${user} in this deployment`,
      fix: 'take the id from the list of users',
    });
  const link = await createSetupLink(systemCtx(world, 'setup-link', { parent }), user);
  return { url: link.url, expiresAt: link.expiresAt.toISOString() };
}
