import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { gatewayHouse, raw, type GatewayHouse, type RawAnswer } from '#dev/gateway-house.ts';
import type { HousePerson } from '#dev/oauth-house.ts';
import { tool, wildUpstream, type Message, type WildUpstream } from '#dev/wild-upstream.ts';
import type { Id } from '#kernel/id.ts';
import { privately } from './cache-hints.ts';

let g: GatewayHouse;
let up: WildUpstream;
let con: Id<'con'>;
let bob: HousePerson;
let ada: string;
let bobs: string;
let asked = 0;
let hints: object = {};
before(async () => {
  [g, up] = await Promise.all([gatewayHouse(), wildUpstream([tool('look'), tool('change')])]);
  con = await g.connect('wild', up.url);
  bob = await g.house.addPerson('Bob');
  ada = await g.token();
  bobs = await g.token(bob);
});
beforeEach(() => {
  hints = { ttlMs: 30_000, cacheScope: 'public' };
  up.act = (m, res) => {
    const result = resultOf(m);
    if (!result) return false;
    res
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', id: m.id, result }));
    return true;
  };
});
after(async () => {
  await up[Symbol.asyncDispose]();
  await g[Symbol.asyncDispose]();
});

function resultOf(m: Message): object | undefined {
  const complete = { resultType: 'complete', ...hints };
  if (m.method === 'tools/list') return { ...complete, tools: up.tools, _meta: { nth: ++asked } };
  if (m.method === 'resources/list') return { ...complete, resources: [], _meta: { nth: ++asked } };
  if (m.method === 'resources/read')
    return { ...complete, contents: [{ uri: 'a:b', text: 'x' }], _meta: { nth: ++asked } };
  return undefined;
}

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
type Listed = { ttlMs?: number; cacheScope?: string; tools: { name: string }[]; _meta: { nth: number } };
const ask = (
  method: string,
  params: object = {},
  token = ada,
  path = '/mcp/wild',
  id: number | string = 1,
): Promise<RawAnswer> =>
  raw(g, {
    path,
    token,
    headers: {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...('uri' in params ? { 'mcp-name': String(params.uri) } : {}),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: meta } }),
  });
const list = async (token = ada, method = 'tools/list', params: object = {}): Promise<Listed> => {
  const a = await ask(method, params, token);
  assert.equal(a.status, 200, a.text);
  return a.json['result'] as Listed;
};
/** As a change of the organization makes it: nothing is kept from before. */
const anew = async (): Promise<void> => {
  await g.rule({
    name: `rule ${++asked}`,
    who: { kind: 'everyone' },
    connector: con,
    tools: { names: ['none'] },
    effect: 'forbid',
  });
  await wait(600);
};

for (const [what, given, scope, ttl] of [
  ['everybody’s for a day', { ttlMs: 86_400_000, cacheScope: 'public' }, 'private', 60_000],
  ['everybody’s for a moment', { ttlMs: 7, cacheScope: 'public' }, 'private', 7],
  ['one person’s', { ttlMs: 0, cacheScope: 'private' }, 'private', 0],
  ['anything', {}, 'private', 0],
  ['good for less than no time', { ttlMs: -5, cacheScope: 'public' }, 'private', 0],
  ['good for as long as a text says', { ttlMs: '100', cacheScope: 'shared' }, 'private', 0],
  ['good for longer than there are numbers', { ttlMs: 1e300 }, 'private', 0],
] as const)
  test(`what a connector calls ${what} is the person’s alone and good for ${ttl} ms at most: lists and what is read`, async () => {
    await anew();
    hints = given;
    for (const a of [
      await list(),
      await list(ada, 'resources/list'),
      await list(ada, 'resources/read', { uri: 'a:b' }),
    ]) {
      assert.equal(a.cacheScope, scope);
      assert.equal(a.ttlMs, ttl);
    }
  });

test('an answer of an older revision without hints is not touched, and a question in the middle of a call neither', () => {
  for (const text of ['{"id":1,"result":{"tools":[]}}', '{"id":1,"error":{"code":1}}'])
    assert.equal(privately(text, false), text);
  const question = '{"id":1,"result":{"resultType":"input_required","inputRequests":{}}}';
  assert.equal(privately(question, true), question);
  assert.equal(privately('{"id":1,"result":{ }}', true), '{"id":1,"result":{"cacheScope":"private","ttlMs":0 }}');
});

