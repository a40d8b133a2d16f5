import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Stream } from 'node:stream';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { revokeGrant } from '@gatehouse/server/authorization/revoke-grant.ts';
import { gatewayHouse, type GatewayHouse } from '@gatehouse/server/dev/gateway-house.ts';
import { browserOf } from '@gatehouse/server/dev/oauth-house.ts';
import { startStandIn, type StandIn } from '@gatehouse/server/dev/stand-in.ts';
import { bundle } from './pack.ts';

const program = fileURLToPath(new URL('../gatehouse.ts', import.meta.url));
let g: GatewayHouse;
let fixture: StandIn<{ url: string; mcp: string }>;
let folder: string;

before(async () => {
  [g, fixture, folder] = await Promise.all([
    gatewayHouse(),
    startStandIn<{ url: string; mcp: string }>('everything.ts'),
    mkdtemp(join(tmpdir(), 'bridge-')),
  ]);
  await g.connect('everything', fixture.ready.mcp);
});
after(async () => {
  await fixture?.stop();
  await g?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const args = (more: readonly string[] = []): string[] => [
  program,
  'bridge',
  '--url',
  g.house.origin,
  '--connector',
  'everything',
  '--folder',
  folder,
  ...more,
];

/** Collects stderr, and answers each sign-in that the bridge asks for as Ada would. */
function person(stream: Stream | null): { said: string[]; signIns: () => number } {
  const said: string[] = [];
  let signIns = 0;
  stream?.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().split('\n').filter(Boolean)) {
      said.push(line);
      const asked = /open (\S+) and enter (\S+)/.exec(line);
      if (!asked) continue;
      signIns++;
      void (async () => {
        const b = await browserOf(g.house, g.house.ada);
        await b.open(asked[1]!);
        await b.submit('Continue', { user_code: asked[2]! });
        await b.submit('Yes, continue');
        await b.submit('Allow');
      })();
    }
  });
  return { said, signIns: () => signIns };
}

const kept = async (): Promise<{ file: string; access: string; refresh: string }> => {
  const file = join(
    folder,
    (await readdir(folder)).find((f) => f.endsWith('.json'))!,
  );
  return { file, ...(JSON.parse(await readFile(file, 'utf8')) as { access: string; refresh: string }) };
};

async function connected(mode: 'legacy' | 'auto', capabilities = {}) {
  const transport = new StdioClientTransport({ command: process.execPath, args: args(), stderr: 'pipe' });
  const who = person(transport.stderr);
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode }, capabilities });
  await client.connect(transport, { timeout: 30_000 });
  return { client, transport, ...who };
}

test('a person signs in once with a code; the tokens lie in a file of their own, and no output holds one', async () => {
  const { client, said, signIns } = await connected('legacy');
  const { tools } = await client.listTools();
  assert.ok(tools.length > 10);
  assert.equal(signIns(), 1);
  assert.equal(
    (await g.house.events('authorization.client_registered')).length,
    1,
    'only the house’s own: nothing registers',
  );
  const { file, access, refresh } = await kept();
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  for (const secret of [access, refresh]) assert.ok(!said.join('\n').includes(secret));
  await client.close();
});

for (const mode of ['legacy', 'auto'] as const)
  test(`an unmodified client of 2.x (${mode}) on stdio calls a tool, hears its progress, and is not asked to sign in again`, async () => {
    const { client, signIns, said } = await connected(mode);
    const r = await client.callTool({ name: 'test_simple_text', arguments: {} });
    assert.match(JSON.stringify(r.content), /text/);
    const heard: number[] = [];
    await client.callTool(
      { name: 'test_tool_with_progress', arguments: {} },
      { onprogress: (p: { progress: number }) => void heard.push(p.progress) },
    );
    assert.ok(heard.length > 0, said.join('\n'));
    assert.equal(signIns(), 0);
    await client.close();
  });

