import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import type { Tile } from './growing-tree.ts';
import type { LogId } from './inbox.sql.ts';

const size = z.coerce.number().int().nonnegative();
const CheckpointRow = z.object({ size, at: z.date(), note: z.string() });
export type StoredCheckpoint = z.infer<typeof CheckpointRow>;

/** How far the log has grown; 0 for a log without events. */
export const findSize = async (db: Reader, log: LogId): Promise<number> =>
  (await db.maybe(read(z.object({ size }))`select size from audit_head where log = ${log}`))?.size ?? 0;

export const findCheckpoint = (db: Reader, log: LogId): Promise<StoredCheckpoint | undefined> =>
  db.maybe(read(CheckpointRow)`
  select size, at, note from audit_checkpoint where log = ${log} order by size desc limit 1`);

/** Up to `many` checkpoints spread over [0, upTo], oldest first, the last of them at `upTo`. */
export const spreadCheckpoints = (db: Reader, log: LogId, upTo: number, many: number): Promise<StoredCheckpoint[]> =>
  db.many(read(CheckpointRow)`
  select distinct c.size, c.at, c.note
    from generate_series(1, ${many}::int) as i
    cross join lateral (
      select size, at, note from audit_checkpoint
       where log = ${log} and size <= ${String(upTo)}::bigint * i / ${many}::int order by size desc limit 1
    ) as c
   order by c.size`);

const TileRow = z.object({ level: z.number().int(), index: size, hashes: z.instanceof(Buffer) });

export const findTiles = (db: Reader, log: LogId, at: readonly { level: number; index: number }[]): Promise<Tile[]> =>
  db.many(read(TileRow)`
  select t.level, t.index, t.hashes
    from unnest(${at.map((t) => t.level)}::int[], ${at.map((t) => String(t.index))}::bigint[]) as w(level, index)
    join audit_tile t on t.log = ${log} and t.level = w.level and t.index = w.index`);

/** Tiles of leaf hashes, by index from `from`. */
export const listLeafTiles = (db: Reader, log: LogId, from: number, limit: number): Promise<Tile[]> =>
  db.many(read(TileRow)`
  select level, index, hashes from audit_tile where log = ${log} and level = 0 and index >= ${String(from)}::bigint order by index limit ${limit}`);

/** Checkpoints below a size, largest first. */
export const listCheckpoints = (
  db: Reader,
  log: LogId,
  below: number | undefined,
  limit: number,
): Promise<StoredCheckpoint[]> =>
  db.many(read(CheckpointRow)`
  select size, at, note from audit_checkpoint
   where log = ${log} and (${below === undefined ? null : String(below)}::bigint is null or size < ${below === undefined ? null : String(below)}::bigint)
   order by size desc limit ${limit}`);

/** The checkpoint of exactly this size. */
export const findCheckpointAt = (db: Reader, log: LogId, at: number): Promise<StoredCheckpoint | undefined> =>
  db.maybe(read(CheckpointRow)`
  select size, at, note from audit_checkpoint where log = ${log} and size = ${String(at)}::bigint`);
