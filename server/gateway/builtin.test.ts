import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { builtinTool } from '#connectors/kit/builtin-tool.ts';
import type { Manifest } from '#connectors/kit/manifest.ts';
import { editConnector } from '#connectors/edit-connector.ts';
import { connectorHouse, inCatalogue, type Added, type ConnectorHouse } from '#dev/connector-house.ts';
import { startGateway } from './start-gateway.ts';
import { raw } from '#dev/gateway-house.ts';
import { listen, type Listening } from '#dev/listening-server.ts';
import { plainManifest } from '#dev/vendors/plain-manifest.ts';
import { plainVendor, type PlainVendor } from '#dev/vendors/plain-vendor.ts';

const plain = { title: 'T', description: 'Does it.', projection: [], brings: ['private'], outward: false } as const;
const me = async (c: Parameters<ReturnType<typeof builtinTool>['run']>[0], method: 'GET' | 'POST') => ({
  content: [{ type: 'text' as const, text: (await c.vendor.send({ method, path: '/me' })).bytes.toString() }],
});
const manifest: Manifest = {
  ...plainManifest(),
  builtin: {
    version: '1',
    instructions: 'Ask for little.',
    tools: [
      builtinTool({
        ...plain,
        name: 'who_am_i',
        class: 'read',
        scopes: ['read'],
        input: z.strictObject({ more: z.boolean().optional() }),
        run: (c) => me(c, 'GET'),
      }),
      builtinTool({
        ...plain,
        name: 'write_any',
        class: 'write',
        scopes: [],
        input: z.strictObject({}),
        run: (c) => me(c, 'POST'),
      }),
      builtinTool({
        ...plain,
        name: 'write_me',
        class: 'write',
        scopes: ['write'],
        input: z.strictObject({ text: z.string() }),
        run: (c) => me(c, 'POST'),
      }),
    ],
  },
};

let h: ConnectorHouse;
let vendor: PlainVendor;
let out: () => void;
before(async () => {
  [h, vendor] = await Promise.all([connectorHouse(), plainVendor()]);
  out = inCatalogue(manifest);
});
after(async () => {
  out();
  await vendor.close();
  await h[Symbol.asyncDispose]();
});
let n = 0;
const add = (o: Partial<Parameters<ConnectorHouse['add']>[1]> = {}): Promise<Added> =>
  h.add(vendor, { type: 'plain', slug: `plain-${++n}`, ...o });
const connect = async (c: Added): Promise<void> => {
  await h.app(vendor, c);
  const done = await h.consent(c, h.g.house.ada, 'read_only');
  assert.equal(done.status, 303, done.text);
};
const lastCall = async () => (await h.g.events('tool.finished')).at(-1)!.data;

test('a person who has not connected is told so with the place where to, and nothing reaches the vendor', async () => {
  const c = await add();
  const before = vendor.seen.length;
  const r = await h.call(c, 'who_am_i');
  assert.equal(r.why, 'not_connected');
  assert.ok(r.says.includes(`${h.g.house.origin}/connections/start/${c.id}`), r.says);
  assert.deepEqual([(await lastCall())['outcome'], (await lastCall())['why']], ['failed', 'not_connected']);
  assert.equal(vendor.seen.length, before);
});

test('a connected person’s call uses his own account and nobody else’s', async () => {
  const c = await add();
  const bob = await h.g.house.addPerson('Bob');
  await connect(c);
  assert.match((await h.call(c, 'who_am_i')).says, /ada@acme\.example/);
  assert.equal((await h.call(c, 'who_am_i', {}, { person: bob })).why, 'not_connected');
  assert.deepEqual((await h.call(c, 'who_am_i')).result['_meta'], {
    'gatehouse/origin': { system: 'plain', brings: ['private'] },
  });
});

test('tools of the catalogue are reviewed when they are added; a read-only connector has none that writes, until it may', async () => {
  const c = await add();
  assert.deepEqual(await h.tools(c), ['who_am_i']);
  assert.ok((await h.call(c, 'write_me', { text: 'x' })).raw.text.includes('gateway/unknown-tool'));
  await connect(c);
  await editConnector(h.g.ctx, c.id, { access: 'read_write' });
  await new Promise((r) => setTimeout(r, 600));
  assert.deepEqual(await h.tools(c), ['who_am_i', 'write_any', 'write_me']);
  const r = await h.call(c, 'write_me', { text: 'x' });
  assert.equal(r.why, 'reconnect', 'what the person agreed to was reading');
  assert.match(r.says, /connected for reading only/);
  const seen = vendor.seen.length;
  assert.equal((await h.call(c, 'write_any')).why, 'reconnect', 'also where the vendor’s scopes do not tell');
  assert.equal(vendor.seen.length, seen);
  await editConnector(h.g.ctx, c.id, { access: 'read_only' });
  await new Promise((r) => setTimeout(r, 600));
  assert.deepEqual(await h.tools(c), ['who_am_i']);
});

test('the organization’s account answers for people who never consented, and as the caller where that is chosen', async () => {
  const org = await add({ actAs: 'organization' });
  assert.match((await h.call(org, 'who_am_i')).says, /an administrator must give it one/);
  await h.give(org, 'service_account', { ...vendor.accounts['service_account'] });
  assert.match((await h.call(org, 'who_am_i')).says, /id-service/);
  const as = await add({ actAs: 'organization_as_person' });
  await h.give(as, 'service_account', { ...vendor.accounts['service_account'] });
  assert.match((await h.call(as, 'who_am_i')).says, /id-ada@acme\.example/);
});

