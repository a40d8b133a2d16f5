import { change } from '#audit/change.ts';
import type { Id } from '#kernel/id.ts';
import type { ScimCtx } from './directory.ts';
import { saveChangedUser } from './save-changed-user.ts';
import { refuseStale, type Precondition } from './scim-etag.ts';
import { noUser } from './scim-missing.ts';
import { applyPatch } from './apply-patch.ts';
import { parsePatch } from './scim-patch.ts';
import { userResource } from './scim-schema.ts';
import { lockScimUser } from './scim-user.sql.ts';
import type { ScimUser } from './scim-user.ts';

/** Applies the operations of a PATCH to a person in order, all or none. `active` false ends their access with the commit. */
export async function patchScimUser(ctx: ScimCtx, id: Id<'scu'>, body: unknown, when: Precondition): Promise<ScimUser> {
  const ops = parsePatch(userResource, body, id, new Set());
  return change(ctx, async (tx) => {
    const before = await lockScimUser(tx, ctx.directory, id);
    if (!before) throw noUser(id);
    refuseStale(when, before.version);
    const after = applyPatch(before.attributes, ops);
    // INVARIANT (access only by word): taking `active` away is not the same as setting it to true.
    if (after['active'] === undefined) after['active'] = before.attributes['active'] ?? true;
    return saveChangedUser(tx, ctx, before, after);
  });
}
