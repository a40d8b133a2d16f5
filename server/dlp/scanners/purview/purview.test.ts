import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { inlineScopes, offlineScopes, startPurview, type PurviewOptions } from '#dev/purview.ts';
import { anyContent, scannerHouse, type ScannerHouse } from '#dev/scanner-house.ts';
import type { EngineVerdict, Inspected } from '../../engine.ts';
import { rotateScannerSecret } from '../rotate-scanner-secret.ts';

const CLIENT = '83ef208a-0396-4893-9d4f-d36efbffc8bd';
const CARD = 'card 4111111111111111';

let h: ScannerHouse;
before(async () => (h = await scannerHouse()));
after(() => h[Symbol.asyncDispose]());
beforeEach(async () => {
  await h.settled();
  await h.t.super(`delete from dlp_scanner`);
});

type Purview = Awaited<ReturnType<typeof startPurview>>;
const tenant = (over: Partial<PurviewOptions> = {}): Promise<Purview> =>
  startPurview({
    tenant: 'lamps.example',
    clientId: CLIENT,
    secrets: ['s-1'],
    restrict: (text) => (text.includes('4111111111111111') ? 'block' : undefined),
    ...over,
  });
const add = (p: Purview, credentials: object = { clientSecret: 's-1' }, more: object = {}) =>
  h.add(
    { kind: 'purview', tenant: 'lamps.example', clientId: CLIENT, login: p.url, graph: p.url },
    { credentials, ...more },
  );
const signal = new AbortController().signal;
const inspect = async (over: Partial<Inspected> = {}): Promise<EngineVerdict> =>
  (await h.engine()).inspect(anyContent({ org: h.org.org, ...over }), signal);
const short = (v: EngineVerdict): string => (v.ok ? v.action : v.why);
const paths = (p: Purview): string[] => p.seen.map((s) => s.path.split('/').at(-1) ?? '');

test('content is told inline with the scopes’ ETag; token and scopes are asked for once', async () => {
  await using p = await tenant();
  await add(p);
  assert.equal(short(await inspect({ content: { body: CARD } })), 'block');
  assert.equal(short(await inspect({ content: { body: 'plain' } })), 'allow');
  assert.deepEqual(paths(p), ['token', 'compute', 'processContent', 'processContent']);
  const [, compute, told] = p.seen;
  assert.equal(compute?.path, '/v1.0/users/ada@lamps.example/dataSecurityAndGovernance/protectionScopes/compute');
  assert.equal(told?.headers['if-none-match'], '"1"');
  const c = JSON.parse(JSON.stringify(told?.body['contentToProcess']));
  assert.equal(c.activityMetadata.activity, 'uploadText');
  assert.equal(c.contentEntries[0].content['@odata.type'], 'microsoft.graph.textContent');
  assert.match(c.contentEntries[0].content.data, /body: card 4111111111111111/);
  assert.deepEqual(c.protectedAppMetadata.applicationLocation, {
    '@odata.type': 'microsoft.graph.policyLocationApplication',
    value: CLIENT,
  });
});

for (const [restriction, action] of [
  ['block', 'block'],
  ['warn', 'require_approval'],
  ['audit', 'alert'],
] as const)
  test(`Purview's ${restriction} is our ${action}`, async () => {
    await using p = await tenant({ restrict: () => restriction });
    await add(p);
    assert.equal(short(await inspect()), action);
  });

for (const [phase, activity] of [
  ['prompt', 'uploadText'],
  ['arguments', 'uploadText'],
  ['result', 'downloadText'],
  ['output', 'downloadText'],
  ['file_in', 'uploadFile'],
  ['file_out', 'downloadFile'],
] as const)
  test(`${phase} is told as ${activity}`, async () => {
    await using p = await tenant({
      scopes: () => [
        {
          activities: 'uploadText,uploadFile,downloadText,downloadFile',
          executionMode: 'evaluateInline',
          locations: [{ value: CLIENT }],
        },
      ],
    });
    await add(p);
    await inspect({ phase, content: 'x' });
    assert.equal(JSON.parse(JSON.stringify(p.seen.at(-1)?.body)).contentToProcess.activityMetadata.activity, activity);
  });

