import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { gatewayHouse, raw, type GatewayHouse, type RawAnswer } from '#dev/gateway-house.ts';
import { manyNodes, noHaproxy, type ManyNodes } from '#dev/many-nodes.ts';
import { tool } from '#dev/wild-upstream.ts';

/** Several people who all use the same JSON-RPC ids and progress tokens, at once, in both revisions, on three nodes. */
const skip = noHaproxy;
const MODERN = '2026-07-28';
const OLDER = '2025-11-25';
const PEOPLE = 5;
const REQUESTS = 1000;
const AT_ONCE = 40;

type Message = {
  id?: number;
  method?: string;
  params?: { arguments?: { marker: string }; _meta?: { progressToken?: unknown } };
};
/** An MCP server of one revision that says each marker back, late and out of order, with progress under the token that it was given. */
type Upstream = { url: string; server: Server; sessions: Map<string, Set<string>>; tools: number };
async function upstream(era: 'older' | 'modern'): Promise<Upstream> {
  const sessions = new Map<string, Set<string>>();
  const self = { sessions, tools: 0 };
  const handle = (m: Message, req: IncomingMessage, res: ServerResponse): void => {
    const json = (status: number, o: object, headers: Record<string, string> = {}): void =>
      void res
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify({ jsonrpc: '2.0', id: m.id ?? null, ...o }));
    const serverInfo = { name: era, version: '1' };
    const capabilities = { tools: {} };
    if (String(req.headers['mcp-protocol-version'] ?? '') >= MODERN !== (era === 'modern'))
      return json(era === 'older' ? 400 : 404, { error: { code: -32601, message: 'no such revision' } });
    const session = String(req.headers['mcp-session-id']);
    if (m.method === 'initialize') {
      const id = `s${sessions.size}`;
      sessions.set(id, new Set());
      return json(200, { result: { protocolVersion: OLDER, capabilities, serverInfo } }, { 'mcp-session-id': id });
    }
    if (era === 'older' && !sessions.has(session))
      return json(404, { error: { code: -32001, message: 'Session not found' } });
    if (m.id === undefined) return void res.writeHead(202).end();
    const complete = era === 'modern' ? { resultType: 'complete' } : {};
    if (m.method === 'server/discover')
      return json(200, { result: { ...complete, supportedVersions: [MODERN], capabilities, serverInfo } });
    if (m.method === 'tools/list')
      return json(200, { result: { ...complete, tools: [tool('echo')], ttlMs: 0, cacheScope: 'private' } });
    const marker = m.params?.arguments?.marker;
    if (m.method !== 'tools/call' || marker === undefined) return json(200, { result: complete });
    self.tools++;
    sessions.get(session)?.add(marker.split('/')[0] ?? '');
    const progressToken = m.params?._meta?.progressToken;
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    const say = (o: object): void =>
      void res.write(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...o })}\n\n`);
    say({ method: 'notifications/progress', params: { progressToken, progress: 1, message: marker } });
    setTimeout(() => {
      say({ id: m.id, result: { ...complete, content: [{ type: 'text', text: marker }] } });
      res.end();
    }, Math.random() * 30);
  };
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (c: Buffer) => chunks.push(c));
    req.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      if (req.method !== 'POST') return void res.writeHead(405).end();
      handle(JSON.parse(body) as Message, req, res);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return Object.assign(self, { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` });
}

let g: GatewayHouse;
let older: Upstream;
let modern: Upstream;
let three: ManyNodes;
before(async () => {
  if (skip) return;
  [g, older, modern] = await Promise.all([gatewayHouse(), upstream('older'), upstream('modern')]);
  await g.connect('older', older.url);
  await g.connect('modern', modern.url);
  three = await manyNodes(g, 3);
});
after(async () => {
  if (skip) return;
  await three[Symbol.asyncDispose]();
  for (const u of [older, modern]) {
    u.server.closeAllConnections();
    u.server.close();
  }
  await g[Symbol.asyncDispose]();
});

const post = (path: string, token: string, body: object, headers: Record<string, string>): Promise<RawAnswer> =>
  raw({ ...g, house: { ...g.house, origin: three.url } }, { path, token, headers, body: JSON.stringify(body) });