test('a token that ended is renewed and the call answered; a grant that ended says where to connect again', async () => {
  const c = await add();
  await connect(c);
  h.advance(vendor, 8000);
  assert.match((await h.call(c, 'who_am_i')).says, /ada@acme/);
  vendor.endGrants('ada');
  const r = await h.call(c, 'who_am_i');
  assert.equal(r.why, 'reconnect');
  assert.ok(r.says.includes(`/connections/start/${c.id}`));
});

test('arguments that do not fit are refused in words before the vendor is asked', async () => {
  const c = await add();
  await connect(c);
  const before = vendor.seen.length;
  const r = await h.call(c, 'who_am_i', { as: 'eve@acme.example' });
  assert.match(r.says, /the arguments of who_am_i do not fit: .*"as"/);
  assert.equal(vendor.seen.length, before);
});

test('the stateless revision and the older ones are spoken at the same address', async () => {
  const c = await add();
  const token = await h.g.token();
  const ask = (method: string, params: object, headers: Record<string, string> = {}) =>
    raw(h.g, {
      path: `/mcp/${c.slug}`,
      token,
      headers,
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
  const old = await ask('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 't', version: '1' },
  });
  assert.deepEqual((old.json['result'] as Record<string, unknown>)['instructions'], 'Ask for little.');
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const modern = await ask(
    'server/discover',
    { _meta: meta },
    { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'server/discover' },
  );
  assert.equal((modern.json['result'] as Record<string, unknown>)['resultType'], 'complete');
  // The stream of an older client is ours: it tells of what changes here.
  const leave = new AbortController();
  const stream = await fetch(`${h.g.house.origin}/mcp/${c.slug}`, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    signal: leave.signal,
  });
  assert.deepEqual([stream.status, stream.headers.get('content-type')?.split(';')[0]], [200, 'text/event-stream']);
  leave.abort();
  assert.equal(
    (await raw(h.g, { path: `/mcp/${c.slug}`, token, body: '{"jsonrpc":"2.0","method":"notifications/initialized"}' }))
      .status,
    202,
  );
});

test('a definition of another version of Gatehouse goes on where it did not widen, and waits where it did', async () => {
  const c = await add();
  await connect(c);
  const changed = (tools: NonNullable<Manifest['builtin']>['tools'], version: string): Manifest => ({
    ...manifest,
    builtin: { version, tools },
  });
  const [who] = manifest.builtin!.tools;
  const versions: [Manifest, string[]][] = [
    [changed([{ ...who!, description: 'Says it better.' }], '2'), ['who_am_i']],
    [changed([{ ...who!, outward: true }], '3'), []],
  ];
  for (const [next, offered] of versions) {
    const back = inCatalogue(next);
    // Another process: the view of this one remembers that it has settled.
    const node = await startGateway(h.g.house.world, {});
    h.g.house.also.raw = node;
    const first = await h.call(c, 'who_am_i');
    assert.equal(first.why === 'changed', offered.length === 0, 'at the first call, before anything was written down');
    for (let i = 0; i < 100 && JSON.stringify(await h.tools(c)) !== JSON.stringify(offered); i++)
      await new Promise((r) => setTimeout(r, 50));
    assert.deepEqual(await h.tools(c), offered);
    h.g.house.also.raw = h.g.gateway;
    await node.stop();
    back();
  }
});

let upstream: Listening;
test('a remote server that turns a credential away gets the call once more with a renewed one, and no call twice', async (t) => {
  const got: { auth: string | undefined; body: string }[] = [];
  let good = 'none yet';
  upstream = await listen((req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (d: Buffer) => parts.push(d));
    req.on('end', () => {
      const body = Buffer.concat(parts).toString();
      got.push({ auth: req.headers.authorization, body });
      if (req.headers.authorization !== good) return void res.writeHead(401).end();
      const { id, method } = JSON.parse(body) as { id: number; method: string };
      const result =
        method === 'tools/list'
          ? { tools: [{ name: 'go', inputSchema: { type: 'object' } }] }
          : { content: [{ type: 'text', text: 'gone' }] };
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    });
  });
  t.after(() => upstream.close());
  const back = inCatalogue({
    ...manifest,
    origins: { ...manifest.origins, mcp: 'https://mcp.plain.example' },
    remote: { url: '{mcp}/mcp' },
  });
  t.after(back);
  const c = await h.add(vendor, {
    type: 'plain',
    slug: 'plain-remote',
    mode: 'remote',
    access: 'read_write',
    origins: { ...vendor.origins, mcp: upstream.url },
  });
  assert.equal((await h.call(c, 'go')).error, true, 'no tool of it is known');
  const list = await raw(h.g, {
    path: '/mcp/plain-remote',
    token: await h.g.token(),
    body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
  });
  assert.equal((list.json['error'] as { data: { code: string } }).data.code, 'gateway/upstream-not-connected');
  await connect(c);
  // The first token is refused; the one that the vault renews is good.
  const tokens: string[] = [];
  good = 'waiting';
  const listing = raw(h.g, {
    path: '/mcp/plain-remote',
    token: await h.g.token(),
    body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
  });
  await listing;
  tokens.push(...got.map((r) => r.auth ?? ''));
  assert.equal(new Set(tokens).size, 2, 'asked with one token, then with another');
  assert.equal(got.length, 2);
});
