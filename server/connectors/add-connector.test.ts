import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { doorHouse, type Answer, type DoorHouse } from '#dev/door-house.ts';
import { startStandIn } from '#dev/stand-in.ts';
import { sendJson, upstreamInHand, type UpstreamInHand } from '#dev/upstream-in-hand.ts';
import { connectorOperations } from './connectors.http.ts';
import { MAX_TOOLS } from './tool.ts';

let h: DoorHouse;
before(async () => {
  h = await doorHouse({ operations: connectorOperations });
});
after(() => h[Symbol.asyncDispose]());

const at = (path = ''): string => `/orgs/${h.acme.org}/connectors${path}`;
let n = 0;
const add = (url: string, more: object = {}): Promise<Answer> =>
  h.api('POST', at(), { slug: `c${++n}`, name: 'Some', url, allowPrivate: true, ...more });
type Shown = { name: string; state: string; class: string | null };
const toolsOf = async (added: Answer): Promise<Shown[]> =>
  (await h.api('GET', at(`/${String(added.body['id'])}/tools`))).body['items'] as Shown[];
const connectors = async (): Promise<number> =>
  Number((await h.t.super<{ n: number }>('select count(*)::int as n from connector'))[0]?.n);

/** An upstream for one test. */
async function using<T>(work: (u: UpstreamInHand) => Promise<T>, over: Parameters<typeof upstreamInHand>[0] = {}) {
  const u = await upstreamInHand(over);
  try {
    return await work(u);
  } finally {
    await u.stop();
  }
}

for (const [script, server, tool] of [
  ['crm.ts', 'northwind-crm', 'delete_deal'],
  ['everything.ts', 'everything', 'test_simple_text'],
] as const)
  test(`${server} is added by its address, and every tool of it waits for a review`, async () => {
    const standIn = await startStandIn<{ url: string; mcp: string }>(script);
    try {
      const added = await add(standIn.ready.mcp);
      assert.equal(added.status, 201, added.text);
      assert.equal((added.body['server'] as { name: string }).name, server);
      assert.deepEqual(added.body['refused'], []);
      const tools = await toolsOf(added);
      assert.ok(tools.some((t) => t.name === tool));
      // The hints of the upstream (readOnlyHint) class nothing: it writes them itself.
      assert.deepEqual(new Set(tools.map((t) => `${t.state} ${t.class}`)), new Set(['quarantined null']));
      assert.equal(added.headers.get('location'), `${h.origin}/api${at(`/${String(added.body['id'])}`)}`);
      const seen = (await h.events('tools.seen')).at(-1);
      assert.deepEqual(new Set(seen?.data['added'] as string[]), new Set(tools.map((t) => t.name)));
    } finally {
      await standIn.stop();
    }
  });

test('a server of the older revision is asked page by page in a session, which is ended afterwards', () =>
  using(
    async (u) => {
      const added = await add(u.url);
      assert.equal(added.status, 201, added.text);
      assert.deepEqual(added.body['server'], { name: 'in-hand', version: '1.2.3' });
      assert.deepEqual(
        (await toolsOf(added)).map((t) => t.name),
        ['a', 'b', 'c', 'd', 'e'],
      );
      assert.equal(u.asked.filter((a) => a.rpc === 'tools/list').length, 3);
      assert.equal(u.sessions.size, 0);
      assert.equal(u.asked.at(-1)?.method, 'DELETE');
    },
    { era: '2025-11-25', tools: ['e', 'd', 'c', 'b', 'a'].map((name) => ({ name, inputSchema: { type: 'object' } })) },
  ));

test('a session of the older revision is ended also when the list of tools is refused', () =>
  using(
    async (u) => {
      assert.equal((await add(u.url)).body['code'], 'connectors/not-mcp');
      assert.equal(u.sessions.size, 0);
    },
    { era: '2025-11-25', tools: ['no tool'] },
  ));

test('a bearer token goes to the upstream and to nobody else: not into an answer, the log or the database', () =>
  using(async (u) => {
    const bearer = 'the-credential-of-the-crm';
    const added = await add(u.url, { bearer });
    assert.equal(added.status, 201, added.text);
    assert.equal(added.body['auth'], 'bearer');
    const id = String(added.body['id']);
    u.asked.length = 0;
    const refreshed = await h.api('POST', at(`/${id}/refresh`));
    assert.equal(refreshed.status, 200, refreshed.text);
    assert.deepEqual([...new Set(u.asked.map((a) => a.authorization))], [`Bearer ${bearer}`], 'it was opened again');

    const answers = [added, refreshed, await h.api('GET', at()), await h.api('GET', at(`/${id}`))];
    for (const a of answers) assert.ok(!a.text.includes(bearer), a.text);
    const [row] = await h.t.super<{ all: string; bearer: Buffer }>(
      'select c::text as all, bearer from connector c where id = $1',
      id,
    );
    assert.ok(row && row.bearer.length > 0 && !row.bearer.includes(bearer) && !row.all.includes(bearer));
    const log = JSON.stringify(await h.t.super('select header, data from audit_inbox'));
    assert.ok(!log.includes(bearer) && log.includes(id));
  }));

