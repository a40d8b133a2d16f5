import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, before, test } from 'node:test';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { callBody, raw, saidOf, type RawAnswer } from '#dev/gateway-house.ts';
import { manyNodes, noHaproxy, type GatewayNode, type ManyNodes } from '#dev/many-nodes.ts';
import { startStandIn, type StandIn } from '#dev/stand-in.ts';
import { tunnelHouse, until, type AgentProcess, type TunnelHouse } from '#dev/tunnel-house.ts';
import { wildUpstream, type WildUpstream } from '#dev/wild-upstream.ts';
import { scopeOf } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { revokeTunnel } from './revoke-tunnel.ts';
import { rotateSecret } from './rotate-secret.ts';
import { listAgents } from './tunnel.sql.ts';

/** Three nodes behind HAProxy, round robin without affinity: an agent is connected to one of them, and requests come to any. */
const skip = noHaproxy;
let h: TunnelHouse;
let up: WildUpstream;
let everything: StandIn<{ url: string; mcp: string }>;
let three: ManyNodes;
let token: string;
before(async () => {
  if (skip) return;
  [h, up, everything] = await Promise.all([
    tunnelHouse(),
    wildUpstream(),
    startStandIn<{ url: string; mcp: string }>('everything.ts'),
  ]);
  three = await manyNodes(h.g, 3);
  token = await h.g.token();
});
after(async () => {
  if (skip) return;
  await three[Symbol.asyncDispose]();
  await h[Symbol.asyncDispose]();
  await everything.stop();
  await up[Symbol.asyncDispose]();
});

const at = (n: Pick<GatewayNode, 'port'>, body: string, path = '/mcp/up'): Promise<RawAnswer> =>
  raw(
    { ...h.g, house: { ...h.g.house, origin: `http://127.0.0.1:${n.port}` } },
    { token, path, body, headers: { host: new URL(h.g.house.origin).host } },
  );
const agentsOf = (tunnel: Id<'tun'>) => h.g.house.world.db.read(scopeOf(h.g.ctx), (db) => listAgents(db, [tunnel]));
/** An agent behind HAProxy, which gives it some node. */
async function joined(name: string, n = 1): Promise<{ tunnel: Id<'tun'>; secretFile: string; agents: AgentProcess[] }> {
  const allow = [new URL(up.url).origin, new URL(everything.ready.mcp).origin];
  const { tunnel, secretFile } = await h.make(name, allow);
  const agents = await Promise.all(Array.from({ length: n }, () => h.agent({ url: three.url, secretFile, allow })));
  await h.online(tunnel.id, n);
  return { tunnel: tunnel.id, secretFile, agents };
}
const holds = (): { res: ServerResponse; id: number }[] => {
  const held: { res: ServerResponse; id: number }[] = [];
  up.act = (m, res) => {
    if (m.method !== 'tools/call') return false;
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(': begun\n\n');
    held.push({ res, id: Number(m.id) });
    return true;
  };
  return held;
};
const finish = ({ res, id }: { res: ServerResponse; id: number }): void =>
  void res.end(`data: {"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"held ${id}"}]}}\n\n`);

test('a request that comes to any of three nodes reaches the agent that one of them holds', { skip }, async () => {
  const { tunnel, agents } = await joined('all nodes');
  await h.connect('up', up.url, tunnel);
  await h.connect('everything', everything.ready.mcp, tunnel);
  for (const n of three.nodes) assert.equal(saidOf(await at(n, callBody('look'))), 'did look');
  const c = new OldClient({ name: 'test', version: '1' });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await c.connect(new OldTransport(new URL(`${three.url}/mcp/everything`), { requestInit }));
  for (let i = 0; i < 6; i++)
    assert.match(
      JSON.stringify((await c.callTool({ name: 'test_simple_text', arguments: {} }))['content']),
      /simple text/,
    );
  await c.close();
  await Promise.all(agents.map((a) => a.kill()));
});

