import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { newId } from '#kernel/id.ts';
import { startDlpWebhook, verified } from '#dev/dlp-webhook.ts';
import { scannerHouse, type ScannerHouse } from '#dev/scanner-house.ts';
import { changeScanner } from './change-scanner.ts';
import { openCredentials } from './credentials.ts';
import { removeScanner } from './remove-scanner.ts';
import { rotateScannerSecret } from './rotate-scanner-secret.ts';
import { findScanner } from './scanner.sql.ts';

let h: ScannerHouse;
before(async () => {
  h = await scannerHouse();
});
after(() => h[Symbol.asyncDispose]());

type Json = Record<string, unknown> & { id: string };
const call = async (
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Json; text: string }> => {
  const { status, text } = await h.api(method, path, body);
  return { status, text, body: (text === '' ? {} : JSON.parse(text)) as Json };
};
const webhook = (url: string, more: object = {}): object => ({
  name: `w ${randomBytes(4).toString('hex')}`,
  config: { kind: 'webhook', url },
  allowPrivate: true,
  ...more,
});
const code = async (r: Promise<{ body: Json }>): Promise<unknown> => (await r).body['code'];

test('a scanner is added in shadow mode for prompts, its secret is shown once, and it signs with that secret', async () => {
  await using s = await startDlpWebhook();
  const added = await call('POST', '', webhook(s.url));
  assert.equal(added.status, 201);
  const { id, signingSecret, mode, phases, percentage, failMode, beta } = added.body;
  assert.deepEqual([mode, phases, percentage, failMode, beta], ['shadow', ['prompt'], 100, null, false]);
  assert.match(String(signingSecret), /^whsec_[A-Za-z0-9+/]{43}=$/);
  const got = await call('GET', `/${id}`);
  assert.equal('signingSecret' in got.body, false);
  assert.equal(got.text.includes(String(signingSecret)), false);

  const tested = await call('POST', `/${id}/test`, {});
  assert.deepEqual(tested.body, { outcome: 'verdict', action: 'allow', reason: null, reference: null, says: null });
  const [d] = s.received;
  assert.ok(d && verified([String(signingSecret)], d.headers, d.body, new Date()));
  assert.deepEqual(d.frame['source'], { application: 'config-test' });
  const denied = await call('POST', `/${id}/test`, { phase: 'arguments', text: 'card 4111111111111111' });
  assert.deepEqual([denied.body['action'], denied.body['reason']], ['block', 'Take out the payment card number.']);
  await s.close();
  const gone = await call('POST', `/${id}/test`, {});
  assert.equal(gone.body['outcome'], 'unreachable');
  assert.equal(typeof gone.body['says'], 'string');
});

test('every change of a scanner is in the log, with hosts and counts and without paths, names or secrets', async () => {
  await using s = await startDlpWebhook();
  const secret = `whsec_${Buffer.alloc(24, 5).toString('base64')}`;
  const headers = { 'x-key': 'header-hush' };
  const { body } = await call(
    'POST',
    '',
    webhook(`${s.url}/path-hush`, { name: 'name-hush', credentials: { signingSecret: secret, headers } }),
  );
  assert.equal(body['signingSecret'], null);
  await call('PATCH', `/${body.id}`, {
    mode: 'enforce',
    percentage: 50,
    excludedRoles: ['user'],
    excludedGroups: [newId('grp')],
  });
  await call('PATCH', `/${body.id}`, { mode: 'enforce', percentage: 50 });
  await call('POST', `/${body.id}/rotate-secret`, { overlapMinutes: 10 });
  await call('POST', `/${body.id}/test`, {});
  assert.equal((await call('DELETE', `/${body.id}`)).status, 204);
  const told = (await h.events()).filter((e) => e.data['scanner'] === body.id);
  assert.deepEqual(
    told.map((e) => e.type.slice('dlp.scanner_'.length)),
    ['added', 'changed', 'secret_rotated', 'tested', 'removed'],
  );
  assert.deepEqual(told[0]?.data['hosts'], [new URL(s.url).host]);
  assert.doesNotMatch(JSON.stringify(told), /hush|whsec/);
  const [row] = await h.t.super<{ secret: unknown; previous_secret: unknown; name: string }>(
    `select name, secret, previous_secret from dlp_scanner where id = $1`,
    body.id,
  );
  assert.deepEqual(row, { name: 'name-hush', secret: null, previous_secret: null });
  assert.equal(await code(call('GET', `/${body.id}`)), 'dlp/no-scanner');
});

