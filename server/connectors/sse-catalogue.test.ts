import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { gatewayHouse, type GatewayHouse } from '#dev/gateway-house.ts';
import { sseServer, sseTools, type SseServer } from '#dev/sse-server.ts';
import { Problem } from '#kernel/problem.ts';
import { addConnector, type Added } from './add-connector.ts';
import { refreshTools } from './refresh-tools.ts';

/** Servers of the HTTP+SSE transport when an administrator adds them and asks for their tools again. */
let g: GatewayHouse;
let up: SseServer;
let n = 0;
before(async () => {
  [g, up] = await Promise.all([gatewayHouse(), sseServer()]);
});
after(async () => {
  await up[Symbol.asyncDispose]();
  await g[Symbol.asyncDispose]();
});
beforeEach(() => {
  up.opens = undefined;
  up.takes = undefined;
});

const add = (): Promise<Added> => {
  const slug = `up-${++n}`;
  return addConnector(g.ctx, { slug, name: slug, url: up.url, bearer: 'the-bearer', allowPrivate: true });
};
const opens = (said: string): void => {
  up.opens = (res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    return res.write(said) !== undefined;
  };
};
const refused = (code: string, says: RegExp) => (e: unknown) =>
  e instanceof Problem && e.code === code && says.test(e.says);
async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 600 && !holds(); i++) await new Promise((next) => setTimeout(next, 50));
  assert.ok(holds());
}

test('a server of the HTTP+SSE transport is added with its tools, its transport is said, and its stream is closed', async () => {
  const added = await add();
  assert.equal(added.transport, 'http+sse');
  assert.deepEqual(added.server, { name: 'sse', version: '1' });
  assert.ok(up.bearers.length > 0 && up.bearers.every((b) => b === 'Bearer the-bearer'));
  const again = await refreshTools(g.ctx, added.connector.id);
  assert.deepEqual([again.added, again.changed, again.removed], [[], [], []]);
  await until(() => up.open.size === 0);
});

test('a list on several pages is read on one stream', async () => {
  const before = up.sessions.length;
  up.takes = (m, s) => {
    if (m.method !== 'tools/list') return false;
    const at = Number(m.params?.['cursor'] ?? 0);
    const more = at + 1 < sseTools.length ? { nextCursor: String(at + 1) } : {};
    up.send(s, { id: m.id, result: { tools: [sseTools[at]], ...more } });
    return true;
  };
  const { connector } = await add();
  assert.equal(up.sessions.length, before + 1);
  up.takes = undefined;
  assert.deepEqual((await refreshTools(g.ctx, connector.id)).changed, []);
});

test('one that wants messages posted to another origin is refused by that', async () => {
  opens('event: endpoint\ndata: https://elsewhere.example/messages\n\n');
  await assert.rejects(add(), refused('connectors/endpoint-elsewhere', /elsewhere\.example/));
});

test('one that never says where messages are posted is refused', async () => {
  opens(': wait\n\n');
  await assert.rejects(add(), refused('connectors/not-mcp', /where messages are posted/));
});

test('one that floods before it says so is refused', async () => {
  opens(`: ${'x'.repeat(200_000)}\n\n`);
  await assert.rejects(add(), refused('connectors/not-mcp', /where messages are posted/));
});

test('one that names a second address, answers what was not asked, or breaks off is refused', async () => {
  const acts: [RegExp, NonNullable<SseServer['takes']>][] = [
    [/second address/, (_, s) => s.stream.write('event: endpoint\ndata: /other\n\n') !== undefined],
    [/was not asked/, (_, s) => (up.send(s, { id: 99, result: {} }), true)],
    [/ended its stream/, (_, s) => (s.stream.end(), true)],
  ];
  for (const [says, act] of acts) {
    up.takes = act;
    await assert.rejects(add(), refused('connectors/not-mcp', says));
  }
});

test('an address that takes no messages and never begins to answer is refused for its status', async () => {
  up.opens = () => true;
  await assert.rejects(add(), refused('connectors/not-mcp', /status 405/));
});

test('an address that takes no messages and opens no such stream is refused for its status', async () => {
  up.opens = (res) => (res.writeHead(404).end(), true);
  await assert.rejects(add(), refused('connectors/not-mcp', /status 405/));
});
