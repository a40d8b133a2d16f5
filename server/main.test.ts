import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Browser } from '#dev/browser.ts';
import { testDb, type TestDb } from '#dev/test-db.ts';

/** `npm start` and `gatehouse` as processes of their own, as an operator meets them. */
const home = mkdtempSync(join(tmpdir(), 'gatehouse-main-'));
chmodSync(home, 0o755);
const main = fileURLToPath(new URL('main.ts', import.meta.url));
const cli = fileURLToPath(new URL('../apps/cli/gatehouse.ts', import.meta.url));
const bare = Object.fromEntries(
  Object.entries(process.env).filter(([k]) => !/^(GATEHOUSE_|DATABASE_|NODE_TEST)/.test(k)),
);
const children = new Set<ChildProcess>();

type Ran = { code: number | null; out: string };
function start(
  file: string,
  args: readonly string[],
  env: Record<string, string>,
): { child: ChildProcess; out(): string; ended: Promise<Ran>; said(words: RegExp): Promise<RegExpExecArray> } {
  const child = spawn(process.execPath, [file, ...args], {
    env: { ...bare, GATEHOUSE_PORT: '0', GATEHOUSE_LOG_LEVEL: 'error', ...env },
  });
  children.add(child);
  let out = '';
  child.stdout?.on('data', (d) => (out += String(d)));
  child.stderr?.on('data', (d) => (out += String(d)));
  const ended = new Promise<Ran>((resolve) =>
    child.once('close', (code) => {
      children.delete(child);
      resolve({ code, out });
    }),
  );
  const said = async (words: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const hit = words.exec(out);
      if (hit) return hit;
      if (child.exitCode !== null) throw new Error(`it ended without saying ${words}:\n${out}`);
      await new Promise((r) => setTimeout(r, 20));
    }
  };
  return { child, out: () => out, ended, said };
}

let t: TestDb;
before(async () => {
  t = await testDb();
});
after(async () => {
  for (const c of children) c.kill('SIGKILL');
  await t.close();
  rmSync(home, { recursive: true, force: true });
});

test('a start with half of a pair of settings ends with status 1 and names the other half', async () => {
  const r = await start(main, [], { GATEHOUSE_TLS_CERT: '/c.pem' }).ended;
  assert.equal(r.code, 1);
  assert.match(r.out, /Gatehouse cannot start: GATEHOUSE_TLS_KEY is not set[^]*\(config\/invalid\)/);
});

test('a start on a taken port says so before it touches any data', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((r) => taken.once('listening', r));
  const { port } = taken.address() as AddressInfo;
  const r = await start(main, [], { GATEHOUSE_PORT: String(port), GATEHOUSE_DATA: `${home}/untouched` }).ended;
  taken.close();
  assert.equal(r.code, 1);
  assert.match(r.out, new RegExp(`port ${port} of 127.0.0.1 is taken[^]*GATEHOUSE_PORT[^]*\\(server/port-taken\\)`));
});

test('a start on an address that this machine does not have says so', async () => {
  const r = await start(main, [], { GATEHOUSE_HOST: '203.0.113.1', GATEHOUSE_ORIGIN: 'https://gate.example' }).ended;
  assert.equal(r.code, 1);
  assert.match(r.out, /\(server\/cannot-listen\)/);
});

test('a certificate file that is not there is named', async () => {
  const r = await start(main, [], { GATEHOUSE_TLS_CERT: `${home}/none.pem`, GATEHOUSE_TLS_KEY: `${home}/none.key` })
    .ended;
  assert.match(r.out, /GATEHOUSE_TLS_CERT cannot be read[^]*\(server\/tls-file\)/);
});

test('a data folder that cannot be one is named, with what to do', async () => {
  writeFileSync(join(home, 'a-file'), '');
  const r = await start(main, [], { GATEHOUSE_DATA: `${home}/a-file` }).ended;
  assert.equal(r.code, 1);
  assert.match(r.out, /a-file[^]*\(embedded\/not-writable\)/);
});

test('with a database of yours, a key folder that cannot be made is named', async () => {
  const r = await start(main, [], {
    DATABASE_URL: t.url,
    DATABASE_OWNER_URL: t.ownerUrl,
    GATEHOUSE_DATA: `${home}/a-file/below`,
  }).ended;
  assert.equal(r.code, 1);
  assert.match(r.out, /\(server\/folder\)/);
});

