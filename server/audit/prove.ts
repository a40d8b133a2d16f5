import { consistencyPlan, inclusionPlan, proofOf, type Node } from '@gatehouse/contract/tree.ts';
import type { Reader } from '#kernel/db.ts';
import type { LogId } from './inbox.sql.ts';
import { nodesIn, tilesFor } from './stored-tree.ts';
import { findTiles } from './tree.sql.ts';

async function carryOut(db: Reader, log: LogId, plan: readonly Node[][]): Promise<Buffer[]> {
  const tiles = tilesFor(plan.flat());
  return proofOf(plan, nodesIn(tiles.length ? await findTiles(db, log, tiles) : []));
}

/** That position `seq` is in the log of this size. */
export const proveInclusion = (db: Reader, log: LogId, seq: number, size: number): Promise<Buffer[]> =>
  carryOut(db, log, inclusionPlan(seq, size));

/** That the log of `size` begins with the log of `old`. */
export const proveConsistency = (db: Reader, log: LogId, old: number, size: number): Promise<Buffer[]> =>
  carryOut(db, log, consistencyPlan(old, size));