test('an unmodified client of sdk 1.x on stdio calls a tool, and answers what the server asks it in between', async () => {
  const transport = new OldTransport({ command: process.execPath, args: args(), stderr: 'pipe' });
  const client = new OldClient({ name: 'test', version: '1' }, { capabilities: { sampling: {} } });
  const { CreateMessageRequestSchema } = await import('@modelcontextprotocol/sdk/types.js');
  client.setRequestHandler(CreateMessageRequestSchema, () => ({
    model: 'm',
    role: 'assistant' as const,
    content: { type: 'text' as const, text: 'the answer of the client' },
  }));
  await client.connect(transport);
  const r = await client.callTool({ name: 'test_sampling', arguments: { prompt: 'hello' } });
  assert.match(JSON.stringify(r.content), /the answer of the client/);
  await client.close();
});

test('what the server says without being asked reaches the client on the stream that the bridge keeps open', async () => {
  const { client } = await connected('legacy');
  await new Promise((done) => setTimeout(done, 500));
  const heard = new Promise<void>((resolve) => {
    client.setNotificationHandler('notifications/tools/list_changed', () => resolve());
  });
  await client.callTool({ name: 'test_trigger_tool_change', arguments: {} });
  await heard;
  await client.close();
});

test('an answer whose stream ends half way is taken up again where it ended', async () => {
  const { client } = await connected('legacy');
  const r = await client.callTool({ name: 'test_reconnection', arguments: {} }, { timeout: 20_000 });
  assert.ok(Array.isArray(r.content) && r.isError !== true, JSON.stringify(r));
  await client.close();
});

test('a cancelled call is over for the client, and the bridge goes on', async () => {
  const { client } = await connected('legacy');
  const stop = new AbortController();
  const call = client.callTool({ name: 'test_tool_with_progress', arguments: {} }, { signal: stop.signal });
  stop.abort(new Error('enough'));
  await assert.rejects(call);
  assert.match(JSON.stringify(await client.callTool({ name: 'test_simple_text', arguments: {} })), /text/);
  await client.close();
});

test('an access token that has expired is renewed by the one bridge that comes first, and the other uses what it got', async () => {
  const before = await kept();
  const { file, ...rest } = before;
  await writeFile(file, JSON.stringify({ ...rest, expires: 1 }));
  const both = await Promise.all([connected('legacy'), connected('legacy')]);
  assert.deepEqual(
    both.map((b) => b.signIns()),
    [0, 0],
  );
  assert.notEqual((await kept()).refresh, before.refresh);
  assert.equal((await g.house.events('authorization.reuse_detected')).length, 0);
  await Promise.all(both.map((b) => b.client.close()));
});

test('a sign-in that ended at the server is asked for again, and the call that met it is answered', async () => {
  const { client, said, signIns } = await connected('legacy');
  for (const { id } of await g.house.t.super<{ id: string }>(`select id from oauth_item where model = 'Grant'`))
    await revokeGrant(g.as(g.house.ada), id, undefined);
  await new Promise((done) => setTimeout(done, 600));
  const r = await client.callTool({ name: 'test_simple_text', arguments: {} }, { timeout: 30_000 });
  assert.match(JSON.stringify(r.content), /text/);
  assert.equal(signIns(), 1);
  assert.match(said.join('\n'), /the sign-in has ended/);
  await client.close();
});

test('a bridge that is killed ends its client\u2019s connection, and the next one goes on with the same sign-in', async () => {
  const { client, transport } = await connected('legacy');
  const stderr = transport.stderr;
  const gone = new Promise<void>((resolve) => void stderr?.once('close', resolve));
  process.kill(transport.pid!, 'SIGKILL');
  await gone;
  await assert.rejects(client.callTool({ name: 'test_simple_text', arguments: {} }));
  const { client: next, signIns } = await connected('legacy');
  assert.equal(signIns(), 0);
  await next.close();
});

test('a bridge that was killed while it held the lock holds up no other', async () => {
  const { file } = await kept();
  await writeFile(`${file}.lock`, '999999999');
  const text = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...text, expires: 1 }));
  const { client } = await connected('legacy');
  await client.close();
});

