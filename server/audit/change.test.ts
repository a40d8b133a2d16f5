import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { testDb } from '#dev/test-db.ts';
import { write } from '#kernel/db.ts';
import { change, type Done } from './change.ts';
import { auditEvents, event, type AuditEvent } from './events.ts';
import { inboxRow } from './inbox.sql.ts';
import { orgCtx, sampleEvent } from './log-fixture.ts';

const t = await testDb();
const world = await t.world();
await t.super('create table thing (id int primary key, n int not null)');
await t.super('grant all on thing to gatehouse_app');
after(() => t.close());
const inbox = async (log: string): Promise<{ header: Record<string, unknown>; data: Record<string, unknown> }[]> =>
  t.super('select header, data from audit_inbox where log = $1 order by arrived', log);

test('a change without events, or with an empty list of them, does not compile', () => {
  // @ts-expect-error events were forgotten
  const forgotten: Done<number> = { value: 1 };
  // @ts-expect-error an empty list is no record
  const empty: Done<number> = { value: 1, events: [] };
  // @ts-expect-error "unchanged" cannot be claimed falsely by a variable
  const perhaps: Done<number> = { value: 1, unchanged: false };
  const honest: Done<number> = { value: 1, unchanged: true };
  // @ts-expect-error an event is made by `event`, which checks it against its declaration
  const handmade: AuditEvent = { type: 'a.b', data: {}, about: {} };
  assert.ok([forgotten, empty, perhaps, honest, handmade]);
});

test('a change and its events commit together', async () => {
  const ctx = orgCtx(world);
  const value = await change(ctx, async (tx) => {
    await tx.run(write`insert into thing values (1, 1)`);
    return { value: 'done', events: [sampleEvent(7), sampleEvent(8)] };
  });
  assert.equal(value, 'done');
  const rows = await inbox(ctx.org);
  assert.deepEqual(
    rows.map((r) => r.data['from']),
    [7, 8],
  );
  assert.deepEqual(rows[0]?.header['actor'], ctx.actor);
  assert.equal(rows[0]?.header['request'], ctx.request);
});

test('a change whose event cannot be written did not happen', async () => {
  const ctx = orgCtx(world);
  await t.super(`alter table audit_inbox add constraint no_more check (data ->> 'filter' is distinct from 'poison')`);
  await assert.rejects(
    change(ctx, async (tx) => {
      await tx.run(write`insert into thing values (2, 1)`);
      return { value: undefined, events: [sampleEvent(1), sampleEvent(2, 'poison')] };
    }),
  );
  await t.super('alter table audit_inbox drop constraint no_more');
  assert.equal((await t.super('select from thing where id = 2')).length, 0);
  assert.equal((await inbox(ctx.org)).length, 0);
});

test('a change that fails leaves no event', async () => {
  const ctx = orgCtx(world);
  await assert.rejects(
    change(ctx, async () => {
      throw new Error('no');
    }),
    /no/,
  );
  assert.equal((await inbox(ctx.org)).length, 0);
});

test('of two changes in a deadlock the loser is run again, and both are recorded once', async () => {
  await t.super('insert into thing values (11, 0), (12, 0)');
  const ctx = orgCtx(world);
  const second = orgCtx(world);
  let runs = 0;
  const both = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const add = (who: typeof ctx, a: number, b: number, me: number): Promise<void> =>
    change(who, async (tx) => {
      runs++;
      await tx.run(write`update thing set n = n + 1 where id = ${a}`);
      both[me]!.resolve();
      await both[1 - me]!.promise; // by now each holds the row that the other wants
      await tx.run(write`update thing set n = n + 1 where id = ${b}`);
      return { value: undefined, events: [sampleEvent(me)] };
    });
  await Promise.all([add(ctx, 11, 12, 0), add(second, 12, 11, 1)]);
  // On a busy machine the loser may lose once more.
  assert.ok(runs >= 3, `${runs} runs`);
  assert.deepEqual(await t.super('select n from thing where id in (11, 12)'), [{ n: 2 }, { n: 2 }]);
  assert.deepEqual([(await inbox(ctx.org)).length, (await inbox(second.org)).length], [1, 1]);
});

test('an event of an undeclared type, or with data of another shape, is not made', () => {
  assert.throws(
    () => event(auditEvents, 'audit.unheard' as 'audit.read', { log: 'x', from: null, to: null, filter: null }),
    TypeError,
  );
  assert.throws(() => event(auditEvents, 'audit.read', { log: 1 } as never));
});

test('NUL, half a surrogate pair and over-long words from outside are mended and do not keep an event out of the log', async () => {
  const ctx = orgCtx(world, { actor: { kind: 'api_key', id: 'key_\0\ud800' as never } });
  const made = { ...sampleEvent(1, 'a\0b\udfff \\u0000'), about: { tool: 'x'.repeat(100_000), resource: 'r' } };
  await change(ctx, async () => ({ value: undefined, events: [made] }));
  const [row] = await inbox(ctx.org);
  assert.equal(row?.data['filter'], 'a\ufffdb\ufffd \\u0000');
  assert.deepEqual(row?.header['actor'], { kind: 'api_key', id: 'key_\ufffd\ufffd' });
  assert.equal(row?.header['tool'], 'x'.repeat(64));
  assert.equal(row?.header['resource'], 'r');
});

test('data larger than 64 KiB is recorded by its size and hash', () => {
  const e = { ...sampleEvent(1), data: { big: 'x'.repeat(70_000) } };
  const row = inboxRow({ log: orgCtx(world).org, at: new Date(), actor: { kind: 'nobody' }, request: 'r', event: e });
  assert.match(row.data, /^\{"oversize":\{"bytes":70010,"sha256":"[0-9a-f]{64}"\}\}$/);
});

test('the server can add to the inbox of its own scope only, and can neither read nor empty it', async () => {
  const ctx = orgCtx(world);
  const scope = { parent: ctx.parent, org: ctx.org };
  const foreign = write`insert into audit_inbox (log, id, at, header, data, salt) values ('org_00000000000000000000000000000000', 'x', now(), '{}', '{}', '')`;
  await assert.rejects(
    world.db.transact(scope, (tx) => tx.run(foreign)),
    /row-level security/,
  );
  for (const s of [
    write`delete from audit_inbox`,
    write`select from audit_inbox`,
    write`delete from audit_event`,
    write`update audit_event set data = '{}'`,
    write`insert into audit_checkpoint values ('x', 1, now(), '')`,
    write`update audit_head set size = 0`,
    write`update audit_tile set hashes = ''`,
  ])
    await assert.rejects(
      world.db.transact(scope, (tx) => tx.run(s)),
      /permission denied/,
      s.text,
    );
});
