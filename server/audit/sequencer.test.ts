// Longer than 300 lines: every claim needs the same view behind row-level security (assertSound), and its own cluster role.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { makeSigner, openCheckpoint, parseVkey } from '@gatehouse/contract/checkpoint.ts';
import { entryHeader, entryLeaf } from '@gatehouse/contract/leaf.ts';
import { emptyRoot, nodeHash } from '@gatehouse/contract/tree.ts';
import { tileWidth } from '@gatehouse/contract/tile.ts';
import { testDb } from '#dev/test-db.ts';
import { write } from '#kernel/db.ts';
import { newId } from '#kernel/id.ts';
import { signerOf } from './checkpoint-key.ts';
import { edgeRoot, emptyEdge, grow } from './growing-tree.ts';
import type { LogId } from './inbox.sql.ts';
import { orgCtx, writeEvents } from './log-fixture.ts';
import { publishCheckpoint } from './publish-checkpoint.ts';
import { settings } from './sequence.sql.ts';
import { sequenceLog } from './sequence-log.ts';
import { openSession, type Session } from './sequence-session.ts';
import { startSequencer, type Sequencer } from './sequencer.ts';
import { takeLog, type Owned } from './take-log.ts';
import { fileWitness, noWitness } from './witness.ts';

const t = await testDb();
const world = await t.world();
const seqWorld = { ...world, db: t.as('gatehouse_sequencer') };
const running: Sequencer[] = [];
const sessions: Session[] = [];
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-witness-'));
const start = (over: Partial<Parameters<typeof startSequencer>[0]> = {}): Sequencer => {
  const s = startSequencer({ world: seqWorld, gather: 1, poll: 20, ...over });
  running.push(s);
  return s;
};
after(async () => {
  for (const s of sessions) s.end();
  await Promise.all(running.map((s) => s.stop()));
  await t.close();
  rmSync(folder, { recursive: true });
});

type Row = { seq: string; header: never; data: { from: number }; commitment: Buffer; leaf: Buffer };
const eventsOf = (log: LogId): Promise<Row[]> =>
  t.super<Row>('select seq, header, data, commitment, leaf from audit_event where log = $1 order by seq', log);

const mth = (leaves: readonly Buffer[]): Buffer => {
  if (leaves.length === 0) return emptyRoot();
  if (leaves.length === 1) return leaves[0]!;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(mth(leaves.slice(0, k)), mth(leaves.slice(k)));
};

/** Everything that must be true of a log, read as the superuser: dense, hashed, in tiles, under checkpoints that all fit. */
async function assertSound(log: LogId, expected: number): Promise<Row[]> {
  const rows = await eventsOf(log);
  assert.deepEqual(
    rows.map((r) => Number(r.seq)),
    Array.from({ length: expected }, (_, i) => i),
  );
  const leaves = rows.map((r) => entryLeaf(entryHeader(r.header, Number(r.seq), r.commitment)));
  rows.forEach((r, i) => assert.ok(r.leaf.equals(leaves[i]!), `leaf ${i}`));
  const [head] = await t.super<{ size: string; root: Buffer }>('select size, root from audit_head where log = $1', log);
  assert.equal(Number(head?.size), expected);
  assert.ok(head?.root.equals(mth(leaves)));
  const tiles = await t.super<{ level: number; index: string; hashes: Buffer }>(
    'select * from audit_tile where log = $1 order by level, index',
    log,
  );
  for (const tile of tiles) {
    assert.equal(
      tile.hashes.length,
      32 * tileWidth(tile.level, Number(tile.index), expected),
      `tile ${tile.level}/${tile.index}`,
    );
    const each = 256 ** tile.level;
    for (let i = 0; i < tile.hashes.length / 32; i++) {
      const at = (Number(tile.index) * 256 + i) * each;
      assert.ok(
        tile.hashes.subarray(i * 32, i * 32 + 32).equals(mth(leaves.slice(at, at + each))),
        `tile ${tile.level}/${tile.index} ${i}`,
      );
    }
  }
  const notes = await t.super<{ size: string; note: string }>(
    'select size, note from audit_checkpoint where log = $1 order by size',
    log,
  );
  const key = parseVkey(signerOf(world, log).vkey)!;
  for (const n of notes) {
    const c = openCheckpoint(n.note, key);
    assert.equal(c?.size, Number(n.size));
    assert.ok(c?.root.equals(mth(leaves.slice(0, c.size))), `checkpoint ${n.size}`);
  }
  assert.equal((await t.super('select from audit_inbox where log = $1', log)).length, 0);
  return rows;
}

