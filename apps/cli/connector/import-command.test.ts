import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connectorHouse, type ConnectorHouse } from '@gatehouse/server/dev/connector-house.ts';
import { petDocument, restService, type RestService } from '@gatehouse/server/dev/rest-service.ts';
import { createApiKey } from '@gatehouse/server/org/create-api-key.ts';
import { connector } from './connector-commands.ts';

let h: ConnectorHouse;
let service: RestService;
let key: string;
const dir = mkdtempSync(join(tmpdir(), 'import-'));
const file = (name: string, value: unknown): string => {
  const path = join(dir, name);
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value), { mode: 0o600 });
  return path;
};
before(async () => {
  [h, service] = await Promise.all([connectorHouse(), restService()]);
  const { value } = await createApiKey(h.g.as(h.g.house.ada), {
    name: 'cli',
    permissions: ['connector.read', 'connector.manage'],
    expiresAt: new Date(Date.now() + 3_600_000),
  });
  key = file('key', value);
});
after(async () => {
  rmSync(dir, { recursive: true, force: true });
  await service.close();
  await h[Symbol.asyncDispose]();
});

async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const said: string[] = [];
  let err = '';
  const url = `${h.g.house.origin}/api/orgs/${h.g.house.org}`;
  const terminal = {
    out: (line: string) => said.push(line),
    err: { write: (text: string) => ((err += text), true) },
    environment: {},
    timers: { now: () => Date.now(), sleep: () => Promise.resolve() },
  } as unknown as Parameters<typeof connector>[2];
  const common = ['--url', url, '--token-file', key, '--allow-private', new URL(h.g.house.origin).host];
  const status = await connector('import', [...args, ...common], terminal);
  return { status, out: said.join('\n'), err };
}

test('a document is looked at, imported in part, and taken anew, from a file and from an address', async () => {
  const at = `${service.url}/openapi.json`;
  const seen = await run(at, '--preview', '--private');
  assert.equal(seen.status, 0, seen.err);
  assert.match(seen.out, /^Pet store 1\.4\.0 \(OpenAPI 3\.0\)\n {2}server +http.*\n {2}scheme +key \(apiKey\)\n/);
  assert.match(seen.out, /deletePet +destructive +DELETE \/pets\/\{petId\}/);
  assert.match(
    seen.out,
    /- +- +POST \/upload +not possible: its body is multipart.*\(#\/paths\/~1upload\/post\/requestBody\)/,
  );

  const chosen = ['--operation', 'GET /pets', '--operation', 'POST /pets=destructive'];
  const made = await run(at, '--slug', 'pets', '--scheme', 'key', '--private', ...chosen);
  assert.equal(made.status, 0, made.err);
  assert.match(made.out, /^pets is there \(con_[0-9a-f]+\) with 2 tools, which wait for a review\./);
  assert.match(made.out, /Give it the organization's account/);
  assert.match(made.out, /createPet +destructive +POST \/pets/);

  const newer = petDocument(`${service.url}/v1`);
  delete newer.paths['/pets']!['get'];
  newer.paths['/pets']!['post'] = { ...newer.paths['/pets']!['post'], summary: 'Adds one' };
  const path = file('newer.json', newer);
  const differs = await run(path, '--preview', '--into', 'pets');
  assert.match(differs.out, /createPet +write +POST \/pets +changed/);
  assert.match(differs.out, /gone: listPets \(GET \/pets\)/);
  const again = await run(path, '--into', 'pets');
  assert.equal(again.status, 0, again.err);
  assert.match(
    again.out,
    /pets has 1 operations now\.\n {2}changed +createPet\n {2}gone +listPets\nNew and changed tools wait/,
  );
});

test('a service that asks for nobody is imported with the address that is given for it, whole', async () => {
  const path = file('open.json', {
    ...petDocument('https://{host}.example/v1'),
    components: {},
    paths: { '/pets': { get: {} } },
  });
  const r = await run(
    path,
    '--slug',
    'open',
    '--all',
    '--no-credential',
    '--server',
    'https://{host}.example/v1',
    '--variable',
    'host=pets',
    '--json',
  );
  assert.equal(r.status, 0, r.err);
  const c = JSON.parse(r.out) as { url: string; actAs: string; tools: { name: string }[] };
  assert.deepEqual([c.url, c.actAs, c.tools.map((t) => t.name)], ['https://pets.example/v1', 'none', ['get_pets']]);
});

const mistakes: [string, string[], RegExp][] = [
  ['no document', ['--slug', 'a', '--all'], /which document/],
  ['a file that is not there', [join(dir, 'no'), '--slug', 'a', '--all'], /ENOENT/],
  ['no slug', ['https://a.example/openapi.json', '--all'], /--slug is missing/],
  ['no choice of operations', ['https://a.example/openapi.json', '--slug', 'a'], /say which operations/],
  [
    'all and some',
    ['https://a.example/openapi.json', '--slug', 'a', '--all', '--operation', 'GET /a'],
    /--all is every/,
  ],
];
for (const [what, args, says] of mistakes)
  test(`${what} is a mistake in the command line, told before anything is sent`, async () => {
    const r = await run(...args);
    assert.equal(r.status, 2, r.out);
    assert.match(r.err, says);
  });

test('what the server refuses is told in its words', async () => {
  const r = await run(file('swagger.json', { swagger: '2.0' }), '--preview');
  assert.equal(r.status, 1);
  assert.match(r.err, /#\/swagger: this is a Swagger 2\.0 document.*\nTo do: convert it/s);
});
