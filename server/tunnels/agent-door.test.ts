import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { decode, encode, WINDOW, type Frame, type RequestHead } from '@gatehouse/contract/tunnel/frame.ts';
import { addConnector } from '#connectors/add-connector.ts';
import { editConnector } from '#connectors/edit-connector.ts';
import { listConnectorsThrough } from '#connectors/connector.sql.ts';
import { callBody, raw, saidOf } from '#dev/gateway-house.ts';
import { tunnelHouse, until, type TunnelHouse } from '#dev/tunnel-house.ts';
import { wildUpstream, type WildUpstream } from '#dev/wild-upstream.ts';
import { scopeOf, systemCtx } from '#kernel/ctx.ts';
import { makeEgress } from '#kernel/egress.ts';
import { newId, type Id } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { Problem } from '#kernel/problem.ts';
import { createTunnel } from './create-tunnel.ts';
import { editTunnel } from './edit-tunnel.ts';
import { revokeTunnel } from './revoke-tunnel.ts';
import { rotateSecret } from './rotate-secret.ts';
import { makeTunnels } from './start-tunnels.ts';
import { findTunnel, listAgents } from './tunnel.sql.ts';
import { MAX_AGENTS } from './tunnel.ts';
import { watchTunnels } from './watch-tunnels.ts';

/** Agents in the test's hand, which say what they like; the server is real. */
let h: TunnelHouse;
let up: WildUpstream;
const through = { connectors: listConnectorsThrough };
before(async () => {
  [h, up] = await Promise.all([tunnelHouse(), wildUpstream()]);
});
after(async () => {
  await h[Symbol.asyncDispose]();
  await up[Symbol.asyncDispose]();
});

type Hand = {
  ws: WebSocket;
  got: Frame[];
  closed: { code: number; reason: string } | undefined;
  send(f: Frame): void;
  until(type: Frame['type'], n?: number): Promise<Frame>;
};
function hand(first?: Uint8Array | string, o: { path?: string; headers?: Record<string, string> } = {}): Promise<Hand> {
  const ws = new WebSocket(`${h.g.house.origin.replace('http', 'ws')}${o.path ?? '/tunnel'}`, { headers: o.headers ?? {} }); // prettier-ignore
  const self: Hand = {
    ws,
    got: [],
    closed: undefined,
    send: (f) => ws.send(encode(f)),
    async until(type, n = 1) {
      await until(() => self.got.filter((f) => f.type === type).length >= n || self.closed !== undefined, `a ${type}`);
      const found = self.got.filter((f) => f.type === type)[n - 1];
      assert.ok(found, `closed before a ${type}: ${JSON.stringify(self.closed)}`);
      return found;
    },
  };
  ws.on('message', (data) => void self.got.push(decode(data as Buffer)));
  ws.on('close', (code, reason) => (self.closed = { code, reason: reason.toString() }));
  return new Promise((resolve, reject) => {
    ws.once('error', reject);
    ws.once('open', () => {
      if (first !== undefined) ws.send(first);
      resolve(self);
    });
  });
}
const hello = (secret: string, allow: string[] = ['http://crm.inside'], protocol = 1): Uint8Array =>
  encode({ type: 'hello', hello: { protocol, secret, name: 'hand', version: '1', allow } });
const made = (name: string, destinations = ['http://crm.inside']) => createTunnel(h.g.ctx, { name, destinations });
async function joined(name: string, destinations?: string[], allow?: string[]) {
  const { tunnel, secret } = await made(name, destinations);
  const agent = await hand(hello(secret, allow));
  await agent.until('welcome');
  await h.online(tunnel.id, 1);
  return { tunnel: tunnel.id, secret, agent };
}
/** What egress gives of an address through a tunnel. */
const get = async (tunnel: string, url = 'http://crm.inside/x', init?: RequestInit): Promise<string> => {
  const r = await h.g.house.world.egress.fetch(url, init, { via: tunnel });
  return `${r.status} ${await r.text()}`;
};
const problemOf = async (work: Promise<unknown>): Promise<Problem> => {
  const e: unknown = await work.then(
    (v) => assert.fail(`it went: ${JSON.stringify(v)}`),
    (x: unknown) => x,
  );
  assert.ok(e instanceof Problem, String(e));
  return e;
};
const answer = (a: Hand, stream: number, text: string): void => {
  a.send({ type: 'head', stream, head: { status: 200, headers: [['content-type', 'text/plain']] } });
  a.send({ type: 'data', stream, bytes: Buffer.from(text) });
  a.send({ type: 'end', stream });
};
const opened = async (a: Hand, n = 1): Promise<{ stream: number; head: RequestHead }> => {
  const f = await a.until('open', n);
  assert.ok(f.type === 'open');
  return f;
};

