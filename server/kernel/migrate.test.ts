import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import pg from 'pg';
import { at, testCluster } from '#dev/test-cluster.ts';
import { migrate, migrations } from './migrate.ts';
import { Problem } from './problem.ts';

const cluster = await testCluster();
const made: string[] = [];

async function asSuper(database: string, text: string): Promise<pg.QueryResultRow[]> {
  const client = new pg.Client({ connectionString: at(cluster.superUrl, database) });
  await client.connect();
  try {
    return (await client.query<pg.QueryResultRow>(text)).rows;
  } finally {
    await client.end();
  }
}

/** A database as an administrator would make it, without any table. */
async function empty(): Promise<{
  name: string;
  migrate(): Promise<string[]>;
  run(text: string): Promise<pg.QueryResultRow[]>;
}> {
  const name = `t_${process.pid}_${randomBytes(4).toString('hex')}`;
  await asSuper('postgres', `create database ${name} owner gatehouse_owner`);
  made.push(name);
  return {
    name,
    migrate: () => migrate(at(cluster.ownerUrl, name), at(cluster.appUrl, name)),
    run: (text) => asSuper(name, text),
  };
}
after(async () => {
  for (const name of made) await asSuper('postgres', `drop database ${name} with (force)`);
});

const all = migrations().map((m) => m.name);
const refusedAs = (code: string) => (e: unknown) => e instanceof Problem && e.code === code && Boolean(e.fix);

test('an empty database gets every migration in order, and running again changes nothing', async () => {
  const db = await empty();
  assert.deepEqual(await db.migrate(), all);
  const applied = await db.run('select name, hash, at from schema_migration order by at');
  assert.deepEqual(
    applied.map((r) => r['name'] as string),
    all,
  );
  assert.deepEqual(await db.migrate(), []);
  assert.deepEqual(await db.run('select name, hash, at from schema_migration order by at'), applied);
});

test('three nodes that start at once apply each migration once, and all of them serve', async () => {
  const db = await empty();
  const each = await Promise.all([db.migrate(), db.migrate(), db.migrate()]);
  assert.deepEqual(each.flat().sort(), all);
});

test('a database whose migration had another text is refused', async () => {
  const db = await empty();
  await db.migrate();
  await db.run(`update schema_migration set hash = 'other' where name = '${all[0]}'`);
  await assert.rejects(db.migrate(), refusedAs('db/changed-migration'));
});

test('a database of a newer version is refused', async () => {
  const db = await empty();
  await db.migrate();
  await db.run(`insert into schema_migration (name, hash) values ('9999-of-next-year.sql', 'x')`);
  await assert.rejects(db.migrate(), refusedAs('db/newer-schema'));
});

test('a migration that does not apply is named and leaves nothing of itself, and the next start goes on from there', async () => {
  const db = await empty();
  await db.run('create table seal_key (mine int)');
  await assert.rejects(db.migrate(), /the migration 0001-kernel\.sql does not apply: .*seal_key/);
  assert.deepEqual(await db.run('select name from schema_migration'), []);
  assert.deepEqual(await db.run(`select 1 from pg_tables where tablename = 'scope_version'`), []);
  await db.run('drop table seal_key');
  assert.deepEqual(await db.migrate(), all);
});

test('a migrator that was killed at its work does not lock out the next one', async () => {
  const db = await empty();
  const dead = new pg.Client({ connectionString: at(cluster.ownerUrl, db.name) });
  dead.on('error', () => undefined);
  await dead.connect();
  await dead.query(`select pg_advisory_lock(hashtext('gatehouse migrate'))`);
  const waiting = db.migrate();
  const [row] = await db.run(
    `select pg_terminate_backend(pid) as ended from pg_stat_activity where datname = '${db.name}' and query like '%pg_advisory_lock%'
        and pid <> pg_backend_pid() and state = 'idle'`,
  );
  assert.equal(row?.['ended'], true);
  assert.deepEqual(await waiting, all);
});