test('two hundred calls at once over three nodes and two agents each get their own answer', { skip }, async () => {
  const { tunnel, agents } = await joined('two agents', 2);
  await h.connect('two', up.url, tunnel);
  up.act = (m, res) => {
    if (m.method !== 'tools/call') return false;
    const text = JSON.stringify(m.params?.['arguments']);
    setTimeout(
      () =>
        res
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ jsonrpc: '2.0', id: m.id, result: { content: [{ type: 'text', text }] } })),
      Math.random() * 50,
    );
    return true;
  };
  try {
    for (let round = 0; round < 5; round++) {
      const said = await Promise.all(
        Array.from({ length: 40 }, async (_, i) => {
          const args = { n: round * 40 + i, pad: 'x'.repeat((i % 7) * 20_000) };
          const a = await at(three.nodes[i % 3]!, callBody('look', args, 1), '/mcp/two');
          return saidOf(a) === JSON.stringify(args) ? 'own' : a.text.slice(0, 300);
        }),
      );
      assert.deepEqual(new Set(said), new Set(['own']));
    }
  } finally {
    up.act = undefined;
    await Promise.all(agents.map((a) => a.kill()));
  }
});

test(
  'an agent killed in the middle of a call ends that call as failed, and the call is not sent again',
  { skip },
  async () => {
    const { tunnel, agents } = await joined('killed', 2);
    await h.connect('killed', up.url, tunnel);
    const held = holds();
    try {
      const calls = Array.from({ length: 6 }, (_, i) =>
        at(three.nodes[i % 3]!, callBody('look', { i }, i + 1), '/mcp/killed'),
      );
      await until(() => held.length === 6, 'all calls are inside');
      await agents[0]!.kill();
      await until(() => held.some((c) => c.res.destroyed), 'its calls end inside');
      for (const c of held) if (!c.res.destroyed) finish(c);
      const said = (await Promise.all(calls)).map(saidOf);
      assert.ok(
        said.some((s) => s.startsWith('held')),
        'the other agent’s calls go on',
      );
      const failed = said.filter((s) => !s.startsWith('held'));
      assert.ok(failed.length > 0);
      for (const s of failed)
        assert.match(s, /connection to the agent of the tunnel “killed” ended before the answer did/);
      assert.equal(held.length, 6, 'nothing was sent twice');
      up.act = undefined;
      await h.online(tunnel, 1);
      for (const n of three.nodes) assert.equal(saidOf(await at(n, callBody('look'), '/mcp/killed')), 'did look');
    } finally {
      up.act = undefined;
      await Promise.all(agents.map((a) => a.kill()));
    }
  },
);

test('a tunnel without agents is told by name, and works when an agent is started again', { skip }, async () => {
  const { tunnel, secretFile, agents } = await joined('restarted');
  await h.connect('restarted', up.url, tunnel);
  await agents[0]!.kill();
  await h.online(tunnel, 0);
  const a = await at(three.nodes[0]!, callBody('look'), '/mcp/restarted');
  assert.match(saidOf(a), /no agent of the tunnel “restarted” is connected/);
  const again = await h.agent({ url: three.url, secretFile, allow: [new URL(up.url).origin] });
  await h.online(tunnel, 1);
  for (const n of three.nodes) assert.equal(saidOf(await at(n, callBody('look'), '/mcp/restarted')), 'did look');
  await again.kill();
});

test('a revoked tunnel is cut off at every node, with what is under way in it', { skip }, async () => {
  const { tunnel, agents } = await joined('revoked', 2);
  await h.connect('revoked', up.url, tunnel);
  const held = holds();
  try {
    const calls = three.nodes.map((n, i) => at(n, callBody('look', {}, i + 1), '/mcp/revoked'));
    await until(() => held.length === 3, 'all calls are inside');
    await revokeTunnel(h.g.ctx, tunnel);
    for (const c of await Promise.all(calls)) assert.match(saidOf(c), /of the tunnel “revoked” ended before/);
    await Promise.all(agents.map((a) => a.said(/was revoked/)));
    await until(async () => (await agentsOf(tunnel)).length === 0, 'no agent is left');
    up.act = undefined;
    for (const n of three.nodes)
      assert.match(saidOf(await at(n, callBody('look'), '/mcp/revoked')), /the tunnel “revoked” was revoked/);
  } finally {
    up.act = undefined;
    await Promise.all(agents.map((a) => a.kill()));
  }
});