test('a sealed bearer that was copied to another connector does not open there', () =>
  using(async (u) => {
    const one = await add(u.url, { bearer: 'of the one' });
    const other = await add(u.url, { bearer: 'of the other' });
    await h.t.super(
      'update connector set bearer = (select bearer from connector where id = $1) where id = $2',
      one.body['id'],
      other.body['id'],
    );
    u.asked.length = 0;
    const r = await h.api('POST', at(`/${String(other.body['id'])}/refresh`));
    assert.deepEqual([r.status, u.asked.length], [500, 0], r.text);
  }));

for (const [given, bearer, says] of [
  ['no token', undefined, /answers 401 to a request without a credential/],
  ['a wrong token', 'wrong', /answers 401 to the bearer token that was given/],
] as const)
  test(`a server that is asked with ${given} and refuses is not added: connectors/not-let-in`, () =>
    using(async (u) => {
      u.instead = (_m, res, req) =>
        req.headers.authorization === 'Bearer right' ? false : sendJson(res, {}, 401, { 'www-authenticate': 'Bearer' });
      const r = await add(u.url, { bearer });
      assert.deepEqual([r.status, r.body['code']], [502, 'connectors/not-let-in'], r.text);
      assert.match(String(r.body['detail']), says);
      assert.ok(String(r.body['detail']).includes(u.host));
      assert.equal(r.body['fix'], 'give a bearer token that it accepts');
      assert.equal((await add(u.url, { bearer: 'right' })).status, 201);
    }));

const result = (value: object) => (m: { id?: number }) => ({ jsonrpc: '2.0', id: m.id, result: value });
const thousand = Array.from({ length: MAX_TOOLS + 1 }, (_, i) => ({ name: `t${i}` }));
type Rude = NonNullable<UpstreamInHand['instead']>;
const onList =
  (answer: (m: { id?: number; params?: { cursor?: string } }) => unknown): Rude =>
  (m, res) =>
    m.method === 'tools/list' && sendJson(res, answer(m));
