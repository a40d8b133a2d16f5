import { z } from 'zod';
import { entryBytes, entryHeader } from '@gatehouse/contract/leaf.ts';
import { entryBundle, parseTilePath, TILE_WIDTH, tileWidth, type TilePath } from '@gatehouse/contract/tile.ts';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import { page, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { noCheckpoint } from './audit.http.ts';
import { listHeaders } from './event.sql.ts';
import { logOf, type LogId } from './inbox.sql.ts';
import { readingRecorder } from './record-reading.ts';
import { findCheckpoint, findTiles } from './tree.sql.ts';

const noTile = (path: string): Problem =>
  new Problem('missing', 'audit/no-tile', {
    says: `the newest checkpoint covers no ${path}`,
    fix: 'compare with the size in the checkpoint; paths are those of C2SP tlog-tiles',
  });

async function checkpointOf(ctx: Ctx, log: LogId): Promise<Response> {
  const found = await ctx.db.read(scopeOf(ctx), (db) => findCheckpoint(db, log));
  if (!found) throw noCheckpoint();
  return new Response(found.note, {
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache' },
  });
}

async function tileOf(ctx: Ctx, log: LogId, path: string): Promise<Response> {
  const tile = parseTilePath(path);
  if (!tile) throw noTile(path);
  const bytes = await ctx.db.read(scopeOf(ctx), async (db) => {
    const size = (await findCheckpoint(db, log))?.size ?? 0;
    const level = tile.level === 'entries' ? 0 : tile.level;
    if (tileWidth(level, tile.index, size) < tile.width) return undefined;
    const first = tile.index * TILE_WIDTH;
    if (tile.level === 'entries') return bundle(await listHeaders(db, log, first, first + tile.width), tile);
    const [found] = await findTiles(db, log, [{ level, index: tile.index }]);
    return found?.hashes.subarray(0, tile.width * 32);
  });
  if (!bytes) throw noTile(path);
  return new Response(new Uint8Array(bytes), {
    headers: {
      'content-type': 'application/octet-stream',
      // What a path names never changes. Private, because who may read it is asked each time it is fetched anew.
      'cache-control': tile.width === TILE_WIDTH ? 'private, max-age=31536000, immutable' : 'private, max-age=60',
    },
  });
}

/** A monitor reads whenever the log grows, and its traces are growth: more often than this would be an endless conversation of the log with itself. */
const MONITOR_PERIOD = 6 * 3600_000;

/** Headers only: they hold ids and fixed words, the content stays behind its commitment. */
function bundle(rows: Awaited<ReturnType<typeof listHeaders>>, { width }: TilePath): Buffer {
  if (rows.length !== width)
    throw new Problem('conflict', 'audit/damaged-log', {
      says: `${width} events belong into this bundle, the log has ${rows.length}`,
      fix: 'export the log and verify it: docs/guides/verify-the-log.md',
    });
  return entryBundle(rows.map((r) => entryBytes(entryHeader(r.header, r.seq, r.commitment))));
}

const Org = z.strictObject({ org: z.string() });
const Path = z.strictObject({ org: z.string(), tile: z.string() });

/**
 * The log as monitors read it (C2SP tlog-tiles), for the door `/logs`. The prefix of an organization's log is `/logs/<org>`, that of its
 * parent's `/logs/<org>/parent`. Nothing here is content, and bundles name the actors, so it takes the permission all the same.
 */
export function logOperations(): Operation[] {
  const recordReading = readingRecorder(MONITOR_PERIOD);
  const both = [
    ['', 'org', logOf],
    ['/parent', 'parent', (ctx: Ctx): LogId => ctx.parent],
  ] as const;
  return both.flatMap(([prefix, name, which]) => [
    page({
      id: `audit.get_${name}_note`,
      at: `GET /:org${prefix}/checkpoint`,
      can: 'audit.read',
      says: `The newest checkpoint of the log of the ${name} as a signed note.`,
      params: Org,
      handle: (ctx) => checkpointOf(ctx, which(ctx)),
    }),
    page({
      id: `audit.get_${name}_tile`,
      at: `GET /:org${prefix}/tile/:tile{.+}`,
      can: 'audit.read',
      says: `A tile of the tree of the ${name}, or a bundle of its entries' headers.`,
      discloses: true,
      params: Path,
      async handle(ctx, { params }) {
        const log = which(ctx);
        const response = await tileOf(ctx, log, `tile/${params.tile}`);
        await recordReading(ctx, { log, from: null, to: null, filter: 'tiles' });
        return response;
      },
    }),
  ]);
}
