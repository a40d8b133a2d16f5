import type { Id } from '#kernel/id.ts';
import type { ScimCtx } from './directory.ts';
import { refuseIgnored } from './directory-settings.ts';
import { saveChangedGroup } from './save-changed-group.ts';
import { scimChange } from './scim-change.ts';
import { refuseStale, type Precondition } from './scim-etag.ts';
import { lockScimGroup } from './scim-group.sql.ts';
import { groupFields, memberIds, type ScimGroup } from './scim-group.ts';
import { noGroup } from './scim-missing.ts';
import { refuseOtherId, requireAll, typedResource } from './scim-value.ts';

/**
 * Sets name and members of a group (PUT). A request that does not mention `members` leaves them: forgetting a word must not take access
 * from everybody. An empty list or null says that there are none.
 */
export async function replaceScimGroup(
  ctx: ScimCtx,
  id: Id<'grp'>,
  body: unknown,
  when: Precondition,
): Promise<ScimGroup> {
  const { call, resources } = ctx;
  call.resource = id;
  const sent = typedResource(resources.group, body, call.ignored);
  refuseIgnored(ctx.settings.profile, call.ignored);
  refuseOtherId(sent.id, id);
  requireAll(resources.group, sent.attributes);
  const ids = memberIds(sent.attributes['members']);
  const members = sent.mentioned.has('members') ? ([{ op: 'replace', ids }] as const) : [];
  call.meant = {
    set: { ...groupFields(sent.attributes), ...(members.length > 0 ? { members: ids } : {}) },
    whole: true,
  };
  return scimChange(ctx, async (tx) => {
    const before = await lockScimGroup(tx, ctx.directory, id, 'alone');
    if (!before) throw noGroup(id);
    refuseStale(when, before.version);
    return saveChangedGroup(tx, ctx, before, groupFields(sent.attributes), members);
  });
}
