import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, before, test } from 'node:test';
import { Client as NewClient, StreamableHTTPClientTransport as NewTransport } from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { callBody, codeOf, gatewayHouse, raw, saidOf, type GatewayHouse, type RawAnswer } from '#dev/gateway-house.ts';
import { manyNodes, noHaproxy, type GatewayNode, type ManyNodes } from '#dev/many-nodes.ts';
import { startStandIn, type StandIn } from '#dev/stand-in.ts';
import { wildUpstream, type WildUpstream } from '#dev/wild-upstream.ts';
import { reviewTools } from '#connectors/review-tools.ts';
import { findTool } from '#connectors/tool.sql.ts';
import { scopeOf } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { setUserState } from '#org/set-user-state.ts';
import { argsHasher } from './args-hash.ts';
import { closeLostCallsJob } from './close-lost-calls.job.ts';

/** Which nodes answered a client. */
const served = new Set<string>();
const counting: typeof fetch = async (...args) => {
  const res = await fetch(...args);
  served.add(String(res.headers.get('x-served-by')));
  return res;
};

/** Processes over one database behind HAProxy, round robin: what any of them knows is in the database or in what the client brings. */
const skip = noHaproxy;
let g: GatewayHouse;
let everything: StandIn<{ url: string; mcp: string }>;
let up: WildUpstream;
let upId: Id<'con'>;
let two: ManyNodes;
let three: ManyNodes;
before(async () => {
  if (skip) return;
  [g, everything, up] = await Promise.all([
    gatewayHouse(),
    startStandIn<{ url: string; mcp: string }>('everything.ts'),
    wildUpstream(),
  ]);
  await g.connect('everything', everything.ready.mcp);
  upId = await g.connect('up', up.url);
  [two, three] = await Promise.all([manyNodes(g, 2), manyNodes(g, 3)]);
});
after(async () => {
  if (skip) return;
  await Promise.all([two, three].map((m) => m[Symbol.asyncDispose]()));
  await everything.stop();
  await up[Symbol.asyncDispose]();
  await g[Symbol.asyncDispose]();
});

type Caller = { listTools(): Promise<{ tools: { name: string }[] }>; close(): Promise<void> } & {
  callTool(c: { name: string; arguments: Record<string, unknown> }): Promise<Record<string, unknown>>;
};
const clients: Record<string, (url: URL, token: string) => Promise<Caller>> = {
  'a client of @modelcontextprotocol/sdk 1.x': async (url, token) => {
    const c = new OldClient({ name: 'test', version: '1' });
    const requestInit = { headers: { authorization: `Bearer ${token}` } };
    await c.connect(new OldTransport(url, { requestInit, fetch: counting }));
    return c;
  },
  'a client of @modelcontextprotocol/client 2.x in the older revision': (url, token) => newClient('legacy', url, token),
  'a client of @modelcontextprotocol/client 2.x': (url, token) => newClient('auto', url, token),
};
async function newClient(mode: 'legacy' | 'auto', url: URL, token: string): Promise<Caller> {
  const c = new NewClient({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  await c.connect(
    new NewTransport(url, { requestInit: { headers: { authorization: `Bearer ${token}` } }, fetch: counting }),
  );
  return c;
}

for (const [who, connect] of Object.entries(clients))
  for (const [path, name] of [
    ['/mcp/everything', 'test_simple_text'],
    ['/mcp', 'everything__test_simple_text'],
  ] as const)
    test(
      `${who}, unmodified, lists and calls at ${path}, whichever of three nodes its requests come to`,
      { skip },
      async () => {
        served.clear();
        const c = await connect(new URL(`${three.url}${path}`), await g.token());
        assert.ok((await c.listTools()).tools.some((t) => t.name === name));
        for (let i = 0; i < 6; i++) {
          const r = await c.callTool({ name, arguments: {} });
          assert.match(JSON.stringify(r['content']), /simple text/);
        }
        await c.close();
        assert.deepEqual(served, new Set(['n0', 'n1', 'n2']));
      },
    );

/** To one node, past HAProxy. */
const at = (n: GatewayNode, token: string, body: string): Promise<RawAnswer> =>
  raw(
    { ...g, house: { ...g.house, origin: `http://127.0.0.1:${n.port}` } },
    { token, body, headers: { host: new URL(g.house.origin).host } },
  );
/** That what was decided elsewhere is true there soon; how soon is what kernel/versions.ts promises. */
async function soon(what: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await what())) {
    assert.ok(performance.now() < end, 'it never came to this node');
    await new Promise((r) => setTimeout(r, 20));
  }
}

