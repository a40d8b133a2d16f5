import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { newId } from '#kernel/id.ts';
import { makeLog } from '#kernel/log.ts';
import { makeEgress, type Egress } from '#kernel/egress.ts';
import { Problem } from '#kernel/problem.ts';
import { listen } from '#dev/listening-server.ts';
import { startDlpWebhook } from '#dev/dlp-webhook.ts';
import { anyContent, scannerHouse, type ScannerHouse } from '#dev/scanner-house.ts';
import type { EngineVerdict } from '../engine.ts';
import { FAILURES_TO_OPEN, FIRST_REST_MS, LONGEST_REST_MS } from './breaker.ts';
import { changeScanner } from './change-scanner.ts';
import { ask, deadlineIn, MAX_VERDICT_BYTES, ScanFailure } from './exchange.ts';
import { runtimeOf } from './scanner-runtime.ts';
import { findScanner } from './scanner.sql.ts';
import type { Health } from './health.ts';
import type { Id } from '#kernel/id.ts';

const SECRET = `whsec_${Buffer.from('hide-me-hide-me-hide-me-hide-me!').toString('base64')}`;
const HEADER = 'sk-live-hide-me-too';

let h: ScannerHouse;
let at = new Date('2026-11-20T12:00:00Z');
let lines = '';
before(async () => {
  const log = makeLog('trace', { write: (l: string) => void (lines += l) });
  h = await scannerHouse({ clock: { now: () => at }, log, egress: makeEgress({ log }) });
});
after(() => h[Symbol.asyncDispose]());
beforeEach(async () => {
  await h.settled();
  await h.t.super(`delete from dlp_scanner`);
});

const signal = new AbortController().signal;
const credentials = { signingSecret: SECRET, headers: { 'x-api-key': HEADER } };
const inspect = async (): Promise<EngineVerdict> => (await h.engine()).inspect(anyContent({ org: h.org.org }), signal);
const failure = (v: EngineVerdict): string => (v.ok ? `verdict ${v.action}` : v.why);
const health = async (id: Id<'scn'>): Promise<Health> => {
  const s = await h.world.db.read({ parent: h.org.parent, org: h.org.org }, (db) => findScanner(db, id));
  assert.ok(s);
  return runtimeOf(h.world).healthOf(s);
};

const answers =
  (status: number, body: string | Buffer, headers: Record<string, string> = {}) =>
  (req: IncomingMessage, res: ServerResponse): void => {
    req.resume().on('end', () => res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body));
  };
const allow = '{"action":"allow"}';

