import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { stopTestCluster, testCluster } from './test-cluster.ts';
import { testDb } from './test-db.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-cluster-'));
chmodSync(folder, 0o755); // else root's PostgreSQL could not enter, and the data would go to /var/lib
after(async () => {
  await stopTestCluster(folder);
  rmSync(folder, { recursive: true, force: true });
});

async function postmaster(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ pid: number }>(
    `select (pg_stat_file('postmaster.pid')).size > 0 as there, split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int as pid`,
  );
  await client.end();
  return rows[0]!.pid;
}

test('each test has a database of its own, which is gone when it is closed', async () => {
  await using a = await testDb();
  const b = await testDb();
  await a.super('create table mine (x int)');
  await assert.rejects(b.super('select from mine'), /does not exist/);
  await b.close();
  assert.deepEqual(await a.super('select from pg_database where datname = $1', b.name), []);
});

test('the database of a test process that was killed is dropped by the next one', async () => {
  const script = `import { testDb } from ${JSON.stringify(new URL('./test-db.ts', import.meta.url).href)};
    const t = await testDb(); console.log(t.name); process.kill(process.pid, 'SIGKILL');`;
  const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  const name = ended.stdout.trim();
  assert.match(name, /^t_\d+_/, ended.stderr);
  const next = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', script.replace(`process.kill(process.pid, 'SIGKILL')`, 'await t.close()')],
    { encoding: 'utf8', env: { ...process.env, NODE_TEST_CONTEXT: undefined } },
  );
  assert.equal(next.status, 0, next.stderr);
  await using t = await testDb();
  assert.deepEqual(await t.super('select datname from pg_database where datname = $1', name), []);
});

test('processes that need the cluster at once share one, and a killed one is replaced', async () => {
  const [a, b, c] = await Promise.all([testCluster(folder), testCluster(folder), testCluster(folder)]);
  assert.deepEqual([b, c], [a, a]);
  const first = await postmaster(a.superUrl);
  process.kill(a.keeper, 'SIGKILL');
  process.kill(first, 'SIGKILL');
  const next = await testCluster(folder);
  assert.notEqual(next.keeper, a.keeper);
  await stopTestCluster(folder);
  await assert.rejects(postmaster(next.superUrl), /ECONNREFUSED/);
});

test('a cluster whose keeper was killed is still stopped', async () => {
  const a = await testCluster(folder);
  process.kill(a.keeper, 'SIGKILL');
  await sleep(50);
  await stopTestCluster(folder);
  await assert.rejects(postmaster(a.superUrl), /ECONNREFUSED/);
});

test('a cluster that nobody uses stops by itself', async () => {
  const a = await testCluster(folder, 400);
  let stopped = false;
  for (const until = Date.now() + 15_000; Date.now() < until && !stopped; await sleep(1000))
    stopped = await postmaster(a.superUrl).then(
      () => false,
      () => true,
    );
  assert.ok(stopped);
});
