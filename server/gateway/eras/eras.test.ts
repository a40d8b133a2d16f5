import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { gatewayHouse, type GatewayHouse } from '#dev/gateway-house.ts';
import { oneEra, type OneEra } from '#dev/one-era.ts';
import { startStandIn, type StandIn } from '#dev/stand-in.ts';
import { testWorld } from '#dev/test-world.ts';
import { connect, type Db } from '#kernel/db.ts';
import { silentLog } from '#kernel/log.ts';
import type { World } from '#kernel/ctx.ts';
import { startGateway, type Gateway } from '../start-gateway.ts';

/** Clients of both revisions before servers that speak one of them, on two nodes that take turns. */
let g: GatewayHouse;
let everything: StandIn<{ url: string; mcp: string }>;
let older: OneEra;
let modern: OneEra;
let db: Db;
let world: World;
let other: Gateway;
let front: Server;
let turn = 0;
const answeredBy = new Set<string>();

before(async () => {
  [g, everything] = await Promise.all([gatewayHouse(), startStandIn<{ url: string; mcp: string }>('everything.ts')]);
  [older, modern] = await Promise.all([oneEra(everything.ready.mcp, 'older'), oneEra(everything.ready.mcp, 'modern')]);
  await g.connect('older', older.url);
  await g.connect('modern', modern.url);
  db = connect({ url: g.house.t.url, role: 'gatehouse_app', log: silentLog });
  world = await testWorld(db, { origin: g.house.origin });
  other = await startGateway(world);
  const { host } = new URL(g.house.origin);
  front = createServer((req, res) => {
    req.headers.host = host;
    const node = turn++ % 2 === 0 ? g.gateway : other;
    answeredBy.add(node === other ? 'other' : 'first');
    node.handle(req, res);
  });
  await new Promise<void>((done) => front.listen(0, '127.0.0.1', done));
});
after(async () => {
  front.closeAllConnections();
  front.close();
  older.close();
  modern.close();
  await other.stop();
  await world.egress.close();
  await db.end();
  await everything.stop();
  await g[Symbol.asyncDispose]();
});

type Mode = 'legacy' | { pin: '2026-07-28' };
const asked: string[] = [];
async function client(slug: string, mode: Mode): Promise<Client> {
  const token = await g.token();
  const c = new Client(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode }, capabilities: { elicitation: {}, sampling: {}, roots: {} } },
  );
  c.setRequestHandler('elicitation/create', (q) => {
    asked.push(`elicit ${'message' in q.params ? q.params.message : ''}`);
    return {
      action: 'accept',
      content: { username: 'ada', email: 'ada@acme.example', name: 'Ada', ok: true, color: 'green' },
    };
  });
  c.setRequestHandler('sampling/createMessage', () => {
    asked.push('sample');
    return { role: 'assistant', model: 'm', content: { type: 'text', text: 'Paris' } };
  });
  c.setRequestHandler('roots/list', () => {
    asked.push('roots');
    return { roots: [{ uri: 'file:///home/ada' }] };
  });
  const { port } = front.address() as AddressInfo;
  await c.connect(
    new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp/${slug}`), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    }),
  );
  return c;
}
const textOf = (r: unknown): string => JSON.stringify((r as { content: unknown }).content);

const pairs: { slug: 'older' | 'modern'; mode: Mode; says: string }[] = [
  { slug: 'older', mode: { pin: '2026-07-28' }, says: 'a client of 2026-07-28 before a server of 2025-11-25' },
  { slug: 'modern', mode: 'legacy', says: 'a client of 2025-11-25 before a server of 2026-07-28' },
  { slug: 'older', mode: 'legacy', says: 'a client of 2025-11-25 before a server of 2025-11-25' },
  { slug: 'modern', mode: { pin: '2026-07-28' }, says: 'a client of 2026-07-28 before a server of 2026-07-28' },
];

for (const { slug, mode, says } of pairs) {
  test(`${says} lists, calls, reads, fetches prompts and completes`, async () => {
    const c = await client(slug, mode);
    const { tools } = await c.listTools();
    assert.ok(tools.some((t) => t.name === 'test_simple_text'));
    assert.match(textOf(await c.callTool({ name: 'test_simple_text', arguments: {} })), /text/);
    const { resources } = await c.listResources();
    assert.ok(resources.length > 0);
    const read = await c.readResource({ uri: resources[0]!.uri });
    assert.equal(read.contents.length, 1);
    const { prompts } = await c.listPrompts();
    assert.ok(prompts.some((p) => p.name === 'test_simple_prompt'));
    assert.ok((await c.getPrompt({ name: 'test_simple_prompt' })).messages.length > 0);
    await c.close();
  });
  test(`${says} hears of progress while a call runs`, async () => {
    const c = await client(slug, mode);
    const heard: number[] = [];
    await c.callTool(
      { name: 'test_tool_with_progress', arguments: {} },
      { onprogress: (p) => void heard.push(p.progress) },
    );
    assert.ok(heard.length > 0);
    await c.close();
  });
}

test('what an older server asks in a call is asked of a client of the stateless revision, wherever the client comes next', async () => {
  const c = await client('older', { pin: '2026-07-28' });
  asked.length = 0;
  const said = textOf(await c.callTool({ name: 'test_elicitation', arguments: { message: 'Who are you?' } }));
  assert.match(said, /action=accept.*ada@acme\.example/);
  assert.match(textOf(await c.callTool({ name: 'test_sampling', arguments: { prompt: 'Capital?' } })), /Paris/);
  assert.deepEqual(asked, ['elicit Who are you?', 'sample']);
  await c.close();
});

test('what a server of the stateless revision asks is asked of an older client on the stream of its call, once per round', async () => {
  const c = await client('modern', 'legacy');
  asked.length = 0;
  const prefix = 'test_input_required_result_';
  assert.match(textOf(await c.callTool({ name: `${prefix}elicitation`, arguments: {} })), /Hello, Ada!/);
  assert.match(textOf(await c.callTool({ name: `${prefix}multiple_inputs`, arguments: {} })), /all three came/);
  assert.match(textOf(await c.callTool({ name: `${prefix}multi_round`, arguments: {} })), /both answers came/);
  assert.match(textOf(await c.callTool({ name: `${prefix}tampered_state`, arguments: {} })), /untouched/);
  assert.equal(asked.filter((a) => a.startsWith('elicit')).length, 5);
  await c.close();
});

test('both nodes took part', () => {
  assert.deepEqual([...answeredBy].sort(), ['first', 'other']);
});
