import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { builtinTool, type BuiltinTool } from './builtin-tool.ts';
import { serveBuiltin, type BuiltinScene } from './serve-builtin.ts';
import { VendorRefusal, type VendorClient } from './vendor-client.ts';

const text = (s: string) => ({ content: [{ type: 'text' as const, text: s }] });
const plain = { title: 'T', description: 'Does it.', projection: [], scopes: [], brings: [], outward: false } as const;
const tools: BuiltinTool[] = [
  builtinTool({
    ...plain,
    name: 'write',
    class: 'write',
    input: z.strictObject({ to: z.string() }),
    run: async (_, a) => text(a.to),
  }),
  builtinTool({
    ...plain,
    name: 'read',
    class: 'read',
    brings: ['untrusted', 'private'],
    scopes: ['files.read', 'files'],
    input: z.strictObject({ id: z.string().describe('Of the file.'), pages: z.number().int().default(1) }),
    run: async (c, a) => text(`${a.id} ${a.pages} for ${c.person.email}`),
  }),
  builtinTool({
    ...plain,
    name: 'refused',
    class: 'read',
    input: z.strictObject({}),
    run: () => Promise.reject(new VendorRefusal(404, 'x', 'Vendor has nothing there')),
  }),
  builtinTool({
    ...plain,
    name: 'broken',
    class: 'read',
    input: z.strictObject({}),
    run: () => Promise.reject(new Error('secret detail')),
  }),
  builtinTool({
    ...plain,
    name: 'over',
    class: 'read',
    input: z.strictObject({}),
    run: () => Promise.reject(new Problem('upstream', 'vault/reconnect', { says: 'over' })),
  }),
  builtinTool({
    ...plain,
    name: 'slow',
    class: 'write',
    input: z.strictObject({}),
    run: (c) => new Promise((_, no) => c.signal.addEventListener('abort', () => no(new Error('ended')))),
  }),
];

const scene = (o: Partial<BuiltinScene> = {}): BuiltinScene => ({
  manifest: { type: 'notes', name: 'Notes' },
  builtin: { version: '3', instructions: 'Be brief.', tools },
  access: 'read_write',
  actAs: 'person',
  settings: {},
  person: { email: 'ada@acme.example', name: 'Ada' },
  open: () => Promise.resolve({ scopes: [], facts: {} } as unknown as VendorClient),
  signal: new AbortController().signal,
  toolMs: 60_000,
  now: () => new Date(0),
  log: { error: () => undefined },
  ...o,
});
type Answer = {
  status: number;
  m: { result?: Record<string, unknown>; error?: { code: number; message: string; data?: unknown } };
};
const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
async function ask(method: string, params: object, o?: Partial<BuiltinScene>, header?: string): Promise<Answer> {
  const r = await serveBuiltin(
    Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 7, method, params })),
    header,
    scene(o),
  );
  const m = JSON.parse(r.text ?? '{}') as Answer['m'] & { id: unknown };
  assert.equal(m.id, 7);
  return { status: r.status, m };
}
const call = async (name: string, args: object, o?: Partial<BuiltinScene>) => {
  const { m } = await ask('tools/call', { name, arguments: args }, o);
  const r = m.result as { content: { text: string }[]; isError?: true; _meta?: Record<string, unknown> };
  return { says: r.content[0]!.text, error: r.isError === true, meta: r._meta };
};

test('a client of the stateless revision is told what the server is, with how long that holds and for whom', async () => {
  const { status, m } = await ask('server/discover', { _meta: modernMeta }, {}, '2026-07-28');
  assert.equal(status, 200);
  assert.deepEqual(m.result, {
    supportedVersions: ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'],
    capabilities: { tools: {} },
    instructions: 'Be brief.',
    ttlMs: 300000,
    cacheScope: 'private',
    resultType: 'complete',
    _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'gatehouse-notes', title: 'Notes', version: '3' } },
  });
});