test('when the scopes have been modified, the verdict counts and the next content is told by the new ones', async () => {
  let etag = '"1"';
  await using p = await tenant({ etag: () => etag });
  await add(p);
  await inspect();
  etag = '"2"';
  assert.equal(short(await inspect({ content: { body: CARD } })), 'block');
  await inspect();
  await inspect();
  assert.deepEqual(paths(p), [
    'token',
    'compute',
    'processContent',
    'processContent',
    'compute',
    'processContent',
    'processContent',
  ]);
  assert.deepEqual(
    p.seen.filter((s) => s.path.endsWith('/processContent')).map((s) => s.headers['if-none-match']),
    ['"1"', '"1"', '"2"', '"2"'],
  );
});

test('policies of other applications and activities do not concern us: nothing is told', async () => {
  await using p = await tenant({
    scopes: () => [
      ...inlineScopes('00000000-0000-0000-0000-000000000000'),
      { activities: 'downloadText', executionMode: 'evaluateInline', locations: [{ value: CLIENT.toUpperCase() }] },
    ],
  });
  await add(p);
  assert.equal(short(await inspect({ content: { body: CARD } })), 'allow');
  assert.deepEqual(paths(p), ['token', 'compute']);
  assert.equal(short(await inspect({ phase: 'result', content: CARD })), 'block');
});

test('what is evaluated offline passes at once and is told afterwards in batches within the limits', async () => {
  await using p = await tenant({ scopes: () => offlineScopes(CLIENT) });
  await add(p);
  // The scopes are known then, so that the others come together.
  await inspect();
  const big = 'é'.repeat(1_200_000);
  const verdicts = await Promise.all([
    ...Array.from({ length: 100 }, (_, i) => inspect({ content: { body: `${CARD} ${i}` } })),
    inspect({ content: { body: big } }),
  ]);
  assert.deepEqual(new Set(verdicts.map(short)), new Set(['allow']));
  await h.settled();
  const batches = p.seen.filter((s) => s.path.endsWith('/processContentAsync'));
  const entries = batches.map((b) =>
    (
      b.body['processContentRequests'] as { contentToProcess: { contentEntries: { content: { data: string } }[] } }[]
    ).flatMap((r) => r.contentToProcess.contentEntries),
  );
  assert.ok(batches.every((b) => b.bytes <= 2_000_000) && entries.every((e) => e.length <= 64));
  const texts = entries.flat().map((e) => e.content.data);
  for (let i = 0; i < 100; i++) assert.equal(texts.filter((t) => t.endsWith(`${CARD} ${i}`)).length, 1, String(i));
  assert.ok(texts.filter((t) => t.includes('é')).reduce((n, t) => n + t.length, 0) >= big.length);
  assert.ok(batches.every((b) => b.path.startsWith('/v1.0/security/')));
  assert.ok(!paths(p).includes('processContent'));
});

test('one policy that wants to be asked before is enough to ask before', async () => {
  await using p = await tenant({ scopes: () => [...offlineScopes(CLIENT), ...inlineScopes(CLIENT)] });
  await add(p);
  assert.equal(short(await inspect({ content: { body: CARD } })), 'block');
});

test('an action that a scope carries by itself counts without anything found', async () => {
  const restricted = {
    '@odata.type': '#microsoft.graph.restrictAccessAction',
    action: 'restrictAccess',
    restrictionAction: 'block',
  };
  await using p = await tenant({
    scopes: () => offlineScopes(CLIENT).map((s) => ({ ...s, policyActions: [restricted] })),
  });
  await add(p);
  assert.equal(short(await inspect()), 'block');
});

const good = { protectionScopeState: 'notModified', policyActions: [], processingErrors: [] };
for (const [what, status, body, why] of [
  ['processing errors', 200, { ...good, processingErrors: [{ code: 'x' }] }, 'refused'],
  ['an action that nobody knows', 200, { ...good, policyActions: [{ action: 'browserRestriction' }] }, 'malformed'],
  [
    'a restriction that nobody knows',
    200,
    { ...good, policyActions: [{ action: 'restrictAccess', restrictionAction: 'encrypt' }] },
    'malformed',
  ],
  ['a state that nobody knows', 200, { ...good, protectionScopeState: 'unknownFutureValue' }, 'malformed'],
  ['an empty object', 200, {}, 'malformed'],
  ['no right to ask', 403, {}, 'refused'],
  ['a bill', 402, {}, 'refused'],
  ['an error', 500, {}, 'refused'],
] as const)
  test(`${what} from processContent is no verdict (${why})`, async () => {
    await using p = await tenant({
      fault: (path) => (path.endsWith('/processContent') ? { status, body } : undefined),
    });
    await add(p);
    assert.equal(short(await inspect()), why);
  });

