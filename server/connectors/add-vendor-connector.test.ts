import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { inCatalogue } from '#dev/connector-house.ts';
import { doorHouse, type Answer, type DoorHouse } from '#dev/door-house.ts';
import { newId } from '#kernel/id.ts';
import { plainManifest } from '#dev/vendors/plain-manifest.ts';
import { builtinTool } from './kit/builtin-tool.ts';
import type { Manifest } from './kit/manifest.ts';
import { connectorOperations } from './connectors.http.ts';

const tool = (name: string, cls: 'read' | 'write') =>
  builtinTool({
    name,
    title: name,
    description: 'Does it.',
    class: cls,
    input: z.strictObject({ path: z.string().describe('Of the file.') }),
    projection: [{ kind: 'path', at: '/path' }],
    scopes: [cls],
    brings: cls === 'read' ? ['private'] : [],
    outward: cls === 'write',
    run: () => Promise.resolve({ content: [] }),
  });
const base = plainManifest();
const manifest: Manifest = {
  ...base,
  settings: z.strictObject({
    tenant: z.string().describe('As the vendor shows it.'),
    pages: z.number().max(10).optional(),
  }),
  origins: { ...base.origins, mcp: 'https://mcp.plain.example' },
  builtin: {
    version: '4',
    instructions: 'Ask for little.',
    tools: [tool('write_it', 'write'), tool('read_it', 'read')],
  },
  remote: {
    url: '{mcp}/mcp',
    readOnlyUrl: '{mcp}/read/{tenant}',
    refuses: (s) => (s['pages'] === undefined ? undefined : 'it cannot limit pages'),
    note: 'A preview.',
  },
};
let h: DoorHouse;
let out: () => void;
before(async () => {
  out = inCatalogue(manifest);
  h = await doorHouse({ operations: connectorOperations });
});
after(async () => {
  out();
  await h[Symbol.asyncDispose]();
});
const at = (path = ''): string => `/orgs/${h.acme.org}${path}`;
let n = 0;
const add = (more: object = {}): Promise<Answer> =>
  h.api('POST', at('/connectors'), { type: 'plain', slug: `p${++n}`, settings: { tenant: 'acme' }, ...more });
type Shown = { name: string; state: string; class: string | null };
const toolsOf = async (id: unknown): Promise<Shown[]> =>
  (await h.api('GET', at(`/connectors/${String(id)}/tools`))).body['items'] as Shown[];

test('the catalogue says of each type what it asks for and what its tools do', async () => {
  const { body } = await h.api('GET', at('/catalogue?q=PLAIN'));
  const [entry] = body['items'] as Record<string, unknown>[];
  assert.equal(entry!['type'], 'plain');
  assert.deepEqual(entry!['modes'], [
    { mode: 'builtin', note: null },
    { mode: 'remote', note: 'A preview.' },
  ]);
  assert.deepEqual(entry!['actsAs'], ['person', 'organization', 'organization_as_person']);
  assert.deepEqual((entry!['settings'] as { required: string[] }).required, ['tenant']);
  assert.deepEqual((entry!['access'] as { access: string; scopes: string[] }[])[0], {
    access: 'read_only',
    scopes: ['me', 'read', 'offline'],
  });
  const [account] = entry!['organization'] as { kind: string; fields: { required: string[] } }[];
  assert.deepEqual([account!.kind, account!.fields.required], ['service_account', ['client_id', 'client_secret']]);
  assert.deepEqual(
    (entry!['tools'] as { name: string }[]).map((t) => t.name),
    ['read_it', 'write_it'],
  );
  assert.deepEqual((await h.api('GET', at('/catalogue?q=nothing-like-it'))).body['items'], []);
});

test('the catalogue is paged by type', async () => {
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const { body }: Answer = await h.api('GET', at(`/catalogue?limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`));
    seen.push(...(body['items'] as { type: string }[]).map((t) => t.type));
    cursor = body['next'] as string | null;
  }
  assert.deepEqual(seen, [...new Set(seen)].sort());
  assert.ok(seen.includes('plain'));
});

