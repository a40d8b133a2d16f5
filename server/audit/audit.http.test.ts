// Longer than 300 lines: one database and one server stand behind all of these claims about reading the log.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Hono } from 'hono';
import { openCheckpoint, parseVkey } from '@gatehouse/contract/checkpoint.ts';
import { parseEntryBundle } from '@gatehouse/contract/tile.ts';
import { leafHash, verifyInclusion } from '@gatehouse/contract/tree.ts';
import { sha256 } from '@gatehouse/contract/sha256.ts';
import { testDb } from '#dev/test-db.ts';
import type { Ctx, OrgCtx } from '#kernel/ctx.ts';
import { silentLog } from '#kernel/log.ts';
import { mount } from '#kernel/operation.ts';
import { status } from '#kernel/problem.ts';
import { auditOperations } from './audit.http.ts';
import { change } from './change.ts';
import { csvField } from './csv.ts';
import { auditEvents, event } from './events.ts';
import { logOperations } from './log.http.ts';
import { orgCtx, sampleEvent, writeEvents } from './log-fixture.ts';
import { startSequencer } from './sequencer.ts';

const t = await testDb();
const world = await t.world();
const sequencer = startSequencer({ world: { ...world, db: t.as('gatehouse_sequencer') }, gather: 1, poll: 20 });
after(async () => {
  await sequencer.stop();
  await t.close();
});

/** The two doors with a gate that believes us; the real one is tested by the walls. */
function appFor(ctx: () => Ctx): Hono {
  const app = new Hono();
  const door = {
    gate: () => Promise.resolve(ctx()),
    dialect: (_: unknown, p: { kind: keyof typeof status; code: string }) =>
      Response.json({ code: p.code }, { status: status[p.kind] }),
  };
  mount(app, { ...door, prefix: '/api', operations: auditOperations(auditEvents) }, silentLog);
  mount(app, { ...door, prefix: '/logs', operations: logOperations() }, silentLog);
  return app;
}
type Page = {
  size: number;
  next: number | null;
  events: { seq: number; type: string; says: string; actor: { id: string } }[];
};

function client(ctx: OrgCtx): { app: Hono; get(path: string): Promise<Response>; page(query: string): Promise<Page> } {
  let now = ctx.now;
  const app = appFor(() => ({ ...ctx, now: (now = new Date(now.getTime() + 1)) }));
  const get = async (path: string): Promise<Response> => app.request(path.replace(':org', ctx.org));
  return {
    app,
    get,
    async page(query) {
      const r = await get(`/api/orgs/:org/audit/events?${query}`);
      assert.equal(r.status, 200, await r.clone().text());
      return (await r.json()) as Page;
    },
  };
}
async function written(count: number): Promise<OrgCtx> {
  const ctx = orgCtx(world);
  await writeEvents(ctx, count);
  await sequencer.settled();
  return ctx;
}
const readings = async (log: string): Promise<{ filter: string | null }[]> => {
  await sequencer.settled();
  return (
    await t.super<{ data: { filter: string | null } }>(
      `select data from audit_event where log = $1 and type = 'audit.read' and data ->> 'log' <> 'sample' order by seq`,
      log,
    )
  ).map((r) => r.data);
};

test('paging back and forth while events are written skips none and repeats none', async () => {
  const ctx = await written(130);
  const { page } = client(ctx);
  for (const [from, order] of [
    ['', 'newest'],
    ['after=-1', 'oldest'],
  ] as const) {
    const seen: number[] = [];
    let first: number | undefined;
    let cursor: string | undefined = from;
    while (cursor !== undefined) {
      const p: Page = await page(`limit=17&${cursor}`);
      first ??= p.size;
      seen.push(...p.events.map((e) => e.seq));
      await writeEvents(ctx, 3);
      await sequencer.settled();
      const more: boolean = p.next !== null && (order === 'newest' || p.next < first - 1);
      cursor = more ? `${order === 'newest' ? 'before' : 'after'}=${p.next}` : undefined;
    }
    const sorted = seen.toSorted((a, b) => a - b);
    assert.deepEqual(seen, order === 'newest' ? sorted.toReversed() : sorted);
    assert.deepEqual(
      sorted.slice(0, first),
      Array.from({ length: first ?? 0 }, (_, i) => i),
    );
  }
});

