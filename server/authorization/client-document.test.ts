import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeEgress, type Egress } from '#kernel/egress.ts';
import { silentLog } from '#kernel/log.ts';
import { Problem } from '#kernel/problem.ts';
import {
  authorizeUrl,
  browserOf,
  codeBody,
  oauthHouse,
  refreshBody,
  tokenRequest,
  type OauthHouse,
  type TestClient,
} from '#dev/oauth-house.ts';
import { mayFetchClient } from './client-metadata.ts';
import { clientDocuments, FAILED_FOR_MS, PER_HOST } from './client-document.ts';

const real = makeEgress({ log: silentLog });
/** Hosts that the test answers for; every other address goes to the real way out. */
const hosts = new Map<string, (url: URL) => Response>();
const asked: string[] = [];
const egress: Egress = {
  ...real,
  fetch(url, init, rules) {
    const u = new URL(url);
    asked.push(u.href);
    const answer = hosts.get(u.host);
    return answer ? Promise.resolve(answer(u)) : real.fetch(url, init, rules);
  },
};

let house: OauthHouse;
before(async () => {
  house = await oauthHouse({ dcr: false, over: { egress } });
});
after(async () => {
  await house[Symbol.asyncDispose]();
  await real.close();
});

const redirect = 'https://app.example/cb';
const documentAt = (id: string, more: Record<string, unknown> = {}): Response =>
  Response.json({ client_id: id, client_name: 'Published app', redirect_uris: [redirect], ...more });
const clientAt = (id: string): TestClient => ({ client_id: id, redirect });

async function open(id: string): Promise<{ status: number; text: string; url: URL }> {
  const b = await browserOf(house, house.ada);
  await b.open(await authorizeUrl(house, clientAt(id)), { stopAt: redirect });
  return { status: b.status, text: b.text(), url: b.url };
}

test('a client that publishes its own document gets tokens without registering, and the page names its host', async () => {
  const id = 'https://app.example/oauth/client.json';
  hosts.set('app.example', (u) => documentAt(u.href));
  const b = await browserOf(house, house.ada);
  await b.open(await authorizeUrl(house, clientAt(id)));
  assert.match(b.text(), /Published app wants to act for you/);
  assert.match(b.text(), /Publishes itself at app\.example/);
  assert.doesNotMatch(b.text(), /runs on your own device|checked the name/);
  await b.submit('Allow', {}, { stopAt: redirect });
  const r = await tokenRequest(house.origin, clientAt(id), codeBody(clientAt(id), b.url.searchParams.get('code')!));
  assert.equal(r.status, 200);
});

test('while the host of a known client is down, its tokens are still refreshed; once it says the client is gone, they are not', async () => {
  const id = 'https://outage.example/client.json';
  hosts.set('outage.example', (u) => documentAt(u.href));
  const b = await browserOf(house, house.ada);
  await b.open(await authorizeUrl(house, clientAt(id)));
  await b.submit('Allow', {}, { stopAt: redirect });
  const first = await tokenRequest(house.origin, clientAt(id), codeBody(clientAt(id), b.url.searchParams.get('code')!));
  // Another node has none of this one's memory.
  hosts.set('outage.example', () => new Response('down', { status: 503 }));
  const second = await tokenRequest(await house.anotherNode(), clientAt(id), refreshBody(first.body.refresh_token));
  assert.equal(second.status, 200);
  hosts.set('outage.example', () => {
    throw new Problem('upstream', 'egress/timeout', { says: 'too slow' });
  });
  const third = await tokenRequest(await house.anotherNode(), clientAt(id), refreshBody(second.body.refresh_token));
  assert.equal(third.status, 200);
  hosts.set('outage.example', () => new Response('gone', { status: 410 }));
  const fourth = await tokenRequest(await house.anotherNode(), clientAt(id), refreshBody(third.body.refresh_token));
  assert.equal(fourth.body.error, 'invalid_client');
});

for (const id of [
  'https://127.0.0.1/client.json',
  'https://169.254.169.254/latest/meta-data',
  'https://[::1]/client.json',
  'https://10.0.0.8/client.json',
  'https://localhost/client.json',
])
  test(`a client id of a private address is not fetched: ${id}`, async () => {
    const { status, text } = await open(id);
    assert.equal(status, 400);
    assert.match(text, /not known here/);
  });

