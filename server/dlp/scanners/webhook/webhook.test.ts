import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { newId } from '#kernel/id.ts';
import { startDlpWebhook, verified, type WebhookOptions } from '#dev/dlp-webhook.ts';
import { anyContent, scannerHouse, type ScannerHouse } from '#dev/scanner-house.ts';
import type { EngineVerdict, Inspected } from '../../engine.ts';
import { phases } from '../../verdict.ts';
import { rotateScannerSecret } from '../rotate-scanner-secret.ts';
import { runtimeOf } from '../scanner-runtime.ts';
import { MAX_FRAME_BYTES } from './frame.ts';
import { signatureHeaders } from './sign.ts';

let h: ScannerHouse;
let at = new Date('2026-11-20T12:00:00Z');
before(async () => (h = await scannerHouse({ clock: { now: () => at } })));
after(() => h[Symbol.asyncDispose]());
beforeEach(async () => {
  await h.settled();
  await h.t.super(`delete from dlp_scanner`);
  at = new Date('2026-11-20T12:00:00Z');
});

const server = async (o: WebhookOptions = {}): ReturnType<typeof startDlpWebhook> =>
  startDlpWebhook({ now: () => at, ...o });
const signal = new AbortController().signal;
const inspect = async (over: Partial<Inspected> = {}): Promise<EngineVerdict> =>
  (await h.engine()).inspect(anyContent({ org: h.org.org, ...over }), signal);

test('a server that knows only the published frame is asked about arguments in words that it knows, and its deny blocks', async () => {
  await using s = await server();
  const { signingSecret } = await h.add({ kind: 'webhook', url: `${s.url}/hook?x=1` });
  const session = 'session-1';
  const content = { body: 'card 4111 1111 1111 1111' };
  const call = newId('tcl');
  const v = await inspect({ content, session, call });
  assert.deepEqual(v, {
    ok: true,
    engine: (await h.engine()).id,
    action: 'block',
    findings: [{ detector: (await h.engine()).id, at: '', count: 1, hashes: [] }],
    reason: 'Take out the payment card number.',
    reference: 'scan_01',
  });
  const [d] = s.received;
  assert.ok(d);
  assert.equal(verified([signingSecret ?? ''], d.headers, d.body, at), true);
  const { request_id, actor, invocation_id, ...frame } = d.frame;
  assert.equal(request_id, d.headers['webhook-id']);
  assert.match(String(invocation_id), /^inv_[0-9a-f]{40}$/);
  assert.deepEqual({ ...(actor as object), id: 'x' }, { type: 'user', id: 'x', email_address: 'ada@lamps.example' });
  assert.deepEqual(frame, {
    type: 'prompt',
    tenant_id: h.org.org,
    source: { application: 'gatehouse' },
    messages: [
      { role: 'assistant', content: [{ type: 'tool_use', id: call, tool_name: 'send_mail', input: content }] },
    ],
    session_id: session,
    model: null,
    metadata: {},
    phase: 'arguments',
    mode: 'enforce',
  });
  assert.equal(d.headers['content-type'], 'application/json');
  assert.equal(d.headers['accept-encoding'], 'identity');
});

test('every phase reaches a published server as a prompt, and an extended one by its own name', async () => {
  await using s = await server();
  await h.add({ kind: 'webhook', url: s.url });
  for (const phase of phases) await inspect({ phase, content: 'plain' });
  assert.deepEqual(new Set(s.received.map((d) => d.frame['type'])), new Set(['prompt']));
  await h.t.super(`delete from dlp_scanner`);
  s.received.length = 0;
  await h.add({ kind: 'webhook', url: s.url, frames: 'extended' });
  for (const phase of phases) await inspect({ phase, content: 'plain' });
  assert.deepEqual(
    s.received.map((d) => d.frame['type']),
    ['tool_args', 'tool_result', 'prompt', 'output', 'file_upload', 'file_write'],
  );
});

test('a tool’s result is told as text with every string, number and key in it, and bytes only by type and size', async () => {
  await using s = await server();
  await h.add({ kind: 'webhook', url: s.url });
  const image = Buffer.alloc(600, 7).toString('base64');
  await inspect({
    phase: 'result',
    content: {
      content: [
        { type: 'text', text: 'first' },
        { type: 'image', mimeType: 'image/png', data: image },
      ],
      structuredContent: { customer: { 'card no': '4111', limit: 12.5 } },
      isError: true,
    },
  });
  const block = JSON.parse(JSON.stringify(s.received[0]?.frame['messages']))[0].content[0];
  assert.equal(block.type, 'tool_result');
  assert.equal(block.is_error, true);
  for (const part of ['first', '[image/png, 600 bytes]', 'customer', 'card no', '4111', '12.5'])
    assert.ok(block.content.includes(part), part);
  assert.equal(block.content.includes(image), false);
});

