import { event } from '#audit/events.ts';
import { newId, type Id } from '#kernel/id.ts';
import { changeMembers, membersEvent } from './change-members.ts';
import { directoryEvents } from './directory.events.ts';
import type { ScimCtx } from './directory.ts';
import { refuseIgnored } from './directory-settings.ts';
import { scimChange } from './scim-change.ts';
import { insertScimGroup } from './scim-group.sql.ts';
import { groupFields, memberIds, type ScimGroup } from './scim-group.ts';
import { requireAll, typedResource } from './scim-value.ts';

/** Adds a group with the people that the request names. */
export async function createScimGroup(ctx: ScimCtx, body: unknown, chosen?: Id<'grp'>): Promise<ScimGroup> {
  const { call, resources } = ctx;
  const { attributes } = typedResource(resources.group, body, call.ignored);
  refuseIgnored(ctx.settings.profile, call.ignored);
  requireAll(resources.group, attributes);
  const ids = memberIds(attributes['members']);
  call.meant = { set: { ...groupFields(attributes), members: ids } };
  return scimChange(ctx, async (tx) => {
    const group: ScimGroup = {
      id: chosen ?? newId('grp', ctx.now.getTime()),
      ...groupFields(attributes),
      version: 1,
      created: ctx.now,
      changed: ctx.now,
    };
    call.resource = group.id;
    await insertScimGroup(tx, ctx.directory, group);
    const members = await changeMembers(tx, ctx, group.id, [{ op: 'add', ids }]);
    call.diff = { version: 1 };
    const added = event(directoryEvents, 'directory.group_added', {
      directory: ctx.directory,
      group: group.id,
      members: members.added.length,
    });
    const regrouped = await ctx.admission.regroup(tx, ctx, {
      id: group.id,
      names: [group.displayName],
      ...members,
      everybody: false,
    });
    return { value: group, events: [added, ...membersEvent(ctx, group.id, members), ...regrouped] };
  });
}