const paths = ['/mcp/older', '/mcp/modern', '/mcp'] as const;
type Asker = { name: string; token: string; sessions: Map<string, string> };
async function greet(path: string, token: string): Promise<string> {
  const params = { protocolVersion: OLDER, capabilities: {}, clientInfo: { name: 'c', version: '1' } };
  const a = await post(path, token, { jsonrpc: '2.0', id: 1, method: 'initialize', params }, {});
  assert.equal(a.status, 200, a.text);
  const session = String(a.headers['mcp-session-id']);
  const headers = { 'mcp-session-id': session, 'mcp-protocol-version': OLDER };
  assert.ok((await post(path, token, { jsonrpc: '2.0', method: 'notifications/initialized' }, headers)).status < 300);
  return session;
}
async function asker(name: string): Promise<Asker> {
  const token = await g.token(await g.house.addPerson(name));
  const sessions = new Map<string, string>();
  for (const path of paths) sessions.set(path, await greet(path, token));
  return { name, token, sessions };
}

/** One call. Everybody counts the same ids and tokens. */
function call(
  who: Asker,
  path: (typeof paths)[number],
  era: 'older' | 'modern',
  marker: string,
  id: number,
): Promise<RawAnswer> {
  const name = path === '/mcp' ? `${id % 2 === 0 ? 'older' : 'modern'}__echo` : 'echo';
  const meta = {
    'io.modelcontextprotocol/protocolVersion': MODERN,
    'io.modelcontextprotocol/clientInfo': { name: 'c', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const _meta = { progressToken: id, ...(era === 'modern' ? meta : {}) };
  const headers: Record<string, string> =
    era === 'modern'
      ? { 'mcp-protocol-version': MODERN, 'mcp-method': 'tools/call', 'mcp-name': name }
      : { 'mcp-protocol-version': OLDER, 'mcp-session-id': who.sessions.get(path) ?? '' };
  const body = { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: { marker }, _meta } };
  return post(path, who.token, body, headers);
}

test(
  'of 1,000 interleaved requests of several people with the same ids and progress tokens, each is answered to its asker alone',
  { skip },
  async () => {
    const askers = await Promise.all(Array.from({ length: PEOPLE }, (_, i) => asker(`Asker${i}`)));
    const served = new Set<string>();
    const heard = { progress: 0 };
    let next = 0;
    const lane = async (): Promise<void> => {
      for (let n = next++; n < REQUESTS; n = next++) {
        const who = askers[n % PEOPLE]!;
        const turn = Math.floor(n / PEOPLE);
        const path = paths[turn % 3]!;
        const era = Math.floor(turn / 3) % 2 === 0 ? 'older' : 'modern';
        const marker = `${who.name}/${n}`;
        const a = await call(who, path, era, marker, turn);
        const where = `${era} client at ${path}: ${a.status} ${a.text}`;
        assert.equal(a.status, 200, where);
        assert.equal(a.json['id'], turn, where);
        assert.deepEqual((a.json['result'] as { content: unknown }).content, [{ type: 'text', text: marker }], where);
        for (const other of a.text.matchAll(/Asker\d\/\d+/g)) assert.equal(other[0], marker, where);
        for (const [, data] of a.text.matchAll(/^data: ?(.+)$/gm)) {
          const m = JSON.parse(data ?? '') as { method?: string; params?: { progressToken?: unknown } };
          if (m.method !== 'notifications/progress') continue;
          heard.progress++;
          assert.equal(m.params?.progressToken, turn, where);
        }
        served.add(String(a.headers['x-served-by']));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    assert.equal(older.tools + modern.tools, REQUESTS, 'each was sent once');
    assert.equal(heard.progress, REQUESTS);
    assert.deepEqual(served, new Set(['n0', 'n1', 'n2']));
    for (const [id, people] of older.sessions) assert.ok(people.size <= 1, `${id} served ${[...people].join(' and ')}`);
    const ends = await g.events('tool.finished');
    assert.equal(ends.filter((e) => e.data['outcome'] === 'answered').length, REQUESTS);
  },
);

test('a session of another person is 404 on every node, in front of each server and of all', { skip }, async () => {
  const [mine, theirs] = await Promise.all([asker('Mia'), asker('Theo')]);
  const before = older.tools + modern.tools;
  for (const path of paths) {
    const thief: Asker = { ...mine, sessions: theirs.sessions };
    const nodes = new Set<unknown>();
    for (let i = 0; i < 9; i++) {
      const a = await call(thief, path, 'older', `Mia/${i}`, i);
      assert.equal(a.status, 404, `${path}: ${a.text}`);
      nodes.add(a.headers['x-served-by']);
    }
    assert.equal(nodes.size, 3, 'every node was asked');
    assert.equal((await call(theirs, path, 'older', 'Theo/1', 1)).status, 200, 'it is still its owner’s');
  }
  assert.equal(older.tools + modern.tools, before + paths.length);
});