test('what is called a picture and is too small to be one is told as it is', async () => {
  await using s = await server();
  await h.add({ kind: 'webhook', url: s.url });
  await inspect({
    phase: 'result',
    content: { content: [{ type: 'image', mimeType: 'image/png', data: 'AKIAIOSFODNN7EXAMPLE' }] },
  });
  assert.match(String(s.received[0]?.body), /AKIAIOSFODNN7EXAMPLE/);
});

test('content is not cut: nine megabytes arrive whole, and what is larger than a frame is not sent and is a failure', async () => {
  await using s = await server();
  await h.add({ kind: 'webhook', url: s.url });
  const text = 'a'.repeat(9_000_000);
  assert.equal((await inspect({ content: { text } })).ok, true);
  assert.ok((s.received[0]?.body.length ?? 0) > text.length);
  assert.deepEqual(failureOf(await inspect({ content: { text: 'a'.repeat(MAX_FRAME_BYTES) } })), 'refused');
  assert.equal(s.received.length, 1);
  assert.deepEqual((await health()).breaker, { state: 'closed', failures: 0 });
});

test('the signature is the one of the Standard Webhooks test vector', () => {
  const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
  assert.equal(
    signatureHeaders('msg_p5jXN8AQM9LWM0D4loKWxJek', new Date(1614265330_000), Buffer.from('{"test": 2432232314}'), [
      key,
    ])['webhook-signature'],
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  );
});

test('during a rotation a receiver with either secret accepts, and after it only one with the new secret', async () => {
  const accepted: string[] = [];
  await using s = await server();
  const { scanner, signingSecret: old } = await h.add({ kind: 'webhook', url: s.url });
  const { signingSecret: fresh } = await rotateScannerSecret({ ...h.ctx, now: at }, scanner.id, { overlapMinutes: 60 });
  assert.ok(old && fresh && old !== fresh);
  const who = async (): Promise<string> => {
    s.received.length = 0;
    await inspect();
    const [d] = s.received;
    assert.ok(d);
    return ['old', 'new'].filter((_, i) => verified([i === 0 ? old : fresh], d.headers, d.body, at)).join(' ');
  };
  accepted.push(await who());
  at = new Date(at.getTime() + 61 * 60_000);
  accepted.push(await who());
  assert.deepEqual(accepted, ['old new', 'new']);
});

test('a secret that has leaked is replaced at once when no overlap is asked for', async () => {
  await using s = await server();
  const { scanner, signingSecret: old } = await h.add({ kind: 'webhook', url: s.url });
  await rotateScannerSecret({ ...h.ctx, now: at }, scanner.id, { overlapMinutes: 0 });
  await inspect();
  const [d] = s.received;
  assert.ok(d);
  assert.equal(verified([old ?? ''], d.headers, d.body, at), false);
  assert.equal(String(d.headers['webhook-signature']).split(' ').length, 1);
});

test('custom headers go with every question and stay through a rotation', async () => {
  await using s = await server();
  const { scanner } = await h.add(
    { kind: 'webhook', url: s.url },
    { credentials: { headers: { 'X-Api-Key': 'k-hush' } } },
  );
  await inspect();
  await rotateScannerSecret({ ...h.ctx, now: at }, scanner.id, { overlapMinutes: 5 });
  await inspect();
  assert.deepEqual(
    s.received.map((d) => d.headers['x-api-key']),
    ['k-hush', 'k-hush'],
  );
});

test('deliveries differ in their id; the invocation is the same for the same content in the same session, and another for other content', async () => {
  await using s = await server();
  await h.add({ kind: 'webhook', url: s.url });
  const content = { a: 1, b: 'x' };
  await inspect({ content, session: 's' });
  await inspect({ content: { b: 'x', a: 1 }, session: 's' });
  await inspect({ content: { a: 2, b: 'x' }, session: 's' });
  await inspect({ content, session: 'other' });
  const ids = s.received.map((d) => d.frame['request_id']);
  const [one, same, content2, session2] = s.received.map((d) => d.frame['invocation_id']);
  assert.equal(new Set(ids).size, 4);
  assert.equal(one, same);
  assert.equal(new Set([one, content2, session2]).size, 3);
});

test('a shadow says nothing to anybody but the log: its deny passes, is recorded, and the frame says that it is a shadow', async () => {
  await using s = await server();
  await h.add({ kind: 'webhook', url: s.url }, { mode: 'shadow' });
  const call = newId('tcl');
  const v = await inspect({ content: { body: '4111111111111111' }, call });
  assert.deepEqual([v.ok && v.action, v.ok && v.shadow, v.ok && v.findings.length], ['allow', 'block', 0]);
  assert.equal(s.received[0]?.frame['mode'], 'shadow');
  await h.settled();
  const [e] = (await h.events('dlp.scanner_shadow_verdict')).filter((x) => x.data['call'] === call);
  assert.deepEqual(e?.data, { scanner: (await h.engine()).id, call, phase: 'arguments', action: 'block' });
});

