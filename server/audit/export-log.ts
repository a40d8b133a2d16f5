import { readCheckpoint } from '@gatehouse/contract/checkpoint.ts';
import { TILE_WIDTH } from '@gatehouse/contract/tile.ts';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import { change } from './change.ts';
import { originOf, signerOf } from './checkpoint-key.ts';
import { csvLine } from './csv.ts';
import { listStored, type StoredEvent } from './event.sql.ts';
import { auditEvents, event } from './events.ts';
import type { LogId } from './inbox.sql.ts';
import { proveConsistency } from './prove.ts';
import { exportedEvent, shownEvent, type Vocabulary } from './shown-event.ts';
import { findCheckpoint, findSize, listLeafTiles, spreadCheckpoints, type StoredCheckpoint } from './tree.sql.ts';

const ROWS_AT_ONCE = 500;
const TILES_AT_ONCE = 32;
/** Checkpoints in an export: enough to say in which sixteenth of the log something was rewritten. */
const CHECKPOINTS = 16;
const WAIT_MS = 2000;

export type Export = { size: number; lines: AsyncGenerator<string> };

/**
 * Exports a log up to its newest checkpoint: what is written meanwhile is not in it. Rows are read in short transactions, page by page, as
 * the reader takes them, so a large export neither fills our memory nor keeps the database from cleaning up; positions are final, so it
 * is one snapshot all the same. The export is recorded before its first line.
 */
export async function exportLog(
  ctx: Ctx,
  log: LogId,
  how: { format: 'jsonl' | 'csv'; from: number; vocabulary: Vocabulary },
): Promise<Export> {
  const upTo = await newestCheckpoint(ctx, log);
  if (how.from > upTo.size)
    throw new Problem('invalid', 'audit/beyond-end', {
      says: `the export was to begin at position ${how.from}; the log has ${upTo.size} signed events`,
      fix: 'begin at a position that was not exported yet, or leave `from` out',
    });
  await change(ctx, async () => ({
    value: undefined,
    events: [event(auditEvents, 'audit.exported', { log, size: upTo.size - how.from, format: how.format })],
  }));
  const lines =
    how.format === 'csv'
      ? csvLines(ctx, log, how.from, upTo.size, how.vocabulary)
      : jsonLines(ctx, log, how.from, upTo);
  return { size: upTo.size, lines };
}

/** Waits a little for the checkpoint over what is in the log already, so that an export made after an action has that action in it. */
async function newestCheckpoint(ctx: Ctx, log: LogId): Promise<StoredCheckpoint> {
  const until = performance.now() + WAIT_MS;
  const wanted = await ctx.db.read(scopeOf(ctx), (db) => findSize(db, log));
  for (;;) {
    const found = await ctx.db.read(scopeOf(ctx), (db) => findCheckpoint(db, log));
    if (found && (found.size >= wanted || performance.now() > until)) return found;
    if (performance.now() > until)
      throw new Problem('unavailable', 'audit/not-signed', {
        says: 'this log has no signed checkpoint yet',
        fix: 'try again in a few seconds; if it stays so, no node of this deployment runs the sequencer',
      });
    await new Promise((done) => void setTimeout(done, 50));
  }
}

async function* rowsOf(ctx: Ctx, log: LogId, from: number, to: number): AsyncGenerator<StoredEvent[]> {
  for (let low = from; low < to; low += ROWS_AT_ONCE) {
    const high = Math.min(to, low + ROWS_AT_ONCE);
    // Twice as many as there can be: a row that somebody put in by hand must show, not push another one out.
    yield await ctx.db.read(scopeOf(ctx), (db) =>
      listStored(db, log, {}, { low, high, order: 'oldest', limit: 2 * ROWS_AT_ONCE }),
    );
  }
}

const line = (value: object): string => `${JSON.stringify(value)}\n`;

/** docs/guides/audit-export.md describes the lines. */
async function* jsonLines(ctx: Ctx, log: LogId, from: number, upTo: StoredCheckpoint): AsyncGenerator<string> {
  const origin = readCheckpoint(upTo.note)?.origin ?? originOf(ctx.origin, log);
  yield line({ format: 'gatehouse-audit-1', log, origin, from, size: upTo.size, key: signerOf(ctx, log).vkey });
  for await (const rows of rowsOf(ctx, log, from, upTo.size))
    yield rows.map((row) => line(exportedEvent(row))).join('');

  for (let next = 0; next * TILE_WIDTH < upTo.size; next += TILES_AT_ONCE) {
    const tiles = await ctx.db.read(scopeOf(ctx), (db) => listLeafTiles(db, log, next, TILES_AT_ONCE));
    let out = '';
    for (const t of tiles) {
      const first = t.index * TILE_WIDTH;
      if (t.index >= next + TILES_AT_ONCE || first >= upTo.size) break;
      out += line({ leaves: first, hashes: t.hashes.subarray(0, (upTo.size - first) * 32).toString('base64') });
    }
    yield out;
  }

  const notes = await ctx.db.read(scopeOf(ctx), (db) => spreadCheckpoints(db, log, upTo.size, CHECKPOINTS));
  // A deployment that moved to another host signs under another name; those older statements are verified with the older key.
  const same = notes.filter((c) => readCheckpoint(c.note)?.origin === origin);
  let older: StoredCheckpoint | undefined;
  for (const c of same) {
    yield line({ checkpoint: c.note });
    if (older) yield line(await consistencyLine(ctx, log, older.size, c.size));
    older = c;
  }
}

async function consistencyLine(ctx: Ctx, log: LogId, from: number, to: number): Promise<object> {
  try {
    const proof = await ctx.db.read(scopeOf(ctx), (db) => proveConsistency(db, log, from, to));
    return { consistency: { from, to, hashes: proof.map((h) => h.toString('base64')) } };
  } catch (e) {
    // The stored tree is damaged. The export must come to its end all the same: it is how one finds out where.
    if (!(e instanceof RangeError)) throw e;
    ctx.log.error({ log, from, to, err: e }, 'the stored tree of a log cannot prove its own growth');
    return { consistency: { from, to, hashes: [] } };
  }
}

const columns = [
  'seq',
  'at',
  'type',
  'actor_kind',
  'actor',
  'says',
  'connector',
  'tool',
  'resource',
  'call',
  'disposition',
  'decisions',
  'request',
  'id',
  'data',
];

async function* csvLines(
  ctx: Ctx,
  log: LogId,
  from: number,
  to: number,
  vocabulary: Vocabulary,
): AsyncGenerator<string> {
  yield csvLine(columns);
  for await (const rows of rowsOf(ctx, log, from, to))
    yield rows
      .map((row) => {
        const e = shownEvent(vocabulary, row);
        return csvLine([
          e.seq,
          e.at,
          e.type,
          e.actor.kind,
          e.actor.id,
          e.says,
          e.connector,
          e.tool,
          e.resource,
          e.call,
          e.disposition,
          e.decisions?.join(' '),
          e.request,
          e.id,
          JSON.stringify(e.data),
        ]);
      })
      .join('');
}