/** The status of a handshake that is refused. */
const refusedHandshake = (path: string, headers: Record<string, string>): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const base = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13' }; // prettier-ignore
    const req = request(new URL(path, h.g.house.origin), { agent: false, headers: { ...base, ...headers } });
    req.on('response', (res) => resolve(res.resume().statusCode));
    req.on('upgrade', (_r, socket) => {
      socket.destroy();
      resolve(101);
    });
    req.on('error', reject).end();
  });

test('no page of a browser, no other host and nothing in the address gets an agent’s connection', async () => {
  assert.equal(await refusedHandshake('/tunnel', {}), 101);
  assert.equal(await refusedHandshake('/tunnel', { origin: h.g.house.origin }), 403);
  assert.equal(await refusedHandshake('/tunnel', { host: 'evil.example' }), 421);
  assert.equal(await refusedHandshake('/tunnel?secret=ght_x', {}), 400);
  assert.equal(await refusedHandshake('/tunnel/node', {}), 400, 'and only nodes call as nodes');
});

const zero = `ght_${'0'.repeat(32)}_${'x'.repeat(43)}`;
test('who does not show a good secret first is told why and let go, and nothing of it is kept', async () => {
  const { tunnel, secret } = await made('strict');
  const wrong = secret.slice(0, -1) + (secret.endsWith('A') ? 'B' : 'A');
  for (const [what, first, code] of [
    ['a wrong secret', hello(wrong), 'secret'],
    ['a secret of no tunnel', hello(zero), 'secret'],
    ['what is no secret', hello('hunter2'), 'secret'],
    ['another version of the protocol', hello(secret, [], 2), 'protocol'],
    ['a ping', encode({ type: 'ping', mark: 1 }), 'order'],
    ['an answer', encode({ type: 'end', stream: 1 }), 'order'],
    ['noise', Buffer.from([9, 9, 9, 9, 9, 9]), 'frame'],
    ['nothing', Buffer.alloc(0), 'frame'],
    ['text', 'hello', 'frame'],
  ] as const) {
    const a = await hand(first);
    const bye = await a.until('bye');
    assert.ok(bye.type === 'bye' && bye.reason.code === code, `${what}: ${JSON.stringify(bye)}`);
    assert.ok(!JSON.stringify(bye).includes(secret.slice(-20)));
    await until(() => a.closed !== undefined, 'it is let go');
  }
  const large = await hand(Buffer.alloc(70_000, 1));
  await until(() => large.closed?.code === 1009, 'a frame that is too long');
  assert.deepEqual(await h.g.house.world.db.read(scopeOf(h.g.ctx), (db) => listAgents(db, [tunnel.id])), []);
});

test('who says more before the welcome is let go', async () => {
  const { secret } = await made('eager');
  const a = await hand(hello(secret));
  a.ws.send(encode({ type: 'end', stream: 1 }));
  await until(() => a.closed !== undefined, 'it is let go');
  assert.ok(a.closed?.reason === 'order');
});

test('a tunnel takes twenty agents and no more', async () => {
  const { tunnel, secret } = await made('crowd');
  const all = await Promise.all(Array.from({ length: MAX_AGENTS }, () => hand(hello(secret))));
  await Promise.all(all.map((a) => a.until('welcome')));
  const more = await hand(hello(secret));
  const bye = await more.until('bye');
  assert.ok(bye.type === 'bye' && bye.reason.code === 'too_many');
  for (const a of all) a.ws.terminate();
  await h.online(tunnel.id, 0);
});

