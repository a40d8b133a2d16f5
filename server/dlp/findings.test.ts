import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { startSequencer, type Sequencer } from '#audit/sequencer.ts';
import { doorHouse, type Answer, type DoorHouse } from '#dev/door-house.ts';
import { dlpOperations } from './dlp.http.ts';
import { findingOperations } from './findings.http.ts';
import { inspectOperations } from './inspect.http.ts';

const CARD = '4111 1111 1111 1111';
const KEY = 'AKIAIOSFODNN7EXAMPLF';
let h: DoorHouse;
let sequencer: Sequencer;
let ada: (method: string, path: string, body?: unknown) => Promise<Answer>;

before(async () => {
  h = await doorHouse({
    operations: [
      ...dlpOperations({ hasConnector: () => Promise.resolve(false) }),
      ...inspectOperations(() => () => Promise.resolve([])),
      ...findingOperations,
    ],
  });
  sequencer = startSequencer({ world: { ...h.world, db: h.t.as('gatehouse_sequencer') }, gather: 1, poll: 20 });
  const browser = await h.browserOf(h.acme.owner);
  const headers = { cookie: browser.cookies(new URL(`${h.origin}/api`)), origin: h.origin };
  ada = (method, path, body) => h.api(method, `/orgs/${h.acme.org}${path}`, body, headers);
});
after(async () => {
  await sequencer.stop();
  await h[Symbol.asyncDispose]();
});

const List = z.object({
  items: z.array(
    z.object({
      seq: z.number(),
      name: z.string().nullable(),
      phase: z.string().nullable(),
      action: z.string(),
      findings: z.array(z.object({ detector: z.string(), count: z.number() })),
    }),
  ),
  next: z.string().nullable(),
});
const list = async (query = '') => {
  const a = await ada('GET', `/dlp/findings${query}`);
  assert.equal(a.status, 200, a.text);
  return List.parse(a.body);
};
async function listOf(count: number, query = ''): Promise<z.infer<typeof List>> {
  for (let i = 0; i < 600; i++) {
    const found = await list(query);
    if (found.items.length >= count) return found;
    await setTimeout(50);
  }
  throw new Error(`the log never told of ${count} findings`);
}

test('what was found is listed newest first with what was done, found by what it is, and counted by day; clean content is not there', async () => {
  await ada('PUT', '/dlp/baseline/payment_card', { prompt: 'redact' });
  for (const content of ['nothing at all', `card ${CARD}`, `card ${CARD} and again ${CARD}, key ${KEY}`])
    assert.equal((await ada('POST', '/dlp/inspect', { phase: 'prompt', content })).status, 200);
  const { items } = await listOf(2);
  assert.deepEqual(
    items.map((i) => [i.phase, i.action, i.findings.some((f) => f.detector === 'payment_card')]),
    [
      ['prompt', 'block', true],
      ['prompt', 'redact', true],
    ],
  );
  assert.ok(!JSON.stringify(items).includes('4111'));
  const first = await list('?limit=1');
  assert.deepEqual(
    [first.items[0]?.seq, (await list(`?limit=1&cursor=${first.next}`)).items[0]?.seq],
    [items[0]?.seq, items[1]?.seq],
  );
  const key = items[0]?.findings.find((f) => f.detector !== 'payment_card')?.detector ?? '';
  assert.equal((await list(`?detector=${key}`)).items.length, 1);
  assert.equal((await list(`?q=${key}`)).items.length, 1);
  assert.equal((await list('?q=nothing-like-it')).items.length, 0);
  const counted = await ada('GET', '/dlp/finding-days');
  const { days, detectors } = z
    .object({
      days: z.array(z.object({ action: z.string(), events: z.number() })),
      detectors: z.array(z.object({ detector: z.string(), events: z.number(), matches: z.number() })),
    })
    .parse(counted.body);
  assert.equal(
    days.reduce((n, d) => n + d.events, 0),
    2,
  );
  assert.deepEqual(detectors.find((d) => d.detector === 'payment_card')?.events, 2);
});

test('a finished call counts by the most severe of its arguments and its result', async () => {
  const data = {
    outcome: 'blocked',
    findings: [{ detector: 'iban', at: '/a', count: 1, hashes: [] }],
    content: { arguments: 'alert', result: 'block' },
    quarantine: null,
  };
  const before = (await list()).items.length;
  await h.t.super(
    `insert into audit_event (log, seq, at, id, type, actor, connector, call, header, data, salt, commitment, leaf)
     values ($1, 1000000, now(), 'evt_x', 'tool.finished', $2, null, 'tcl_x', '{"tool":"send_it"}', $3, '', decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'))`,
    h.acme.org,
    h.acme.owner,
    JSON.stringify(data),
  );
  const { items } = await listOf(before + 1);
  assert.equal(items[0]?.action, 'block');
  assert.ok(items[0]?.name);
  assert.equal((await list('?q=send_it')).items.length, 1);
});
