import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { newId } from '#kernel/id.ts';
import { changeMembers, membersEvent } from './change-members.ts';
import { directoryEvents } from './directory.events.ts';
import type { ScimCtx } from './directory.ts';
import { insertScimGroup } from './scim-group.sql.ts';
import { groupFields, memberIds, type ScimGroup } from './scim-group.ts';
import { groupResource } from './scim-schema.ts';
import { requireAll, typedResource } from './scim-value.ts';

/** Adds a group with the people that the request names. */
export async function createScimGroup(ctx: ScimCtx, body: unknown): Promise<ScimGroup> {
  const { attributes } = typedResource(groupResource, body);
  requireAll(groupResource, attributes);
  const ids = memberIds(attributes['members']);
  return change(ctx, async (tx) => {
    const group: ScimGroup = {
      id: newId('grp', ctx.now.getTime()),
      ...groupFields(attributes),
      version: 1,
      created: ctx.now,
      changed: ctx.now,
    };
    await insertScimGroup(tx, ctx.directory, group);
    const members = await changeMembers(tx, ctx, group.id, [{ op: 'add', ids }]);
    const added = event(directoryEvents, 'directory.group_added', {
      directory: ctx.directory,
      group: group.id,
      members: members.added.length,
    });
    return { value: group, events: [added, ...membersEvent(ctx, group.id, members)] };
  });
}
