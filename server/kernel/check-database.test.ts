import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testDb, type TestDb } from '#dev/test-db.ts';
import { checkDatabase, standingProblem } from './check-database.ts';
import { connect, type Role } from './db.ts';
import { silentLog } from './log.ts';
import { Problem } from './problem.ts';

let t: TestDb;
before(async () => {
  t = await testDb();
});
after(() => t.close());

async function verdict(url: string, role: Role | 'itself' = 'gatehouse_app'): Promise<string> {
  const db = connect({ url, role: role === 'itself' ? undefined : role, log: silentLog, max: 1 });
  try {
    await checkDatabase(db);
    return 'serves';
  } catch (e) {
    assert.ok(e instanceof Problem, String(e));
    assert.ok(e.fix, 'says what to do');
    return e.code;
  } finally {
    await db.end();
  }
}

/** A login of its own for one test: roles belong to the cluster, which all test processes share. */
async function withLogin(attributes: string, work: (url: string, name: string) => Promise<void>): Promise<void> {
  const name = `check_${process.pid}_${Math.random().toString(36).slice(2, 8)}`;
  await t.super(`create role ${name} login noinherit password 'x' ${attributes}`);
  try {
    await t.super(`grant connect on database ${t.name} to ${name}`);
    for (const r of ['gatehouse_app', 'gatehouse_sequencer', 'gatehouse_oauth', 'gatehouse_worker'])
      await t.super(`grant ${r} to ${name}`);
    const url = new URL(t.url);
    url.username = name;
    url.password = 'x';
    await work(url.href, name);
  } finally {
    await t.super(`drop owned by ${name}`);
    await t.super(`drop role ${name}`);
  }
}

test('the login that roles.sql makes may serve', async () => {
  assert.equal(await verdict(t.url), 'serves');
});

test('a login like it under another name may serve', () =>
  withLogin('', async (url) => assert.equal(await verdict(url), 'serves')));

test('a superuser may not serve, not even while it acts as gatehouse_app', async () => {
  assert.equal(await verdict(t.superUrl), 'db/superuser');
  assert.equal(await verdict(t.superUrl, 'itself'), 'db/superuser');
});

test('a login that can become superuser may not serve', () =>
  withLogin('', async (url, name) => {
    await t.super(`create role ${name}_boss superuser`);
    await t.super(`grant ${name}_boss to ${name}`);
    assert.equal(await verdict(url), 'db/superuser');
    await t.super(`drop role ${name}_boss`);
  }));

test('the owner of the tables may not serve', async () => {
  await withLogin('', async (url, name) => {
    await t.super(`grant gatehouse_owner to ${name}`);
    assert.equal(await verdict(url), 'db/owner');
  });
  assert.equal(await verdict(t.ownerUrl, 'itself'), 'db/owner');
});

test('the owner of one single table may not serve', () =>
  withLogin('', async (url, name) => {
    await t.super(`create table stray (x int)`);
    await t.super(`alter table stray owner to ${name}`);
    assert.equal(await verdict(url), 'db/owner');
    await t.super(`drop table stray`);
  }));

test('a login with BYPASSRLS may not serve', () =>
  withLogin('bypassrls', async (url) => assert.equal(await verdict(url), 'db/bypass-rls')));

test('a login with CREATEROLE may not serve', () =>
  withLogin('createrole', async (url) => assert.equal(await verdict(url), 'db/create-role')));

test('a login that lacks one of the four roles may not serve', () =>
  withLogin('', async (url, name) => {
    await t.super(`revoke gatehouse_sequencer from ${name}`);
    assert.equal(await verdict(url), 'db/role-missing');
    await t.super(`revoke gatehouse_app from ${name}`);
    assert.equal(await verdict(url), 'db/role-missing');
  }));

test('a cluster on which roles.sql was never run is told to run it', async () => {
  assert.equal(await verdict(t.url, 'gatehouse_never' as Role), 'db/role-missing');
});

test('a database that does not keep Unicode may not serve', async () => {
  const name = `${t.name}_latin`;
  await t.super(`create database ${name} encoding 'LATIN1' locale 'C' locale_provider libc template template0`);
  try {
    assert.equal(await verdict(t.url.replace(t.name, name)), 'db/encoding');
  } finally {
    await t.super(`drop database ${name} with (force)`);
  }
});

for (const [what, edit, code] of [
  ['a wrong password', (u: URL) => (u.password = 'wrong'), 'db/wrong-password'],
  ['a database that is not there', (u: URL) => (u.pathname = '/nowhere'), 'db/no-database'],
  ['a port where nothing listens', (u: URL) => (u.port = '1'), 'db/unreachable'],
  ['a host without address', (u: URL) => (u.hostname = 'nowhere.invalid'), 'db/unreachable'],
] as const)
  test(`${what} in DATABASE_URL is called "${code}"`, async () => {
    const url = new URL(t.url);
    edit(url);
    assert.equal(await verdict(url.href), code);
  });

test('a login that the database does not admit is told so', () =>
  withLogin('', async (url, name) => {
    await t.super(`revoke connect on database ${t.name} from public, ${name}`);
    assert.equal(await verdict(url), 'db/not-admitted');
  }));

test('PostgreSQL 14 is too old and 15 is not', () => {
  const good = {
    encoding: 'UTF8',
    login: 'g',
    role: 'r',
    superuser: [],
    bypass: [],
    creators: [],
    owned: null,
    missing: [],
  };
  assert.equal(standingProblem({ ...good, version: 140_022 })?.code, 'db/too-old');
  assert.equal(standingProblem({ ...good, version: 150_000 }), undefined);
});
