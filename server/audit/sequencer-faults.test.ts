import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { openCheckpoint, parseVkey } from '@gatehouse/contract/checkpoint.ts';
import { entryHeader, entryLeaf } from '@gatehouse/contract/leaf.ts';
import { foldRight, rootPlan } from '@gatehouse/contract/tree.ts';
import { testDb } from '#dev/test-db.ts';
import { connect } from '#kernel/db.ts';
import { startEmbedded } from '#kernel/embedded.ts';
import { silentLog } from '#kernel/log.ts';
import { migrate } from '#kernel/migrate.ts';
import { signerOf } from './checkpoint-key.ts';
import { emptyEdge, grow } from './growing-tree.ts';
import type { LogId } from './inbox.sql.ts';
import { orgCtx, writeEvents } from './log-fixture.ts';
import { faultPoints } from './sequence-log.ts';

const t = await testDb();
const world = await t.world();
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-faults-'));
const children = new Set<ChildProcess>();
after(async () => {
  for (const c of children) c.kill('SIGKILL');
  await t.close();
  rmSync(folder, { recursive: true, force: true });
});

const program = fileURLToPath(new URL('fault-process.ts', import.meta.url));
const seed = world.seal.derive('audit checkpoint key', 32).toString('hex');

function sequencerProcess(url: string, point = 'none', nth = 1, ...more: number[]): ChildProcess {
  const child = spawn(process.execPath, [program, url, folder, seed, point, String(nth), ...more.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  return child;
}
async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  children.delete(child);
}

type Ask = <T extends pg.QueryResultRow>(text: string, ...values: unknown[]) => Promise<T[]>;

async function until(what: string, done: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 30_000; !(await done()); await sleep(20))
    assert.ok(Date.now() < end, `${what} took longer than 30 s`);
}
const settled = (ask: Ask, log: LogId, size: number): Promise<void> =>
  until(`a checkpoint over ${size} events`, async () => {
    const [row] = await ask<{ size: string | null }>(
      'select max(size) as size from audit_checkpoint where log = $1',
      log,
    );
    return Number(row?.size ?? 0) >= size;
  });

/** Each acknowledged event once, no gap, no second tree: the root at every checkpoint ever seen is that of the log as it is now. */
async function assertWhole(
  ask: Ask,
  log: LogId,
  acknowledged: readonly number[],
  seen: readonly string[],
): Promise<void> {
  const rows = await ask<{ seq: string; header: never; data: { from: number }; commitment: Buffer }>(
    'select seq, header, data, commitment from audit_event where log = $1 order by seq',
    log,
  );
  assert.deepEqual(
    rows.map((r) => Number(r.seq)),
    rows.map((_, i) => i),
  );
  const from = rows.map((r) => r.data.from);
  assert.equal(new Set(from).size, from.length, 'an event has two positions');
  const there = new Set(from);
  assert.deepEqual(
    acknowledged.filter((n) => !there.has(n)),
    [],
    'acknowledged events are missing',
  );
  const leaves = rows.map((r) => entryLeaf(entryHeader(r.header, Number(r.seq), r.commitment)));
  const key = parseVkey(signerOf(world, log).vkey)!;
  const stored = await ask<{ note: string }>('select note from audit_checkpoint where log = $1', log);
  for (const note of [...stored.map((s) => s.note), ...seen]) {
    const c = openCheckpoint(note, key);
    assert.ok(c && c.size <= rows.length, note);
    assert.ok(
      foldRight(grow(emptyEdge, leaves.slice(0, c.size)).edge.frontier).equals(c.root),
      `checkpoint of size ${c.size}`,
    );
    assert.equal(rootPlan(c.size).length > 0, c.size > 0);
  }
}

for (const point of faultPoints)
  test(`a sequencer killed with SIGKILL after "${point}" loses nothing, doubles nothing and signs no second tree`, async () => {
    const ctx = orgCtx(world);
    const acknowledged: number[] = [];
    const add = async (count: number): Promise<void> => {
      await writeEvents(ctx, count, acknowledged.length);
      for (let i = 0; i < count; i++) acknowledged.push(acknowledged.length);
    };
    const seen: string[] = [];
    for (const nth of [1, 3]) {
      await add(130);
      const child = sequencerProcess(t.url, point, nth);
      await Promise.race([
        once(child.stdout!, 'data'),
        sleep(15_000).then(() => assert.fail(`never reached ${point}`)),
      ]);
      await add(10);
      await kill(child);
      for (const f of readdirSync(folder))
        if (f === `${ctx.org}.checkpoint`) seen.push(readFileSync(join(folder, f), 'utf8'));
    }
    const last = sequencerProcess(t.url);
    await settled(t.super, ctx.org, acknowledged.length);
    await kill(last);
    await assertWhole(t.super, ctx.org, acknowledged, seen);
    assert.equal((await t.super('select from audit_event where log = $1', ctx.org)).length, acknowledged.length);
  });