test('an event is shown with its sentence, and one of a forgotten type with a plain one', async () => {
  const ctx = orgCtx(world);
  await change(ctx, async () => ({
    value: undefined,
    events: [event(auditEvents, 'audit.exported', { log: 'org_1', size: 3, format: 'csv' })],
  }));
  await change(ctx, async () => ({ value: undefined, events: [{ ...sampleEvent(1), type: 'house.painted' }] }));
  await sequencer.settled();
  const { events } = await client(ctx).page('after=-1');
  assert.deepEqual(
    events.slice(0, 2).map((e) => e.says),
    ['exported 3 events of org_1 as csv', 'left an event of the type house.painted'],
  );
  assert.equal(events[0]?.actor.id, 'id' in ctx.actor ? ctx.actor.id : '');
});

test('filters by type, actor, connector, call and text find exactly their events', async () => {
  const ctx = orgCtx(world);
  const about = { connector: 'con_1', call: 'tcl_9', tool: 'update' };
  await change(ctx, async () => ({
    value: undefined,
    events: [sampleEvent(1, '100% of it_all'), { ...sampleEvent(2), type: 'tool.called', about }, sampleEvent(3)],
  }));
  await sequencer.settled();
  const { page } = client(ctx);
  const actor = 'id' in ctx.actor ? ctx.actor.id : '';
  for (const [query, seqs] of [
    ['type=tool.called', [1]],
    ['connector=con_1', [1]],
    ['call=tcl_9', [1]],
    ['call=tcl_', []],
    ['text=UPDATE', [1]],
    [`text=${encodeURIComponent('100% of it_')}`, [0]],
    [`text=${encodeURIComponent('1% of')}`, []],
    ['actor=usr_nobody', []],
  ] as const)
    assert.deepEqual(
      (await page(`after=-1&limit=3&${query}`)).events.map((e) => e.seq).filter((s) => s < 3),
      seqs,
      query,
    );
  assert.deepEqual(
    (await page(`after=-1&limit=3&actor=${actor}`)).events.map((e) => e.seq),
    [0, 1, 2],
  );
});

test('a search for text goes on behind the positions that one page looked at', async () => {
  const ctx = await written(10);
  await t.super(
    `insert into audit_event select log, seq + 30000, at, id, type, actor, connector, call, header, data, salt, commitment, leaf from audit_event where log = $1`,
    ctx.org,
  );
  await t.super('update audit_head set size = 30010 where log = $1', ctx.org);
  const stopped = { ...ctx, db: { ...ctx.db, transact: () => Promise.resolve(undefined as never) } }; // the head is not true, so nothing may be appended
  const { page } = client(stopped);
  const first = await page('text=sample&limit=20');
  assert.deepEqual([first.events.length, first.next], [10, 10_010]);
  const second = await page(`text=sample&limit=20&before=${first.next}`);
  assert.deepEqual([second.events.length, second.next], [10, null]);
  await t.super('update audit_head set size = 10 where log = $1', ctx.org);
});

test('reading is recorded before anything is shown, once a minute for one reader and filter', async () => {
  const ctx = await written(1);
  const { page } = client(ctx);
  for (let i = 0; i < 5; i++) await page('limit=5');
  await page('limit=5&type=audit.read');
  assert.deepEqual(await readings(ctx.org), [
    { log: ctx.org, from: null, to: null, filter: null },
    { log: ctx.org, from: null, to: null, filter: 'type audit.read' },
  ]);
  const later = client({ ...ctx, now: new Date(ctx.now.getTime() + 61_000) });
  await later.page('limit=5');
  assert.equal((await readings(ctx.org)).length, 3);
});

test('when reading cannot be recorded nothing is shown', async () => {
  const ctx = await written(1);
  const { get } = client({ ...ctx, db: { ...ctx.db, transact: () => Promise.reject(new Error('disk full')) } });
  for (const path of ['events', 'events/0', 'export'])
    assert.equal((await get(`/api/orgs/:org/audit/${path}`)).status, 500);
  assert.equal((await get('/logs/:org/tile/entries/000.p/1')).status, 500);
});

test('an event comes with a proof that holds against the signed checkpoint', async () => {
  const ctx = await written(300);
  const { get } = client(ctx);
  const key = ((await (await get('/api/orgs/:org/audit/key')).json()) as { key: string }).key;
  const body = (await (await get('/api/orgs/:org/audit/events/271')).json()) as {
    entry: string;
    salt: string;
    event: { data: object };
    proof: { checkpoint: string; hashes: string[] };
  };
  const checkpoint = openCheckpoint(body.proof.checkpoint, parseVkey(key)!)!;
  const proof = body.proof.hashes.map((h) => Buffer.from(h, 'base64'));
  assert.ok(verifyInclusion(leafHash(Buffer.from(body.entry)), 271, checkpoint.size, proof, checkpoint.root));
  assert.ok(!verifyInclusion(leafHash(Buffer.from(`${body.entry} `)), 271, checkpoint.size, proof, checkpoint.root));
});

