import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, before, test } from 'node:test';
import { Client as NewClient, StreamableHTTPClientTransport as NewTransport } from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { callBody, raw, saidOf, type RawAnswer } from '#dev/gateway-house.ts';
import { oneEra } from '#dev/one-era.ts';
import { sseServer, type SseServer } from '#dev/sse-server.ts';
import { startStandIn, type StandIn } from '#dev/stand-in.ts';
import { tunnelHouse, until, type AgentProcess, type TunnelHouse } from '#dev/tunnel-house.ts';
import { wildUpstream, type WildUpstream } from '#dev/wild-upstream.ts';
import type { Id } from '#kernel/id.ts';

/** A real agent in a process of its own, and behind it MCP servers by names that nothing but the agent resolves. */
let h: TunnelHouse;
let up: WildUpstream;
let sse: SseServer;
let everything: StandIn<{ url: string; mcp: string }>;
let agent: AgentProcess;
let tunnel: Id<'tun'>;
let token: string;
const inside = (url: string, host: string): string => url.replace(/127\.0\.0\.1|localhost/, host);

before(async () => {
  [h, up, sse, everything] = await Promise.all([
    tunnelHouse(),
    wildUpstream(),
    sseServer(),
    startStandIn<{ url: string; mcp: string }>('everything.ts'),
  ]);
  const destinations = [
    inside(up.url, 'crm.inside'),
    // It refuses names that are not this machine's.
    new URL(everything.ready.mcp).origin,
    inside(new URL(sse.url).origin, 'sse.inside'),
  ];
  const made = await h.make('plant', destinations);
  tunnel = made.tunnel.id;
  agent = await h.agent({
    secretFile: made.secretFile,
    allow: destinations,
    names: { 'crm.inside': '127.0.0.1', 'sse.inside': '127.0.0.1' },
  });
  await agent.said(/connected to the tunnel “plant”/);
  await h.online(tunnel, 1);
  await h.connect('up', inside(up.url, 'crm.inside'), tunnel, 'the-connectors-own-token');
  await h.connect('everything', everything.ready.mcp, tunnel);
  token = await h.g.token();
});
after(async () => {
  await h[Symbol.asyncDispose]();
  await everything.stop();
  await sse[Symbol.asyncDispose]();
  await up[Symbol.asyncDispose]();
});

const call = (body: string, path = '/mcp/up'): Promise<RawAnswer> => raw(h.g, { token, path, body });

test('a call goes through the tunnel to a name that only the agent resolves, with the connector’s own credential', async () => {
  up.seen.length = 0;
  const a = await call(callBody('look', { a: 'ünï' }));
  assert.equal(saidOf(a), 'did look', a.text);
  const [seen] = up.seen.filter((s) => s.message.method === 'tools/call');
  assert.equal(seen?.headers.authorization, 'Bearer the-connectors-own-token');
  assert.equal(seen?.headers.host, new URL(inside(up.url, 'crm.inside')).host);
  assert.deepEqual(seen?.message.params?.['arguments'], { a: 'ünï' });
});