const rude: [string, Rude, RegExp][] = [
  [
    'a web page',
    (_m, res) => (res.writeHead(200, { 'content-type': 'text/html' }).end('<p>hello</p>'), true),
    /not JSON/,
  ],
  ['an empty answer', (_m, res) => (res.writeHead(200).end(), true), /not JSON/],
  ['JSON that is no answer', (_m, res) => sendJson(res, { hello: 'there' }), /no answer to what it was asked/],
  ['an answer to another question', (_m, res) => sendJson(res, result({})({ id: 77 })), /no answer to what it was/],
  ['JSON with a key twice', (_m, res) => (res.writeHead(200).end('{"id":1,"id":1,"result":{}}'), true), /not JSON/],
  [
    'a broken event',
    (_m, res) => (res.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: {\n\n'), true),
    /not JSON/,
  ],
  ['a fault of its own', (_m, res) => sendJson(res, {}, 500), /status 500/],
  ['nothing at this address', (_m, res) => sendJson(res, {}, 404), /status 404/],
  [
    'a redirect, which is not followed',
    (_m, res) => (res.writeHead(307, { location: 'http://169.254.169.254/' }).end(), true),
    /a redirect; give the address that it redirects to, if you trust it/,
  ],
  ['an error to the list of tools', onList((m) => ({ id: m.id, error: { code: -32000 } })), /the error -32000/],
  ['no list of tools', onList(result({ tools: {} })), /no list of tools/],
  ['a tool that is a word', onList(result({ tools: ['delete'] })), /not an object/],
  ['a tool twice', onList(result({ tools: [{ name: 'a' }, { name: 'a' }] })), /the tool "a" twice/],
  ['more tools than people can review', onList(result({ tools: thousand })), /more than 1000 tools/],
  [
    'pages without an end',
    onList((m) =>
      result({ tools: [{ name: `t${m.params?.cursor ?? 0}` }], nextCursor: `${Number(m.params?.cursor ?? 0) + 1}` })(m),
    ),
    /more than 1000 tools/,
  ],
];
for (const [what, instead, says] of rude)
  test(`a server that answers with ${what} is not added: connectors/not-mcp`, () =>
    using(async (u) => {
      const before = await connectors();
      u.instead = instead;
      const r = await add(u.url);
      assert.deepEqual([r.status, r.body['code']], [502, 'connectors/not-mcp'], r.text);
      assert.match(String(r.body['detail']), says);
      assert.match(String(r.body['fix']), /check the address; MCP 2026-07-28 and 2025-11-25/);
      assert.equal(await connectors(), before);
    }));

for (const [what, instead] of [
  ['hangs up', (_m, res) => (res.destroy(), true)],
  [
    'answers with more than a list of tools can be',
    (_m, res) => (res.writeHead(200).end(' '.repeat(9 * 1024 * 1024)), true),
  ],
] as [string, Rude][])
  test(`a server that ${what} is not added: connectors/unreachable`, () =>
    using(async (u) => {
      u.instead = instead;
      const r = await add(u.url);
      assert.deepEqual([r.status, r.body['code']], [502, 'connectors/unreachable'], r.text);
      assert.ok(String(r.body['detail']).includes(u.host));
    }));

test('an address where nothing listens is told as that: connectors/unreachable', async () => {
  const s = createServer();
  await new Promise<void>((r) => s.listen(0, '127.0.0.1', r));
  const { port } = s.address() as AddressInfo;
  await new Promise((r) => s.close(r));
  const r = await add(`http://127.0.0.1:${port}/mcp`);
  assert.deepEqual([r.status, r.body['code']], [502, 'connectors/unreachable'], r.text);
  assert.match(String(r.body['detail']), new RegExp(`the server at 127\\.0\\.0\\.1:${port} could not be reached`));
  assert.match(String(r.body['fix']), /check the address and that it answers from where this server runs/);
});

for (const [what, more, url, code, names] of [
  [
    'inside the network, not named',
    { allowPrivate: false },
    (u) => u.url.replace('http:', 'https:'),
    'egress/private-address',
    /127\.0\.0\.1/,
  ],
  ['inside the network, by plain http', { allowPrivate: false }, (u) => u.url, 'egress/plain-http', /127\.0\.0\.1/],
  [
    'of the cloud’s metadata, even if named',
    {},
    () => 'http://169.254.169.254/mcp',
    'egress/forbidden-address',
    /169\.254\.169\.254/,
  ],
  ['with a password in it', {}, (u) => u.url.replace('//', '//ada:secret@'), 'egress/userinfo', /127\.0\.0\.1/],
  ['that is a file', {}, () => 'file:///etc/passwd', 'egress/scheme', /file:/],
  ['that is no address', {}, () => 'the crm', 'egress/url', /not a complete URL/],
] as [string, object, (u: UpstreamInHand) => string, string, RegExp][])
  test(`an address ${what} is refused before anything is asked: ${code}`, () =>
    using(async (u) => {
      const r = await add(url(u), more);
      assert.deepEqual([r.status, r.body['code'], u.asked.length], [400, code, 0], r.text);
      assert.match(String(r.body['detail']), names);
      assert.ok(String(r.body['fix']).length > 10);
      assert.ok(!r.text.includes('secret'));
    }));

test('letting one connector reach its own private host lets it reach no other', () =>
  using((u) =>
    using(async (inner) => {
      const added = await add(u.url);
      assert.equal(added.status, 201);
      // As if somebody had changed the row: the address and the host that was allowed no longer agree.
      await h.t.super('update connector set url = $1 where id = $2', inner.url, added.body['id']);
      const r = await h.api('POST', at(`/${String(added.body['id'])}/refresh`));
      assert.deepEqual([r.body['code'], inner.asked.length], ['egress/plain-http', 0]);
    }),
  ));

test('a slug is taken once in an organization, also by two who add at the same moment: connectors/slug-taken', () =>
  using(async (u) => {
    const both = await Promise.all([add(u.url, { slug: 'crm' }), add(u.url, { slug: 'crm' })]);
    assert.deepEqual(new Set(both.map((r) => r.status)), new Set([201, 409]));
    const refused = both.find((r) => r.status === 409);
    assert.equal(refused?.body['code'], 'connectors/slug-taken');
    assert.equal(refused?.body['detail'], 'there is a connector crm in this organization already');
    assert.equal(refused?.body['fix'], 'choose another slug');
    const list = (await h.api('GET', at())).body['items'] as { slug: string; mcp: string }[];
    assert.deepEqual(
      list.filter((c) => c.slug === 'crm').map((c) => c.mcp),
      [`${h.origin}/mcp/crm`],
    );
  }));

for (const slug of ['', 'CRM', 'a--b', '-a', 'a_b', 'a/b', 'ä', 'x'.repeat(41)])
  test(`${JSON.stringify(slug)} is no slug`, async () => {
    assert.equal((await add('https://crm.example/mcp', { slug })).body['code'], 'http/invalid');
  });

test('members see connectors; only who manages them adds one', async () => {
  const luca = await h.addPerson('Luca', 'user');
  const asLuca = { cookie: (await h.browserOf(luca.user)).cookies(new URL(h.origin)), origin: h.origin };
  assert.equal((await h.api('GET', at(), undefined, asLuca)).status, 200);
  const wanted = { slug: 'mine', name: 'Mine', url: 'https://crm.example/mcp' };
  const r = await h.api('POST', at(), wanted, asLuca);
  assert.deepEqual([r.status, r.body['code']], [403, 'org/not-permitted']);
});