test('a shadow that breaks lets everything pass, whatever its fail mode', async () => {
  await using s = await server({ verdict: () => 'nonsense' });
  await h.add({ kind: 'webhook', url: s.url }, { mode: 'shadow', failMode: 'closed' });
  const v = await inspect();
  assert.deepEqual([v.ok && v.action, v.ok && v.shadow], ['allow', undefined]);
  assert.equal((await health()).failures, 1);
});

for (const [failMode, expected] of [
  ['closed', 'block'],
  ['open', 'alert'],
  [null, 'malformed'],
] as const)
  test(`without a verdict a scanner with the fail mode ${failMode ?? 'by content'} gives ${expected}`, async () => {
    await using s = await server({ verdict: () => ({ action: 'perhaps' }) });
    await h.add({ kind: 'webhook', url: s.url }, { failMode });
    const call = newId('tcl');
    const v = await inspect({ call });
    assert.equal(v.ok ? v.action : v.why, expected);
    await h.settled();
    const opened = (await h.events('dlp.scanner_failed_open')).filter((e) => e.data['call'] === call);
    assert.equal(opened.length, failMode === 'open' ? 1 : 0);
  });

test('of a percentage the same sessions are always in, and about as many as it says', async () => {
  await using s = await server();
  await h.add({ kind: 'webhook', url: s.url }, { percentage: 30 });
  const asked = async (): Promise<string[]> => {
    s.received.length = 0;
    for (let i = 0; i < 200; i++) await inspect({ session: `s${i}` });
    return s.received.map((d) => String(d.frame['session_id']));
  };
  const first = await asked();
  assert.deepEqual(await asked(), first);
  assert.ok(first.length > 30 && first.length < 95, String(first.length));
});

test('0 % asks about nothing and lets it pass; a phase that is not set is not asked about by any engine', async () => {
  await using s = await server();
  await h.add({ kind: 'webhook', url: s.url }, { percentage: 0, failMode: 'closed', phases: ['result'] });
  const v = await inspect({ phase: 'result' });
  assert.equal(v.ok && v.action, 'allow');
  assert.equal(s.received.length, 0);
  assert.deepEqual((await h.engine()).phases, ['result']);
});

test('people of an excluded role are not told of, people of another are, keys always are, and nobody knows whose content passes', async () => {
  await using s = await server();
  await h.add({ kind: 'webhook', url: s.url }, { excludedRoles: ['primary_owner'] });
  const action = async (actor: Inspected['actor']): Promise<unknown> => {
    const v = await inspect({ actor });
    return v.ok && v.action;
  };
  assert.equal(await action({ type: 'user', id: h.org.owner, email: undefined }), 'allow');
  assert.equal(s.received.length, 0);
  assert.equal(await action({ type: 'user', id: newId('usr'), email: undefined }), 'block');
  assert.equal(s.received.length, 0);
  assert.equal(await action({ type: 'api_key', id: newId('key'), email: undefined }), 'allow');
  assert.equal(s.received.length, 1);
  await h.t.super(`delete from dlp_scanner`);
  await h.add({ kind: 'webhook', url: s.url }, { excludedRoles: ['user'] });
  assert.equal(await action({ type: 'user', id: h.org.owner, email: undefined }), 'allow');
  assert.equal(s.received.length, 2);
});

test('an extended server redacts by places in the frame: they lead back into arguments and into the parts of a result', async () => {
  let spans: unknown;
  await using s = await server({ verdict: () => ({ action: 'redact', spans }) });
  await h.add({ kind: 'webhook', url: s.url, frames: 'extended' });
  spans = [{ at: '/messages/0/content/0/input/body/0', start: 2, end: 4 }];
  const says = 'found by a scanner';
  const v = await inspect({ content: { body: ['abcdef'] } });
  assert.deepEqual(v.ok && [v.action, v.spans], ['redact', [{ at: '/body/0', start: 2, end: 4, says }]]);

  const content = {
    content: [
      { type: 'text', text: 'first' },
      { type: 'text', text: 'second' },
    ],
  };
  spans = [{ at: '/messages/0/content/0/content', start: 3, end: 10 }];
  const told = await inspect({ phase: 'result', content });
  const text = String(JSON.parse(String(s.received.at(-1)?.body)).messages[0].content[0].content);
  const [a, b] = [text.indexOf('first'), text.indexOf('second')];
  spans = [{ at: '/messages/0/content/0/content', start: a + 3, end: b + 2 }];
  assert.ok(told.ok);
  const r = await inspect({ phase: 'result', content });
  assert.deepEqual(r.ok && [r.action, r.spans], [
    'redact',
    [
      { at: '/content/0/text', start: 3, end: 5, says },
      { at: '/content/1/text', start: 0, end: 2, says },
    ],
  ]);
});

