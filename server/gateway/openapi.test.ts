import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { Id } from '#kernel/id.ts';
import { connectorHouse, type Added, type ConnectorHouse } from '#dev/connector-house.ts';
import { petDocument, restService, type RestService } from '#dev/rest-service.ts';
import { setBaseline } from '#dlp/set-baseline.ts';
import { raw } from '#dev/gateway-house.ts';

let h: ConnectorHouse;
let service: RestService;
before(async () => {
  [h, service] = await Promise.all([connectorHouse(), restService()]);
});
after(async () => {
  await service.close();
  await h[Symbol.asyncDispose]();
});

type Tool = { key: string; name: string; class: string; pin: string };
let n = 0;
const KEY = 'pet-key-0123456789';

/** Imports the service as it is, has everything reviewed, lets everyone use it and gives it its key. */
async function imported(
  over: object = {},
  o: { review?: false; key?: false; rule?: false; flows?: object } = {},
): Promise<Added & { tools: Tool[] }> {
  const r = await h.api('POST', '/openapi', {
    url: `${service.url}/openapi.json`,
    allowPrivate: true,
    slug: `pets-${++n}`,
    operations: 'all',
    scheme: 'key',
    ...over,
  });
  assert.equal(r.status, 201, r.text);
  const c = { id: r.json['id'] as Id<'con'>, slug: String(r.json['slug']), tools: r.json['tools'] as Tool[] };
  if (o.key !== false) await h.give(c, 'api_key', { key: KEY });
  if (o.review !== false) await review(c, o.flows ?? {});
  if (o.rule !== false)
    await h.g.rule({
      name: `everyone uses ${c.slug}`,
      who: { kind: 'everyone' },
      connector: c.id,
      tools: { classes: ['read', 'write', 'destructive'] },
      effect: 'allow',
      asks: 'never',
    });
  return c;
}
async function review(c: { id: string; tools: Tool[] }, more: object = {}): Promise<void> {
  const tools = c.tools.map((t) => ({ name: t.name, pin: t.pin, class: t.class, ...more }));
  const r = await h.api('POST', `/connectors/${c.id}/review`, { tools });
  assert.equal(r.status, 200, r.text);
}
const last = () => service.seen.at(-1)!;

test('an imported operation can be used by nobody until it is reviewed, and is called with its arguments in their places then', async () => {
  const c = await imported({}, { review: false });
  assert.deepEqual(await h.tools(c), []);
  await review(c);
  await wait(600);
  assert.deepEqual((await h.tools(c)).slice(0, 3), ['away', 'busy', 'createPet']);
  const r = await h.call(c, 'listPets', { limit: 5, filter: { tag: 'a&b' }, tags: ['x,y', 'z'] });
  assert.equal(r.error, false, r.says);
  assert.deepEqual(r.result['structuredContent'], { value: [{ id: 1, name: 'Rex', tag: null }] });
  assert.equal(r.says, '[{"id":1,"name":"Rex","tag":null}]');
  assert.equal(last().url, '/v1/pets?limit=5&filter%5Btag%5D=a%26b&tags=x%2Cy,z');
  assert.equal(last().headers['x-pet-key'], KEY);
  assert.equal(last().headers.authorization, undefined);
});

test('arguments that do not fit are refused in words by place before the service is asked', async () => {
  const c = await imported();
  const before = service.seen.length;
  assert.match(
    (await h.call(c, 'listPets', { limit: 0 })).says,
    /the arguments of listPets do not fit: limit: at least 1/,
  );
  assert.match(
    (await h.call(c, 'createPet', { body: { name: 'Rex', id: 4 } })).says,
    /body\.id: there is no such argument/,
  );
  assert.match(
    (await h.call(c, 'createPet', { body: { name: 'Rex', parent: { name: '' } } })).says,
    /body\.parent\.name/,
  );
  assert.match((await h.call(c, 'getPet', { petId: '..' })).says, /walks through folders/);
  assert.equal(service.seen.length, before);
  assert.equal(
    (await h.call(c, 'createPet', { body: { name: 'Rex', tag: null, parent: { name: 'Ma' } } })).error,
    false,
  );
  assert.equal(last().body, '{"name":"Rex","tag":null,"parent":{"name":"Ma"}}');
});

