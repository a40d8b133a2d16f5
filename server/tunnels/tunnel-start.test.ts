import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testDb, type TestDb } from '#dev/test-db.ts';
import { until } from '#dev/tunnel-house.ts';
import { wildUpstream, type WildUpstream } from '#dev/wild-upstream.ts';
import { selfSigned } from '#kernel/self-signed.ts';

/** Nodes as `npm start` starts them, and an agent as an administrator does: all that is put together in serve.ts, from outside. */
const home = mkdtempSync(join(tmpdir(), 'gatehouse-tunnel-'));
chmodSync(home, 0o755);
const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const cli = fileURLToPath(new URL('../../apps/cli/gatehouse.ts', import.meta.url));
const bare = Object.fromEntries(
  Object.entries(process.env).filter(([k]) => !/^(GATEHOUSE_|DATABASE_|NODE_TEST)/.test(k)),
);
const children = new Set<ChildProcess>();
let t: TestDb;
let up: WildUpstream;
before(async () => {
  [t, up] = await Promise.all([testDb(), wildUpstream()]);
});
after(async () => {
  for (const c of children) c.kill('SIGKILL');
  await t.close();
  await up[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
function start(args: string[], env: Record<string, string>): { out(): string; said(words: RegExp): Promise<void> } {
  const child = spawn(process.execPath, args, { env: { ...bare, ...env } });
  children.add(child);
  let out = '';
  for (const s of [child.stdout, child.stderr]) s.on('data', (d) => (out += String(d)));
  return {
    out: () => out,
    said: (words) =>
      until(
        () => {
          if (child.exitCode !== null) throw new Error(`it ended without saying ${String(words)}:\n${out}`);
          return words.test(out);
        },
        `${String(words)} in:\n${out}`,
      ),
  };
}

/** For the name localhost. */
function certificate(): { cert: string; key: string } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const day = 86_400_000;
  const der = selfSigned(privateKey, { name: 'localhost', notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) }); // prettier-ignore
  const [cert, key] = [join(home, 'cert.pem'), join(home, 'key.pem')];
  writeFileSync(cert, `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`);
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return { cert, key };
}

type Answer = { status: number; body: Record<string, unknown>; text: string };
for (const [what, tls] of [
  ['plain nodes', false],
  ['nodes that end TLS themselves', true],
] as const)
  test(`of two ${what} over one database, the one that has no agent reaches a server through the agent of the other`, async () => {
    const [a, b] = [await freePort(), await freePort()];
    const scheme = tls ? 'https' : 'http';
    const origin = `${scheme}://localhost:${a}`;
    const { cert, key } = certificate();
    const shared: Record<string, string> = {
      DATABASE_URL: t.url,
      DATABASE_OWNER_URL: t.ownerUrl,
      GATEHOUSE_DATA: join(home, 'data'),
      GATEHOUSE_ORIGIN: origin,
      GATEHOUSE_LOG_LEVEL: 'warn',
      ...(tls ? { GATEHOUSE_TLS_CERT: cert, GATEHOUSE_TLS_KEY: key } : {}),
    };
    const api = (port: number, method: string, path: string, bearer: string, body?: unknown): Promise<Answer> =>
      new Promise((resolve, reject) => {
        const send = tls ? httpsRequest : httpRequest;
        const options = { host: '127.0.0.1', port, method, path: `/api${path}`, rejectUnauthorized: false, headers: { host: new URL(origin).host, authorization: `Bearer ${bearer}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) } }; // prettier-ignore
        const req = send(options, (res) => {
          let text = '';
          res.on('data', (c) => (text += String(c)));
          res.on('end', () => resolve({ status: res.statusCode ?? 0, text, body: text.startsWith('{') ? (JSON.parse(text) as Answer['body']) : {} })); // prettier-ignore
        });
        req.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
      });

    const nodes = [a, b].map((port) => start([main], { ...shared, GATEHOUSE_PORT: String(port) }));
    const ready = (port: number): Promise<boolean> => api(port, 'GET', '/orgs', 'none').then((r) => r.status !== 503, () => false); // prettier-ignore
    await until(
      async () => (await ready(a)) && (await ready(b)),
      `both nodes serve:\n${nodes.map((n) => n.out()).join('\n')}`,
    );
    const name = `Works ${scheme}`;
    const boot = start([cli, 'bootstrap', '--org', name, '--owner', `ada@${scheme}.example`, '--name', 'Ada', '--parent', name, '--json'], shared); // prettier-ignore
    await boot.said(/\n\}/);
    const made = JSON.parse(boot.out().slice(boot.out().indexOf('{'))) as { org: string; apiKey: string };

    const there = new URL(up.url).origin;
    const tunnel = await api(b, 'POST', `/orgs/${made.org}/tunnels`, made.apiKey, {
      name: 'plant',
      destinations: [there],
    });
    assert.equal(tunnel.status, 201, tunnel.text);
    const secretFile = join(home, `secret-${scheme}`);
    writeFileSync(secretFile, String(tunnel.body['secret']));
    const agent = start([cli, 'tunnel', '--url', origin, '--secret-file', secretFile, '--allow', there], tls ? { NODE_EXTRA_CA_CERTS: cert } : {}); // prettier-ignore
    await agent.said(/connected to the tunnel “plant”/);

    for (const [slug, port] of [
      ['here', a],
      ['there', b],
    ] as const) {
      const added = await api(port, 'POST', `/orgs/${made.org}/connectors`, made.apiKey, { slug, name: slug, url: up.url, tunnel: tunnel.body['id'] }); // prettier-ignore
      assert.equal(added.status, 201, `${added.text}\n${nodes.map((n) => n.out()).join('\n')}`);
    }
    const shown = await api(b, 'GET', `/orgs/${made.org}/tunnels/${String(tunnel.body['id'])}`, made.apiKey);
    assert.deepEqual([shown.body['state'], shown.body['agentsOnline']], ['online', 1]);
    assert.deepEqual((shown.body['agents'] as { refuses: string[] }[])[0]?.refuses, []);
    assert.ok(!nodes.some((n) => n.out().includes(String(tunnel.body['secret']))));
    for (const c of children) c.kill('SIGKILL');
  });