test('a tree that grows in any steps has the root and the tiles of one that grew at once', () => {
  const leaf = (i: number): Buffer => entryLeaf(entryHeader({}, i, Buffer.alloc(32)));
  const all = Array.from({ length: 1500 }, (_, i) => leaf(i));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 6 }), (steps) => {
      let edge = emptyEdge;
      const tiles = new Map<string, Buffer>();
      for (const n of steps) {
        const next = grow(edge, all.slice(edge.size, edge.size + n));
        for (const tile of next.tiles) tiles.set(`${tile.level}/${tile.index}`, tile.hashes);
        edge = next.edge;
      }
      assert.ok(edgeRoot(edge).equals(mth(all.slice(0, edge.size))));
      const once = grow(emptyEdge, all.slice(0, edge.size));
      assert.equal(tiles.size, once.tiles.length);
      for (const tile of once.tiles) assert.ok(tiles.get(`${tile.level}/${tile.index}`)?.equals(tile.hashes));
    }),
    { numRuns: 40 },
  );
});

test('events get dense positions in the order of their commits, and a checkpoint over all of them', async () => {
  const s = start();
  const ctx = orgCtx(world);
  for (let i = 0; i < 3; i++) await writeEvents(ctx, 300, i * 300);
  await s.settled();
  const rows = await assertSound(ctx.org, 900);
  assert.deepEqual(
    rows.map((r) => r.data.from),
    Array.from({ length: 900 }, (_, i) => i),
  );
  const [last] = await t.super<{ size: string }>(
    'select max(size) as size from audit_checkpoint where log = $1',
    ctx.org,
  );
  assert.equal(Number(last?.size), 900);
  await s.stop();
});

test('an event that was begun early and committed late gets a later position; no position waits for it', async () => {
  const s = start();
  const ctx = orgCtx(world);
  const held = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const slow = world.db.transact({ parent: ctx.parent, org: ctx.org }, async (tx) => {
    await tx.run(
      write`insert into audit_inbox (log, id, at, header, data, salt) values (${ctx.org}, 'evt_slow', now(), '{"type":"slow"}', '{"from":-1}', '\\x00')`,
    );
    begun.resolve();
    await held.promise;
  });
  await begun.promise;
  await writeEvents({ ...ctx, org: ctx.org }, 5);
  await s.settled();
  assert.equal((await eventsOf(ctx.org)).length, 5);
  held.resolve();
  await slow;
  await s.settled();
  const rows = await assertSound(ctx.org, 6);
  assert.equal(rows.at(-1)?.data.from, -1);
  await s.stop();
});