test('requests go to the agent as they are, and its answer comes back to the one who asked', async () => {
  const { tunnel, agent } = await joined('plain');
  const two = [
    get(tunnel, 'http://crm.inside/a?b=1', { method: 'POST', body: 'ask', headers: { 'x-mine': '1' } }),
    get(tunnel),
  ];
  const [first, second] = [await opened(agent, 1), await opened(agent, 2)];
  const post = first.head.method === 'POST' ? first : second;
  assert.equal(post.head.url, 'http://crm.inside/a?b=1');
  assert.ok(post.head.headers.some(([k, v]) => k === 'x-mine' && v === '1'));
  assert.ok(post.head.headers.some(([k, v]) => k === 'content-length' && v === '3'));
  const body = await agent.until('data');
  assert.ok(body.type === 'data' && Buffer.from(body.bytes).toString() === 'ask');
  for (const f of [second, first]) answer(agent, f.stream, f === post ? 'posted' : 'got');
  assert.deepEqual(await Promise.all(two), ['200 posted', '200 got']);
  agent.ws.terminate();
});

test('an agent that breaks the protocol loses its connection and its own requests; other agents’ requests go on', async () => {
  const { tunnel, agent } = await joined('breaks');
  const other = await joined('is well');
  const mine = get(tunnel).catch((e: unknown) => e);
  const theirs = get(other.tunnel);
  const a = await opened(agent);
  const b = await opened(other.agent);
  // Neither another's stream number nor one that was never opened reaches anybody.
  agent.send({ type: 'head', stream: a.stream + b.stream + 5, head: { status: 200, headers: [] } });
  const bye = await agent.until('bye');
  assert.ok(bye.type === 'bye' && bye.reason.code === 'order');
  const e = await mine;
  assert.ok(e instanceof Problem && e.code === 'tunnels/agent-gone', String(e));
  answer(other.agent, b.stream, 'well');
  assert.equal(await theirs, '200 well');
  other.agent.ws.terminate();
});

test('an agent that sends more than it was given credit for is let go', async () => {
  const { tunnel, agent } = await joined('floods');
  const r = h.g.house.world.egress.dispatcher({ via: tunnel }).request({ origin: 'http://crm.inside', path: '/', method: 'GET' }); // prettier-ignore
  const { stream } = await opened(agent);
  agent.send({ type: 'head', stream, head: { status: 200, headers: [] } });
  const { body } = await r;
  body.on('error', () => undefined);
  for (let sent = 0; sent <= 4 * WINDOW; sent += 16_384) agent.send({ type: 'data', stream, bytes: Buffer.alloc(16_384) }); // prettier-ignore
  const bye = await agent.until('bye');
  assert.ok(bye.type === 'bye' && bye.reason.code === 'credit', JSON.stringify(bye));
});

test('what is no destination is not asked for, and what no agent allows neither; each is told by name', async () => {
  const { tunnel, agent } = await joined(
    'lists',
    ['http://crm.inside/mcp', 'http://erp.inside'],
    ['http://crm.inside'],
  );
  const no = async (url: string): Promise<string> => (await problemOf(get(tunnel, url))).code;
  assert.equal(await no('http://crm.inside/admin'), 'tunnels/not-a-destination');
  assert.equal(await no('http://crm.inside/mcp/..%2fadmin'), 'tunnels/not-a-destination');
  assert.equal(await no('http://169.254.169.254/'), 'tunnels/not-a-destination');
  const p = await problemOf(get(tunnel, 'http://erp.inside/x'));
  assert.equal(p.code, 'tunnels/not-allowed-there');
  assert.match(p.says, /no connected agent of the tunnel “lists” was started with --allow http:\/\/erp\.inside/);
  await editTunnel(h.g.ctx, tunnel, { destinations: ['http://erp.inside'] }, through);
  assert.equal(await no('http://crm.inside/mcp'), 'tunnels/not-a-destination', 'a change binds at once');
  assert.equal(agent.got.filter((f) => f.type === 'open').length, 0);
  agent.ws.terminate();
  await h.online(tunnel, 0);
  assert.equal(await no('http://erp.inside/x'), 'tunnels/offline');
});