test('a refusal is told in the service’s words with its status, and a throttled call waits as it is asked to', async () => {
  const c = await imported();
  const taken = await h.call(c, 'createPet', { body: { name: 'Taken' } });
  assert.equal(taken.error, true);
  assert.match(taken.says, /status 409.*\n.*there is a pet of this name already.*"field":"name"/s);
  assert.match((await h.call(c, 'getPet', { petId: '404' })).says, /status 404.*no such pet/s);
  assert.equal((await h.call(c, 'busy')).error, false);
  assert.match((await h.call(c, 'away')).says, /leads elsewhere, and that is not followed/);
});

test('answers that are no small JSON become text: pages, pictures by what they are, large ones cut, long ids as written', async () => {
  const c = await imported({}, { flows: { brings: [], outward: false } });
  assert.match((await h.call(c, 'page')).says, /News[\s\S]*All is well/);
  assert.doesNotMatch((await h.call(c, 'page')).says, /x\(\)/);
  assert.match((await h.call(c, 'picture')).says, /a file of 9 bytes \(image\/png\)/);
  const large = await h.call(c, 'large');
  assert.match(large.says, /cut at 100 KiB/);
  assert.equal(large.result['structuredContent'], undefined);
  assert.equal((await h.call(c, 'long-id')).says, '{"id":9007199254740993}');
  assert.match((await h.call(c, 'deletePet', { petId: 'a/b' })).says, /answers with status 204/);
  assert.equal(last().url, '/v1/pets/a%2Fb');
});

test('a service that echoes what it is sent does not give its credential to anybody', async () => {
  const c = await imported();
  const r = await h.call(c, 'echo', {
    q: 'a b&c=d',
    'X-Trace': 't1',
    body: { a: 'x&y=z', list: [1, 2], deep: { k: 'v' } },
  });
  assert.ok(!r.raw.text.includes(KEY), r.raw.text);
  assert.match(r.says, /\[credential\]/);
  assert.match(r.says, /\nlink: <\S+&key=\[credential\]>; rel="next"$/);
  const echoed = r.result['structuredContent'] as { url: string; body: string; headers: Record<string, string> };
  assert.equal(echoed.url, '/v1/echo?q=a%20b%26c%3Dd');
  assert.equal(echoed.body, 'a=x%26y%3Dz&list=1&list=2&deep=%7B%22k%22%3A%22v%22%7D');
  assert.equal(echoed.headers['x-trace'], 't1');
  assert.equal(echoed.headers['content-type'], 'application/x-www-form-urlencoded');
  const log = JSON.stringify(await h.g.events());
  assert.ok(!log.includes(KEY));
});

test('a newer document closes what changed until it is reviewed, closes what is gone, and leaves the rest in use', async () => {
  const c = await imported();
  assert.equal((await h.call(c, 'getPet', { petId: '1' })).error, false);
  const newer = petDocument(`${service.url}/v1`);
  delete newer.paths['/away'];
  newer.paths['/pets']!['get'] = { operationId: 'renamedList', summary: 'Lists all pets', responses: {} };
  newer.paths['/pets/{petId}']!['patch'] = { operationId: 'patchPet', responses: {} };
  const preview = await h.api('POST', '/openapi/preview', { document: newer, connector: c.id });
  const ops = preview.json['operations'] as { key: string; name: string; differs: string }[];
  assert.deepEqual(
    ops.filter((o) => o.differs !== 'same').map((o) => [o.key, o.name, o.differs]),
    [
      ['GET /pets', 'listPets', 'changed'],
      ['PATCH /pets/{petId}', 'patchPet', 'new'],
      ['POST /upload', 'upload', 'new'],
    ],
  );
  assert.deepEqual(preview.json['gone'], [{ key: 'GET /away', name: 'away' }]);
  const r = await h.api('PUT', `/connectors/${c.id}/openapi`, { document: newer });
  assert.equal(r.status, 200, r.text);
  assert.deepEqual([r.json['added'], r.json['changed'], r.json['removed']], [[], ['listPets'], ['away']]);
  await wait(600);
  assert.equal((await h.call(c, 'getPet', { petId: '1' })).error, false);
  assert.ok(!(await h.tools(c)).includes('listPets'));
  assert.equal((await h.call(c, 'listPets')).error, true);
  assert.equal((await h.call(c, 'patchPet', { petId: '1' })).error, true, 'what was not chosen is no tool');
  await review({ id: c.id, tools: (r.json['tools'] as Tool[]).filter((t) => t.name === 'listPets') });
  await wait(600);
  assert.equal((await h.call(c, 'listPets')).error, false);
});

