import type { Done } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { Tx } from '#kernel/db.ts';
import { changeMembers, membersEvent } from './change-members.ts';
import { directoryEvents } from './directory.events.ts';
import type { ScimCtx } from './directory.ts';
import { diffOf } from './scim-journal.ts';
import { bumpScimGroup, saveScimGroup } from './scim-group.sql.ts';
import type { GroupFields, MemberOp, ScimGroup } from './scim-group.ts';
import { complex, type Complex } from './scim-value.ts';

const groupComplex = ({ displayName, externalId }: GroupFields): Complex =>
  complex({ displayName, ...(externalId === undefined ? {} : { externalId }) });

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
  const moved = await changeMembers(tx, ctx, id, ops);
  const events: AuditEvent[] = [
    ...(names.length > 0
      ? [event(directoryEvents, 'directory.group_changed', { directory: ctx.directory, group: id, attributes: names })]
      : []),
    ...membersEvent(ctx, id, moved),
  ];
  const [first, ...rest] = events;
  if (!first) return { value: before, unchanged: true };
  rest.push(
    ...(await ctx.admission.regroup(tx, ctx, {
      id,
      names: [before.displayName, fields.displayName],
      ...moved,
      everybody: names.includes('displayName'),
    })),
  );
  const version = await bumpScimGroup(tx, id, ctx.now);
  // The versions of a group number its changes in the order in which they took effect.
  ctx.call.diff = { ...diffOf(groupComplex(before), groupComplex(fields)), version };
  return { value: { ...before, ...fields, version, changed: ctx.now }, events: [first, ...rest] };
}
