import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { testDb, type TestDb } from '#dev/test-db.ts';
import { read, write } from './db.ts';
import { enqueue, startJobs } from './job.ts';
import { silentLog } from './log.ts';

let t: TestDb;
before(async () => {
  t = await testDb();
});
after(() => t.close());

const jobs = (name: string) =>
  t.super<{ attempts: number; key: string | null; payload: unknown }>(
    `select j.attempts, j.key, p.payload from graphile_worker.jobs j join graphile_worker._private_jobs p using (id) where task_identifier = $1`,
    name,
  );

test('a job exists exactly if the transaction that enqueued it committed', async () => {
  await t.db.transact({}, (tx) => enqueue(tx, 'kept', { id: 'a' }));
  await assert.rejects(
    t.db.transact({}, async (tx) => {
      await enqueue(tx, 'dropped', { id: 'b' });
      throw new Error('the change was refused');
    }),
  );
  assert.deepEqual(await jobs('kept'), [{ attempts: 0, key: null, payload: { id: 'a' } }]);
  assert.deepEqual(await jobs('dropped'), []);
});

test('two jobs with one key are one job, with what the later one said', async () => {
  for (const id of ['first', 'second'])
    await t.db.transact({}, (tx) => enqueue(tx, 'keyed', { id }, { key: 'mail:ada' }));
  assert.deepEqual(await jobs('keyed'), [{ attempts: 0, key: 'mail:ada', payload: { id: 'second' } }]);
});

for (const [what, statement] of [
  ['read jobs', write`select * from graphile_worker.jobs`],
  ['read payloads', write`select payload from graphile_worker._private_jobs`],
  ['delete jobs', write`delete from graphile_worker._private_jobs`],
  ['change jobs', write`update graphile_worker._private_jobs set payload = '{}'`],
  ['add jobs by the library', write`select graphile_worker.add_job('kept')`],
  ['complete jobs by the library', write`select graphile_worker.complete_jobs(array[1]::bigint[])`],
  ['remove jobs by the library', write`select graphile_worker.remove_job('mail:ada')`],
] as const)
  test(`the application's role may not ${what}`, () =>
    assert.rejects(
      t.db.transact({}, (tx) => tx.run(statement)),
      /permission denied/,
    ));

test('of the functions of the job tables only enqueue runs with more rights than its caller', async () => {
  const rows = await t.super(
    `select proname from pg_proc where pronamespace = 'graphile_worker'::regnamespace and prosecdef`,
  );
  assert.deepEqual(rows, [{ proname: 'enqueue' }]);
});

test('a job runs once with its payload, one that fails is kept for another attempt, and one for later waits', async () => {
  const ran: unknown[] = [];
  await t.db.transact({}, async (tx) => {
    await enqueue(tx, 'works', { id: 'x' });
    await enqueue(tx, 'fails', { id: 'y' });
    await enqueue(tx, 'waits', { id: 'z' }, { at: new Date(Date.now() + 3_600_000) });
  });
  const runner = await startJobs(
    t.as('gatehouse_worker').pool,
    [
      { name: 'works', run: async (p) => void ran.push(p) },
      { name: 'waits', run: async (p) => void ran.push(p) },
      { name: 'fails', run: () => Promise.reject(new Error('not today')) },
    ],
    silentLog,
  );
  try {
    for (const until = Date.now() + 15_000; Date.now() < until; await sleep(30))
      if ((await jobs('works')).length === 0 && (await jobs('fails'))[0]?.attempts === 1) break;
  } finally {
    await runner.stop();
  }
  assert.deepEqual(ran, [{ id: 'x' }]);
  assert.equal((await jobs('fails'))[0]?.attempts, 1);
  assert.equal((await jobs('waits'))[0]?.attempts, 0);
});

test('the worker role does not reach the tables of the product', () =>
  assert.rejects(
    t.as('gatehouse_worker').read({}, (db) => db.many(read(z.object({ id: z.string() }))`select id from org`)),
    /permission denied/,
  ));
