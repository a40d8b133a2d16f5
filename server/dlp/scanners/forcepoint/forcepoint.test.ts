import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { startForcepoint } from '#dev/forcepoint.ts';
import { anyContent, scannerHouse, type ScannerHouse } from '#dev/scanner-house.ts';
import type { EngineVerdict, Inspected } from '../../engine.ts';

let h: ScannerHouse;
before(async () => (h = await scannerHouse()));
after(() => h[Symbol.asyncDispose]());
beforeEach(() => h.t.super(`delete from dlp_scanner`));

const CARD = { body: 'käse 4111111111111111' };
const signal = new AbortController().signal;
const inspect = async (over: Partial<Inspected> = {}): Promise<EngineVerdict> =>
  (await h.engine()).inspect(anyContent({ org: h.org.org, ...over }), signal);
const contextOf = (f: { seen: readonly { metadata: Record<string, unknown> }[] }): Record<string, unknown> =>
  (f.seen[0]?.metadata['context'] ?? {}) as Record<string, unknown>;
const short = (v: EngineVerdict): string => (v.ok ? v.action : v.why);

test('content is told as a caught upload with the four mandatory parts, and its block is ours', async () => {
  await using f = await startForcepoint({ token: 't' });
  await h.add({ kind: 'forcepoint', url: f.url }, { credentials: { token: 't' }, timeoutMs: 4000 });
  const v = await inspect({ content: CARD });
  assert.equal(short(v), 'block');
  const [seen] = f.seen;
  assert.equal(seen?.refused, undefined);
  assert.match(seen?.content ?? '', /body: käse 4111111111111111/);
  const { context, ...rest } = seen?.metadata ?? {};
  assert.deepEqual(Object.keys(rest), ['contentDescriptors', 'source', 'destinations']);
  const { global_message_id, occurred_message_timestamp_utc_ms, ...fixed } = context as Record<string, unknown>;
  assert.deepEqual(fixed, {
    client_name: 'CUSTOM_APPLICATION',
    data_channel: 'HTTP',
    activity_type: 'UPLOAD',
    inspection_request_timeout_ms: 4000,
  });
  assert.equal(v.ok && v.reference, global_message_id);
  assert.equal(typeof occurred_message_timestamp_utc_ms, 'number');
});

test('clean content passes: the default rule’s null violation is none', async () => {
  await using f = await startForcepoint();
  await h.add({ kind: 'forcepoint', url: f.url });
  assert.deepEqual(await inspect(), {
    ok: true,
    engine: (await h.engine()).id,
    action: 'allow',
    findings: [],
    reference: String(contextOf(f)['global_message_id']),
  });
});

for (const [channel, phase, activity] of [
  ['HTTP', 'result', 'UPLOAD'],
  ['CASB_REAL_TIME', 'result', 'DOWNLOAD'],
  ['CASB_REAL_TIME', 'arguments', 'UPLOAD'],
] as const)
  test(`${phase} over ${channel} is an ${activity}`, async () => {
    await using f = await startForcepoint();
    await h.add({ kind: 'forcepoint', url: f.url, channel });
    assert.equal(short(await inspect({ phase })), 'allow');
    assert.equal(contextOf(f)['activity_type'], activity);
  });

test('a budget below the published range is told as its least', async () => {
  await using f = await startForcepoint();
  await h.add({ kind: 'forcepoint', url: f.url }, { timeoutMs: 19 });
  await inspect();
  const [seen] = f.seen;
  if (seen) assert.equal((seen.metadata['context'] as Record<string, unknown>)['inspection_request_timeout_ms'], 20);
});

for (const [names, action] of [
  [['Quarantine'], 'quarantine'],
  [['Permit'], 'alert'],
  [['Permit', 'Block'], 'block'],
  [['Encrypt'], 'block'],
  [['Confirm'], 'require_approval'],
] as const)
  test(`a violation with ${names.join(' and ')} is our ${action}`, async () => {
    await using f = await startForcepoint({ actions: () => [...names] });
    await h.add({ kind: 'forcepoint', url: f.url });
    assert.equal(short(await inspect()), action);
  });

test('an action that nobody has mapped is no verdict, and can be mapped', async () => {
  await using f = await startForcepoint({ actions: () => ['Coach'] });
  await h.add({ kind: 'forcepoint', url: f.url });
  assert.equal(short(await inspect()), 'malformed');
  await h.t.super(`delete from dlp_scanner`);
  await h.add({ kind: 'forcepoint', url: f.url, actions: { coach: 'alert' } });
  assert.equal(short(await inspect()), 'alert');
});

for (const [what, result] of [
  [
    'for another message',
    () => ({ global_message_id: 'other', resolution: 'UNMATCHED', cpe_transaction_info: {}, actions: [] }),
  ],
  [
    'with violations and no action',
    (id: string) => ({
      global_message_id: id,
      resolution: 'MATCHED',
      cpe_transaction_info: {},
      violations: [{}],
      actions: [],
    }),
  ],
  [
    'with a resolution that nobody knows',
    (id: string) => ({ global_message_id: id, resolution: 'ERROR', cpe_transaction_info: {}, actions: [] }),
  ],
  ['without actions', (id: string) => ({ global_message_id: id, resolution: 'UNMATCHED', cpe_transaction_info: {} })],
] as const)
  test(`a response ${what} is no verdict`, async () => {
    await using f = await startForcepoint({ result });
    await h.add({ kind: 'forcepoint', url: f.url });
    assert.equal(short(await inspect()), 'malformed');
  });

test('a wrong token is refused, and is no verdict', async () => {
  await using f = await startForcepoint({ token: 't' });
  await h.add({ kind: 'forcepoint', url: f.url }, { credentials: { token: 'x' } });
  assert.equal(short(await inspect()), 'refused');
});