for (const [what, spans] of [
  ['no places', undefined],
  ['a place that is not there', [{ at: '/messages/0/content/0/input/nobody', start: 0, end: 1 }]],
  ['a place beyond the end', [{ at: '/messages/0/content/0/input/body', start: 0, end: 6 }]],
  [
    'one good place and one that is not there',
    [
      { at: '/messages/0/content/0/input/body', start: 0, end: 1 },
      { at: '/messages/0/role', start: 0, end: 1 },
    ],
  ],
  ['a place of the prototype', [{ at: '/messages/0/content/0/input/__proto__/x', start: 0, end: 1 }]],
] as const)
  test(`a redaction with ${what} blocks, because what it meant must not pass`, async () => {
    await using s = await server({ verdict: () => ({ action: 'redact', spans, deny_reason: 'no' }) });
    await h.add({ kind: 'webhook', url: s.url, frames: 'extended' });
    const v = await inspect({ content: { body: 'hello' } });
    assert.deepEqual(v.ok && [v.action, v.reason], ['block', 'no']);
  });

for (const action of ['alert', 'quarantine', 'require_approval', 'redact'] as const)
  test(`a server that did not opt in cannot say ${action}: that is no verdict; one that did can`, async () => {
    await using s = await server({
      verdict: () => ({ action, spans: [{ at: '/messages/0/content/0/input/body', start: 0, end: 1 }] }),
    });
    await h.add({ kind: 'webhook', url: s.url });
    assert.equal(failureOf(await inspect()), 'malformed');
    await h.t.super(`delete from dlp_scanner`);
    await h.add({ kind: 'webhook', url: s.url, frames: 'extended' });
    const v = await inspect();
    assert.equal(v.ok && v.action, action);
  });

test('a transcript of a run is told message by message, and its places lead back into it', async () => {
  await using s = await server({
    verdict: () => ({ action: 'redact', spans: [{ at: '/messages/1/content/0/text', start: 0, end: 4 }] }),
  });
  await h.add({ kind: 'webhook', url: s.url, frames: 'extended' });
  const messages = [
    { role: 'user', content: [{ type: 'text', text: 'hello' }] },
    { role: 'assistant', content: 'ahoy' },
  ];
  const v = await inspect({ phase: 'prompt', content: { messages } });
  assert.deepEqual(v.ok && v.spans, [{ at: '/messages/1/content', start: 0, end: 4, says: 'found by a scanner' }]);
  assert.deepEqual(s.received[0]?.frame['messages'], [
    messages[0],
    { role: 'assistant', content: [{ type: 'text', text: 'ahoy' }] },
  ]);
});

test('a transcript with something in it that the frame has no word for is told as text, so that nothing is left out', async () => {
  await using s = await server();
  await h.add({ kind: 'webhook', url: s.url });
  await inspect({ phase: 'prompt', content: { messages: [{ role: 'user', content: 'a', aside: 'hidden-hush' }] } });
  assert.match(String(s.received[0]?.body), /hidden-hush/);
});

test('a signature is refused by the stand-in when it is stale, of another secret or over other bytes', () => {
  const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
  const body = Buffer.from('{}');
  const headers = signatureHeaders('m', at, body, [Buffer.alloc(32, 1)]);
  const later = (s: number): Date => new Date(at.getTime() + s * 1000);
  assert.equal(verified([secret], headers, body, later(300)), true);
  assert.equal(verified([secret], headers, body, later(301)), false);
  assert.equal(verified([secret], headers, body, later(-301)), false);
  assert.equal(verified([secret], headers, Buffer.from('{} '), at), false);
  assert.equal(verified([`whsec_${Buffer.alloc(32, 2).toString('base64')}`], headers, body, at), false);
  assert.equal(createHmac('sha256', 'x').digest().length, 32);
});

const failureOf = (v: EngineVerdict): string => (v.ok ? `verdict ${v.action}` : v.why);
const health = async () => {
  const { rows } = { rows: await h.engines() };
  const { listActiveScanners } = await import('../scanner.sql.ts');
  const [s] = await h.world.db.read({ parent: h.org.parent, org: h.org.org }, listActiveScanners);
  assert.ok(rows.length === 1 && s);
  return runtimeOf(h.world).healthOf(s);
};