for (const [path, code, refusal] of [
  ['/api/orgs/:org/audit/events/99999', 404, 'audit/no-event'],
  ['/api/orgs/:org/audit/events?before=1&after=1', 400, 'audit/two-cursors'],
  ['/api/orgs/:org/audit/events?limit=100000', 400, 'http/invalid'],
  ['/api/orgs/:org/audit/events?sort=asc', 400, 'http/invalid'],
  ['/api/orgs/:org/audit/export?from=99999', 400, 'audit/beyond-end'],
  ['/api/orgs/:org/audit/checkpoint?log=parent', 404, 'audit/no-checkpoint'],
  ['/api/orgs/:org/audit/export?log=parent', 503, 'audit/not-signed'],
  ['/logs/:org/parent/checkpoint', 404, 'audit/no-checkpoint'],
  ['/logs/:org/tile/0/000', 404, 'audit/no-tile'],
  ['/logs/:org/tile/0/0', 404, 'audit/no-tile'],
  ['/logs/:org/tile/0/000.p/255', 404, 'audit/no-tile'],
] as const)
  test(`${path} is refused with ${refusal}`, async () => {
    const { get } = client(await written(3));
    const r = await get(path);
    assert.deepEqual([r.status, ((await r.json()) as { code: string }).code], [code, refusal]);
  });

test('a key of one organization finds nothing of another: no event, no proof, no export, no tile', async () => {
  const [mine, theirs] = [await written(2), await written(700)];
  // Whatever a handler were made to ask for, row-level security stands behind it: the ctx is of one org, the log named of another.
  const rows = await mine.db.read({ parent: mine.parent, org: mine.org }, async (db) => {
    const { listStored } = await import('./event.sql.ts');
    const { findCheckpoint, findSize, listLeafTiles } = await import('./tree.sql.ts');
    return [
      await listStored(db, theirs.org, {}, { low: 0, high: 9, order: 'oldest', limit: 9 }),
      await findCheckpoint(db, theirs.org),
      await findSize(db, theirs.org),
      await listLeafTiles(db, theirs.org, 0, 9),
    ];
  });
  assert.deepEqual(rows, [[], undefined, 0, []]);
  const { get } = client(mine);
  assert.equal((await get('/api/orgs/:org/audit/events/600')).status, 404);
  assert.equal((await get('/logs/:org/tile/0/000')).status, 404);
});

test('CSV is RFC 4180 with a header, and no field begins a formula', async () => {
  const ctx = orgCtx(world, { actor: { kind: 'api_key', id: '=cmd|calc' as never } });
  await change(ctx, async () => ({
    value: undefined,
    events: [
      {
        ...sampleEvent(1, 'a "quoted", line\r\nbreak'),
        about: { tool: '@SUM(1)', resource: '+1', connector: '-1', call: '\tx' },
      },
    ],
  }));
  await sequencer.settled();
  const { get } = client(ctx);
  const r = await get('/api/orgs/:org/audit/export?format=csv');
  assert.equal(r.headers.get('content-type'), 'text/csv; charset=utf-8; header=present');
  const text = await r.text();
  const [head = ''] = text.split('\r\n');
  const line = text.slice(head.length + 2);
  assert.equal(
    head,
    'seq,at,type,actor_kind,actor,says,connector,tool,resource,call,disposition,decisions,request,id,data',
  );
  assert.ok(line.includes(`,api_key,'=cmd|calc,`) && line.includes(`,'-1,'@SUM(1),'+1,'\tx,`), line);
  assert.ok(line.endsWith('\r\n'));
  assert.ok(
    line
      .trimEnd()
      .endsWith(`"{""to"":null,""log"":""sample"",""from"":1,""filter"":""a \\""quoted\\"", line\\r\\nbreak""}"`),
    line,
  );
});

for (const [value, field] of [
  ['=1', `'=1`],
  ['+1', `'+1`],
  ['-1', `'-1`],
  ['@x', `'@x`],
  ['\tx', `'\tx`],
  ['\rx', `"'\rx"`],
  [-1, '-1'],
  ['a,b', '"a,b"'],
  ['a"b', '"a""b"'],
  ['a\nb', '"a\nb"'],
  ['', ''],
  [undefined, ''],
] as const)
  test(`the CSV field of ${JSON.stringify(value)} is ${JSON.stringify(field)}`, () => {
    assert.equal(csvField(value), field);
  });