test('a connector for reading only has no tool that writes, also after its access is changed twice', async () => {
  const c = await imported({ access: 'read_only' }, { review: false });
  const reads = c.tools.filter((t) => t.class === 'read');
  await review({ id: c.id, tools: reads });
  await wait(600);
  assert.ok(!(await h.tools(c)).includes('createPet'));
  await h.api('PATCH', `/connectors/${c.id}`, { access: 'read_write' });
  await wait(600);
  assert.ok(!(await h.tools(c)).includes('createPet'), 'nobody has reviewed it');
  await review({ id: c.id, tools: c.tools.filter((t) => t.name === 'createPet') });
  await wait(600);
  assert.ok((await h.tools(c)).includes('createPet'));
  await h.api('PATCH', `/connectors/${c.id}`, { access: 'read_only' });
  await wait(600);
  assert.ok(!(await h.tools(c)).includes('createPet'));
});

test('both revisions of MCP list and call an imported operation, and /mcp names it with its connector', async () => {
  const c = await imported();
  const token = await h.g.token();
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const modern = (path: string, method: string, params: object, name?: string) =>
    raw(h.g, {
      path,
      token,
      headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...(name ? { 'mcp-name': name } : {}) },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }),
    });
  const listed = (await modern(`/mcp/${c.slug}`, 'tools/list', {})).json['result'] as {
    tools: { name: string; inputSchema: object }[];
    cacheScope: string;
  };
  assert.equal(listed.cacheScope, 'private');
  assert.deepEqual(listed.tools.find((t) => t.name === 'getPet')!.inputSchema, {
    type: 'object',
    properties: { petId: { type: 'string' } },
    required: ['petId'],
    additionalProperties: false,
  });
  const called = await modern(
    '/mcp',
    'tools/call',
    { name: `${c.slug}__getPet`, arguments: { petId: '1' } },
    `${c.slug}__getPet`,
  );
  const result = called.json['result'] as { structuredContent: unknown; resultType: string };
  assert.deepEqual([result.structuredContent, result.resultType], [{ id: 1, name: 'Rex' }, 'complete']);
});

test('an operation that needs a yes waits for one, and nothing reaches the service before', async () => {
  const c = await imported({}, { rule: false });
  await h.g.rule({
    name: `deleting in ${c.slug} needs a yes`,
    who: { kind: 'everyone' },
    connector: c.id,
    tools: { classes: ['destructive'] },
    effect: 'allow',
    asks: 'always',
  });
  const person = await h.g.house.addPerson('Bob');
  const before = service.seen.length;
  const r = await h.call(c, 'deletePet', { petId: '9' }, { person });
  const held = r.result['_meta'] as Record<string, string>;
  assert.equal(held['io.gatehouse/outcome'], 'held', r.raw.text);
  assert.equal(service.seen.length, before);
  await h.g.decide(held['io.gatehouse/approval'] as Id<'apr'>, 'approved', h.g.house.ada);
  assert.equal((await h.call(c, 'deletePet', { petId: '8' }, { person })).error, true, 'another pet was not approved');
  assert.equal(service.seen.length, before);
  assert.match((await h.call(c, 'deletePet', { petId: '9' }, { person })).says, /answers with status 204/);
  assert.deepEqual([last().method, last().url, service.seen.length], ['DELETE', '/v1/pets/9', before + 1]);
  assert.equal((await h.call(c, 'getPet', { petId: '1' })).error, true, 'no rule lets anybody read');
  assert.equal(service.seen.length, before + 1);
});

