import type { Done } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { Tx } from '#kernel/db.ts';
import { changeMembers, membersEvent } from './change-members.ts';
import { directoryEvents } from './directory.events.ts';
import type { ScimCtx } from './directory.ts';
import { bumpScimGroups, saveScimGroup } from './scim-group.sql.ts';
import type { GroupFields, MemberOp, ScimGroup } from './scim-group.ts';

/** The common end of PUT and PATCH of a group: name and members, counted and logged only where something is different. */
export async function saveChangedGroup(
  tx: Tx,
  ctx: ScimCtx,
  before: ScimGroup,
  fields: GroupFields,
  ops: readonly MemberOp[],
): Promise<Done<ScimGroup>> {
  const { id } = before;
  const names = (['displayName', 'externalId'] as const).filter((n) => fields[n] !== before[n]);
  if (names.length > 0) await saveScimGroup(tx, ctx.directory, { id, ...fields });
  const events: AuditEvent[] = [
    ...(names.length > 0
      ? [event(directoryEvents, 'directory.group_changed', { directory: ctx.directory, group: id, attributes: names })]
      : []),
    ...membersEvent(ctx, id, await changeMembers(tx, ctx, id, ops)),
  ];
  const [first, ...rest] = events;
  if (!first) return { value: before, unchanged: true };
  await bumpScimGroups(tx, [id], ctx.now);
  return { value: { ...before, ...fields, version: before.version + 1, changed: ctx.now }, events: [first, ...rest] };
}
