import type { Json } from '@gatehouse/contract/jcs.ts';
import { commitment, entryBytes, entryHeader } from '@gatehouse/contract/leaf.ts';
import { MAX_ENTRY_BYTES } from '@gatehouse/contract/tile.ts';
import { leafHash } from '@gatehouse/contract/tree.ts';
import { Problem } from '#kernel/problem.ts';
import { edgeRoot, grow } from './growing-tree.ts';
import { growHead, listWaiting, placeRows, putTiles, type Placed, type Waiting } from './sequence.sql.ts';
import type { Session } from './sequence-session.ts';
import type { Owned } from './take-log.ts';

/** Where a test may stop the sequencer to kill it. */
export const faultPoints = [
  'read',
  'begun',
  'fenced',
  'placed',
  'tiled',
  'committed',
  'signed',
  'witnessed',
  'published',
] as const;
export type FaultPoint = (typeof faultPoints)[number];
export type PauseAt = (point: FaultPoint) => Promise<void>;

/** What one batch came to: how many events got positions, and the log as it is now; or the log is somebody else's by now. */
export type Sequenced = { placed: number; owned: Owned } | { lost: true };

type JsonObject = { readonly [key: string]: Json };
const parsed = (text: string): Json => JSON.parse(text);
const isObject = (v: Json): v is JsonObject => typeof v === 'object' && v !== null && !Array.isArray(v);

/**
 * Gives the oldest waiting events of a log their positions: one transaction, all or nothing.
 * INVARIANT (dense): position n is given once, to one event, and only when 0 … n-1 are given. The fence comes first and locks the head's
 * row, so of two sequencers that believe they own the log, one changes nothing.
 */
export async function sequenceLog(
  session: Session,
  owned: Owned,
  limit: number,
  pauseAt?: PauseAt,
): Promise<Sequenced> {
  const { log, epoch, edge } = owned;
  const waiting = await session.many(listWaiting(log, limit));
  if (waiting.length === 0) return { placed: 0, owned };
  const rows = waiting.map((row, i) => place(row, edge.size + i));
  const next = grow(
    edge,
    rows.map((r) => r.leaf),
  );
  await pauseAt?.('read');

  await session.begin();
  await pauseAt?.('begun');
  const head = { size: next.edge.size, frontier: Buffer.concat(next.edge.frontier), root: edgeRoot(next.edge) };
  if ((await session.run(growHead(log, epoch, edge.size, head))) !== 1) {
    await session.rollback();
    return { lost: true };
  }
  await pauseAt?.('fenced');
  if ((await session.run(placeRows(log, rows))) !== rows.length) {
    await session.rollback();
    throw new Problem('bug', 'audit/rows-gone', {
      says: `events of the log ${log} left the inbox without the sequencer`,
    });
  }
  await pauseAt?.('placed');
  await session.run(putTiles(log, next.tiles));
  await pauseAt?.('tiled');
  await session.commit();
  await pauseAt?.('committed');
  return { placed: rows.length, owned: { ...owned, edge: next.edge } };
}

function place(row: Waiting, seq: number): Placed {
  try {
    const header = parsed(row.header);
    if (!isObject(header)) throw new TypeError('the header is not an object');
    const committed = commitment(row.salt, parsed(row.data));
    const bytes = entryBytes(entryHeader(header, seq, committed));
    if (bytes.length > MAX_ENTRY_BYTES) throw new RangeError(`the header has ${bytes.length} bytes`);
    return { arrived: row.arrived, seq, commitment: committed, leaf: leafHash(bytes) };
  } catch (e) {
    // recordEvents lets nothing through that has no canonical form, so somebody else wrote this row. We neither skip nor repair it.
    throw new Problem('conflict', 'audit/unreadable', {
      says: `the event ${row.id} in the inbox cannot be made canonical; its log has stopped`,
      fix: 'whoever runs this deployment must look at this row of audit_inbox',
      because: e,
    });
  }
}