test('a connector of a type reads only and comes with its reviews, unless more is asked for', async () => {
  const added = await add();
  assert.equal(added.status, 201, added.text);
  const { type, mode, actAs, access } = added.body;
  assert.deepEqual(
    { type, mode, actAs, access },
    { type: 'plain', mode: 'builtin', actAs: 'person', access: 'read_only' },
  );
  assert.equal(added.body['redirectUri'], `${h.origin}/connections/callback/${String(added.body['id'])}`);
  assert.equal((await add({ actAs: 'organization' })).body['redirectUri'], null, 'nobody comes back from there');
  assert.deepEqual(
    (await toolsOf(added.body['id'])).map(({ name, state, class: c }) => [name, state, c]),
    [['read_it', 'reviewed', 'read']],
  );
  const reviewed = (await h.events('tools.reviewed')).at(-1);
  assert.equal(reviewed?.data['by'], 'catalogue:plain@4');
  const [kept] = await h.t.super<{ by: string; brings: string[]; projection: unknown }>(
    `select reviewed_by as by, brings, projection from tool_definition where connector = $1 and name = 'read_it'`,
    String(added.body['id']),
  );
  assert.deepEqual(kept, { by: 'catalogue:plain@4', brings: ['private'], projection: [{ kind: 'path', at: '/path' }] });
});

test('more access brings the tools that write, less takes them away, and each is in the log', async () => {
  const { body } = await add();
  const edit = (e: object) => h.api('PATCH', at(`/connectors/${String(body['id'])}`), e);
  assert.equal((await edit({ access: 'read_write' })).status, 200);
  const state = async () => (await toolsOf(body['id'])).map((t) => `${t.name} ${t.state}`);
  assert.deepEqual(await state(), ['read_it reviewed', 'write_it reviewed']);
  assert.deepEqual((await h.events('connector.changed')).at(-1)?.data['changed'], ['access']);
  await edit({ access: 'read_only' });
  assert.deepEqual(await state(), ['read_it reviewed', 'write_it removed']);
  await edit({ state: 'off', name: 'Other' });
  assert.equal((await h.events('connector.disabled')).at(-1)?.data['connector'], body['id']);
  const before = (await h.events('connector.changed')).length;
  assert.equal((await edit({ name: 'Other' })).status, 200);
  assert.equal((await h.events('connector.changed')).length, before, 'what is so already is no event');
});

test('what an administrator closed or gave another class stays so when access changes', async () => {
  const { body } = await add({ access: 'read_write' });
  const con = `/connectors/${String(body['id'])}`;
  const pin = async (name: string) =>
    ((await h.api('GET', at(`${con}/tools`))).body['items'] as { name: string; pin: string }[]).find(
      (t) => t.name === name,
    )!.pin;
  const review = async (of: object[]) => h.api('POST', at(`${con}/review`), { tools: of });
  const done = await review([
    { name: 'write_it', pin: await pin('write_it'), keepClosed: true },
    { name: 'read_it', pin: await pin('read_it'), class: 'destructive' },
  ]);
  assert.equal(done.status, 200, done.text);
  await h.api('PATCH', at(con), { access: 'read_only' });
  await h.api('PATCH', at(con), { access: 'read_write' });
  assert.deepEqual(
    (await toolsOf(body['id'])).map((t) => [t.name, t.state === 'reviewed', t.class]),
    [
      ['read_it', true, 'destructive'],
      ['write_it', false, null],
    ],
  );
});

test('the vendor’s own server is added by its address for the access; its tools are not known before somebody lists them', async () => {
  const read = await add({ mode: 'remote' });
  assert.equal(read.body['url'], 'https://mcp.plain.example/read/acme');
  assert.deepEqual(await toolsOf(read.body['id']), []);
  assert.equal((await add({ mode: 'remote', access: 'read_write' })).body['url'], 'https://mcp.plain.example/mcp');
  const again = await h.api('POST', at(`/connectors/${String(read.body['id'])}/refresh`));
  assert.equal(again.body['code'], 'connectors/listed-by-people');
});