const hostile: [string, string, (req: IncomingMessage, res: ServerResponse) => void][] = [
  ['an allow larger than a verdict', 'malformed', answers(200, allow + ' '.repeat(MAX_VERDICT_BYTES))],
  [
    'an allow that says it is larger',
    'malformed',
    (req, res) => void req.resume().on('end', () => res.writeHead(200, { 'content-length': '99999999' }).write(allow)),
  ],
  [
    'a gzip bomb',
    'malformed',
    answers(200, gzipSync(Buffer.from(allow + ' '.repeat(50_000_000))), { 'content-encoding': 'gzip' }),
  ],
  ['an encoding that nobody asked for', 'malformed', answers(200, allow, { 'content-encoding': 'zstd' })],
  [
    'an allow by the drop',
    'timeout',
    (req, res) => {
      req.resume();
      res.writeHead(200);
      let i = 0;
      const drip = setInterval(() => (i < allow.length ? res.write(allow[i++]) : res.end()), 100);
      res.on('close', () => clearInterval(drip));
    },
  ],
  ['nothing, ever', 'timeout', (req) => void req.resume()],
  [
    'a head and nothing more',
    'timeout',
    (req, res) => void req.resume().on('end', () => res.writeHead(200).flushHeaders()),
  ],
  ['a redirect to somebody who allows', 'refused', answers(302, allow, { location: 'https://allow.example/' })],
  ['an allow with status 201', 'refused', answers(201, allow)],
  ['a deny with status 403', 'refused', answers(403, '{"action":"deny"}')],
  ['an error', 'refused', answers(500, 'oops')],
  ['no content', 'refused', answers(204, '')],
  ['nothing in an answer', 'malformed', answers(200, '')],
  ['what is not JSON', 'malformed', answers(200, 'allow')],
  ['JSON that ends too soon', 'malformed', answers(200, '{"action":"allow"')],
  ['two actions', 'malformed', answers(200, '{"action":"deny","action":"allow"}')],
  ['an action that is not a word', 'malformed', answers(200, '{"action":true}')],
  ['an unknown action', 'malformed', answers(200, '{"action":"Allow"}')],
  ['an action of the prototype', 'malformed', answers(200, '{"action":"constructor"}')],
  ['an action in __proto__', 'malformed', answers(200, '{"__proto__":{"action":"allow"}}')],
  ['a list', 'malformed', answers(200, '[{"action":"allow"}]')],
  ['a mark before its JSON', 'malformed', answers(200, `\ufeff${allow}`)],
  ['bytes that are not UTF-8', 'malformed', answers(200, Buffer.from([0x7b, 0xff, 0x7d]))],
  [
    'JSON a thousand levels deep',
    'malformed',
    answers(200, `{"action":"allow","x":${'['.repeat(1000)}${']'.repeat(1000)}}`),
  ],
  [
    'half an answer, then gone',
    'malformed',
    (req, res) =>
      void req.resume().on('end', () => {
        res.writeHead(200, { 'content-length': '100' }).write('{"action":');
        setTimeout(() => res.destroy(), 20);
      }),
  ],
];
for (const [what, why, handler] of hostile)
  test(`a scanner that answers with ${what} gives no verdict (${why})`, async () => {
    await using s = await listen(handler);
    const { scanner } = await h.add({ kind: 'webhook', url: s.url }, { timeoutMs: 700, credentials });
    assert.equal(failure(await inspect()), why);
    assert.equal((await health(scanner.id)).failures, 1);
  });

const refused = (code: string): Problem =>
  new Problem('upstream', 'egress/unreachable', { says: 'no', because: Object.assign(new Error(code), { code }) });

for (const [what, thrown, times] of [
  ['a connection that is refused', refused('ECONNREFUSED'), 2],
  ['a host that has no way to it', refused('EHOSTUNREACH'), 2],
  ['a name without an address', new Problem('upstream', 'egress/no-address', { says: 'no' }), 2],
  ['a connection that is reset, perhaps after the question was read', refused('ECONNRESET'), 1],
  ['a certificate of somebody else', new Problem('upstream', 'egress/certificate', { says: 'no' }), 1],
  ['a slow answer', new Problem('upstream', 'egress/timeout', { says: 'no' }), 1],
] as const)
  test(`${what} is asked ${times === 1 ? 'once' : 'twice, with the same id and signature'}`, async () => {
    const seen: string[] = [];
    const egress: Egress = {
      ...h.world.egress,
      async fetch(_url, init) {
        seen.push(JSON.stringify([init?.headers, typeof init?.body]));
        throw thrown;
      },
    };
    const question = { url: 'http://x', headers: { 'webhook-id': newId('dsr') }, body: 'x', rules: {} };
    await assert.rejects(ask(egress, question, deadlineIn(1000, signal)), ScanFailure);
    assert.equal(seen.length, times);
    assert.equal(new Set(seen).size, 1);
  });

test('the one more try is within the budget: with less left than it takes there is none', async () => {
  let asked = 0;
  const egress: Egress = {
    ...h.world.egress,
    async fetch() {
      asked++;
      throw refused('ECONNREFUSED');
    },
  };
  const question = { url: 'http://x', headers: {}, body: 'x', rules: {} };
  await assert.rejects(ask(egress, question, deadlineIn(50, signal)), { why: 'unreachable' });
  assert.equal(asked, 1);
});

