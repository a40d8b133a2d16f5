import { z } from 'zod';
import { read, write, type Query, type Statement } from '#kernel/db.ts';
import type { Tile } from './growing-tree.ts';
import type { LogId } from './inbox.sql.ts';

/** Statements of the sequencer's own connection. They run under the role gatehouse_sequencer, which sees every log and can change none of its past. */
const size = z.coerce.number().int().nonnegative();
const Log = z.object({ log: z.custom<LogId>() });
const Nothing = z.looseObject({});

/** All of its queries are by index; the planner, which believes an emptied inbox is small, would read it whole. */
export const settings = write`select set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false), set_config('jit', 'off', false)`;

/** Logs that have something in the inbox. A loose index scan: its cost is the number of logs, not of rows. */
export const waitingLogs: Query<{ log: LogId }> = read(Log)`
  with recursive l as (
    (select log from audit_inbox order by log limit 1)
    union all
    select (select i.log from audit_inbox i where i.log > l.log order by i.log limit 1) from l where l.log is not null
  )
  select log from l where log is not null`;

/** Logs that grew since their last checkpoint. */
export const unsignedLogs: Query<{ log: LogId; size: number }> = read(Log.extend({ size }))`
  select h.log, h.size from audit_head h
   where h.size > coalesce((select c.size from audit_checkpoint c where c.log = h.log order by c.size desc limit 1), 0)
   order by h.log`;

export const tryLock = (log: LogId): Query<{ mine: boolean }> => read(z.object({ mine: z.boolean() }))`
  select pg_try_advisory_lock(hashtextextended('gatehouse audit ' || ${log}::text, 0)) as mine`;

export const unlock = (log: LogId): Query<object> => read(Nothing)`
  select pg_advisory_unlock(hashtextextended('gatehouse audit ' || ${log}::text, 0))`;

const Head = z.object({ size, frontier: z.instanceof(Buffer), root: z.instanceof(Buffer), epoch: size });
export type Head = z.infer<typeof Head>;

/** Takes the log over: from here on whoever held an older epoch cannot append. */
export const takeEpoch = (log: LogId, owner: string, emptyRoot: Buffer): Query<Head> => read(Head)`
  insert into audit_head as h (log, size, frontier, root, epoch, owner) values (${log}, 0, '', ${emptyRoot}, 1, ${owner})
  on conflict (log) do update set epoch = h.epoch + 1, owner = excluded.owner
  returning size, frontier, root, epoch`;

const TileRow = z.object({ level: z.number().int(), index: size, hashes: z.instanceof(Buffer) });

export const readTiles = (log: LogId, at: readonly { level: number; index: number }[]): Query<Tile> => read(TileRow)`
  select t.level, t.index, t.hashes
    from unnest(${at.map((t) => t.level)}::int[], ${at.map((t) => String(t.index))}::bigint[]) as w(level, index)
    join audit_tile t on t.log = ${log} and t.level = w.level and t.index = w.index`;

const CheckpointRow = z.object({ size, note: z.string() });
export const lastCheckpoint = (log: LogId): Query<{ size: number; note: string }> => read(CheckpointRow)`
  select size, note from audit_checkpoint where log = ${log} order by size desc limit 1`;

const Waiting = z.object({
  arrived: z.string(),
  id: z.string(),
  header: z.string(),
  data: z.string(),
  salt: z.instanceof(Buffer),
});
export type Waiting = z.infer<typeof Waiting>;

/** The oldest rows that are committed. A row that arrived earlier and commits later comes after them: there is no gap to wait for. */
export const listWaiting = (log: LogId, limit: number): Query<Waiting> => read(Waiting)`
  select arrived, id, header::text as header, data::text as data, salt
    from audit_inbox where log = ${log} order by arrived limit ${limit}`;

/** The fence. No row is touched when another sequencer took the log or the log is not where we left it. */
export const growHead = (
  log: LogId,
  epoch: number,
  from: number,
  to: { size: number; frontier: Buffer; root: Buffer },
): Statement => write`
  update audit_head set size = ${to.size}, frontier = ${to.frontier}, root = ${to.root}
   where log = ${log} and epoch = ${epoch} and size = ${from}`;

export type Placed = { arrived: string; seq: number; commitment: Buffer; leaf: Buffer };

/** Moves rows from the inbox to their positions inside the server, so that their content does not travel again. */
export const placeRows = (log: LogId, rows: readonly Placed[]): Statement => write`
  with p as materialized (
    select * from unnest(${rows.map((r) => r.arrived)}::bigint[], ${rows.map((r) => String(r.seq))}::bigint[],
                         ${rows.map((r) => r.commitment)}::bytea[], ${rows.map((r) => r.leaf)}::bytea[]) as p(arrived, seq, commitment, leaf)
  ), taken as (
    delete from audit_inbox i using p where i.log = ${log} and i.arrived = p.arrived
    returning i.log, p.seq, i.at, i.id, i.header, i.data, i.salt, p.commitment, p.leaf
  )
  insert into audit_event (log, seq, at, id, type, actor, connector, call, header, data, salt, commitment, leaf)
  select log, seq, at, id, header ->> 'type', header #>> '{actor,id}', header ->> 'connector', header ->> 'call',
         header, data, salt, commitment, leaf
    from taken order by seq`;

export const putTiles = (log: LogId, tiles: readonly Tile[]): Statement => write`
  insert into audit_tile (log, level, index, hashes)
  select ${log}, t.level, t.index, t.hashes
    from unnest(${tiles.map((t) => t.level)}::int[], ${tiles.map((t) => String(t.index))}::bigint[], ${tiles.map((t) => t.hashes)}::bytea[]) as t(level, index, hashes)
  on conflict (log, level, index) do update set hashes = excluded.hashes`;

/** Signed once per size: a second statement about the same size is not written. */
export const putCheckpoint = (log: LogId, at: Date, c: { size: number; note: string }): Statement => write`
  insert into audit_checkpoint (log, size, at, note) values (${log}, ${c.size}, ${at}, ${c.note}) on conflict do nothing`;

export const makePartitions: Query<{ made: number }> = read(z.object({ made: z.number() }))`
  select make_audit_partitions(4) as made`;

export const heldBy = (log: LogId): Query<{ epoch: number; size: number }> => read(z.object({ epoch: size, size }))`
  select epoch, size from audit_head where log = ${log}`;
