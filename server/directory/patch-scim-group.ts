import type { Id } from '#kernel/id.ts';
import { applyPatch } from './apply-patch.ts';
import { needsAlone } from './change-members.ts';
import type { ScimCtx } from './directory.ts';
import { refuseIgnored } from './directory-settings.ts';
import { saveChangedGroup } from './save-changed-group.ts';
import { scimChange } from './scim-change.ts';
import { moveMembers } from './member-lanes.ts';
import { refuseStale, type Precondition } from './scim-etag.ts';
import { lockScimGroup } from './scim-group.sql.ts';
import { groupFields, memberOp, type ScimGroup } from './scim-group.ts';
import { noGroup } from './scim-missing.ts';
import { parsePatch, shownOp } from './scim-patch.ts';
import { complex, requireAll } from './scim-value.ts';

/** Applies the operations of a PATCH to a group, all or none. Members are changed as sets of rows, so two that name different people never conflict. */
export async function patchScimGroup(
  ctx: ScimCtx,
  id: Id<'grp'>,
  body: unknown,
  when: Precondition,
): Promise<ScimGroup> {
  const { call, settings, resources } = ctx;
  call.resource = id;
  const ops = parsePatch(resources.group, body, id, call.ignored, (i) => refuseIgnored(settings.profile, i));
  call.meant = { edits: ops.map(shownOp) };
  const about = (members: boolean): typeof ops => ops.filter((o) => (o.at.path[0].name === 'members') === members);
  const members = about(true).map(memberOp);
  const fields = about(false);
  // If-Match promises that nothing happened in between, which only one who is alone can keep.
  const alone = needsAlone(members) || fields.length > 0 || when !== undefined;
  if (!alone && !call.rehearse)
    return moveMembers(
      ctx,
      id,
      members.flatMap((m) => (m.op === 'add' || m.op === 'remove' ? [{ op: m.op, ids: m.ids }] : [])),
    );
  return scimChange(ctx, async (tx) => {
    const before = await lockScimGroup(tx, ctx.directory, id, alone ? 'alone' : 'shared');
    if (!before) throw noGroup(id);
    refuseStale(when, before.version);
    const { displayName, externalId } = before;
    const after = applyPatch(complex({ displayName, ...(externalId === undefined ? {} : { externalId }) }), fields);
    requireAll(resources.group, after);
    return saveChangedGroup(tx, ctx, before, groupFields(after), members);
  });
}
