import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { startDlpWebhook, type WebhookOptions } from '#dev/dlp-webhook.ts';
import { callBody, gatewayHouse, raw, type GatewayHouse, type RawAnswer } from '#dev/gateway-house.ts';
import { answer, wildUpstream, type WildUpstream } from '#dev/wild-upstream.ts';
import { addScanner } from '#dlp/scanners/add-scanner.ts';
import { removeScanner } from '#dlp/scanners/remove-scanner.ts';
import { runtimeOf } from '#dlp/scanners/scanner-runtime.ts';
import type { Scanner } from '#dlp/scanners/scanner.ts';

let g: GatewayHouse;
let up: WildUpstream;
let token: string;
let verdict: WebhookOptions['verdict'];
let server: Awaited<ReturnType<typeof startDlpWebhook>>;
let scanner: Scanner | undefined;

before(async () => {
  [g, up, server] = await Promise.all([
    gatewayHouse(),
    wildUpstream(),
    startDlpWebhook({ verdict: (frame) => (verdict ?? (() => ({ action: 'allow' })))(frame) }),
  ]);
  await g.connect('up', up.url, { classes: { look: 'read', change: 'write' } });
  token = await g.token();
});
beforeEach(() => {
  up.act = undefined;
  verdict = undefined;
  server.received.length = 0;
});
after(async () => {
  await runtimeOf(g.house.world).aside.settled();
  await server.close();
  await up[Symbol.asyncDispose]();
  await g[Symbol.asyncDispose]();
});

let named = 0;
const use = async (more: Partial<Scanner> = {}): Promise<void> => {
  if (scanner) await removeScanner(g.ctx, scanner.id);
  const added = await addScanner(g.ctx, {
    name: `scanner ${++named}`,
    config: { kind: 'webhook', url: server.url, frames: 'extended' },
    allowPrivate: true,
    phases: ['arguments', 'result'],
    mode: 'enforce',
    percentage: 100,
    failMode: null,
    timeoutMs: 2000,
    excludedRoles: [],
    excludedGroups: [],
    state: 'on',
    ...more,
    credentials: {},
  });
  ({ scanner } = added);
  // As late as a cache may be.
  await new Promise((done) => void setTimeout(done, 1000));
};
const call = (name: string, args: unknown): Promise<RawAnswer> => raw(g, { token, body: callBody(name, args) });
const sent = (): number => up.seen.filter((s) => s.message.method === 'tools/call').length;
const finished = async (): Promise<Record<string, unknown>> => (await g.events('tool.finished')).at(-1)?.data ?? {};

test('a scanner sees both ways of a call, and its deny stops the call with its words before anything is sent', async () => {
  await use();
  assert.equal((await call('look', { note: 'plain' })).status, 200);
  assert.deepEqual(
    server.received.map((d) => d.frame['type']),
    ['tool_args', 'tool_result'],
  );
  const before = sent();
  verdict = () => ({ action: 'deny', deny_reason: 'Leave the lamp plans at home.', reference_id: 'r-1' });
  const a = await call('look', { note: 'plan' });
  assert.equal(sent(), before);
  assert.match(a.text, /Leave the lamp plans at home\./);
  assert.equal((await finished())['outcome'], 'blocked');
});

test('what a scanner wants taken out of a result does not reach the agent, and the rest does', async () => {
  up.act = (m, res) =>
    m.method === 'tools/call'
      ? answer(res, m, { content: [{ type: 'text', text: 'the code is 4711, thanks' }] })
      : false;
  verdict = (frame) => {
    if (frame['type'] !== 'tool_result') return { action: 'allow' };
    const [message] = frame['messages'] as { content: { content: string }[] }[];
    const start = message?.content[0]?.content.indexOf('4711') ?? -1;
    return { action: 'redact', spans: [{ at: '/messages/0/content/0/content', start, end: start + 4 }] };
  };
  const a = await call('look', {});
  assert.doesNotMatch(a.text, /4711/);
  assert.match(a.text, /the code is .*, thanks/);
});

test('without a verdict what writes is stopped and what reads passes, with the finding that nobody has looked', async () => {
  verdict = () => 'nonsense';
  const before = sent();
  await call('change', { note: 'plain' });
  assert.equal(sent(), before);
  assert.equal((await finished())['outcome'], 'blocked');
  await call('look', { note: 'plain' });
  assert.equal(sent(), before + 1);
  const data = await finished();
  assert.equal(data['outcome'], 'answered');
  assert.match(JSON.stringify(data['findings']), /not_inspected/);
});

test('a scanner in shadow mode stops nothing and is in the log; one that is removed is asked no more', async () => {
  await use({ mode: 'shadow' });
  verdict = () => ({ action: 'deny' });
  const before = sent();
  await call('change', { note: 'plain' });
  assert.equal(sent(), before + 1);
  await runtimeOf(g.house.world).aside.settled();
  const told = (await g.events('dlp.scanner_shadow_verdict')).filter((e) => e.data['scanner'] === scanner?.id);
  assert.deepEqual(
    told.map((e) => [e.data['phase'], e.data['action']]),
    [
      ['arguments', 'block'],
      ['result', 'block'],
    ],
  );
  if (scanner) await removeScanner(g.ctx, scanner.id);
  scanner = undefined;
  await new Promise((done) => void setTimeout(done, 1000));
  server.received.length = 0;
  await call('look', {});
  assert.equal(server.received.length, 0);
});
