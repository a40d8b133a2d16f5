import assert from 'node:assert/strict';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { gatewayHouse, raw, saidOf, type GatewayHouse, type RawAnswer } from '#dev/gateway-house.ts';
import { sseServer, type SseServer, type SseSession } from '#dev/sse-server.ts';
import { testWorld } from '#dev/test-world.ts';
import type { World } from '#kernel/ctx.ts';
import { connect, type Db } from '#kernel/db.ts';
import { silentLog } from '#kernel/log.ts';
import { startGateway, type Gateway } from '../start-gateway.ts';

/** Clients of both revisions before a server that speaks only the transport of 2024-11-05, on two nodes that take turns. */
let g: GatewayHouse;
let up: SseServer;
let db: Db;
let world: World;
let other: Gateway;
let front: Server;
let turn = 0;
const asked: string[] = [];

before(async () => {
  [g, up] = await Promise.all([gatewayHouse(), sseServer()]);
  await g.connect('up', up.url, { bearer: 'the-bearer' });
  db = connect({ url: g.house.t.url, role: 'gatehouse_app', log: silentLog });
  world = await testWorld(db, { origin: g.house.origin });
  other = await startGateway(world);
  const { host } = new URL(g.house.origin);
  front = createServer((req, res) => {
    req.headers.host = host;
    (turn++ % 2 === 0 ? g.gateway : other).handle(req, res);
  });
  await new Promise<void>((done) => front.listen(0, '127.0.0.1', done));
});
after(async () => {
  front.closeAllConnections();
  front.close();
  await other.stop();
  await world.egress.close();
  await db.end();
  await up[Symbol.asyncDispose]();
  await g[Symbol.asyncDispose]();
});
afterEach(() => {
  up.opens = undefined;
  up.takes = undefined;
});

type Mode = 'legacy' | { pin: '2026-07-28' };
async function client(mode: Mode, path = '/mcp/up'): Promise<Client> {
  const c = new Client(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode }, capabilities: { elicitation: {} } },
  );
  c.setRequestHandler('elicitation/create', (q) => {
    asked.push('message' in q.params ? q.params.message : '');
    return { action: 'accept', content: { name: 'Ada' } };
  });
  const { port } = front.address() as AddressInfo;
  await c.connect(
    new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}${path}`), {
      requestInit: { headers: { authorization: `Bearer ${await g.token()}` } },
    }),
  );
  return c;
}
const textOf = (r: unknown): string => JSON.stringify((r as { content: unknown }).content);
async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 600 && !holds(); i++) await new Promise((next) => setTimeout(next, 50));
  assert.ok(holds());
}
const callsOf = (s: SseSession): number => s.got.filter((m) => m.method === 'tools/call').length;

for (const mode of ['legacy', { pin: '2026-07-28' }] satisfies Mode[]) {
  const who = `a client of ${mode === 'legacy' ? '2025-11-25' : mode.pin} before a server of the HTTP+SSE transport`;
  for (const [path, name] of [
    ['/mcp/up', ''],
    ['/mcp', 'up__'],
  ] as const) {
    test(`${who} lists, calls, hears of progress and is asked at ${path}`, async () => {
      const c = await client(mode, path);
      const { tools } = await c.listTools();
      assert.deepEqual(
        tools.map((t) => t.name).sort(),
        ['ask', 'look', 'slow'].map((t) => name + t),
      );
      assert.match(textOf(await c.callTool({ name: `${name}look`, arguments: { at: 'it' } })), /looked at .*it/);
      const heard: number[] = [];
      const slow = { name: `${name}slow`, arguments: {} };
      await c.callTool(slow, { onprogress: (p) => void heard.push(p.progress) });
      assert.deepEqual(heard, [1, 2]);
      asked.length = 0;
      assert.match(textOf(await c.callTool({ name: `${name}ask`, arguments: {} })), /for Ada/);
      assert.deepEqual(asked, ['Who is it for?']);
      await c.close();
    });
  }
}

test('every request has a stream of its own, each call was sent once, and no stream stays', async () => {
  await until(() => up.open.size === 0);
  assert.ok(up.sessions.every((s) => callsOf(s) <= 1));
  assert.ok(up.sessions.filter((s) => callsOf(s) === 1).length >= 12);
  assert.ok(up.bearers.every((b) => b === 'Bearer the-bearer'));
});

let modernId = 0;
const modern = async (name: string, path = '/mcp/up'): Promise<RawAnswer> =>
  raw(g, {
    path,
    token: await g.token(),
    headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: ++modernId,
      method: 'tools/call',
      params: {
        name,
        arguments: {},
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientCapabilities': {},
          'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
        },
      },
    }),
  });
const opened = (said: string): void => {
  up.opens = (res: ServerResponse) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    return res.write(said) !== undefined;
  };
};
test('a client that leaves during a call has it cancelled on its stream, which is then closed', async () => {
  const c = await client({ pin: '2026-07-28' });
  let held: SseSession | undefined;
  up.takes = (m, s) => m.method === 'tools/call' && ((held = s), true);
  const leave = new AbortController();
  const left = c.callTool({ name: 'look', arguments: {} }, { signal: leave.signal }).catch(() => 'left');
  await until(() => held !== undefined);
  leave.abort();
  assert.equal(await left, 'left');
  await until(() => held!.got.some((m) => m.method === 'notifications/cancelled') && !up.open.has(held!));
  assert.equal(callsOf(held!), 1);
  await c.close();
});

test('a server that wants messages posted elsewhere gets none, and no credential of ours', async () => {
  let elsewhere = 0;
  const trap = createServer((_req, res) => (elsewhere++, void res.writeHead(202).end()));
  await new Promise<void>((done) => trap.listen(0, '127.0.0.1', done));
  opened(`event: endpoint\ndata: http://127.0.0.1:${(trap.address() as AddressInfo).port}/messages\n\n`);
  assert.match(saidOf(await modern('look')), /posted outside/);
  assert.equal(elsewhere, 0);
  trap.close();
});