test('an export ends at the checkpoint it began with, whatever is written while it runs, and is itself recorded', async () => {
  const ctx = await written(2000);
  const r = await client(ctx).get('/api/orgs/:org/audit/export');
  const reader = r.body!.getReader();
  let text = new TextDecoder().decode((await reader.read()).value);
  await writeEvents(ctx, 500);
  await sequencer.settled();
  for (let part = await reader.read(); !part.done; part = await reader.read())
    text += new TextDecoder().decode(part.value);
  const lines = text
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l) as Record<string, unknown>);
  assert.deepEqual([lines[0]?.['format'], lines[0]?.['size']], ['gatehouse-audit-1', 2000]);
  assert.equal(lines.filter((l) => 'salt' in l).length, 2000);
  assert.match(String(lines.findLast((l) => 'checkpoint' in l)?.['checkpoint']), /\n2000\n/);
  const [exported] = await t.super<{ seq: string; data: object }>(
    `select seq, data from audit_event where log = $1 and type = 'audit.exported'`,
    ctx.org,
  );
  assert.deepEqual([exported?.seq, exported?.data], ['2000', { log: ctx.org, size: 2000, format: 'jsonl' }]);
});

test('who leaves in the middle of an export takes no more of our time', async () => {
  const ctx = await written(3000);
  let reads = 0;
  const counting: OrgCtx = { ...ctx, db: { ...ctx.db, read: (scope, work) => (reads++, ctx.db.read(scope, work)) } };
  const r = await client(counting).get('/api/orgs/:org/audit/export');
  const reader = r.body!.getReader();
  await reader.read();
  await reader.cancel();
  const then = reads;
  await new Promise((done) => void setTimeout(done, 100));
  assert.equal(reads, then);
  assert.ok(reads < 8, `${reads} reads`);
});

test('a monitor can follow the log by tiles, bundles and checkpoints alone, and sees no content', async () => {
  const ctx = await written(600);
  const { get } = client(ctx);
  const note = await get('/logs/:org/checkpoint');
  assert.equal(note.headers.get('content-type'), 'text/plain; charset=utf-8');
  assert.match(await note.text(), /^localhost:0\/audit\/org_\w+\n600\n/);
  const bytes = async (path: string): Promise<[Buffer, Response]> => {
    const r = await get(`/logs/:org/tile/${path}`);
    assert.equal(r.status, 200, path);
    return [Buffer.from(await r.arrayBuffer()), r];
  };
  const [full, r] = await bytes('0/000');
  assert.equal(r.headers.get('cache-control'), 'private, max-age=31536000, immutable');
  assert.equal(r.headers.get('content-type'), 'application/octet-stream');
  const [part, r2] = await bytes('0/002.p/80');
  assert.match(r2.headers.get('cache-control') ?? '', /max-age=60/);
  for (const [path, hashes] of [
    ['entries/000', full],
    ['entries/002.p/80', part],
  ] as const) {
    const [bundle] = await bytes(path);
    const entries = parseEntryBundle(bundle)!;
    entries.forEach((e, i) => assert.ok(leafHash(e).equals(hashes.subarray(i * 32, i * 32 + 32))));
    assert.ok(entries.every((e) => !('from' in (JSON.parse(e.toString()) as object))));
  }
  const [upper] = await bytes('1/000.p/2');
  let row = Array.from({ length: 256 }, (_, i) => full.subarray(i * 32, i * 32 + 32));
  while (row.length > 1)
    row = Array.from({ length: row.length / 2 }, (_, i) =>
      sha256(Buffer.concat([Buffer.of(1), row[2 * i]!, row[2 * i + 1]!])),
    );
  assert.ok(upper.subarray(0, 32).equals(row[0]!));
});

test('a monitor that fetches whenever the log grows does not make it grow', async () => {
  const ctx = await written(600);
  const { get } = client(ctx);
  for (let i = 0; i < 20; i++) await get('/logs/:org/tile/entries/000');
  assert.deepEqual(
    (await readings(ctx.org)).map((r) => r.filter),
    ['tiles'],
  );
});

test('a bundle of a log that lost a row to the superuser is refused and points to the verifier, instead of being filled up', async () => {
  const ctx = await written(300);
  const { get } = client(ctx);
  await t.super('delete from audit_event where log = $1 and seq = 7', ctx.org);
  const r = await get('/logs/:org/tile/entries/000');
  assert.deepEqual([r.status, await r.json()], [409, { code: 'audit/damaged-log' }]);
});