test('a bundle is the same bytes each time, needs no install, and its server is the bridge', async () => {
  const packed = await bundle({ url: g.house.origin });
  assert.deepEqual(await bundle({ url: g.house.origin }), packed);
  const at = await mkdtemp(join(tmpdir(), 'mcpb-'));
  await writeFile(join(at, 'x.mcpb'), packed);
  execFileSync('unzip', ['-q', 'x.mcpb'], { cwd: at });
  const manifest = JSON.parse(await readFile(join(at, 'manifest.json'), 'utf8')) as {
    manifest_version: string;
    server: { entry_point: string; type: string };
    user_config: { url: { default: string } };
  };
  assert.deepEqual(
    [manifest.manifest_version, manifest.server.type, manifest.user_config.url.default],
    ['0.3', 'node', g.house.origin],
  );
  const entry = join(at, manifest.server.entry_point);
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: ['--no-experimental-strip-types', entry, ...args().slice(2)],
    stderr: 'pipe',
  });
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'legacy' } });
  await client.connect(transport);
  assert.ok((await client.listTools()).tools.length > 10);
  await client.close();
  await rm(at, { recursive: true });
});

for (const [what, more, says] of [
  ['without an address', ['--url', 'nonsense'], /--url must be the address/],
  ['over plain http to another machine', ['--url', 'http://gatehouse.example'], /must begin with https/],
  ['for a connector that is no name', ['--connector', '../x'], /--connector must be/],
] as const)
  test(`the bridge ${what} ends at once, says why on stderr, and writes nothing to stdout`, () => {
    assert.throws(
      () => execFileSync(process.execPath, [...args(), ...more], { stdio: ['ignore', 'pipe', 'pipe'] }),
      (e: { status: number; stdout: Buffer; stderr: Buffer }) =>
        e.status === 2 && e.stdout.length === 0 && says.test(e.stderr.toString()),
    );
  });

test('a gateway that is gone is an error of the call and a line on stderr, not the end of the bridge', async () => {
  const { client, said, transport } = await connected('legacy');
  const away = g.house.also.raw;
  g.house.also.raw = { handles: () => true, handle: (_req, res) => void res.destroy() };
  await assert.rejects(
    client.callTool({ name: 'test_simple_text', arguments: {} }),
    /Gatehouse bridge: .*cannot be reached/,
  );
  assert.match(said.join('\n'), /cannot be reached/);
  if (away) g.house.also.raw = away;
  assert.match(JSON.stringify(await client.callTool({ name: 'test_simple_text', arguments: {} })), /text/);
  assert.ok(transport.pid);
  await client.close();
});

test('a session that the gateway no longer knows is begun again, and the client does not notice', async () => {
  const { client, said } = await connected('legacy');
  const real = g.house.also.raw!;
  let refused = 0;
  g.house.also.raw = {
    handles: (path) => real.handles(path),
    handle(req, res) {
      if (req.method === 'POST' && req.headers['mcp-session-id'] !== undefined && refused++ === 0)
        return void res.writeHead(404, { 'content-type': 'application/json' }).end('{}');
      return real.handle(req, res);
    },
  };
  assert.match(JSON.stringify(await client.callTool({ name: 'test_simple_text', arguments: {} })), /text/);
  g.house.also.raw = real;
  assert.match(said.join('\n'), /the session has ended; beginning it again/);
  await client.close();
});

test('an upstream that is gone is told in the answer of the call, as the gateway says it', async () => {
  const { client, said } = await connected('legacy');
  await fixture.stop();
  const told = await client.callTool({ name: 'test_simple_text', arguments: {} }).then(
    (r) => JSON.stringify(r),
    (e: Error) => e.message,
  );
  assert.doesNotMatch(told, /Gatehouse bridge/);
  assert.match(told, /connector|upstream|reach/i, told);
  assert.doesNotMatch(said.join('\n'), /cannot be reached/);
  await client.close();
});

test('forgetting the sign-in removes its file', async () => {
  execFileSync(process.execPath, [...args(), '--sign-out'], { stdio: 'ignore' });
  assert.deepEqual(await readdir(folder), []);
});