test('a stream that never says where messages are posted ends the call', async () => {
  opened(': wait\n\n');
  assert.match(saidOf(await modern('look')), /where messages are posted/);
});

test('a stream that floods before it says where messages are posted ends the call', async () => {
  opened(`: ${'x'.repeat(200_000)}\n\n`);
  assert.match(saidOf(await modern('look')), /longer than is read/);
});

test('a server that names a second address for messages is not followed there', async () => {
  up.takes = (m, s) => m.method === 'tools/call' && s.stream.write('event: endpoint\ndata: /other\n\n') !== undefined;
  assert.match(saidOf(await modern('look')), /second address/);
});

test('an answer to what was not asked ends the call', async () => {
  up.takes = (m, s) => m.method === 'tools/call' && (up.send(s, { id: 'another', result: {} }), true);
  assert.match(saidOf(await modern('look')), /not asked here/);
});

test('a server that asks and asks in one call is not heard on', async () => {
  up.takes = (m, s) => {
    if (m.method !== 'tools/call') return false;
    for (let i = 0; i < 200; i++) up.send(s, { id: `q${i}`, method: 'ping' });
    return true;
  };
  assert.match(saidOf(await modern('look')), /asks too much/);
});

test('a stream that ends before its answer ends the call, which is not sent again', async () => {
  let calls = 0;
  up.takes = (m, s) => m.method === 'tools/call' && (calls++, s.stream.end(), true);
  assert.match(saidOf(await modern('look')), /without an answer/);
  assert.equal(calls, 1);
});

test('a server that gives the transport up is asked anew what it speaks, and found again when it comes back', async () => {
  up.opens = (res) => (res.writeHead(404).end(), true);
  assert.match(saidOf(await modern('look')), /opens no stream any more/);
  up.opens = undefined;
  await until(() => up.open.size === 0);
  assert.match(saidOf(await modern('look')), /looked at/);
});
