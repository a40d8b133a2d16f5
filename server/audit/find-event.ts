import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import { listStored, type StoredEvent } from './event.sql.ts';
import type { LogId } from './inbox.sql.ts';
import { proveInclusion } from './prove.ts';
import { findCheckpoint } from './tree.sql.ts';

/** An event and why to believe it: its place under a signed checkpoint. No proof yet if it is younger than the newest checkpoint (about a second). */
export type ProvenEvent = {
  row: StoredEvent;
  proof: { checkpoint: string; size: number; hashes: Buffer[] } | undefined;
};

/** The event at a position. */
export async function findEvent(ctx: Ctx, log: LogId, seq: number): Promise<ProvenEvent> {
  return ctx.db.read(scopeOf(ctx), async (db) => {
    const [row] = await listStored(db, log, {}, { low: seq, high: seq + 1, order: 'oldest', limit: 1 });
    if (!row) throw new Problem('missing', 'audit/no-event', { says: `this log has no event at position ${seq}` });
    const checkpoint = await findCheckpoint(db, log);
    if (!checkpoint || checkpoint.size <= seq) return { row, proof: undefined };
    const hashes = await proveInclusion(db, log, seq, checkpoint.size);
    return { row, proof: { checkpoint: checkpoint.note, size: checkpoint.size, hashes } };
  });
}
