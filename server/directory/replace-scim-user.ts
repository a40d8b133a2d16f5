import type { Id } from '#kernel/id.ts';
import type { ScimCtx } from './directory.ts';
import { refuseIgnored } from './directory-settings.ts';
import { saveChangedUser } from './save-changed-user.ts';
import { scimChange } from './scim-change.ts';
import { refuseStale, type Precondition } from './scim-etag.ts';
import { noUser } from './scim-missing.ts';
import { lockScimUser } from './scim-user.sql.ts';
import type { ScimUser } from './scim-user.ts';
import { complex, refuseOtherId, typedResource } from './scim-value.ts';

/**
 * Sets all attributes of a person (PUT). What the request leaves out goes, except `active`: leaving it out must not let anybody back in,
 * nor shut anybody out.
 */
export async function replaceScimUser(
  ctx: ScimCtx,
  id: Id<'scu'>,
  body: unknown,
  when: Precondition,
): Promise<ScimUser> {
  const { call } = ctx;
  call.resource = id;
  const sent = typedResource(ctx.resources.user, body, call.ignored);
  refuseIgnored(ctx.settings.profile, call.ignored);
  refuseOtherId(sent.id, id);
  call.meant = { set: sent.attributes, whole: true };
  return scimChange(ctx, async (tx) => {
    const before = await lockScimUser(tx, ctx.directory, id);
    if (!before) throw noUser(id);
    refuseStale(when, before.version);
    const active = before.attributes['active'] ?? true;
    return saveChangedUser(tx, ctx, before, complex({ active, ...sent.attributes }));
  });
}
