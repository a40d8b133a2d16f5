import { change } from '#audit/change.ts';
import type { Id } from '#kernel/id.ts';
import { needsAlone } from './change-members.ts';
import type { ScimCtx } from './directory.ts';
import { saveChangedGroup } from './save-changed-group.ts';
import { refuseStale, type Precondition } from './scim-etag.ts';
import { lockScimGroup } from './scim-group.sql.ts';
import { groupFields, memberOp, type ScimGroup } from './scim-group.ts';
import { noGroup } from './scim-missing.ts';
import { applyPatch } from './apply-patch.ts';
import { parsePatch } from './scim-patch.ts';
import { groupResource } from './scim-schema.ts';
import { complex, requireAll } from './scim-value.ts';

/** Applies the operations of a PATCH to a group, all or none. Members are changed as sets of rows, so two that name different people never conflict. */
export async function patchScimGroup(
  ctx: ScimCtx,
  id: Id<'grp'>,
  body: unknown,
  when: Precondition,
): Promise<ScimGroup> {
  const ops = parsePatch(groupResource, body, id, new Set());
  const about = (members: boolean): typeof ops => ops.filter((o) => (o.at.path[0].name === 'members') === members);
  const members = about(true).map(memberOp);
  const fields = about(false);
  // If-Match promises that nothing happened in between, which only one who is alone can keep.
  const alone = needsAlone(members) || fields.length > 0 || when !== undefined;
  return change(ctx, async (tx) => {
    const before = await lockScimGroup(tx, ctx.directory, id, alone ? 'alone' : 'shared');
    if (!before) throw noGroup(id);
    refuseStale(when, before.version);
    const { displayName, externalId } = before;
    const after = applyPatch(complex({ displayName, ...(externalId === undefined ? {} : { externalId }) }), fields);
    requireAll(groupResource, after);
    return saveChangedGroup(tx, ctx, before, groupFields(after), members);
  });
}