test('an older client is greeted in its revision, without a session', async () => {
  const { m } = await ask('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: {} });
  assert.equal(m.result?.['protocolVersion'], '2025-06-18');
  assert.equal(
    (await ask('initialize', { protocolVersion: '1999-01-01' })).m.result?.['protocolVersion'],
    '2025-11-25',
  );
  assert.deepEqual((await ask('ping', {})).m.result, {});
  assert.equal('resultType' in (await ask('tools/list', {})).m.result!, false);
});

test('a notification is taken and nothing is said', async () => {
  const r = await serveBuiltin(
    Buffer.from('{"jsonrpc":"2.0","method":"notifications/initialized"}'),
    undefined,
    scene(),
  );
  assert.deepEqual(r, { status: 202, text: undefined });
});

test('a revision of the future is refused with those that are spoken', async () => {
  const { status, m } = await ask('tools/list', { _meta: { 'io.modelcontextprotocol/protocolVersion': '2027-01-01' } });
  assert.deepEqual([status, m.error?.code], [400, -32022]);
});

for (const method of ['resources/list', 'prompts/list', 'subscriptions/listen', 'made/up'])
  test(`${method} is not found, in each revision’s way`, async () => {
    assert.deepEqual([(await ask(method, {})).status, (await ask(method, {})).m.error?.code], [200, -32601]);
    assert.equal((await ask(method, { _meta: modernMeta })).status, 404);
  });

test('tools are listed in one order, strict, with what they bring; a read-only connector has those that read', async () => {
  const list = async (o?: Partial<BuiltinScene>) =>
    (await ask('tools/list', {}, o)).m.result!['tools'] as Record<string, unknown>[];
  assert.deepEqual(
    (await list()).map((t) => t['name']),
    ['broken', 'over', 'read', 'refused', 'slow', 'write'],
  );
  const only = await list({ access: 'read_only' });
  assert.deepEqual(
    only.map((t) => t['name']),
    ['broken', 'over', 'read', 'refused'],
  );
  assert.deepEqual(only[2], {
    name: 'read',
    title: 'T',
    description: 'Does it.',
    inputSchema: {
      type: 'object',
      properties: {
        id: { type: 'string', description: 'Of the file.' },
        pages: { default: 1, type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
      },
      required: ['id'],
      additionalProperties: false,
    },
    annotations: { readOnlyHint: true, destructiveHint: false, openWorldHint: true },
    _meta: { 'gatehouse/brings': ['private', 'untrusted'], 'gatehouse/outward': false },
  });
});

test('a call is answered with what the tool says, for the person that Gatehouse knows, and with where it is from', async () => {
  const r = await call('read', { id: 'f1' });
  assert.equal(r.says, 'f1 1 for ada@acme.example');
  assert.deepEqual(r.meta, { 'gatehouse/origin': { system: 'notes', brings: ['untrusted', 'private'] } });
});

const refusals: [string, string, object, Partial<BuiltinScene>, RegExp][] = [
  ['an unknown tool', 'nope', {}, {}, /^there is no tool "nope"/],
  ['a tool that writes at a read-only connector', 'write', { to: 'x' }, { access: 'read_only' }, /may only read/],
  ['an argument of another type', 'read', { id: 1 }, {}, /^the arguments of read do not fit: id: .*string/],
  ['an argument that nobody asked for', 'read', { id: 'a', as: 'eve' }, {}, /"as"/],
  ['what the vendor refuses', 'refused', {}, {}, /^Vendor has nothing there$/],
  ['a fault of ours, without its detail', 'broken', {}, {}, /^something broke on our side; [^:]*$/],
  ['a tool that writes and takes too long', 'slow', {}, { toolMs: 20 }, /may have been done all the same/],
];
for (const [what, name, args, o, says] of refusals)
  test(`${what} is an error that a model can read`, async () => {
    const r = await call(name, args, o);
    assert.equal(r.error, true);
    assert.match(r.says, says);
  });

test('a credential that is over is no answer of the tool: the call has failed', async () => {
  await assert.rejects(call('over', {}), (e) => e instanceof Problem && e.code === 'vault/reconnect');
});

test('a connection that was made for less than the tool needs is told so before the vendor is asked', async () => {
  const open = (scopes: string[]) => () => Promise.resolve({ scopes, facts: {} } as unknown as VendorClient);
  await assert.rejects(
    call('read', { id: 'a' }, { open: open(['mail']) }),
    (e) => e instanceof Problem && e.code === 'connectors/missing-scope',
  );
  assert.equal((await call('read', { id: 'a' }, { open: open(['files']) })).error, false);
});

test('who leaves ends the tool', async () => {
  const end = new AbortController();
  const p = call('slow', {}, { signal: end.signal });
  end.abort(new Error('left'));
  await assert.rejects(p);
});