test(
  'an agent with the older secret stays until its time is over, and comes back with the new one',
  { skip },
  async () => {
    const { writeFile } = await import('node:fs/promises');
    const { tunnel, secretFile, agents } = await joined('rotated');
    const [before] = await agentsOf(tunnel);
    const first = await rotateSecret(h.g.ctx, tunnel, 3_600_000);
    assert.equal((await agentsOf(tunnel))[0]?.id, before?.id, 'it stays');
    // With a second rotation, what it came with is two secrets old.
    const second = await rotateSecret(h.g.ctx, tunnel, 3_600_000);
    await agents[0]!.said(/secret that this agent came with is good no more/);
    await writeFile(secretFile, first.secret);
    await until(
      async () => (await agentsOf(tunnel))[0]?.generation === 2,
      'it comes with the older one, which is good',
    );
    await writeFile(secretFile, second.secret);
    await rotateSecret(h.g.ctx, tunnel, 0);
    await until(async () => (await agentsOf(tunnel)).length === 0, 'all before the newest are over');
    await agents[0]!.kill();
  },
);

test(
  'a node that is killed loses its own calls only; its agents come to another node by themselves',
  { skip },
  async () => {
    await using stack = new AsyncDisposableStack();
    const two = stack.adopt(await manyNodes(h.g, 2), (m) => m[Symbol.asyncDispose]());
    const allow = [new URL(up.url).origin];
    const { tunnel, secretFile } = await h.make('survives', allow);
    const agent = await h.agent({ url: two.url, secretFile, allow });
    stack.defer(() => agent.kill());
    await h.online(tunnel.id, 1);
    await h.connect('survives', up.url, tunnel.id);
    const names = await Promise.all(two.nodes.map((n) => n.said('node')));
    const [there] = await agentsOf(tunnel.id);
    const holder = two.nodes[names.indexOf(there?.node)]!;
    const other = two.nodes.find((n) => n !== holder)!;
    assert.equal(saidOf(await at(other, callBody('look'), '/mcp/survives')), 'did look');
    const held = holds();
    const cut = at(other, callBody('look', {}, 1), '/mcp/survives');
    await until(() => held.length === 1, 'the call is inside');
    await holder.kill();
    assert.match(saidOf(await cut), /of the tunnel “survives” ended before/);
    up.act = undefined;
    await until(
      async () => (await agentsOf(tunnel.id)).some((a) => a.node === names[two.nodes.indexOf(other)]),
      'it came to the other node',
    );
    assert.equal(saidOf(await at(other, callBody('look'), '/mcp/survives')), 'did look');
  },
);

test(
  'a node that is told to stop sends its agents to another one first, and lets what is under way end',
  { skip },
  async () => {
    await using stack = new AsyncDisposableStack();
    const two = stack.adopt(await manyNodes(h.g, 2), (m) => m[Symbol.asyncDispose]());
    const allow = [new URL(up.url).origin];
    const { tunnel, secretFile } = await h.make('moves', allow);
    const agent = await h.agent({ url: two.url, secretFile, allow });
    stack.defer(() => agent.kill());
    await h.online(tunnel.id, 1);
    await h.connect('moves', up.url, tunnel.id);
    const names = await Promise.all(two.nodes.map((n) => n.said('node')));
    const [there] = await agentsOf(tunnel.id);
    const holder = two.nodes[names.indexOf(there?.node)]!;
    const other = two.nodes.find((n) => n !== holder)!;
    const held = holds();
    const under = at(other, callBody('look', {}, 1), '/mcp/moves');
    await until(() => held.length === 1, 'the call is inside');
    const stopping = holder.stop();
    await agent.said(/sends this agent to another node/);
    held.forEach(finish);
    assert.equal(saidOf(await under), 'held 1');
    await stopping;
    up.act = undefined;
    await until(
      async () => (await agentsOf(tunnel.id)).some((a) => a.node === names[two.nodes.indexOf(other)]),
      'it came to the other node',
    );
    assert.equal(saidOf(await at(other, callBody('look'), '/mcp/moves')), 'did look');
  },
);
