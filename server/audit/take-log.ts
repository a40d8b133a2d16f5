import { readCheckpoint, type Signer } from '@gatehouse/contract/checkpoint.ts';
import { edgeTiles } from '@gatehouse/contract/tile.ts';
import { emptyRoot, foldRight, rootPlan } from '@gatehouse/contract/tree.ts';
import { Problem } from '#kernel/problem.ts';
import { edgeRoot, hashesOf, type Edge, type Tile } from './growing-tree.ts';
import type { LogId } from './inbox.sql.ts';
import { lastCheckpoint, readTiles, takeEpoch, tryLock, type Head } from './sequence.sql.ts';
import type { Session } from './sequence-session.ts';
import { nodesIn, tilesFor } from './stored-tree.ts';
import type { Witness } from './witness.ts';

/** A log that this process may append to, until somebody takes it over. */
export type Owned = {
  readonly log: LogId;
  readonly epoch: number;
  readonly edge: Edge;
  readonly signer: Signer;
  /** Size of the newest checkpoint. */
  readonly signed: number;
};

/**
 * Takes a log over, or undefined if another process has it.
 * INVARIANT (no second tree): nothing is appended or signed before the stored tree was found to be the one that the last checkpoint speaks
 * of, or a later one. Otherwise the log stops: signing another tree at a size that was signed already is what a forger would do.
 */
export async function takeLog(
  session: Session,
  log: LogId,
  by: { owner: string; signer: Signer; witness: Witness },
): Promise<Owned | undefined> {
  if (!(await session.maybe(tryLock(log)))?.mine) return undefined;
  const head = await session.maybe(takeEpoch(log, by.owner, emptyRoot()));
  if (!head) throw new Problem('bug', 'audit/no-head', { says: `the log ${log} has no head` });
  const tiles = edgeTiles(head.size);
  const stored = new Map((await session.many(readTiles(log, tiles))).map((t) => [t.level, t]));
  const edge: Edge = {
    size: head.size,
    frontier: hashesOf(head.frontier),
    tiles: tiles.map(({ level, width }) => hashesOf(stored.get(level)?.hashes ?? Buffer.alloc(0)).slice(0, width)),
  };
  await checkTree(session, log, head, edge);

  const published = await session.maybe(lastCheckpoint(log));
  for (const [where, note] of [
    ['in the database', published?.note],
    ['kept outside the database', by.witness.last(log)],
  ] as const)
    if (note !== undefined) await checkAgainst(session, log, head, where, note);
  return { log, epoch: head.epoch, edge, signer: by.signer, signed: published?.size ?? 0 };
}

async function rootAt(session: Session, log: LogId, size: number): Promise<Buffer> {
  const plan = rootPlan(size);
  const wanted = tilesFor(plan);
  const tiles: Tile[] = wanted.length ? await session.many(readTiles(log, wanted)) : [];
  return foldRight(plan.map(nodesIn(tiles)));
}

async function checkTree(session: Session, log: LogId, head: Head, edge: Edge): Promise<void> {
  const damaged = (because: unknown): Problem =>
    new Problem('conflict', 'audit/damaged-tree', {
      says: `the stored tree of the log ${log} does not give its own root at size ${head.size}; the log has stopped`,
      fix: 'keep the database as it is, export the log and verify it: docs/guides/verify-the-log.md',
      because,
    });
  let root: Buffer;
  try {
    root = await rootAt(session, log, head.size);
  } catch (e) {
    if (e instanceof RangeError) throw damaged(e);
    throw e;
  }
  if (!root.equals(head.root) || !edgeRoot(edge).equals(head.root)) throw damaged('roots differ');
  const short = edgeTiles(head.size).some(({ level, width }) => edge.tiles[level]?.length !== width);
  if (short) throw damaged('a tile is short');
}

async function checkAgainst(session: Session, log: LogId, head: Head, where: string, note: string): Promise<void> {
  const stated = readCheckpoint(note);
  const stopped = (says: string): Problem =>
    new Problem('conflict', 'audit/rolled-back', {
      says: `${says}; the log ${log} has stopped, its events wait in the inbox`,
      fix: 'if the database was restored from a backup or failed over, see "A log that has stopped" in docs/guides/verify-the-log.md',
    });
  if (!stated) throw stopped(`the checkpoint ${where} is not readable`);
  if (stated.size > head.size)
    throw stopped(`the database has ${head.size} events, the checkpoint ${where} says there were ${stated.size}`);
  let root: Buffer | undefined;
  try {
    root = await rootAt(session, log, stated.size);
  } catch (e) {
    if (!(e instanceof RangeError)) throw e;
  }
  if (!root?.equals(stated.root))
    throw stopped(`the first ${stated.size} events are not those that the checkpoint ${where} was signed for`);
}
