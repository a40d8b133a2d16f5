import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { builtinTool } from '@gatehouse/server/connectors/kit/builtin-tool.ts';
import type { Manifest } from '@gatehouse/server/connectors/kit/manifest.ts';
import { oauthUpstream } from '@gatehouse/server/dev/oauth-upstream.ts';
import { connectorHouse, inCatalogue, type ConnectorHouse } from '@gatehouse/server/dev/connector-house.ts';
import { plainManifest } from '@gatehouse/server/dev/vendors/plain-manifest.ts';
import { plainVendor, type PlainVendor } from '@gatehouse/server/dev/vendors/plain-vendor.ts';
import type { Id } from '@gatehouse/server/kernel/id.ts';
import { createApiKey } from '@gatehouse/server/org/create-api-key.ts';
import { checkConnector } from './check-command.ts';
import { connector, type ConnectorVerb } from './connector-commands.ts';

const plain = { title: 'Me', description: 'Says who asks.', projection: [], brings: [], outward: false } as const;
const me = async (c: Parameters<ReturnType<typeof builtinTool>['run']>[0]) => ({
  content: [{ type: 'text' as const, text: (await c.vendor.send({ method: 'GET', path: '/me' })).bytes.toString() }],
});
const manifest: Manifest = {
  ...plainManifest(),
  builtin: {
    version: '1',
    tools: [
      builtinTool({ ...plain, name: 'who_am_i', class: 'read', scopes: ['read'], input: z.strictObject({}), run: me }),
      builtinTool({
        ...plain,
        name: 'read_it',
        class: 'read',
        scopes: [],
        input: z.strictObject({ id: z.string() }),
        run: me,
      }),
      builtinTool({
        ...plain,
        name: 'read_gone',
        class: 'read',
        scopes: ['files'],
        input: z.strictObject({}),
        run: async (c) => ({
          content: [{ type: 'text', text: String((await c.vendor.send({ method: 'GET', path: '/gone' })).status) }],
        }),
      }),
      builtinTool({ ...plain, name: 'write_it', class: 'write', scopes: [], input: z.strictObject({}), run: me }),
    ],
  },
};

let vendor: PlainVendor;
let h: ConnectorHouse;
let key: string;
let out: () => void;
const dir = mkdtempSync(join(tmpdir(), 'connector-'));
const file = (name: string, value: unknown): string => {
  const path = join(dir, name);
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value), { mode: 0o600 });
  return path;
};
before(async () => {
  out = inCatalogue(manifest);
  [vendor, h] = await Promise.all([plainVendor(), connectorHouse()]);
  const { value } = await createApiKey(h.g.as(h.g.house.ada), {
    name: 'cli',
    permissions: ['connector.read', 'connector.manage'],
    expiresAt: new Date(Date.now() + 3_600_000),
  });
  key = file('key', value);
});
after(async () => {
  out();
  rmSync(dir, { recursive: true, force: true });
  await vendor.close();
  await h[Symbol.asyncDispose]();
});

const choice = (): string[] => [
  '--setting', 'tenant=acme', '--private',
  ...Object.entries(vendor.origins).flatMap(([role, url]) => ['--origin', `${role}=${url}`]),
]; // prettier-ignore

async function check(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const said: string[] = [];
  const err: string[] = [];
  const status = await checkConnector(args, { out: (l) => said.push(l), err: (l) => err.push(l) });
  return { status, out: said.join('\n'), err: err.join('\n') };
}
const run = (verb: ConnectorVerb, ...args: string[]): ReturnType<typeof runAs> =>
  runAs(verb, [...args, '--allow-private', new URL(h.g.house.origin).host]);
async function runAs(verb: ConnectorVerb, args: string[]): Promise<{ status: number; out: string; err: string }> {
  const said: string[] = [];
  let err = '';
  const url = `${h.g.house.origin}/api/orgs/${h.g.house.org}`;
  const terminal = {
    out: (line: string) => said.push(line),
    err: { write: (text: string) => ((err += text), true) },
    environment: {},
    timers: { now: () => Date.now(), sleep: () => Promise.resolve() },
  } as unknown as Parameters<typeof connector>[2];
  const status = await connector(verb, [...args, '--url', url, '--token-file', key], terminal);
  return { status, out: said.join('\n'), err };
}