test('a check needs an account to try, and a person where calls act for persons', async () => {
  const check = async (more: object): Promise<unknown> => {
    const { body } = await add(more);
    return (await h.api('POST', at(`/connectors/${String(body['id'])}/check`))).body['code'];
  };
  assert.equal(await check({ actAs: 'organization' }), 'connectors/nothing-to-check');
  assert.equal(await check({ actAs: 'person' }), 'connectors/check-by-person');
  assert.equal(await check({ actAs: 'organization_as_person' }), 'connectors/check-by-person');
});

const refusals: [string, object, string, RegExp][] = [
  ['a type that nobody knows', { type: 'fax' }, 'connectors/no-such-type', /"fax".*no kind of system/],
  ['settings, each by name', { settings: { pages: 11, more: 1 } }, 'connectors/settings', /tenant: .*pages: .*more/],
  [
    'a mode that cannot keep the settings',
    { mode: 'remote', settings: { tenant: 'acme', pages: 1 } },
    'connectors/mode-refused',
    /cannot limit pages/,
  ],
  ['an account that the type does not have', { actAs: 'none' }, 'connectors/no-such-account', /actAs "none"/],
  ['an address of no role', { origins: { ftp: 'https://x.example' } }, 'connectors/no-such-origin', /"ftp"/],
  [
    'an address inside the network that nobody allowed',
    { origins: { api: 'http://10.0.0.1' } },
    'egress/plain-http',
    /10\.0\.0\.1/,
  ],
  ['a slug that is taken', { slug: 'p1' }, 'connectors/slug-taken', /p1/],
];
for (const [what, more, code, says] of refusals)
  test(`adding refuses ${what}`, async () => {
    const r = await add(more);
    assert.equal(r.body['code'], code, r.text);
    assert.match(String(r.body['detail']), says);
  });

test('adding refuses a mode that the type does not have, and a server of one’s own has no access to change', async () => {
  const { remote: _, ...builtinOnly } = manifest;
  const back = inCatalogue(builtinOnly);
  try {
    assert.equal((await add({ mode: 'remote' })).body['code'], 'connectors/no-such-mode');
  } finally {
    back();
  }
  await h.t.super(
    `insert into connector (org, id, slug, name, url, state, created_at, type, mode, act_as, access) values ($1, $2, 'own', 'Own', 'https://own.example/mcp', 'on', now(), 'mcp', 'remote', 'none', 'read_write')`,
    h.acme.org,
    newId('con'),
  );
  const own = (await h.api('GET', at('/connectors'))).body['items'] as { id: string; slug: string }[];
  const id = own.find((c) => c.slug === 'own')!.id;
  const r = await h.api('PATCH', at(`/connectors/${id}`), { access: 'read_only' });
  assert.equal(r.body['code'], 'connectors/own-server');
});

test('connectors are searched by name, slug and type, and paged by slug', async () => {
  for (const slug of ['lamp-1', 'lamp-2', 'lamp-3']) assert.equal((await add({ slug })).status, 201);
  assert.equal((await add({ slug: 'by-name', name: 'The lamp shelf' })).status, 201);
  const list = async (query: string): Promise<{ slugs: string[]; next: string | null }> => {
    const { body } = await h.api('GET', at(`/connectors?${query}`));
    return { slugs: (body['items'] as { slug: string }[]).map((c) => c.slug), next: body['next'] as string | null };
  };
  const first = await list('q=LAMP&limit=3');
  assert.deepEqual(first.slugs, ['by-name', 'lamp-1', 'lamp-2']);
  assert.deepEqual(await list(`q=LAMP&limit=3&cursor=${first.next}`), { slugs: ['lamp-3'], next: null });
  assert.ok((await list('q=plain&limit=200')).slugs.includes('lamp-1'), 'by type');
  assert.deepEqual((await list('q=%25')).slugs, []);
});
