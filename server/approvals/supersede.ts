import { event, type AuditEvent } from '#audit/events.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { Approval, Superseded } from './approval.ts';
import { saveEnded } from './approval.sql.ts';
import { approvalEvents } from './approvals.events.ts';

/** Ends a request because something else took its place; for use inside a change that holds its row. No event: it did not wait any more. */
export async function supersede(
  tx: Tx,
  a: Approval,
  why: Superseded,
  by: Id<'apr'> | null,
  at: Date,
): Promise<AuditEvent[]> {
  const ended = await saveEnded(tx, a.id, { state: 'superseded', why, by: null, replacedBy: by, at });
  return ended === 0 ? [] : [event(approvalEvents, 'approval.superseded', { approval: a.id, why, by })];
}