for (const [code, as] of [
  ['not_allowed', 'tunnels/agent-refused'],
  ['address', 'tunnels/agent-refused'],
  ['unreachable', 'tunnels/unreachable'],
  ['timeout', 'tunnels/unreachable'],
  ['broken', 'tunnels/broken-answer'],
  ['malformed', 'tunnels/broken-answer'],
  ['too_large', 'tunnels/broken-answer'],
  ['whatever', 'tunnels/agent-gone'],
  ['node_without_agent', 'tunnels/agent-gone'],
] as const)
  test(`an agent that gives a request up as ${code} makes it ${as}, and the request goes nowhere else`, async () => {
    const { tunnel, secret, agent } = await joined(`resets ${code}`);
    const second = await hand(hello(secret));
    await second.until('welcome');
    const asked = problemOf(get(tunnel));
    await until(() => [agent, second].some((a) => a.got.some((f) => f.type === 'open')), 'one is asked');
    const one = [agent, second].find((a) => a.got.some((f) => f.type === 'open'))!;
    const { stream } = await opened(one);
    one.send({ type: 'reset', stream, reason: { code, says: 'because' } });
    const p = await asked;
    assert.equal(p.code, as);
    assert.match(p.says, new RegExp(`“resets ${code}”`));
    assert.equal([agent, second].flatMap((a) => a.got).filter((f) => f.type === 'open').length, 1);
    agent.ws.terminate();
    second.ws.terminate();
  });

test('an agent that leaves is asked nothing new, and what is under way ends', async () => {
  const { tunnel, agent } = await joined('leaves');
  const under = get(tunnel);
  const { stream } = await opened(agent);
  agent.send({ type: 'bye', reason: { code: 'leaving', says: 'the agent stops' } });
  await until(async () => (await problemOf(get(tunnel).catch((e: unknown) => Promise.reject(e instanceof Error ? e : new Error('x'))))).code === 'tunnels/busy', 'nothing new is asked'); // prettier-ignore
  answer(agent, stream, 'ended');
  assert.equal(await under, '200 ended');
  agent.ws.terminate();
});

test('what cannot be said in a frame, and what is too large, is refused before anything of it is sent', async () => {
  const { tunnel, agent } = await joined('sizes');
  const headers = Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`x-${i}`, 'y'.repeat(15_000)]));
  assert.equal((await problemOf(get(tunnel, 'http://crm.inside/', { headers }))).code, 'tunnels/not-to-be-sent');
  const body = new ReadableStream({ pull: (c) => c.enqueue(Buffer.alloc(1_000_000)) });
  const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
  assert.equal((await problemOf(get(tunnel, 'http://crm.inside/', init))).code, 'tunnels/too-large');
  assert.equal(agent.got.filter((f) => f.type === 'open').length, 0);
  agent.ws.terminate();
});

test('a caller that gives up, or throws, resets its own stream at the agent', async () => {
  const { tunnel, agent } = await joined('gives up');
  const gone = new AbortController();
  const asked = get(tunnel, 'http://crm.inside/', { signal: gone.signal }).catch(() => 'gone');
  const { stream } = await opened(agent);
  gone.abort();
  const reset = await agent.until('reset');
  assert.ok(reset.type === 'reset' && reset.stream === stream);
  assert.equal(await asked, 'gone');
  const small = h.g.house.world.egress.fetch('http://crm.inside/', {}, { via: tunnel, maxBytes: 10 });
  const second = await opened(agent, 2);
  answer(agent, second.stream, 'more than ten bytes');
  assert.equal((await problemOf(small.then((r) => r.text()))).code, 'egress/too-large', 'answers are bounded');
  agent.ws.terminate();
});

