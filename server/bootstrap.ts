import { systemCtx, type World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import type { Permission } from '#kernel/permission.ts';
import { createSetupLink } from '#identity/create-setup-link.ts';
import { createApiKey } from '#org/create-api-key.ts';
import { foundOrg } from '#org/found-org.ts';
import { permissionsOf } from '#org/roles.ts';

export type Bootstrapped = {
  parent: Id<'par'>;
  org: Id<'org'>;
  owner: Id<'usr'>;
  member: Id<'mem'>;
  /** Shown here and never again. */
  apiKey: string;
  apiKeyExpires: string;
  /** Signs the owner in, once, within a day. */
  setupLink: string;
  api: string;
  mcp: string;
};

const KEY_DAYS = 90;
const MS_PER_DAY = 86_400_000;
/** What a key of bootstrap carries: everything that a key can. */
const carried = (p: Permission): boolean => !['public', 'signed_in', 'scim', 'agent'].includes(p);

/** From nothing to an organization that scripts can work with: parent, org, primary owner, an API key and the owner's one-time link. */
export async function bootstrap(
  world: World,
  wanted: { org: string; name: string; email: string; parent?: string | undefined },
): Promise<Bootstrapped> {
  const founded = await foundOrg(world, {
    parentName: wanted.parent ?? wanted.org,
    orgName: wanted.org,
    owner: { email: wanted.email, displayName: wanted.name },
  });
  const ctx = systemCtx(world, 'bootstrap', founded);
  const key = await createApiKey(
    { ...ctx, org: founded.org },
    {
      name: 'bootstrap',
      permissions: permissionsOf('primary_owner').filter(carried),
      expiresAt: new Date(ctx.now.getTime() + KEY_DAYS * MS_PER_DAY),
      creator: founded.owner,
    },
  );
  const link = await createSetupLink(ctx, founded.owner);
  return {
    ...founded,
    apiKey: key.value,
    apiKeyExpires: key.key.expiresAt.toISOString(),
    setupLink: link.url,
    api: `${world.origin}/api/orgs/${founded.org}`,
    mcp: `${world.origin}/mcp`,
  };
}