test('what is sealed in one row does not open in another', async () => {
  const { scanner: a } = await h.add(
    { kind: 'forcepoint', url: 'http://127.0.0.1:1' },
    { credentials: { token: 'a' } },
  );
  const { scanner: b } = await h.add(
    { kind: 'forcepoint', url: 'http://127.0.0.1:1' },
    { credentials: { token: 'b' } },
  );
  await h.t.super(
    `update dlp_scanner x set secret = y.secret from dlp_scanner y where x.id = $1 and y.id = $2`,
    a.id,
    b.id,
  );
  const moved = await h.world.db.read(h.org, (db) => findScanner(db, a.id));
  assert.ok(moved);
  await assert.rejects(openCredentials(h.world.seal, h.org.org, moved, 'forcepoint', new Date()), {
    code: 'seal/does-not-open',
  });
  const engine = (await h.engines()).find((e) => e.id === a.id);
  const { anyContent } = await import('#dev/scanner-house.ts');
  const v = await engine?.inspect(anyContent({ org: h.org.org }), new AbortController().signal);
  assert.deepEqual(v, { ok: false, engine: a.id, why: 'broken' });
});

test('a scanner without credentials is not asked without them', async () => {
  const { scanner } = await h.add({ kind: 'symantec', url: 'http://127.0.0.1:1' });
  await h.t.super(`update dlp_scanner set secret = null, secret_since = null where id = $1`, scanner.id);
  const row = await h.world.db.read(h.org, (db) => findScanner(db, scanner.id));
  assert.ok(row);
  await assert.rejects(openCredentials(h.world.seal, h.org.org, row, 'symantec', new Date()), {
    code: 'dlp/scanner-without-secret',
  });
});

test('credentials do not follow an address to another host; they are given again with the change', async () => {
  const { body } = await call(
    'POST',
    '',
    webhook('http://127.0.0.1:1/a', { credentials: { headers: { 'x-key': 'k' } } }),
  );
  const to = { config: { kind: 'webhook', url: 'http://127.0.0.1:2/a' } };
  assert.equal(await code(call('PATCH', `/${body.id}`, to)), 'dlp/scanner-moved');
  assert.equal(await code(call('PATCH', `/${body.id}`, { name: 'n', credentials: {} })), 'dlp/scanner-not-moved');
  assert.equal(await code(call('PATCH', `/${body.id}`, { ...to, credentials: {} })), 'dlp/scanner-credentials');
  const signingSecret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
  assert.equal((await call('PATCH', `/${body.id}`, { ...to, credentials: { signingSecret } })).status, 200);
  const row = await h.world.db.read(h.org, (db) => findScanner(db, body.id as `scn_${string}` as never));
  assert.ok(row);
  assert.deepEqual((await openCredentials(h.world.seal, h.org.org, row, 'webhook', new Date())).current, {
    signingSecret,
  });
  assert.equal(
    (await call('PATCH', `/${body.id}`, { config: { kind: 'webhook', url: 'http://127.0.0.1:2/other' } })).status,
    200,
  );
});