test('a secret whose time is over ends the connection of who came with it, and lets nobody in', async () => {
  const { tunnel, secret, agent } = await joined('over');
  await rotateSecret(h.g.ctx, tunnel, 1500);
  const bye = await agent.until('bye');
  assert.ok(bye.type === 'bye' && bye.reason.code === 'secret');
  const again = await hand(hello(secret));
  const no = await again.until('bye');
  assert.ok(no.type === 'bye' && no.reason.code === 'secret');
});

test('a revoked tunnel ends its agents, and their secret says so to whoever has it', async () => {
  const { tunnel, secret, agent } = await joined('revoked');
  await revokeTunnel(h.g.ctx, tunnel);
  const bye = await agent.until('bye');
  assert.ok(bye.type === 'bye' && bye.reason.code === 'revoked');
  const again = await hand(hello(secret));
  const no = await again.until('bye');
  assert.ok(no.type === 'bye' && no.reason.code === 'revoked');
  assert.equal((await problemOf(get(tunnel))).code, 'tunnels/revoked');
});

test('a connector names a tunnel of its own organization that leads to it, or none', async () => {
  const { tunnel } = await made('leads', ['http://crm.inside:8080/mcp']);
  const org = await h.g.house.addOrg('Other');
  const other = { ...systemCtx(h.g.house.world, 'test', { parent: h.g.house.parent, org }), org };
  const add = (o: object, ctx = h.g.ctx): Promise<Problem> =>
    problemOf(addConnector(ctx, { slug: 'x', name: 'x', url: 'http://crm.inside:8080/mcp', tunnel: tunnel.id, ...o }));
  assert.equal((await add({}, other)).code, 'tunnels/no-tunnel', 'another organization’s is not there');
  assert.equal((await add({ tunnel: newId('tun') })).code, 'tunnels/no-tunnel');
  assert.equal((await add({ url: 'http://crm.inside:8080/admin' })).code, 'tunnels/not-a-destination');
  assert.equal((await add({ allowPrivate: true })).code, 'connectors/two-ways');
  const offline = await add({});
  assert.equal(offline.code, 'connectors/unreachable');
  assert.match(offline.says, /no agent of the tunnel “leads” is connected/);
  await revokeTunnel(h.g.ctx, tunnel.id);
  assert.equal((await add({})).code, 'tunnels/revoked');
});

test('a connector moves from one tunnel to another, and from none to none', async () => {
  const url = new URL(up.url);
  const start = async (name: string): Promise<Id<'tun'>> => {
    const { tunnel, secretFile } = await h.make(name, [url.origin]);
    await h.agent({ secretFile, allow: [url.origin] });
    await h.online(tunnel.id, 1);
    return tunnel.id;
  };
  const [first, second] = [await start('first'), await start('second')];
  const con = await h.connect('moves', up.url, first);
  const token = await h.g.token();
  const call = async (): Promise<string> =>
    saidOf(await raw(h.g, { token, path: '/mcp/moves', body: callBody('look') }));
  assert.equal(await call(), 'did look');
  await revokeTunnel(h.g.ctx, first);
  await until(async () => /the tunnel “first” was revoked/.test(await call()), 'it is cut off');
  await editConnector(h.g.ctx, con, { tunnel: second });
  await until(async () => (await call()) === 'did look', 'it is reached again');
  const direct = await h.g.connect('direct', up.url);
  assert.equal((await problemOf(editConnector(h.g.ctx, direct, { tunnel: second }))).code, 'connectors/no-tunnel');
});

test('a process that has no way into the network says so', async () => {
  const { tunnel } = await made('no way');
  const plain = makeEgress({ log: silentLog });
  assert.equal((await problemOf(plain.fetch('http://crm.inside/', {}, { via: tunnel.id }))).code, 'egress/no-way');
  await plain.close();
  const early = makeEgress({ log: silentLog, ways: makeTunnels().way });
  assert.equal(
    (await problemOf(early.fetch('http://crm.inside/', {}, { via: tunnel.id }))).code,
    'tunnels/not-started',
  );
  await early.close();
});