test('a list is not asked for again while it is good, for the same person only, and says what is left of its time', async () => {
  await anew();
  const first = await list();
  const second = await list();
  assert.equal(second._meta.nth, first._meta.nth);
  assert.ok(second.ttlMs! <= 30_000 && second.ttlMs! > 0);
  const other = await list(bobs);
  assert.notEqual(other._meta.nth, first._meta.nth, 'another person’s is asked for');
  assert.equal((await list())._meta.nth, first._meta.nth);
  assert.notEqual((await list(ada, 'tools/list', { cursor: 'x' }))._meta.nth, first._meta.nth, 'another question');
  assert.notEqual((await list(ada, 'resources/list'))._meta.nth, first._meta.nth);
  const again = await g.token();
  const same = await ask('tools/list', {}, again, '/mcp/wild', 'another-id');
  assert.equal(same.json['id'], 'another-id');
  const read = await list(ada, 'resources/read', { uri: 'a:b' });
  assert.notEqual((await list(ada, 'resources/read', { uri: 'a:b' }))._meta.nth, read._meta.nth, 'content is not kept');
  await anew();
  assert.notEqual((await list())._meta.nth, first._meta.nth, 'something of the organization is another now');
});

test('a list that is good for no time is asked for each time, and one whose time is over is asked for again', async () => {
  await anew();
  hints = { ttlMs: 0, cacheScope: 'public' };
  assert.notEqual((await list())._meta.nth, (await list())._meta.nth);
  hints = { ttlMs: 1, cacheScope: 'public' };
  const brief = await list();
  await wait(50);
  assert.notEqual((await list())._meta.nth, brief._meta.nth);
});

test('a rule binds in a kept list as in a new one, within a second', async () => {
  await anew();
  assert.deepEqual(
    (await list()).tools.map((t) => t.name),
    ['look', 'change'],
  );
  await g.rule({
    name: 'nobody changes',
    who: { kind: 'everyone' },
    connector: con,
    tools: { names: ['change'] },
    effect: 'forbid',
  });
  let names: string[] = [];
  for (let i = 0; i < 100; i++) {
    names = (await list()).tools.map((t) => t.name);
    if (names.length === 1) break;
    await wait(20);
  }
  assert.deepEqual(names, ['look']);
});

test('a connector that says on a stream that its list is another now is asked again', async () => {
  await anew();
  const first = await list();
  assert.equal((await list())._meta.nth, first._meta.nth);
  const before = up.act!;
  up.act = (m, res, req) => {
    if (m.method !== 'subscriptions/listen') return before(m, res, req);
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(`data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{}}\n\n`);
    res.end(`data: {"jsonrpc":"2.0","id":${JSON.stringify(m.id)},"result":{"resultType":"complete"}}\n\n`);
    return true;
  };
  await ask('subscriptions/listen', { notifications: { toolsListChanged: true } });
  assert.notEqual((await list())._meta.nth, first._meta.nth);
});

test('of 400 interleaved requests of two people with the same ids, each gets what was listed for him', async () => {
  await anew();
  const of = new Map<number, string>();
  const before = up.act!;
  let nth = 0;
  up.act = (m, res, req) => {
    if (m.method !== 'tools/list') return before(m, res, req);
    const n = ++nth;
    setTimeout(() => {
      const result = {
        resultType: 'complete',
        tools: up.tools,
        _meta: { nth: n },
        ttlMs: n % 3 === 0 ? 30_000 : 2,
        cacheScope: 'public',
      };
      res
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', id: m.id, result }));
    }, n % 5);
    return true;
  };
  const answers = await Promise.all(
    Array.from({ length: 400 }, async (_, i) => {
      await wait(i % 40);
      const who = i % 2 === 0 ? 'ada' : 'bob';
      return { who, a: await ask('tools/list', {}, who === 'ada' ? ada : bobs, i % 4 < 2 ? '/mcp/wild' : '/mcp', 7) };
    }),
  );
  for (const { who, a } of answers) {
    const r = a.json['result'] as Listed | undefined;
    assert.ok(r, a.text);
    assert.equal(a.json['id'], 7);
    assert.equal(r.cacheScope, 'private');
    // Where all connectors are one, the list has no mark of its parts.
    if (!r._meta) continue;
    assert.equal(of.get(r._meta.nth) ?? who, who, `answer ${r._meta.nth} was given to both`);
    of.set(r._meta.nth, who);
  }
  assert.ok(nth < 400, 'some were kept');
});

test('where all connectors are one, a list is good for as long as that of its parts which is good for the shortest time', async () => {
  await anew();
  const all = async (): Promise<Listed> => (await ask('tools/list', {}, ada, '/mcp')).json['result'] as Listed;
  const calls = asked;
  const first = await all();
  assert.equal(first.cacheScope, 'private');
  assert.ok(first.ttlMs! > 0 && first.ttlMs! <= 30_000, String(first.ttlMs));
  const second = await all();
  assert.ok(second.ttlMs! <= first.ttlMs!);
  assert.equal(asked, calls + 1, 'asked once');
  up.act = () => true; // it never answers
  await anew();
  assert.equal((await all()).ttlMs, 0, 'what stands in is to be asked for again');
});
