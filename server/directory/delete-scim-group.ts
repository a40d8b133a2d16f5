import { event } from '#audit/events.ts';
import type { Id } from '#kernel/id.ts';
import { directoryEvents } from './directory.events.ts';
import type { ScimCtx } from './directory.ts';
import { scimChange } from './scim-change.ts';
import { refuseStale, type Precondition } from './scim-etag.ts';
import { deleteOtherMemberships, deleteScimGroup as deleteRow, lockScimGroup } from './scim-group.sql.ts';
import { noGroup } from './scim-missing.ts';

/** Removes a group. Its people stay; rules that speak of it fit nobody from now on. */
export async function deleteScimGroup(ctx: ScimCtx, id: Id<'grp'>, when: Precondition): Promise<void> {
  ctx.call.resource = id;
  await scimChange(ctx, async (tx) => {
    const group = await lockScimGroup(tx, ctx.directory, id, 'alone');
    if (!group) throw noGroup(id);
    refuseStale(when, group.version);
    const members = await deleteOtherMemberships(tx, id, []);
    await deleteRow(tx, ctx.directory, id);
    const regrouped = await ctx.admission.regroup(tx, ctx, {
      id,
      names: [group.displayName],
      added: [],
      removed: members,
      whole: true,
      everybody: false,
    });
    ctx.call.diff = { displayName: { before: group.displayName, after: null }, version: group.version + 1 };
    ctx.call.people = members;
    return {
      value: undefined,
      events: [
        event(directoryEvents, 'directory.group_removed', {
          directory: ctx.directory,
          group: id,
          members: members.length,
        }),
        ...regrouped,
      ],
    };
  });
}