test('clients of both revisions list and call an unmodified server behind the tunnel', async () => {
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  const url = new URL(`${h.g.house.origin}/mcp/everything`);
  const old = new OldClient({ name: 'test', version: '1' });
  await old.connect(new OldTransport(url, { requestInit }));
  const modern = new NewClient({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await modern.connect(new NewTransport(url, { requestInit }));
  for (const c of [old, modern]) {
    assert.ok((await c.listTools()).tools.length > 5);
    const r = await c.callTool({ name: 'test_simple_text', arguments: {} });
    assert.match(JSON.stringify(r['content']), /simple text/);
    await c.close();
  }
});

for (const era of ['older', 'modern'] as const)
  test(`a server of the ${era} revision only is used through the tunnel by clients of either`, async () => {
    await using stack = new AsyncDisposableStack();
    const server = stack.adopt(await oneEra(everything.ready.mcp, era), (s) => s.close());
    const { tunnel: t, secretFile } = await h.make(`era ${era}`, [new URL(server.url).origin]);
    const second = await h.agent({ secretFile, allow: [new URL(server.url).origin] });
    stack.defer(() => second.kill());
    await h.online(t.id, 1);
    await h.connect(`era-${era}`, server.url, t.id);
    for (const mode of ['legacy', 'auto'] as const) {
      const c = new NewClient({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
      await c.connect(
        new NewTransport(new URL(`${h.g.house.origin}/mcp/era-${era}`), {
          requestInit: { headers: { authorization: `Bearer ${token}` } },
        }),
      );
      const r = await c.callTool({ name: 'test_simple_text', arguments: {} });
      assert.match(JSON.stringify(r['content']), /simple text/, mode);
      await c.close();
    }
  });

test('a server of the HTTP+SSE transport is found and called through the tunnel', async () => {
  await h.connect('sse', inside(sse.url, 'sse.inside'), tunnel);
  const a = await call(callBody('look', { x: 1 }), '/mcp/sse');
  assert.equal(a.status, 200, a.text);
  assert.ok('result' in a.json, a.text);
});

test('an event of a stream arrives while the stream goes on', async () => {
  let held: ServerResponse | undefined;
  up.act = (m, res) => {
    if (m.method !== 'tools/call') return false;
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"first"}}\n\n');
    held = res;
    return true;
  };
  try {
    const res = await fetch(`${h.g.house.origin}/mcp/up`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: callBody('look', {}, 7),
    });
    const reader = res.body!.getReader();
    let text = '';
    while (!text.includes('first')) text += new TextDecoder().decode((await reader.read()).value);
    assert.ok(!text.includes('result'), 'its end is not there yet');
    held!.end('data: {"jsonrpc":"2.0","id":7,"result":{"content":[]}}\n\n');
    for (let r = await reader.read(); !r.done; r = await reader.read()) text += new TextDecoder().decode(r.value);
    assert.ok(text.includes('"id":7'));
  } finally {
    up.act = undefined;
  }
});

test('a client that leaves ends the request inside the network', async () => {
  let left = false;
  up.act = (m, res) => {
    if (m.method !== 'tools/call') return false;
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(': begun\n\n');
    res.once('close', () => (left = true));
    return true;
  };
  try {
    const gone = new AbortController();
    const asked = fetch(`${h.g.house.origin}/mcp/up`, {
      method: 'POST',
      signal: gone.signal,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: callBody('look', {}, 8),
    });
    asked.catch(() => undefined);
    await until(() => up.seen.some((s) => s.message.id === 8), 'the call is inside');
    gone.abort();
    await until(() => left, 'the server inside sees that nobody waits');
  } finally {
    up.act = undefined;
  }
});

test('four megabytes go in and sixteen come out, byte for byte', async () => {
  const text = 'ä'.repeat(1_000_000);
  up.act = (m, res) => {
    if (m.method !== 'tools/call') return false;
    const got = JSON.stringify(m.params?.['arguments']).length;
    const result = { content: [{ type: 'text', text: `${got} ${'ß'.repeat(5_000_000)}` }] };
    res
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', id: m.id, result }));
    return true;
  };
  try {
    const a = await call(callBody('look', { text }));
    const said = saidOf(a);
    assert.equal(said, `${JSON.stringify({ text }).length} ${'ß'.repeat(5_000_000)}`, a.text.slice(0, 300));
  } finally {
    up.act = undefined;
  }
});

test('a redirect is not followed by the agent either', async () => {
  let elsewhere = 0;
  const other = await wildUpstream();
  other.act = () => {
    elsewhere++;
    return false;
  };
  up.act = (m, res) => {
    if (m.method !== 'tools/call') return false;
    res.writeHead(307, { location: other.url }).end();
    return true;
  };
  try {
    const a = await call(callBody('look'));
    assert.match(saidOf(a), /redirect, which is not followed/, a.text);
    assert.equal(elsewhere, 0);
  } finally {
    up.act = undefined;
    await other[Symbol.asyncDispose]();
  }
});
