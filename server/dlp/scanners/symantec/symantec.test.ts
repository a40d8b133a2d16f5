import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { anyContent, scannerHouse, type ScannerHouse } from '#dev/scanner-house.ts';
import { startSymantec, type SymantecOptions } from '#dev/symantec.ts';
import type { EngineVerdict, Inspected } from '../../engine.ts';
import { runtimeOf } from '../scanner-runtime.ts';
import { findScanner } from '../scanner.sql.ts';

let h: ScannerHouse;
before(async () => (h = await scannerHouse()));
after(() => h[Symbol.asyncDispose]());
beforeEach(async () => {
  await h.settled();
  await h.t.super(`delete from dlp_scanner`);
});

const FILTER = 'd0eb53c4-6d08-47f1-b289-3da151b40426';
const CARD = { body: 'card 4111111111111111' };
const signal = new AbortController().signal;
const inspect = async (over: Partial<Inspected> = {}): Promise<EngineVerdict> =>
  (await h.engine()).inspect(anyContent({ org: h.org.org, ...over }), signal);
const short = (v: EngineVerdict): string => (v.ok ? v.action : v.why);
const start = (o: SymantecOptions = {}): ReturnType<typeof startSymantec> => startSymantec(o);

test('content is told as a detection request, its block is ours, and what was done is acknowledged', async () => {
  await using s = await start({ header: { name: 'x-api-key', value: 'k' } });
  await h.add(
    { kind: 'symantec', url: `${s.url}/`, filters: [FILTER] },
    { credentials: { headers: { 'X-Api-Key': 'k' } } },
  );
  assert.equal(short(await inspect({ content: CARD })), 'block');
  await h.settled();
  const [request, ack] = s.seen;
  const context = new Map(
    ((request?.body['context'] ?? []) as { name: string; value: string[] }[]).map((c) => [c.name, c.value]),
  );
  assert.deepEqual(context.get('common.dataType'), ['DIM']);
  assert.deepEqual(context.get('common.filter'), [FILTER]);
  assert.deepEqual(context.get('common.expectActionsAck'), ['true']);
  assert.deepEqual(context.get('common.user.id'), ['ada@lamps.example']);
  assert.deepEqual(ack?.body['actionsTaken'], [{ action: 'BLOCK' }]);
  assert.equal(ack?.refused, undefined);
});

test('the acknowledgement follows every verdict: of clean content, and in shadow mode that nothing was done', async () => {
  await using s = await start();
  await h.add({ kind: 'symantec', url: s.url });
  assert.equal(short(await inspect()), 'allow');
  await h.settled();
  await h.t.super(`delete from dlp_scanner`);
  await h.add({ kind: 'symantec', url: s.url }, { mode: 'shadow' });
  assert.equal(short(await inspect({ content: CARD })), 'allow');
  await h.settled();
  const acks = s.seen.filter((x) => x.path.endsWith('/ActionAcknowledgements'));
  assert.deepEqual(
    acks.map((a) => a.body['actionsTaken']),
    [[{ action: 'NONE' }], [{ action: 'NONE' }]],
  );
});

for (const [names, action] of [
  [['QUARANTINE'], 'quarantine'],
  [['Notify'], 'alert'],
  [['REDACT'], 'block'],
  [['NOTIFY', 'BLOCK'], 'block'],
  [[], 'alert'],
] as const)
  test(`a violation with ${names.join(' and ') || 'no action'} is our ${action}`, async () => {
    await using s = await start({
      actions: () => names.map((n) => ({ action: n, parameter: [{ name: 'message', value: ['x'] }] })),
    });
    await h.add({ kind: 'symantec', url: s.url });
    assert.equal(short(await inspect()), action);
  });

test('an action that nobody has mapped is no verdict, is acknowledged all the same, and can be mapped', async () => {
  await using s = await start({ actions: () => [{ action: 'Watermark' }] });
  await h.add({ kind: 'symantec', url: s.url });
  assert.equal(short(await inspect()), 'malformed');
  await h.settled();
  assert.equal(s.seen.length, 2);
  await h.t.super(`delete from dlp_scanner`);
  await h.add({ kind: 'symantec', url: s.url, actions: { WATERMARK: 'require_approval' } });
  assert.equal(short(await inspect()), 'require_approval');
});

for (const [what, result] of [
  ['no request id', { violation: [], responseAction: [] }],
  ['an action without a name', { requestId: 'r', responseAction: [{ parameter: [] }] }],
  ['actions that are no list', { requestId: 'r', responseAction: 'BLOCK' }],
] as const)
  test(`a result with ${what} is no verdict`, async () => {
    await using s = await start({ result: () => result });
    await h.add({ kind: 'symantec', url: s.url });
    assert.equal(short(await inspect()), 'malformed');
  });

test('an acknowledgement that is not taken changes no verdict, and the health of the scanner says so', async () => {
  await using s = await start({ ackStatus: 500 });
  const { scanner } = await h.add({ kind: 'symantec', url: s.url });
  assert.equal(short(await inspect({ content: CARD })), 'block');
  await h.settled();
  const row = await h.world.db.read(h.org, (db) => findScanner(db, scanner.id));
  assert.ok(row);
  assert.match(runtimeOf(h.world).healthOf(row).recent[0]?.says ?? '', /acknowledgement \(500\)/);
});