test('content that may not leave does not reach the service, and what comes back is looked at, too', async () => {
  const c = await imported();
  const CARD = '4111 1111 1111 1111';
  await setBaseline(h.g.ctx, 'payment_card', [{ data: 'payment_card', phase: 'arguments', action: 'block' }]);
  await wait(1000);
  const before = service.seen.length;
  const r = await h.call(c, 'createPet', { body: { name: CARD } });
  assert.equal((r.result['_meta'] as Record<string, unknown>)['io.gatehouse/outcome'], 'blocked', r.raw.text);
  assert.equal(service.seen.length, before);
  await setBaseline(h.g.ctx, 'payment_card', [
    { data: 'payment_card', phase: 'arguments', action: 'allow' },
    { data: 'payment_card', phase: 'result', action: 'redact' },
  ]);
  await wait(1000);
  const back = await h.call(c, 'createPet', { body: { name: CARD } }, { anew: true });
  assert.ok(!back.raw.text.includes('4111 1111'), back.raw.text);
  assert.equal(service.seen.length, before + 1, back.raw.text);
});

test('a service that asks for nobody is called without a credential; basic and query keys stand where they are asked for', async () => {
  const open = await imported({ scheme: undefined, auth: { kind: 'none' } }, { key: false });
  assert.equal((await h.call(open, 'getPet', { petId: '1' })).error, false);
  assert.equal(last().headers.authorization, undefined);
  const checked = await h.api('POST', `/connectors/${open.id}/check`);
  assert.deepEqual([checked.status, checked.json['wrong']], [200, null], checked.text);
  const basic = await imported({ scheme: undefined, auth: { kind: 'basic' } }, { key: false });
  await h.give(basic, 'basic', { username: 'robot', password: 'p:ss wörd' });
  assert.equal((await h.call(basic, 'getPet', { petId: '1' })).error, false);
  assert.equal(last().headers.authorization, `Basic ${Buffer.from('robot:p:ss wörd').toString('base64')}`);
  const query = await imported(
    { scheme: undefined, auth: { kind: 'api_key', in: 'query', name: 'api_key' } },
    { key: false },
  );
  await h.give(query, 'api_key', { key: 'k&y=1#2 345' });
  const r = await h.call(query, 'listPets', { limit: 1 });
  assert.equal(r.error, false);
  assert.equal(last().url, '/v1/pets?limit=1&api_key=k%26y%3D1%232%20345');
  const missing = await imported({ scheme: undefined, auth: { kind: 'bearer' } }, { key: false });
  assert.match((await h.call(missing, 'getPet', { petId: '1' })).says, /an administrator must give it one/);
});

test('an account is tried where something says whose it is, and a key that the service does not take is not kept', async () => {
  service.wants = (r) => r.headers['x-pet-key'] === KEY;
  try {
    const c = await imported({ whoami: '/me' }, { key: false });
    const wrong = await h.api('PUT', `/connectors/${c.id}/account`, {
      kind: 'api_key',
      fields: { key: 'wrong-key-123' },
    });
    assert.equal(wrong.status, 400, wrong.text);
    const right = await h.api('PUT', `/connectors/${c.id}/account`, { kind: 'api_key', fields: { key: KEY } });
    assert.equal(right.json['account'], 'Pet robot', right.text);
    const checked = await h.api('POST', `/connectors/${c.id}/check`);
    assert.equal(checked.json['account'], 'Pet robot', checked.text);
    const tried = checked.json['tools'] as { tool: string; outcome: string }[];
    assert.equal(tried.find((t) => t.tool === 'listPets')?.outcome, 'works');
    assert.equal(tried.find((t) => t.tool === 'createPet')?.outcome, 'not_tried');
  } finally {
    service.wants = undefined;
  }
});
