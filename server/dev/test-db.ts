import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { connect, type Db, type Role } from '#kernel/db.ts';
import { silentLog } from '#kernel/log.ts';
import { migrate, migrations, rolesSql } from '#kernel/migrate.ts';
import type { World } from '#kernel/ctx.ts';
import { at, testCluster, type Cluster } from './test-cluster.ts';
import { testWorld, type WorldOver } from './test-world.ts';

export { stopTestCluster } from './test-cluster.ts';

export type TestDb = {
  /** The server's login `gatehouse`; without a role it may do nothing. */
  url: string;
  /** The owner of the schema, who migrates. */
  ownerUrl: string;
  /** The superuser: for looking behind row-level security and for breaking things. */
  superUrl: string;
  name: string;
  /** As the running server: role `gatehouse_app`. */
  db: Db;
  /** As another of the server's roles. One pool per role, closed with the rest. */
  as(role: Role): Db;
  /** Rows of any statement, as the superuser: `await t.super('select … where id = $1', id)`. */
  super<T extends pg.QueryResultRow = pg.QueryResultRow>(text: string, ...values: unknown[]): Promise<T[]>;
  /** A World of real parts around `db`; its egress is closed with the database. */
  world(over?: WorldOver): Promise<World>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

async function withClient<T>(url: string, work: (c: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const templateOf = (): string => {
  const all = createHash('sha256').update(rolesSql());
  all.update(readFileSync(new URL('../kernel/migrate.ts', import.meta.url)));
  for (const m of migrations()) all.update(m.name).update(m.hash);
  return `gatehouse_template_${all.digest('hex').slice(0, 12)}`;
};

/** Template and clone are made one at a time per template; `work` says what to do if it is not there. */
async function ensureTemplate(c: pg.Client, cluster: Cluster, template: string): Promise<void> {
  const there = async (): Promise<boolean> =>
    (await c.query('select from pg_database where datname = $1 and datistemplate', [template])).rowCount === 1;
  if (await there()) return;
  await c.query(`select pg_advisory_lock(hashtext('gatehouse test template'))`);
  try {
    if (await there()) return;
    await c.query(rolesSql());
    const building = `${template}_building`;
    await c.query(`drop database if exists ${building} with (force)`);
    await c.query(`create database ${building} owner gatehouse_owner`);
    await migrate(at(cluster.ownerUrl, building), at(cluster.appUrl, building));
    await c.query(`alter database ${building} rename to ${template}`);
    await c.query(`comment on database ${template} is '${new Date().toISOString()}'`);
    await c.query(`alter database ${template} is_template true allow_connections false`);
    await dropStale(c, template);
  } finally {
    await c.query(`select pg_advisory_unlock(hashtext('gatehouse test template'))`);
  }
}

/** Templates of schemas of more than a day ago, and databases whose test process is gone. */
async function dropStale(c: pg.Client, template: string): Promise<void> {
  const { rows } = await c.query<{ name: string; made: string | null }>(
    `select datname as name, shobj_description(oid, 'pg_database') as made from pg_database where datname ~ '^(t_[0-9]+_|gatehouse_template_)'`,
  );
  for (const { name, made } of rows) {
    const pid = Number(/^t_(\d+)_/.exec(name)?.[1] ?? 0);
    if (pid ? runs(pid) : name === template || Date.now() - Date.parse(made ?? '') < 86_400_000) continue;
    if (!pid) await c.query(`alter database ${name} is_template false`);
    await c.query(`drop database if exists ${name} with (force)`).catch(() => undefined); // another process was faster
  }
}

const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (e) {
    return e instanceof Error && 'code' in e && e.code === 'EPERM';
  }
};

let swept = false;

/** A fresh database with the whole schema, on the cluster that all tests share. Close it (or `await using`), so that it is dropped. */
export async function testDb(): Promise<TestDb> {
  const cluster = await testCluster();
  const name = `t_${process.pid}_${randomBytes(4).toString('hex')}`;
  const template = templateOf();
  await withClient(cluster.superUrl, async (c) => {
    await ensureTemplate(c, cluster, template);
    if (!swept) await dropStale(c, template);
    swept = true;
    await c.query(`create database ${name} template ${template} owner gatehouse_owner strategy wal_log`);
    // What 0001-kernel.sql grants on the database itself is not part of a template.
    await c.query(`grant create on database ${name} to gatehouse_worker`);
  });
  const url = at(cluster.appUrl, name);
  const superUrl = at(cluster.superUrl, name);
  const pools = new Map<Role, Db>();
  const as = (role: Role): Db => {
    const open = pools.get(role) ?? connect({ url, role, log: silentLog });
    pools.set(role, open);
    return open;
  };
  const worlds: World[] = [];
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closed ??= (async () => {
      await Promise.all(worlds.map((w) => w.egress.close()));
      await Promise.all([...pools.values()].map((p) => p.end()));
      await withClient(cluster.superUrl, (c) => c.query(`drop database if exists ${name} with (force)`));
    })());
  return {
    url,
    ownerUrl: at(cluster.ownerUrl, name),
    superUrl,
    name,
    db: as('gatehouse_app'),
    as,
    super: <T extends pg.QueryResultRow>(text: string, ...values: unknown[]) =>
      withClient(superUrl, async (c) => (await c.query<T>(text, values)).rows),
    async world(over) {
      const world = await testWorld(as('gatehouse_app'), over);
      if (!over?.egress) worlds.push(world);
      return world;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