test('the log and administrators are told once that a tunnel with connectors lost its last agent, and once that one is back', async () => {
  const { world, parent, org } = h.g.house;
  const { tunnel, secret, agent } = await joined('told', [new URL(up.url).origin], [new URL(up.url).origin]);
  const watch = () => watchTunnels(world, through, { parent, org });
  const told = async (): Promise<string[]> =>
    (await h.g.events()).filter((e) => e.data['tunnel'] === tunnel && /online|offline/.test(e.type)).map((e) => e.type);
  const mails = () =>
    h.g.house.t.super<{ kind: string }>(`select kind from message where data->>'tunnel' = $1`, tunnel);
  await watch();
  await watch();
  assert.deepEqual(await told(), ['tunnel.online']);
  await h.g.house.t.super(
    `insert into connector (org, id, type, mode, act_as, access, settings, origins, origins_private, slug, name, url, tunnel, bearer_generation, state, created_at)
     values ($1, $2, 'mcp', 'remote', 'none', 'read_write', '{}', '{}', false, 'told', 'told', $3, $4, 0, 'on', now())`,
    org,
    newId('con'),
    up.url,
    tunnel,
  );
  agent.ws.terminate();
  await h.online(tunnel, 0);
  await watch();
  assert.deepEqual(await told(), ['tunnel.online'], 'who comes back within half a minute was never away');
  h.g.house.advance(31_000);
  await watch();
  await watch();
  assert.deepEqual(await told(), ['tunnel.online', 'tunnel.offline']);
  assert.deepEqual((await mails()).map((m) => m.kind), ['tunnel_offline']); // prettier-ignore
  const back = await hand(hello(secret));
  await back.until('welcome');
  await watch();
  assert.deepEqual(await told(), ['tunnel.online', 'tunnel.offline', 'tunnel.online']);
  back.ws.terminate();
});

test('agents of a node that died are taken away, and no request waits for them', async () => {
  const { world, parent, org } = h.g.house;
  const { tunnel } = await made('left over');
  await h.g.house.t.super(
    `insert into gateway_node (id, started_at, lease_until, address) values ('nod_dead', now(), now() - interval '1 minute', 'http://127.0.0.1:1')`,
  );
  await h.g.house.t.super(
    `insert into tunnel_agent (org, id, tunnel, node, name, version, address, allow, generation, joined_at) values ($1, $2, $3, 'nod_dead', 'x', '1', '', '{http://crm.inside}', 1, now())`,
    org,
    newId('tag'),
    tunnel.id,
  );
  assert.equal((await problemOf(get(tunnel.id))).code, 'tunnels/offline');
  await watchTunnels(world, through, { parent, org });
  assert.deepEqual(await h.g.house.t.super('select id from tunnel_agent where tunnel = $1', tunnel.id), []);
  const left = (await h.g.events('tunnel.agent_left')).find((e) => e.data['tunnel'] === tunnel.id);
  assert.equal(left?.data['why'], 'node_gone');
  assert.ok((await world.db.read({ org }, (db) => findTunnel(db, tunnel.id)))?.lastSeen);
});

test('an agent of a node that cannot be reached is left for one of a node that can', async () => {
  const { tunnel, secret } = await made('two ways');
  await h.g.house.t.super(
    `insert into gateway_node (id, started_at, lease_until, address) values ('nod_gone', now(), now() + interval '1 hour', 'http://127.0.0.1:1')`,
  );
  await h.g.house.t.super(
    `insert into tunnel_agent (org, id, tunnel, node, name, version, address, allow, generation, joined_at) values ($1, $2, $3, 'nod_gone', 'x', '1', '', '{http://crm.inside}', 1, now())`,
    h.g.house.org,
    newId('tag'),
    tunnel.id,
  );
  assert.equal((await problemOf(get(tunnel.id))).code, 'tunnels/busy', 'alone it is nobody');
  const agent = await hand(hello(secret));
  await agent.until('welcome');
  const asked = get(tunnel.id);
  answer(agent, (await opened(agent)).stream, 'here');
  assert.equal(await asked, '200 here');
  agent.ws.terminate();
});