for (const [what, body, expected] of [
  [
    'a private address that nobody allowed',
    { ...webhook('http://127.0.0.1:1'), allowPrivate: false },
    'egress/plain-http',
  ],
  ['an address with a password in it', webhook('https://a:b@x.example'), 'egress/userinfo'],
  ['an address that is none', webhook('nowhere'), 'egress/url'],
  [
    'a signing secret in another alphabet',
    webhook('http://127.0.0.1:1', { credentials: { signingSecret: `whsec_${'-_'.repeat(16)}` } }),
    'dlp/scanner-credentials',
  ],
  [
    'a signing secret that is too short',
    webhook('http://127.0.0.1:1', { credentials: { signingSecret: 'whsec_AAAA' } }),
    'dlp/scanner-credentials',
  ],
  [
    'a header that the protocol uses itself',
    webhook('http://127.0.0.1:1', { credentials: { headers: { 'Webhook-Id': 'x' } } }),
    'dlp/scanner-credentials',
  ],
  [
    'a header that would end the line',
    webhook('http://127.0.0.1:1', { credentials: { headers: { 'x-a': 'b\r\nc: d' } } }),
    'dlp/scanner-credentials',
  ],
  [
    'one header in two spellings',
    webhook('http://127.0.0.1:1', { credentials: { headers: { 'x-a': 'b', 'X-A': 'c' } } }),
    'dlp/scanner-credentials',
  ],
  [
    'credentials of another kind',
    webhook('http://127.0.0.1:1', { credentials: { clientSecret: 'x' } }),
    'dlp/scanner-credentials',
  ],
  ['a percentage above all', webhook('http://127.0.0.1:1', { percentage: 101 }), 'http/invalid'],
  ['a budget above the published one', webhook('http://127.0.0.1:1', { timeoutMs: 10_001 }), 'http/invalid'],
  ['no phase', webhook('http://127.0.0.1:1', { phases: [] }), 'http/invalid'],
] as const)
  test(`a scanner with ${what} is not added (${expected})`, async () => {
    const r = await call('POST', '', body);
    assert.equal(r.body['code'], expected);
    assert.doesNotMatch(r.text, /-_-_|c: d|clientSecret.*x"/);
  });

test('a name is used once, a kind stays, and a scanner that is not there is missing to everybody', async () => {
  const first = await call('POST', '', webhook('http://127.0.0.1:1', { name: 'Twice' }));
  assert.equal(
    await code(call('POST', '', webhook('http://127.0.0.1:1', { name: 'twice' }))),
    'dlp/scanner-name-taken',
  );
  const second = await call('POST', '', webhook('http://127.0.0.1:1'));
  assert.equal(await code(call('PATCH', `/${second.body.id}`, { name: 'TWICE' })), 'dlp/scanner-name-taken');
  assert.equal(
    await code(call('PATCH', `/${second.body.id}`, { config: { kind: 'symantec', url: 'http://127.0.0.1:1' } })),
    'dlp/scanner-kind',
  );
  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['PATCH', '', { mode: 'enforce' }],
    ['DELETE', '', undefined],
    ['POST', '/test', {}],
    ['POST', '/rotate-secret', {}],
  ] as const)
    for (const id of [newId('scn'), 'x'])
      assert.equal(await code(call(method, `/${id}${path}`, body)), 'dlp/no-scanner', `${method} ${path}`);
  await call('DELETE', `/${first.body.id}`);
  assert.equal((await call('POST', '', webhook('http://127.0.0.1:1', { name: 'Twice' }))).status, 201);
});

test('of two who rotate at the same time one is told', async () => {
  const { scanner } = await h.add({ kind: 'webhook', url: 'http://127.0.0.1:1' });
  const both = await Promise.allSettled(
    [1, 2].map(() => rotateScannerSecret(h.ctx, scanner.id, { overlapMinutes: 1 })),
  );
  const lost = both.flatMap((r) => (r.status === 'rejected' ? [(r.reason as { code: string }).code] : []));
  assert.deepEqual(lost, ['dlp/scanner-changed-meanwhile']);
});

test('the list is found by name and paged', async () => {
  for (const name of ['alpha one', 'alpha two', 'alpha three'])
    await call('POST', '', webhook('http://127.0.0.1:1', { name }));
  const page = await call('GET', '?q=alpha&limit=2');
  const items = page.body['items'] as Json[];
  assert.deepEqual(
    items.map((i) => i['name']),
    ['alpha one', 'alpha two'],
  );
  const rest = await call('GET', `?q=alpha&limit=2&cursor=${String(page.body['next'])}`);
  assert.deepEqual(
    (rest.body['items'] as Json[]).map((i) => i['name']),
    ['alpha three'],
  );
  assert.equal(rest.body['next'], null);
});

test('another organization sees and changes none of it', async () => {
  const { scanner } = await h.add({ kind: 'webhook', url: 'http://127.0.0.1:1' });
  const { foundOrg } = await import('#org/found-org.ts');
  const theirs = await foundOrg(h.world, {
    parentName: 'T',
    orgName: 'T',
    owner: { email: 'o@t.example', displayName: 'O' },
  });
  const ctx = { ...h.ctx, ...theirs };
  assert.equal(await h.world.db.read(theirs, (db) => findScanner(db, scanner.id)), undefined);
  await assert.rejects(changeScanner(ctx, scanner.id, { state: 'off' }), { code: 'dlp/no-scanner' });
  await assert.rejects(removeScanner(ctx, scanner.id), { code: 'dlp/no-scanner' });
});

test('kinds that were never run against the real product say so in every answer', async () => {
  const { body } = await call('POST', '', {
    name: 'sym',
    config: { kind: 'symantec', url: 'http://127.0.0.1:1' },
    allowPrivate: true,
  });
  assert.equal(body['beta'], true);
  assert.match(String(body['betaReason']), /never run against a real/);
});