test('a sequencer that is stopped in its transaction while another takes over does not write when it wakes', async () => {
  const ctx = orgCtx(world);
  await writeEvents(ctx, 100);
  const frozen = sequencerProcess(t.url, 'placed');
  await once(frozen.stdout!, 'data');
  const fresh = sequencerProcess(t.url);
  await sleep(500);
  assert.equal(
    (await t.super('select from audit_event where log = $1', ctx.org)).length,
    0,
    'two sequencers had the log',
  );
  // The server notices that the frozen one is gone (keep-alive); then, and only then, the other goes on.
  await t.super(
    `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted and pid <> pg_backend_pid() and database = (select oid from pg_database where datname = current_database())`,
  );
  await settled(t.super, ctx.org, 100);
  await kill(frozen);
  await kill(fresh);
  await assertWhole(
    t.super,
    ctx.org,
    Array.from({ length: 100 }, (_, i) => i),
    [],
  );
});

test('PostgreSQL killed with SIGKILL under load: every acknowledged event is in the log once, under checkpoints that all fit', async () => {
  const home = mkdtempSync(join(tmpdir(), 'gatehouse-pg-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(home, { recursive: true, force: true }));
  const cluster = await startEmbedded({ folder: home, log: silentLog });
  // As root the data may lie elsewhere than asked for, since PostgreSQL refuses root.
  stack.defer(() => rmSync(cluster.folder, { recursive: true, force: true }));
  stack.defer(() => cluster.stop());
  await migrate(cluster.ownerUrl, cluster.appUrl);
  const db = connect({ url: cluster.appUrl, role: 'gatehouse_app', log: silentLog });
  stack.defer(() => db.end());
  const { pathname } = new URL(cluster.ownerUrl);
  const superUrl = Object.assign(new URL(cluster.superUrl), { pathname }).href;
  const ask: Ask = async (text, ...values) => {
    const c = new pg.Client({ connectionString: superUrl });
    c.on('error', () => undefined);
    await c.connect();
    try {
      return (await c.query(text, values)).rows;
    } finally {
      await c.end();
    }
  };
  const contexts = [orgCtx({ ...world, db }), orgCtx({ ...world, db })];
  const acknowledged = contexts.map((): number[] => []);
  const seen = contexts.map((): string[] => []);
  const child = sequencerProcess(cluster.appUrl, 'none', 1, 500, 100);
  stack.defer(() => kill(child));
  let on = true;
  stack.defer(() => {
    on = false;
  });
  let next = 0;
  const writers = Array.from({ length: 4 }, async (_, w) => {
    while (on) {
      const first = next;
      next += 20;
      try {
        await writeEvents(contexts[w % 2]!, 20, first);
        for (let i = 0; i < 20; i++) acknowledged[w % 2]!.push(first + i);
      } catch {
        await sleep(50); // refused or unknown: not acknowledged, may be there or not, but never twice
      }
    }
  });
  for (let round = 0; round < 3; round++) {
    await sleep(700);
    const pid = cluster.pid;
    process.kill(pid, 'SIGKILL');
    await until(
      'PostgreSQL to come back',
      async () =>
        cluster.pid !== pid &&
        (await ask('select 1').then(
          () => true,
          () => false,
        )),
    );
    for (const [i, c] of contexts.entries())
      seen[i]!.push(
        ...(await ask<{ note: string }>('select note from audit_checkpoint where log = $1', c.org)).map((r) => r.note),
      );
  }
  await sleep(300);
  on = false;
  await Promise.all(writers);
  for (const [i, c] of contexts.entries()) {
    await until(
      'the inbox to be empty',
      async () => (await ask('select from audit_inbox where log = $1', c.org)).length === 0,
    );
    const [row] = await ask<{ size: string }>('select size from audit_head where log = $1', c.org);
    await settled(ask, c.org, Number(row?.size));
    assert.ok(acknowledged[i]!.length > 100);
    await assertWhole(ask, c.org, acknowledged[i]!, seen[i]!);
  }
});