test('a DATABASE_URL of the superuser is refused, with the reason and the file that makes the right login', async () => {
  const r = await start(main, [], { DATABASE_URL: t.superUrl, GATEHOUSE_DATA: `${home}/super` }).ended;
  assert.equal(r.code, 1);
  assert.match(r.out, /superuser[^]*roles\.sql[^]*\(db\/superuser\)/);
});

test('the first owner founds the organization with the printed link, once; a kill -9 and a second start lose nothing', async () => {
  const env = { GATEHOUSE_DATA: `${home}/data` };
  const first = start(main, [], env);
  const link = (await first.said(/http:\/\/localhost:\d+\/found\/\S+/))[0];
  const browser = await new Browser().open(link);
  await browser.submit('Begin', {
    org: 'Northwind Lamps',
    name: 'Wilhelmina Wattage',
    email: 'wilhelmina@northwind-lamps.example',
  });
  assert.equal(browser.url.pathname, '/');
  assert.match(browser.text(), /Wilhelmina Wattage[^]*connect your identity provider[^]*primary owner/);
  const again = await new Browser().open(link);
  assert.equal(again.status, 409);
  assert.match(again.text(), /identity\/founding-link-used/);
  const guess = await new Browser().open(link.replace(/[^/]+$/, 'A'.repeat(32)));
  assert.equal(guess.status, 404);
  assert.match(guess.text(), /identity\/no-founding-link/);

  // The command beside the running server joins its database.
  const beside = await start(
    cli,
    ['bootstrap', '--org', 'Second', '--owner', 's@second.example', '--name', 'S', '--json'],
    env,
  ).ended;
  assert.equal(beside.code, 0, beside.out);
  const made = JSON.parse(beside.out) as Record<string, string>;
  assert.match(made['apiKey'] ?? '', /^ghk_/);
  const clash = await start(main, [], env).ended;
  assert.match(clash.out, new RegExp(`in use by process ${first.child.pid}[^]*\\(embedded/in-use\\)`));

  first.child.kill('SIGKILL');
  await first.ended;
  const second = start(main, [], env);
  const [, origin = ''] = await second.said(/Gatehouse is at (\S+)/);
  await second.said(/Data is in/);
  assert.doesNotMatch(second.out(), /found\//);
  const orgs = await fetch(`${origin}/api/orgs/${made['org']}`, {
    headers: { authorization: `Bearer ${made['apiKey']}` },
  });
  assert.equal(orgs.status, 200);
  assert.match(await orgs.text(), /Second/);
  const owner = made['owner'] ?? '';
  const setup = await start(cli, ['setup-link', '--user', owner, '--json'], { ...env, GATEHOUSE_ORIGIN: origin }).ended;
  assert.equal(setup.code, 0, setup.out);
  assert.match((await new Browser().open((JSON.parse(setup.out) as { url: string }).url)).text(), /Sign in as S/);
  second.child.kill('SIGTERM');
  assert.equal((await second.ended).code, 0);
});

for (const [args, code, words] of [
  [['help'], 0, /gatehouse COMMAND/],
  [['sing'], 2, /there is no command "sing"/],
  [['bootstrap', '--org', 'X'], 2, /needs --org, --owner/],
  [['setup-link', '--user', 'me'], 2, /needs --user/],
  [['audit', 'verify', '/nonexistent.jsonl'], 2, /./],
] as [string[], number, RegExp][])
  test(`gatehouse ${args.join(' ')} ends with ${code} and says why`, async () => {
    const r = await start(cli, args, {}).ended;
    assert.equal(r.code, code, r.out);
    assert.match(r.out, words);
  });

test('a set-up link for a user that there is not is refused', async () => {
  const r = await start(cli, ['setup-link', '--user', `usr_${'0'.repeat(32)}`], {
    DATABASE_URL: t.url,
    GATEHOUSE_DATA: `${home}/key`,
  }).ended;
  assert.equal(r.code, 1);
  assert.match(r.out, /there is no user usr_0/); // org/no-such-user
});
