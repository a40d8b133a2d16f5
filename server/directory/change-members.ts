import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import { directoryEvents, MAX_LISTED } from './directory.events.ts';
import type { ScimCtx } from './directory.ts';
import { deleteMemberships, deleteOtherMemberships, insertMemberships, listUnknown } from './scim-group.sql.ts';
import { unknownMember, type MemberOp } from './scim-group.ts';

/** What the operations did to the group in the end: who came and who went. */
export type MembersChanged = { added: Id<'scu'>[]; removed: Id<'scu'>[]; whole: boolean };

/** Whether any of the operations needs the group for itself. */
export const needsAlone = (ops: readonly MemberOp[]): boolean =>
  ops.some((o) => o.op === 'replace' || o.op === 'remove_all');

/** Applies membership operations in order, each as one statement; the members are never loaded. The caller holds the group's lock. */
export async function changeMembers(
  tx: Tx,
  ctx: ScimCtx,
  group: Id<'grp'>,
  ops: readonly MemberOp[],
): Promise<MembersChanged> {
  const named = [...new Set(ops.flatMap((o) => (o.op === 'add' || o.op === 'replace' ? o.ids : [])))];
  const [unknown] = named.length > 0 ? await listUnknown(tx, ctx.directory, named) : [];
  if (unknown) throw unknownMember(unknown);
  // Somebody who goes and comes back within one request has not moved.
  const moved = new Map<Id<'scu'>, number>();
  const note = (ids: readonly Id<'scu'>[], by: 1 | -1): void => {
    for (const id of ids) moved.set(id, (moved.get(id) ?? 0) + by);
  };
  for (const o of ops)
    switch (o.op) {
      case 'add':
        note(await insertMemberships(tx, group, o.ids, ctx.now), 1);
        break;
      case 'remove':
        note(await deleteMemberships(tx, group, o.ids), -1);
        break;
      case 'replace':
        note(await deleteOtherMemberships(tx, group, o.ids), -1);
        note(await insertMemberships(tx, group, o.ids, ctx.now), 1);
        break;
      case 'remove_all':
        note(await deleteOtherMemberships(tx, group, []), -1);
    }
  const of = (by: number): Id<'scu'>[] =>
    [...moved]
      .filter(([, n]) => n === by)
      .map(([id]) => id)
      .sort();
  const changed = { added: of(1), removed: of(-1), whole: needsAlone(ops) };
  ctx.call.people = [...changed.added, ...changed.removed];
  if (changed.whole && changed.removed.length > 0)
    ctx.call.notes.push(
      `full replacement removed ${changed.removed.length} members; whoever was added after the client read the group is among them`,
    );
  return changed;
}

/** The event of a change, if it was one. */
export function membersEvent(ctx: ScimCtx, group: Id<'grp'>, m: MembersChanged): AuditEvent[] {
  if (m.added.length + m.removed.length === 0) return [];
  const listed = (ids: readonly string[]): { count: number; entries: string[] } => ({
    count: ids.length,
    entries: ids.slice(0, MAX_LISTED),
  });
  return [
    event(directoryEvents, 'directory.members_changed', {
      directory: ctx.directory,
      group,
      added: listed(m.added),
      removed: listed(m.removed),
      whole: m.whole,
    }),
  ];
}
