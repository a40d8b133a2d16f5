import { countWaitingOf } from '#approvals/approval.sql.ts';
import { countGrantRows } from '#authorization/grant.sql.ts';
import { countLiveSessions } from '#identity/session.sql.ts';
import type { HeldOf } from '#org/leaving.ts';
import { listConnectionsOfMember } from '#vault/connection.sql.ts';

/** What rooms above org keep for a member: what the preview of a leaving counts. */
export const heldOf: HeldOf = async (db, { user, member }, now) => ({
  sessions: await countLiveSessions(db, user, now),
  consents: await countGrantRows(db, member, now),
  connections: (await listConnectionsOfMember(db, member)).length,
  approvals: await countWaitingOf(db, member, now),
});