test('a rule, a review and a deactivation on one node bind on every other', { skip }, async () => {
  up.act = undefined;
  const token = await g.token(await g.house.addPerson('Rita'));
  const gone = await g.house.addPerson('Gus');
  const goneToken = await g.token(gone);
  for (const n of three.nodes) {
    assert.equal(saidOf(await at(n, token, callBody('look'))), 'did look');
    assert.equal(saidOf(await at(n, goneToken, callBody('change'))), 'did change');
  }
  const known = await g.house.world.db.read(scopeOf(g.ctx), (db) => findTool(db, upId, 'look'));
  const review = [{ name: 'look', pin: known!.pin }] as const;

  await reviewTools(g.ctx, upId, [{ ...review[0], keepClosed: true }]);
  for (const n of three.nodes)
    await soon(async () => saidOf(await at(n, token, callBody('look'))).startsWith('Not allowed'));
  await reviewTools(g.ctx, upId, [{ ...review[0], class: 'read' }]);
  for (const n of three.nodes) await soon(async () => saidOf(await at(n, token, callBody('look'))) === 'did look');

  await g.rule({
    name: 'nobody changes',
    who: { kind: 'everyone' },
    connector: upId,
    tools: { names: ['change'] },
    effect: 'forbid',
  });
  for (const n of three.nodes)
    await soon(async () => saidOf(await at(n, token, callBody('change'))).startsWith('Not allowed'));

  await setUserState(g.ctx, gone.user, 'suspended');
  for (const n of three.nodes)
    await soon(async () => {
      const a = await at(n, goneToken, callBody('look'));
      return a.status === 401 && codeOf(a) === 'gateway/not-let-in';
    });
  assert.equal(saidOf(await at(three.nodes[0]!, token, callBody('look'))), 'did look', 'and nobody else is out');
});

/** A call whose answer streams: it has begun when `begun` resolves; `end` is its text, undefined when the stream broke. */
async function streaming(m: ManyNodes, token: string, i: number) {
  const res = await fetch(`${m.url}/mcp/up`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: callBody('look', { i }, i),
  });
  const end = res.text().catch(() => undefined);
  return { i, node: res.headers.get('x-served-by'), end };
}

test(
  'a node that is killed while calls stream ends its own calls, as lost, and no other; sessions go on elsewhere',
  { skip },
  async () => {
    const held: (() => void)[] = [];
    up.act = (m, res: ServerResponse) => {
      if (m.method !== 'tools/call' || m.params?.['name'] !== 'look') return false;
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(
        'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}\n\n',
      );
      const result = { content: [{ type: 'text', text: `held ${JSON.stringify(m.params['arguments'])}` }] };
      held.push(() => res.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: m.id, result })}\n\n`));
      return true;
    };
    const token = await g.token();
    const old = await clients['a client of @modelcontextprotocol/sdk 1.x']!(
      new URL(`${two.url}/mcp/everything`),
      token,
    );
    await old.listTools();
    const calls = await Promise.all(Array.from({ length: 8 }, (_, i) => streaming(two, token, i)));
    await soon(() => Promise.resolve(held.length === 8));
    const dead = calls.filter((c) => c.node === 'n0');
    assert.ok(dead.length > 0 && dead.length < 8, 'both nodes have some');

    await two.nodes[0]!.kill();
    for (const c of dead) assert.ok(!((await c.end) ?? '').includes('held'), 'its stream ended without an answer');
    for (let i = 0; i < 4; i++)
      assert.match(
        JSON.stringify(await old.callTool({ name: 'test_simple_text', arguments: {} })),
        /simple text/,
        'the session goes on',
      );
    for (const end of held) end();
    for (const c of calls)
      if (!dead.includes(c)) assert.ok(((await c.end) ?? '').includes(`held {\\"i\\":${c.i}}`), `call ${c.i} goes on`);
    await old.close();

    // As if the dead node's lease had run out, so that the test need not wait for it.
    const open = () => g.house.t.super<{ node: string }>('select distinct node from tool_call where outcome is null');
    const nodes = await open();
    assert.equal(nodes.length, 1, 'all that is open is the dead node’s');
    await g.house.t.super(`update gateway_node set lease_until = now() - interval '1 s' where id = $1`, nodes[0]!.node);
    await closeLostCallsJob(g.house.world).run({});
    assert.deepEqual(await open(), []);
    const hash = argsHasher(g.house.world.seal.derive('gateway/arguments'));
    const events = await g.events();
    for (const c of calls) {
      const began = events.find((e) => e.type === 'tool.called' && e.data['argsHash'] === hash({ i: c.i }));
      const ends = events.filter((e) => e.type === 'tool.finished' && e.data['call'] === began?.data['call']);
      assert.deepEqual(
        ends.map((e) => e.data['outcome']),
        [dead.includes(c) ? 'lost' : 'answered'],
        `call ${c.i}`,
      );
    }
  },
);
