import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { testDb, type TestDb } from '#dev/test-db.ts';
import { testWorld } from '#dev/test-world.ts';
import type { World } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { foundOrg } from '#org/found-org.ts';
import { startCallWriter, type CallWriter } from './call-writer.ts';

let t: TestDb;
let world: World;
let place: { parent: Id<'par'>; org: Id<'org'> };
let writer: CallWriter;
before(async () => {
  t = await testDb();
  world = await testWorld(t);
  place = await foundOrg(world, {
    parentName: 'Acme',
    orgName: 'Acme',
    owner: { email: 'a@acme.example', displayName: 'Ada' },
  });
  writer = await startCallWriter(world, newId('nod'));
});
after(async () => {
  await writer.stop();
  await world.egress.close();
  await t.close();
});

const by = {
  actor: { kind: 'agent', id: newId('usr'), member: newId('mem'), client: 'c', grant: 'g' },
  request: newId('req'),
} as const;
function open(tool = 'look', where = place): { id: Id<'tcl'>; done: Promise<void> } {
  const id = newId('tcl');
  const [connector, member] = ['con_1', by.actor.member];
  const done = writer.open(
    where,
    { id, connector, tool, member, user: by.actor.id, client: 'c"\\\n', argsHash: 'ab', at: new Date() },
    { call: id, connector, tool, member, argsHash: 'ab', bytes: 1 },
    by,
  );
  return { id, done };
}
const end = (id: Id<'tcl'>): Promise<boolean> =>
  writer.end(
    place,
    { id, outcome: 'answered', why: null, at: new Date() },
    {
      call: id,
      connector: 'con_1',
      tool: 'look',
      outcome: 'answered',
      why: null,
      policies: [],
      policyVersion: null,
      approval: null,
      findings: [],
      bytes: 1,
      error: false,
      ms: 1,
    },
    by,
  );
const events = async (id: string): Promise<number> =>
  (await t.super(`select 1 from audit_inbox where data ->> 'call' = $1`, id)).length;

test('500 calls at once are each recorded once, and ending one twice counts once', async () => {
  const all = Array.from({ length: 500 }, () => open());
  await Promise.all(all.map((c) => c.done));
  const ended = await Promise.all(all.flatMap((c) => [end(c.id), end(c.id)]));
  assert.equal(ended.filter(Boolean).length, 500);
  const [{ calls, events: n } = { calls: 0, events: 0 }] = await t.super<{ calls: number; events: number }>(
    `select (select count(*)::int from tool_call where outcome = 'answered') as calls, (select count(*)::int from audit_inbox where header ->> 'type' like 'tool.%') as events`,
  );
  assert.deepEqual([calls, n], [500, 1000]);
});

test('one call that PostgreSQL refuses does not take those with it that came together with it', async () => {
  // U+0000 is JSON, and no text of PostgreSQL's.
  const bad = open('nul\u0000');
  const good = Array.from({ length: 20 }, () => open());
  await assert.rejects(bad.done);
  await Promise.all(good.map((c) => c.done));
  assert.equal(await events(bad.id), 0);
});

test('nothing is written into another organization\u2019s rows or log', async () => {
  const other = open('look', { parent: place.parent, org: newId('org') });
  await other.done;
  assert.deepEqual(await t.super(`select 1 from tool_call where id = $1 and org = $2`, other.id, place.org), []);
});

test('when the database stands still, new calls are refused after 5,000 wait, and those that waited are recorded when it goes on', async () => {
  const holder = new pg.Client({ connectionString: t.superUrl });
  await holder.connect();
  await holder.query('begin');
  await holder.query('lock table tool_call in access exclusive mode');
  const waiting = Array.from({ length: 5000 }, () => open());
  const one = open();
  await assert.rejects(
    one.done,
    (e) => e instanceof Problem && e.code === 'gateway/log-behind' && e.kind === 'unavailable',
  );
  await holder.query('commit');
  await holder.end();
  await Promise.all(waiting.map((c) => c.done));
  const [row] = await t.super<{ n: number }>(
    `select count(*)::int as n from tool_call where id = any($1)`,
    waiting.map((c) => c.id),
  );
  assert.equal(row?.n, 5000);
});

test('a call whose opening failed without our knowing is closed when the database is back, as failed and never sent', async () => {
  await t.super('revoke execute on function record_calls from gatehouse_app');
  const c = open();
  await assert.rejects(c.done);
  // As if the commit had been done and only its confirmation had got lost.
  await t.super(
    `insert into tool_call (org, id, connector, tool, member, user_id, client, args_hash, node, opened_at) values ($1, $2, 'con_1', 'look', 'm', 'u', 'c', '\\x00', 'n', now())`,
    place.org,
    c.id,
  );
  await t.super('grant execute on function record_calls to gatehouse_app');
  const state = async (): Promise<{ outcome: string | null; why: string | null } | undefined> =>
    (
      await t.super<{ outcome: string | null; why: string | null }>(
        'select outcome, why from tool_call where id = $1',
        c.id,
      )
    )[0];
  for (let i = 0; i < 100 && (await state())?.outcome === null; i++) await new Promise((r) => setTimeout(r, 50));
  assert.deepEqual(await state(), { outcome: 'failed', why: 'not_recorded' });
});
