import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { testDb, type TestDb } from '#dev/test-db.ts';
import { connect, lostRace, read, sql, write, type Reader, type Tx } from './db.ts';
import { startEmbedded } from './embedded.ts';
import { newId, type Id } from './id.ts';
import { silentLog } from './log.ts';
import { Problem } from './problem.ts';

let t: TestDb;
const acme = { parent: newId('par'), org: newId('org') };
const other = { parent: newId('par'), org: newId('org') };
before(async () => {
  t = await testDb();
  for (const [{ parent, org }, name] of [
    [acme, 'Acme'],
    [other, 'Other'],
  ] as const) {
    await t.super('insert into parent values ($1, $2, now())', parent, name);
    await t.super(
      `insert into org (parent, id, name, surface, created_at) values ($1, $2, $3, 'workspace', now())`,
      parent,
      org,
      name,
    );
  }
});
after(() => t.close());

const Named = z.object({ name: z.string() });
const names = async (db: Reader): Promise<string[]> =>
  (await db.many(read(Named)`select name from org order by name`)).map((r) => r.name);

async function refusal(work: Promise<unknown>): Promise<Problem> {
  const e: unknown = await work.then(
    () => undefined,
    (e: unknown) => e,
  );
  assert.ok(e instanceof Problem, `it was not refused: ${String(e)}`);
  return e;
}

test('a transaction that names no scope sees no rows', async () => {
  assert.deepEqual(await t.db.read({}, names), []);
});

test('a transaction sees the rows of the parent that it names and of nobody else', async () => {
  assert.deepEqual(await t.db.read({ parent: acme.parent }, names), ['Acme']);
  assert.deepEqual(await t.db.read({ parent: other.parent }, names), ['Other']);
});

test('a scope does not outlive its transaction on the connection', async () => {
  const one = connect({ url: t.url, role: 'gatehouse_app', max: 1, log: silentLog });
  assert.deepEqual(await one.read({ parent: acme.parent }, names), ['Acme']);
  assert.deepEqual(await one.read({}, names), []);
  await refusal(
    one.transact({ parent: acme.parent }, () => Promise.reject(new Problem('conflict', 'test/no', { says: 'no' }))),
  );
  assert.deepEqual(await one.read({}, names), []);
  await one.end();
});

test('a row cannot be written into a scope that the transaction does not name', async () => {
  const smuggle = t.db.transact({ parent: acme.parent }, (tx) =>
    tx.run(
      write`insert into org (parent, id, name, surface, created_at) values (${other.parent}, ${newId('org')}, 'Mole', 'console', now())`,
    ),
  );
  await assert.rejects(smuggle, /row-level security/);
});

for (const id of [
  `org_' ; drop table org; --`,
  `org_${'0'.repeat(32)}'`,
  `org_${'0'.repeat(32)}\n`,
  '',
  'org_',
  `ORG_${'0'.repeat(32)}`,
])
  test(`a scope with the id ${JSON.stringify(id)} is refused before it reaches the database`, async () => {
    let ran = false;
    const p = await refusal(
      t.db.read({ org: id as Id<'org'> }, () => {
        ran = true;
        return Promise.resolve();
      }),
    );
    assert.deepEqual([p.kind, p.code, ran], ['bug', 'db/scope', false]);
    assert.deepEqual(await t.db.read({ parent: acme.parent }, names), ['Acme'], 'the pool is unharmed');
  });

test('a read that writes is stopped by the database, whatever its types said', async () => {
  const p = await refusal(
    t.db.read({ parent: acme.parent }, (db) => (db as Tx).run(write`update org set name = 'Changed'`)),
  );
  assert.equal((p.cause as { code?: string }).code, '25006');
  assert.deepEqual(await t.db.read({ parent: acme.parent }, names), ['Acme']);
});

test('a transaction that fails leaves nothing behind', async () => {
  await refusal(
    t.db.transact({ parent: acme.parent }, async (tx) => {
      assert.equal(await tx.run(write`update org set name = 'Changed'`), 1);
      throw new Problem('conflict', 'test/no', { says: 'no' });
    }),
  );
  assert.deepEqual(await t.db.read({ parent: acme.parent }, names), ['Acme']);
});

test('the login without a role may read nothing', async () => {
  const bare = connect({ url: t.url, role: undefined, log: silentLog });
  await assert.rejects(
    bare.read({ parent: acme.parent }, (db) => db.many(read(Named)`select name from public.org`)),
    /permission denied/,
  );
  await bare.end();
});