test('a question that the scanner began to read is not asked again', async () => {
  let taken = 0;
  await using cut = await listen((req) => {
    taken++;
    req.resume().on('end', () => req.socket.destroy());
  });
  await h.add({ kind: 'webhook', url: cut.url }, { credentials });
  assert.match(failure(await inspect()), /unreachable|malformed/);
  assert.equal(taken, 1);
});

test('when nobody waits any more the question ends, and it is not the scanner’s fault', async () => {
  await using s = await listen((req) => void req.resume());
  const { scanner } = await h.add({ kind: 'webhook', url: s.url }, { credentials });
  const gone = new AbortController();
  const asked = (await h.engine()).inspect(anyContent({ org: h.org.org }), gone.signal);
  setTimeout(() => gone.abort(), 30);
  assert.equal(failure(await asked), 'timeout');
  assert.deepEqual((await health(scanner.id)).breaker, { state: 'closed', failures: 0 });
});

test('a private address is reached only where the row allows it', async () => {
  await using s = await startDlpWebhook();
  const { scanner } = await h.add({ kind: 'webhook', url: s.url }, { credentials });
  assert.equal(failure(await inspect()), 'verdict allow');
  await assert.rejects(changeScanner(h.ctx, scanner.id, { allowPrivate: false }), { code: 'egress/plain-http' });
  await h.t.super(
    `update dlp_scanner set config = jsonb_set(config, '{url}', '"https://127.0.0.1:1/"'), allow_private = false`,
  );
  assert.equal(failure(await inspect()), 'unreachable');
  assert.equal(s.received.length, 1);
});

test('the breaker opens after failures in a row, asks nobody, finds out by itself that the scanner is back, and tells the log both', async () => {
  let up = false;
  let asked = 0;
  await using s = await listen((req, res) => {
    asked++;
    answers(up ? 200 : 500, allow)(req, res);
  });
  const { scanner } = await h.add({ kind: 'webhook', url: s.url }, { credentials });
  for (let i = 0; i < FAILURES_TO_OPEN; i++) assert.equal(failure(await inspect()), 'refused');
  assert.equal((await health(scanner.id)).breaker.state, 'open');
  assert.equal(failure(await inspect()), 'breaker_open');
  assert.equal(asked, FAILURES_TO_OPEN);

  // A probe that fails: it rests for twice as long.
  at = new Date(at.getTime() + FIRST_REST_MS);
  assert.equal(failure(await inspect()), 'refused');
  assert.equal(failure(await inspect()), 'breaker_open');
  at = new Date(at.getTime() + FIRST_REST_MS);
  assert.equal(failure(await inspect()), 'breaker_open');
  assert.equal(asked, FAILURES_TO_OPEN + 1);

  up = true;
  at = new Date(at.getTime() + FIRST_REST_MS);
  // Many at once: one probe, the others follow the fail mode.
  const engine = await h.engine();
  const all = await Promise.all([1, 2, 3].map(() => engine.inspect(anyContent({ org: h.org.org }), signal)));
  assert.deepEqual(all.map(failure).sort(), ['breaker_open', 'breaker_open', 'verdict allow']);
  assert.equal(failure(await inspect()), 'verdict allow');
  assert.equal((await health(scanner.id)).breaker.state, 'closed');
  await h.settled();
  const told = (await h.events()).filter((e) => e.data['scanner'] === scanner.id && e.type.includes('breaker'));
  assert.deepEqual(
    told.map((e) => e.type),
    ['dlp.scanner_breaker_opened', 'dlp.scanner_breaker_closed'],
  );
  assert.equal(told[0]?.data['why'], 'refused');
});

