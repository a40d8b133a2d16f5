import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { callBody, gatewayHouse, type GatewayHouse } from '#dev/gateway-house.ts';
import { gatewayNode, type GatewayNode } from '#dev/many-nodes.ts';
import { wildUpstream, type WildUpstream } from '#dev/wild-upstream.ts';
import { argsHasher } from './args-hash.ts';
import { closeLostCallsJob } from './close-lost-calls.job.ts';

let g: GatewayHouse;
let up: WildUpstream;
let token: string;
const nodes: GatewayNode[] = [];
before(async () => {
  [g, up] = await Promise.all([gatewayHouse(), wildUpstream()]);
  await g.connect('up', up.url);
  token = await g.token();
});
after(async () => {
  await Promise.all(nodes.map((n) => n.kill()));
  await up[Symbol.asyncDispose]();
  await g[Symbol.asyncDispose]();
});

async function node(...args: string[]): Promise<GatewayNode> {
  const n = await gatewayNode(g, ...args);
  nodes.push(n);
  return n;
}

type Answer = { status: number | undefined; text: string };
/** Resolves with the answer when a whole one came, with undefined when the connection ended before. */
function call(n: GatewayNode, args: unknown): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const req = request(
      {
        port: n.port,
        host: '127.0.0.1',
        path: '/mcp/up',
        method: 'POST',
        agent: false,
        headers: {
          host: new URL(g.house.origin).host,
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
        },
      },
      (res) => {
        let text = '';
        res.on('data', (c: Buffer) => (text += c.toString()));
        res
          .on('end', () => resolve(res.complete ? { status: res.statusCode, text } : undefined))
          .on('error', () => resolve(undefined));
      },
    );
    req.on('error', () => resolve(undefined));
    req.end(callBody('look', args));
  });
}

type Row = { id: string; outcome: string | null };
const rows = (): Promise<Row[]> => g.house.t.super<Row>('select id, outcome from tool_call order by id');
/** As if the dead node's lease had run out, so that the test need not wait for it. This process's own node stays alive. */
async function reap(dead: boolean): Promise<void> {
  if (dead)
    await g.house.t.super(
      `update gateway_node set lease_until = now() - interval '1 s' where id in (select node from tool_call where outcome is null)`,
    );
  await closeLostCallsJob(g.house.world).run({});
}

for (const at of ['opened', 'sent'] as const)
  test(`a node that is killed when a call is ${at} leaves it open, and it ends as lost once the node's lease is over, not before`, async () => {
    const n = await node('--pause', at);
    const before = up.seen.length;
    const answer = call(n, { at });
    await n.said('paused');
    assert.equal(up.seen.length, before + (at === 'sent' ? 1 : 0));
    await n.kill();
    assert.equal(await answer, undefined);
    assert.equal((await rows()).at(-1)?.outcome, null);
    await reap(false);
    assert.equal((await rows()).at(-1)?.outcome, null, 'its lease still runs');
    await reap(true);
    const last = (await rows()).at(-1)!;
    assert.equal(last.outcome, 'lost');
    await reap(true);
    const events = (await g.events()).filter((e) => e.data['call'] === last.id);
    assert.deepEqual(
      events.map((e) => [e.type, e.data['outcome'], e.header['disposition']]),
      [
        ['tool.called', undefined, undefined],
        ['tool.finished', 'lost', 'lost'],
      ],
    );
  });

test('of a node that is killed under load, every call that was answered is in the log as answered once, and no call stays open', async () => {
  const n = await node();
  const hash = argsHasher(g.house.world.seal.derive('gateway/arguments'));
  const answered = new Set<string>();
  let sent = 0;
  let over = false;
  const lanes = Array.from({ length: 32 }, async (_, lane) => {
    for (let i = 0; !over; i++) {
      const args = { lane, i };
      sent++;
      const a = await call(n, args);
      if (a?.status === 200) answered.add(hash(args));
      else if (a === undefined) return;
    }
  });
  while (answered.size < 300) await new Promise((r) => setTimeout(r, 5));
  await n.kill();
  over = true;
  await Promise.all(lanes);
  await reap(true);

  const events = await g.events();
  const calls = new Map(
    events.filter((e) => e.type === 'tool.called').map((e) => [String(e.data['call']), String(e.data['argsHash'])]),
  );
  const ends = events.filter((e) => e.type === 'tool.finished');
  assert.equal(ends.length, calls.size, 'one end for each call');
  assert.equal(new Set(ends.map((e) => e.data['call'])).size, ends.length);
  const ended = new Map(ends.map((e) => [calls.get(String(e.data['call'])), e.data['outcome']]));
  for (const h of answered) assert.equal(ended.get(h), 'answered');
  assert.ok(answered.size <= sent);
  assert.deepEqual(
    (await rows()).filter((r) => r.outcome === null),
    [],
  );
});

test('a node that was thought dead cannot give out an answer that the log has as lost', async () => {
  let finish: (() => void) | undefined;
  up.act = (m, res) => {
    if (m.method !== 'tools/call') return false;
    finish = () =>
      res
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', id: m.id, result: {} }));
    return undefined;
  };
  const n = await node();
  const answer = call(n, { late: true });
  while (!finish) await new Promise((r) => setTimeout(r, 5));
  await reap(true);
  finish();
  const a = await answer;
  assert.equal(a?.status, 503);
  assert.match(a.text, /"gateway\/ended-as-lost"/);
  const last = (await rows()).at(-1)!;
  assert.equal((await g.events()).filter((e) => e.data['call'] === last.id && e.type === 'tool.finished').length, 1);
  assert.equal(last.outcome, 'lost');
  up.act = undefined;
  await n.kill();
});