test('a clock that jumps a year either way changes no position and loses no event', async () => {
  const s = start();
  const ctx = orgCtx(world);
  const year = 365 * 86_400_000;
  for (const [i, jump] of [0, year, -year, 40 * year].entries())
    await writeEvents({ ...ctx, now: new Date(Date.now() + jump) }, 2, i * 2);
  await s.settled();
  const rows = await assertSound(ctx.org, 8);
  assert.deepEqual(
    rows.map((r) => r.data.from),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
  await s.stop();
});

test('a log with a flood does not keep another log waiting for more than a batch', async () => {
  const flood = orgCtx(world);
  const other = orgCtx(world);
  for (let i = 0; i < 10; i++) await writeEvents(flood, 300, i * 300);
  await writeEvents(other, 1);
  let floodBatches = 0;
  let atOther = -1;
  const s = start({
    batch: 100,
    pauseAt: async (p) => {
      if (p !== 'committed' || atOther >= 0) return;
      floodBatches++;
      if ((await eventsOf(other.org)).length > 0) atOther = floodBatches;
    },
  });
  await s.settled();
  assert.ok(atOther >= 0 && atOther <= 3, `after ${atOther} batches`);
  await assertSound(flood.org, 3000);
  await s.stop();
});

test('checkpoints of a busy log are at most one in the publishing interval', async () => {
  const s = start({ publish: 60_000 });
  const ctx = orgCtx(world);
  for (let i = 0; i < 5; i++) {
    await writeEvents(ctx, 1, i);
    while ((await eventsOf(ctx.org)).length <= i) await new Promise((r) => setTimeout(r, 5));
  }
  assert.equal((await t.super('select from audit_checkpoint where log = $1', ctx.org)).length, 1);
  await s.stop();
});

const session = async (): Promise<Session> => {
  const s = await openSession(seqWorld.db.pool, () => undefined);
  sessions.push(s);
  await s.run(settings);
  return s;
};
const take = (s: Session, log: LogId, owner: string): Promise<Owned | undefined> =>
  takeLog(s, log, { owner, signer: signerOf(world, log), witness: noWitness });

test('while one sequencer has a log another cannot take it', async () => {
  const [a, b] = [await session(), await session()];
  const log = newId('org');
  assert.ok(await take(a, log, 'a'));
  assert.equal(await take(b, log, 'b'), undefined);
  a.end();
  b.end();
});

test('a sequencer that lost its lock without noticing appends nothing and signs nothing', async () => {
  const ctx = orgCtx(world);
  const [stale, fresh] = [await session(), await session()];
  await writeEvents(ctx, 3);
  const old = (await take(stale, ctx.org, 'stale'))!;
  const first = await sequenceLog(stale, old, 100);
  assert.ok('placed' in first && first.placed === 3);
  // What a proxy that swaps connections does: the lock is gone, the process goes on.
  await stale.many({ text: 'select pg_advisory_unlock_all()', values: [], row: z.looseObject({}) });
  await writeEvents(ctx, 4, 3);
  const taken = (await take(fresh, ctx.org, 'fresh'))!;
  assert.equal(taken.epoch, old.epoch + 1);
  assert.deepEqual(await sequenceLog(stale, first.owned, 100), { lost: true });
  assert.equal(await publishCheckpoint(stale, first.owned, noWitness, new Date()), undefined);
  const second = await sequenceLog(fresh, taken, 100);
  assert.ok('placed' in second && second.placed === 4);
  assert.deepEqual(await sequenceLog(stale, first.owned, 100), { placed: 0, owned: first.owned });
  await writeEvents(ctx, 1, 7);
  assert.deepEqual(await sequenceLog(stale, first.owned, 100), { lost: true });
  await sequenceLog(fresh, second.owned, 100);
  stale.end();
  fresh.end();
  await assertSound(ctx.org, 8);
});

test('of two sequencers at once each event is placed by one of them, whoever dies', async () => {
  const ctx = orgCtx(world);
  const [a, b] = [start(), start()];
  for (let i = 0; i < 10; i++) await writeEvents(ctx, 20, i * 20);
  await a.stop();
  for (let i = 10; i < 20; i++) await writeEvents(ctx, 20, i * 20);
  await b.settled();
  await b.stop();
  await assertSound(ctx.org, 400);
});

test('a sequencer whose connections are cut goes on with new ones', async () => {
  const ctx = orgCtx(world);
  const s = start();
  for (let i = 0; i < 12; i++) {
    await writeEvents(ctx, 25, i * 25);
    if (i % 3 === 0)
      await t.super(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'gatehouse_sequencer' and datname = current_database()`,
      );
  }
  await s.settled();
  await s.stop();
  await assertSound(ctx.org, 300);
});

/** A log with 300 events under checkpoints at 200 and 300, stopped. */
async function written(witness = noWitness): Promise<ReturnType<typeof orgCtx>> {
  const ctx = orgCtx(world);
  const s = start({ witness });
  await writeEvents(ctx, 200);
  await s.settled();
  await writeEvents(ctx, 100, 200);
  await s.settled();
  await s.stop();
  return ctx;
}
async function haltOf(log: LogId, witness = noWitness): Promise<string | undefined> {
  const s = start({ witness });
  await s.settled();
  const code = s.halted().get(log)?.code;
  await s.stop();
  return code;
}

for (const [what, code, edit] of [
  [
    'whose last events were taken away, tree and all',
    'audit/rolled-back',
    "update audit_head set size = 0, frontier = '', root = sha256('') where log = $1",
  ],
  [
    'whose leaf tile was changed',
    'audit/damaged-tree',
    `update audit_tile set hashes = set_byte(hashes, 5, get_byte(hashes, 5) # 1) where log = $1 and level = 0 and index = 1`,
  ],
  ['whose tile is gone', 'audit/damaged-tree', `delete from audit_tile where log = $1 and level = 0 and index = 1`],
  [
    'whose root was changed',
    'audit/damaged-tree',
    `update audit_head set root = set_byte(root, 0, get_byte(root, 0) # 1) where log = $1`,
  ],
  ['whose newest checkpoint was replaced by one of another tree', 'audit/rolled-back', 'forge'],
] as const)
  test(`a log ${what} stops with ${code}, and nothing is appended or signed any more`, async () => {
    const ctx = await written();
    if (edit === 'forge') {
      const note = makeSigner('gatehouse/audit', Buffer.alloc(32)).sign({ size: 300, root: Buffer.alloc(32, 9) });
      await t.super('update audit_checkpoint set note = $2 where log = $1 and size = 300', ctx.org, note);
    } else await t.super(edit, ctx.org);
    await writeEvents(ctx, 5, 300);
    assert.equal(await haltOf(ctx.org), code);
    assert.equal((await t.super('select from audit_inbox where log = $1', ctx.org)).length, 5);
    const [last] = await t.super<{ size: string }>(
      'select max(size) as size from audit_checkpoint where log = $1',
      ctx.org,
    );
    assert.equal(Number(last?.size), 300);
    await t.super('delete from audit_inbox where log = $1', ctx.org);
  });

test('a database restored from a backup, checkpoints and all, stops the log because the witness remembers more', async () => {
  const witness = fileWitness(folder);
  const ctx = orgCtx(world);
  let s = start({ witness });
  await writeEvents(ctx, 10);
  await s.settled();
  await s.stop();
  const tables = ['audit_head', 'audit_tile', 'audit_checkpoint', 'audit_event'];
  for (const table of tables)
    await t.super(`create table backup_${table} as select * from ${table} where log = '${ctx.org}'`);
  s = start({ witness });
  await writeEvents(ctx, 5, 10);
  await s.settled();
  await s.stop();
  for (const table of tables) {
    await t.super(`delete from ${table} where log = $1`, ctx.org);
    await t.super(`insert into ${table} select * from backup_${table}`);
  }
  await writeEvents(ctx, 9, 10); // another history, longer than the one that was lost
  assert.equal(await haltOf(ctx.org, witness), 'audit/rolled-back');
  assert.match(witness.last(ctx.org) ?? '', /\n15\n/);
  await t.super('delete from audit_inbox where log = $1', ctx.org);
});

test('a row that somebody wrote into the inbox and that has no canonical form stops its log and no other', async () => {
  const [bad, good] = [orgCtx(world), orgCtx(world)];
  await t.super(
    `insert into audit_inbox (log, id, at, header, data, salt) values ($1, 'evt_x', now(), '{"type":"x"}', '{"n": 1e400}', '\\x00')`,
    bad.org,
  );
  await writeEvents(good, 2);
  assert.equal(await haltOf(bad.org), 'audit/unreadable');
  await assertSound(good.org, 2);
  await t.super('delete from audit_inbox where log = $1', bad.org);
});

test('the sequencer can neither change nor remove an event, a checkpoint or a full tile', async () => {
  const ctx = await written();
  const db = t.as('gatehouse_sequencer');
  for (const [s, why] of [
    [write`update audit_event set data = '{}'`, /permission denied/],
    [write`delete from audit_event`, /permission denied/],
    [write`update audit_checkpoint set note = ''`, /permission denied/],
    [write`delete from audit_checkpoint`, /permission denied/],
    [write`delete from audit_tile`, /permission denied/],
    [write`delete from audit_head`, /permission denied/],
  ] as const)
    await assert.rejects(
      db.transact({}, (tx) => tx.run(s)),
      why,
      s.text,
    );
  assert.equal(
    await db.transact({}, (tx) =>
      tx.run(
        write`update audit_tile set hashes = substr(hashes, 1, 32) where log = ${ctx.org} and level = 0 and index = 0`,
      ),
    ),
    0,
  );
});

test('random writers and sequencers that come and go leave one dense log with every event once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          writers: fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 4 }),
          do: fc.constantFrom('start', 'stop', 'cut', 'settle', 'nothing'),
        }),
        { minLength: 3, maxLength: 8 },
      ),
      async (steps) => {
        const ctx = orgCtx(world);
        let [n, up] = [0, [] as Sequencer[]];
        const written: number[] = [];
        for (const step of steps) {
          await Promise.all(
            step.writers.map(async (count) => {
              const first = n;
              n += count;
              await writeEvents(ctx, count, first);
              for (let i = 0; i < count; i++) written.push(first + i);
            }),
          );
          if (step.do === 'start' && up.length < 3) up.push(start({ batch: 64 }));
          if (step.do === 'stop') await up.pop()?.stop();
          if (step.do === 'cut')
            await t.super(
              `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'gatehouse_sequencer' and datname = current_database()`,
            );
          if (step.do === 'settle') await up[0]?.settled();
        }
        const last = start();
        await last.settled();
        await Promise.all([...up, last].map((s) => s.stop()));
        const rows = await assertSound(ctx.org, n);
        assert.deepEqual(
          rows.map((r) => r.data.from).sort((a, b) => a - b),
          written.sort((a, b) => a - b),
        );
        up = [];
      },
    ),
    { numRuns: 12 },
  );
});
