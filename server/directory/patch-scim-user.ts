import type { Id } from '#kernel/id.ts';
import { applyPatch } from './apply-patch.ts';
import type { ScimCtx } from './directory.ts';
import { refuseIgnored } from './directory-settings.ts';
import { saveChangedUser } from './save-changed-user.ts';
import { scimChange } from './scim-change.ts';
import { refuseStale, type Precondition } from './scim-etag.ts';
import { noUser } from './scim-missing.ts';
import { parsePatch, shownOp } from './scim-patch.ts';
import { lockScimUser } from './scim-user.sql.ts';
import type { ScimUser } from './scim-user.ts';

/** Applies the operations of a PATCH to a person in order, all or none. `active` false ends their access with the commit. */
export async function patchScimUser(ctx: ScimCtx, id: Id<'scu'>, body: unknown, when: Precondition): Promise<ScimUser> {
  const { call, settings } = ctx;
  call.resource = id;
  const ops = parsePatch(ctx.resources.user, body, id, call.ignored, (i) => refuseIgnored(settings.profile, i));
  call.meant = { edits: ops.map(shownOp) };
  return scimChange(ctx, async (tx) => {
    const before = await lockScimUser(tx, ctx.directory, id);
    if (!before) throw noUser(id);
    refuseStale(when, before.version);
    const after = applyPatch(before.attributes, ops, (problem) => {
      if (settings.profile === 'strict') throw problem;
      call.notes.push(problem.says);
    });
    // INVARIANT (access only by word): taking `active` away is not the same as setting it to true.
    if (after['active'] === undefined) after['active'] = before.attributes['active'] ?? true;
    return saveChangedUser(tx, ctx, before, after);
  });
}