test('text in a query is literal and values are parameters, however deep they are nested', async () => {
  const evil = `'; drop table org; --`;
  const either = sql`(name = ${evil} or ${sql`length(name) = ${4}`})`;
  const q = read(Named)`select name from org where ${either} and parent = ${acme.parent}`;
  assert.equal(q.text, 'select name from org where (name = $1 or length(name) = $2) and parent = $3');
  assert.deepEqual(q.values, [evil, 4, acme.parent]);
  assert.deepEqual(await t.db.read({ parent: acme.parent }, (db) => db.many(q)), [{ name: 'Acme' }]);
});

test('a row that must be there and is not is a bug of ours, with the query in the log only', async () => {
  const p = await refusal(t.db.read({}, (db) => db.one(read(Named)`select name from org`)));
  assert.deepEqual([p.kind, p.code], ['bug', 'db/no-row']);
  assert.ok(!JSON.stringify([p.says, p.fix, p.more]).includes('select'));
});

test('a row of another shape than declared is an error and not a guess', async () => {
  await assert.rejects(
    t.db.read({ parent: acme.parent }, (db) => db.many(read(z.object({ name: z.number() }))`select name from org`)),
    z.ZodError,
  );
});

test('of two transactions that lock each other out one loses, and is known as the loser of a race', async () => {
  const second = newId('org');
  await t.super(
    `insert into org (parent, id, name, surface, created_at) values ($1, $2, 'Zeta', 'console', now())`,
    acme.parent,
    second,
  );
  let met: () => void = () => undefined;
  const both = new Promise<void>((resolve) => (met = resolve));
  let arrived = 0;
  const cross = (a: string, b: string): Promise<unknown> =>
    t.db.transact({ parent: acme.parent }, async (tx) => {
      await tx.run(write`update org set region = 'x' where id = ${a}`);
      if (++arrived === 2) met();
      await both;
      await tx.run(write`update org set region = 'x' where id = ${b}`);
    });
  const ends = await Promise.allSettled([cross(acme.org, second), cross(second, acme.org)]);
  const lost = ends.flatMap((e) => (e.status === 'rejected' ? [e.reason as unknown] : []));
  assert.equal(lost.length, 1);
  assert.ok(lostRace(lost[0]));
  assert.ok(!lostRace(new Problem('unavailable', 'db/unavailable', { says: 'something else' })));
  await t.super('delete from org where id = $1', second);
});

test('a connection that the database ended is reported once as passing, and the next request works', async () => {
  const one = connect({ url: t.url, role: 'gatehouse_app', max: 1, log: silentLog });
  const p = await refusal(
    one.read({}, async (db) => {
      const { pid } = await db.one(read(z.object({ pid: z.number() }))`select pg_backend_pid() as pid`);
      await t.super('select pg_terminate_backend($1)', pid);
      return names(db);
    }),
  );
  assert.deepEqual([p.kind, p.code], ['unavailable', 'db/unavailable']);
  assert.deepEqual(await one.read({ parent: acme.parent }, names), ['Acme']);
  await one.end();
});

test('a full disk is called that', async () => {
  const p = await refusal(
    t.db.transact({}, (tx) => tx.run(write`do $$ begin raise exception 'no space' using errcode = '53100'; end $$`)),
  );
  assert.deepEqual([p.kind, p.code], ['unavailable', 'db/full']);
});

test('while PostgreSQL is killed under load every request ends as done or as unavailable, and afterwards all are done', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-db-'));
  chmodSync(folder, 0o755); // else root's PostgreSQL could not enter, and the data would go to /var/lib
  const e = await startEmbedded({ folder: join(folder, 'data'), log: silentLog });
  const db = connect({ url: e.appUrl, role: 'gatehouse_app', max: 4, log: silentLog });
  try {
    const ask = (): Promise<unknown> => db.read({}, (r) => r.one(read(z.object({ x: z.number() }))`select 1 as x`));
    await ask();
    let refusedOnce = false;
    let worked = 0;
    const until = Date.now() + 30_000;
    const client = async (): Promise<void> => {
      while (Date.now() < until && !(refusedOnce && worked > 20)) {
        try {
          await ask();
          worked = refusedOnce ? worked + 1 : 0;
        } catch (err) {
          assert.ok(err instanceof Problem, String(err));
          assert.equal(err.code, 'db/unavailable');
          refusedOnce = true;
          worked = 0;
          await sleep(20);
        }
      }
    };
    const clients = Promise.all([client(), client(), client(), client(), client(), client()]);
    await sleep(50);
    process.kill(e.pid, 'SIGKILL');
    await clients;
    assert.ok(refusedOnce && worked > 20, 'it was down, and came back');
  } finally {
    await db.end();
    await e.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