test('a connector is added by its type and listed, and the catalogue says what else there is', async () => {
  const added = await run('add', '--type', 'plain', '--access', 'read_write', '--act-as', 'organization', ...choice());
  assert.equal(added.status, 0, added.err);
  assert.match(added.out, /plain is there \(con_[0-9a-f]+\), read write\./);
  assert.match(added.out, /Give it the organization's account/);
  const own = await run('add', '--type', 'plain', '--slug', 'by-person', '--act-as', 'person', ...choice());
  assert.match(own.out, /redirect address \S+\/connections\/callback\/con_[0-9a-f]+ and enter it/);
  const list = await run('list');
  assert.match(list.out, /plain +plain +builtin +organization +read_write +on/);
  const types = await run('list', '--catalogue', '--q', 'nothing particular');
  assert.match(types.out, /^TYPE.*\nplain +Plain +builtin/);
  const wrong = await run('add', '--type', 'plain', '--slug', 'b', '--setting', 'tenants=acme');
  assert.equal(wrong.status, 1);
  assert.match(wrong.err, /tenant: .*tenants/);
});

test('an account is checked from this machine: whose it is, what works, what is missing, what was not tried', async () => {
  const fields = file('fields', vendor.accounts['service_account']);
  const r = await check(
    'plain',
    '--account',
    'service_account',
    '--fields',
    fields,
    '--access',
    'read_write',
    ...choice(),
  );
  assert.equal(r.status, 3, r.err);
  assert.match(r.out, /^Plain: id-service of acme/);
  assert.match(r.out, /who_am_i +works/);
  assert.match(r.out, /read_it +not tried +- +needs arguments: id/);
  assert.match(r.out, /read_gone +REFUSED/);
  assert.match(r.out, /write_it +not tried +- +it writes/);
  assert.equal(vendor.seen.filter((x) => x.method === 'POST' && !x.path.startsWith('/login')).length, 0);
  const more = await check(
    'plain',
    '--fields',
    fields,
    ...choice(),
    '--arguments',
    `read_it=${file('args', { id: 'a' })}`,
    '--json',
  );
  const report = JSON.parse(more.out) as { ok: boolean; tools: { tool: string; outcome: string }[] };
  assert.equal(report.tools.find((t) => t.tool === 'read_it')?.outcome, 'works');
});

test('a deployment tries a connector that it has, and says nothing of what the tools read', async () => {
  await run('add', '--type', 'plain', '--slug', 'checked', '--act-as', 'organization', ...choice());
  const empty = await run('check', 'checked');
  assert.equal(empty.status, 1);
  assert.match(empty.err, /Plain has no account of the organization/);
  const list = (JSON.parse((await run('list', '--json')).out) as { id: Id<'con'>; slug: string }[]).find(
    (c) => c.slug === 'checked',
  )!;
  await h.give(list, 'service_account', vendor.accounts['service_account']!);
  const r = await run('check', 'checked');
  assert.equal(r.status, 3, r.err);
  assert.match(r.out, /^checked: id-service\n/);
  assert.match(r.out, /who_am_i +works +-$/m);
  assert.match(r.out, /read_gone +REFUSED/);
  const [told] = await h.g.events('connector.checked');
  assert.deepEqual([told?.data['works'], told?.data['refused']], [1, 1]);
  await run('add', '--type', 'plain', '--slug', 'personal', ...choice());
  const byKey = await run('check', 'personal', '--json');
  assert.equal((JSON.parse(byKey.out) as { problem: { code: string } }).problem.code, 'connectors/check-by-person');
  const con = (JSON.parse((await run('list', '--json')).out) as { id: string; slug: string }[]).find(
    (c) => c.slug === 'personal',
  )!;
  assert.equal((await h.api('POST', `/connectors/${con.id}/check`)).json['code'], 'connectors/nothing-to-check');
});

test('a server of one’s own that lets in only who has an account is added and checked with what it says of how to get one', async () => {
  const notes = await oauthUpstream();
  try {
    const own = ['--server', notes.mcp, '--private', '--authorization-server', 'http://localhost'];
    const added = await run('add', ...own, '--slug', 'notes');
    assert.equal(added.status, 0, added.err);
    assert.match(added.out, /found {4}Tokens are for \S+\/mcp, from http:\/\/localhost/);
    assert.match(added.out, /People connect at \/connections/);
    const checked = await run('check', 'notes');
    assert.equal(checked.status, 3, checked.err);
    assert.match(checked.out, /acts for persons/);
    assert.match(checked.out, /People consent with PKCE/);
    assert.match((await run('add', ...own)).err, /--slug is missing/);
  } finally {
    await notes.close();
  }
});

test('a person’s token that can do too little, or that is another tenant’s, is told so', async () => {
  const token = file('token', 'not-a-token');
  const bad = await check('plain', '--access-token-file', token, ...choice());
  assert.equal(bad.status, 3);
  assert.match(bad.out, /Plain: nobody\n {2}not usable: Plain does not accept the credential/);
  assert.ok(!bad.out.includes('not-a-token'));
});

const mistakes: [string, () => string[], RegExp][] = [
  ['no type', () => [], /say which type/],
  ['a type that nobody knows', () => ['fax'], /no type fax/],
  ['no fields', () => ['plain', ...choice()], /--fields is missing/],
  ['fields that do not fit', () => ['plain', '--fields', file('few', {}), ...choice()], /client_id.*client_secret/],
  ['a setting that is not there', () => ['plain', '--fields', file('f', {})], /tenant/],
  ['an unknown kind of account', () => ['plain', '--account', 'robot', ...choice()], /which kind of account/],
];
for (const [what, args, says] of mistakes)
  test(`${what} is a mistake in the command line, told before anything is sent`, async () => {
    const r = await check(...args());
    assert.equal(r.status, 2, r.out);
    assert.match(r.err, says);
  });

test('whoever asks a deployment inside the network is told the flag that allows it, and each command names its permission', async () => {
  const { status, err } = await runAs('list', []);
  assert.equal(status, 1);
  assert.match(err, new RegExp(`or give --allow-private ${new URL(h.g.house.origin).host}\\n$`));
  for (const [verb, permission] of [
    ['list', 'connector.read'],
    ['add', 'connector.manage'],
  ] as const) {
    const help = (await run(verb, '--help')).out;
    assert.match(help, new RegExp(`permission ${permission}`));
    assert.doesNotMatch(help, /policy\.read/);
  }
});