test('nobody connects to a private address for a client id, even when a name leads there', async () => {
  const { createServer } = await import('node:net');
  let connections = 0;
  const server = createServer((s) => {
    connections++;
    s.destroy();
  });
  await new Promise<void>((ok) => server.listen(0, '127.0.0.1', ok));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const own = makeEgress({ log: silentLog, lookup: () => Promise.resolve(['127.0.0.1']) });
  await assert.rejects(own.fetch(`https://innocent.example:${port}/client.json`, { method: 'GET' }));
  assert.equal(connections, 0);
  server.close();
  await own.close();
});

for (const [what, id, answer] of [
  ['names another client', 'https://a.example/c.json', () => documentAt('https://b.example/c.json')],
  ['has a secret', 'https://a2.example/c.json', (u: URL) => documentAt(u.href, { client_secret: 'x' })],
  [
    'wants a secret',
    'https://a3.example/c.json',
    (u: URL) => documentAt(u.href, { token_endpoint_auth_method: 'client_secret_post' }),
  ],
  [
    'is a redirect',
    'https://a4.example/c.json',
    () => new Response(null, { status: 302, headers: { location: 'https://app.example/oauth/client.json' } }),
  ],
  ['is a page', 'https://a5.example/c.json', () => new Response('<html>', { status: 200 })],
  ['is larger than 5 KiB', 'https://a6.example/c.json', (u: URL) => documentAt(u.href, { x: 'x'.repeat(6000) })],
  [
    'does not list the redirect',
    'https://a7.example/c.json',
    (u: URL) => documentAt(u.href, { redirect_uris: ['https://other.example/cb'] }),
  ],
] as const)
  test(`a client document that ${what} is refused on our own page`, async () => {
    hosts.set(new URL(id).host, answer);
    const { status, url } = await open(id);
    assert.equal(status, 400);
    assert.equal(url.origin, house.origin);
  });

test('a failed document is not asked for again for a minute', async () => {
  const id = 'https://failing.example/c.json';
  hosts.set('failing.example', () => new Response('no', { status: 404 }));
  for (let i = 0; i < 4; i++) await open(id);
  assert.equal(asked.filter((u) => u === id).length, 1);
  house.advance(FAILED_FOR_MS + 1);
  await open(id);
  assert.equal(asked.filter((u) => u === id).length, 2);
});

test('nobody can make us ask one host more often than people would', async () => {
  hosts.set('busy.example', () => new Response('no', { status: 404 }));
  for (let i = 0; i < PER_HOST + 10; i++) await open(`https://busy.example/${i}.json`);
  assert.equal(asked.filter((u) => u.startsWith('https://busy.example/')).length, PER_HOST);
});

test('the fetch itself says why it did not ask: it failed a moment ago, or too many were asked', async () => {
  const documents = clientDocuments({
    egress,
    oauth: house.t.as('gatehouse_oauth'),
    log: silentLog,
    now: () => house.world.now(),
  });
  hosts.set('twice.example', () => new Response('no', { status: 500 }));
  const says = (code: string) => (e: unknown) => e instanceof Problem && e.code === code;
  for (let i = 0; i < 2; i++)
    await assert.rejects(documents.fetch('https://twice.example/c.json'), says('authorization/client-document'));
  assert.equal(asked.filter((u) => u.startsWith('https://twice.example/')).length, 1);
  for (let i = 1; i < PER_HOST; i++) await documents.fetch(`https://twice.example/${i}.json`).catch(() => undefined);
  await assert.rejects(documents.fetch('https://twice.example/last.json'), says('authorization/client-fetches'));
});

test('documents that nobody consented to are not kept', async () => {
  hosts.set('flood.example', (u) => documentAt(u.href));
  await open('https://flood.example/1.json');
  const rows = await house.t.super(`select from oauth_item where model = 'Document' and id like 'https://flood%'`);
  assert.equal(rows.length, 0);
});

for (const [id, fine] of [
  ['https://app.example/client.json', true],
  ['https://app.example/', false],
  ['https://app.example', false],
  ['http://app.example/client.json', false],
  ['https://APP.example/client.json', false],
  ['https://app.example:8443/client.json', false],
  [`https://app.example/${'x'.repeat(2048)}`, false],
] as const)
  test(`a client id ${id.slice(0, 60)} may ${fine ? '' : 'not '}be fetched`, () =>
    assert.equal(mayFetchClient(id), fine));