test('processing errors follow the fail mode of the scanner', async () => {
  await using p = await tenant({
    fault: (path) =>
      path.endsWith('/processContent') ? { status: 200, body: { ...good, processingErrors: [{}] } } : undefined,
  });
  await add(p, { clientSecret: 's-1' }, { failMode: 'closed' });
  assert.equal(short(await inspect()), 'block');
});

test('throttling is kept to: nobody asks until the time is over, and the breaker does not open over it', async () => {
  let throttled = true;
  await using p = await tenant({
    fault: (path) =>
      throttled && path.endsWith('/processContent') ? { status: 429, headers: { 'retry-after': '1' } } : undefined,
  });
  await add(p);
  for (let i = 0; i < 8; i++) assert.equal(short(await inspect()), 'refused');
  assert.equal(paths(p).filter((x) => x === 'processContent').length, 1);
  throttled = false;
  await new Promise((r) => setTimeout(r, 1050));
  assert.equal(short(await inspect()), 'allow');
});

test('what could not be told afterwards because Graph asked to wait is told later', async () => {
  let throttled = true;
  await using p = await tenant({
    scopes: () => offlineScopes(CLIENT),
    fault(path) {
      if (!throttled || !path.endsWith('Async')) return undefined;
      throttled = false;
      return { status: 429, headers: { 'retry-after': '1' } };
    },
  });
  await add(p);
  await inspect({ content: { body: CARD } });
  await h.settled();
  assert.equal(paths(p).filter((x) => x === 'processContentAsync').length, 2);
});

test('a token that Graph refuses is replaced once', async () => {
  let refuse = true;
  await using p = await tenant({
    fault(path) {
      if (!refuse || !path.endsWith('/compute')) return undefined;
      refuse = false;
      return { status: 401 };
    },
  });
  await add(p);
  assert.equal(short(await inspect()), 'allow');
  assert.deepEqual(paths(p), ['token', 'compute', 'token', 'compute', 'processContent']);
});

test('many who need the first token at once share one', async () => {
  await using p = await tenant();
  await add(p);
  await Promise.all(Array.from({ length: 10 }, () => inspect()));
  assert.equal(paths(p).filter((x) => x === 'token').length, 1);
});

test('a wrong secret is refused by the login, and is no verdict', async () => {
  await using p = await tenant();
  await add(p, { clientSecret: 'wrong' });
  assert.equal(short(await inspect()), 'refused');
  assert.deepEqual(paths(p), ['token']);
});

test('during a rotation the secret before is tried where the new one is not known yet', async () => {
  await using p = await tenant({ secrets: ['s-1'] });
  const { scanner } = await add(p);
  await rotateScannerSecret(h.ctx, scanner.id, { credentials: { clientSecret: 's-2' }, overlapMinutes: 60 });
  assert.equal(short(await inspect()), 'allow');
  await rotateScannerSecret(h.ctx, scanner.id, { credentials: { clientSecret: 's-3' }, overlapMinutes: 0 });
  assert.equal(short(await inspect()), 'refused');
});

test('a certificate proves the client, and another certificate does not', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-purview-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const made = (name: string): { privateKey: string; certificate: string } => {
    const [key, cert] = [join(dir, `${name}.key`), join(dir, `${name}.pem`)];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=x'],
      { stdio: 'ignore' },
    );
    return { privateKey: readFileSync(key, 'utf8'), certificate: readFileSync(cert, 'utf8') };
  };
  const [ours, other] = [made('ours'), made('other')];
  await using p = await tenant({ secrets: [], certificates: [ours.certificate] });
  await add(p, ours);
  assert.equal(short(await inspect()), 'allow');
  await h.t.super(`delete from dlp_scanner`);
  await add(p, other);
  assert.equal(short(await inspect()), 'refused');
  await h.t.super(`delete from dlp_scanner`);
  await add(p, { privateKey: other.privateKey, certificate: ours.certificate });
  assert.equal(short(await inspect()), 'refused');
});

test('where nobody with an address acts Purview cannot be asked, which is nobody’s fault', async () => {
  await using p = await tenant();
  await add(p);
  assert.equal(short(await inspect({ actor: { type: 'api_key', id: 'key_1', email: undefined } })), 'refused');
  assert.equal(p.seen.length, 0);
});

test('an address that would leave its place in the path does not', async () => {
  await using p = await tenant();
  await add(p);
  for (const email of ['..', '../../me?x=', 'a@b/../../me', '%2e%2e'])
    assert.equal(short(await inspect({ actor: { type: 'user', id: h.org.owner, email } })), 'refused');
  assert.equal(p.seen.length, 0);
});