test('content that a scanner cannot take, however often, does not keep others from being inspected', async () => {
  await using s = await listen((req, res) => {
    let bytes = 0;
    req.on('data', (c: Buffer) => (bytes += c.length));
    req.on('end', () => res.writeHead(bytes > 10_000 ? 413 : 200, { 'content-type': 'application/json' }).end(allow));
  });
  const { scanner } = await h.add({ kind: 'webhook', url: s.url }, { credentials });
  const large = anyContent({ org: h.org.org, content: 'x'.repeat(20_000) });
  let nested: unknown = 'deep';
  for (let i = 0; i < 100_000; i++) nested = [nested];
  const deep = anyContent({ org: h.org.org, content: nested });
  for (let i = 0; i < 2 * FAILURES_TO_OPEN; i++) {
    assert.equal(failure(await (await h.engine()).inspect(large, signal)), 'refused');
    assert.equal(failure(await (await h.engine()).inspect(deep, signal)), 'broken');
  }
  assert.deepEqual((await health(scanner.id)).breaker, { state: 'closed', failures: 0 });
  assert.equal(failure(await inspect()), 'verdict allow');
  // Nor does it stop anything in a shadow, where it is drawn by its content.
  await changeScanner(h.ctx, scanner.id, { mode: 'shadow', percentage: 99 });
  assert.equal(failure(await (await h.engine()).inspect(deep, signal)), 'verdict allow');
});

test('however long a scanner is away, a probe comes within a minute', async () => {
  await using s = await listen(answers(500, ''));
  const { scanner } = await h.add({ kind: 'webhook', url: s.url }, { credentials });
  for (let i = 0; i < FAILURES_TO_OPEN; i++) await inspect();
  for (let i = 0; i < 10; i++) {
    at = new Date(at.getTime() + LONGEST_REST_MS);
    assert.equal(failure(await inspect()), 'refused');
  }
  const { breaker } = await health(scanner.id);
  assert.ok(breaker.state === 'open' && breaker.probeFrom.getTime() - at.getTime() <= LONGEST_REST_MS);
});

test('a probe that nobody waits for to its end leaves the next one free to probe', async () => {
  let answer = false;
  await using s = await listen((req, res) => {
    if (answer) answers(200, allow)(req, res);
    else req.resume();
  });
  await h.add({ kind: 'webhook', url: s.url }, { credentials, timeoutMs: 30 });
  for (let i = 0; i < FAILURES_TO_OPEN; i++) await inspect();
  at = new Date(at.getTime() + FIRST_REST_MS);
  const gone = AbortSignal.abort();
  await (await h.engine()).inspect(anyContent({ org: h.org.org }), gone);
  answer = true;
  await h.t.super(`update dlp_scanner set name = 'other'`);
  assert.equal(failure(await inspect()), 'verdict allow');
});

test('a change of configuration begins with a closed breaker, so that nobody waits after a repair', async () => {
  await using s = await listen(answers(500, ''));
  const { scanner } = await h.add({ kind: 'webhook', url: `${s.url}/a` }, { credentials });
  for (let i = 0; i < FAILURES_TO_OPEN; i++) await inspect();
  assert.equal(failure(await inspect()), 'breaker_open');
  await changeScanner(h.ctx, scanner.id, { config: { kind: 'webhook', url: `${s.url}/b`, frames: 'published' } });
  assert.equal(failure(await inspect()), 'refused');
});

test('after all this, no secret is in a log line, an event or a row', async () => {
  await h.settled();
  assert.ok(lines.length > 1000);
  const rows =
    JSON.stringify(await h.t.super(`select * from audit_inbox`)) +
    JSON.stringify(await h.t.super(`select config from dlp_scanner`));
  for (const secret of [SECRET, SECRET.slice(6), HEADER, 'hide-me'])
    for (const [where, text] of [
      ['log', lines],
      ['rows', rows],
    ] as const)
      assert.equal(text.includes(secret), false, where);
  assert.equal(newId('scn').slice(0, 4), 'scn_');
});
