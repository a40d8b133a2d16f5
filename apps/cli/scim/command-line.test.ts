import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startScimTarget, type ScimTarget } from '@gatehouse/server/dev/scim-target.ts';
import { scim } from './scim-commands.ts';
import { testConsole, type Console } from './test-console.ts';

let t: ScimTarget;
let c: Console;
before(async () => {
  t = await startScimTarget();
  c = testConsole(t);
});
after(async () => {
  c.close();
  await t.close();
});

const gatehouse = (args: string[], env: Record<string, string> = {}) =>
  spawnSync(process.execPath, [fileURLToPath(new URL('../gatehouse.ts', import.meta.url)), ...args], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });

/** Runs a command as a person does, without --json. */
async function plain(verb: 'sync' | 'plan' | 'apply' | 'grant' | 'revoke', args: string[], environment = {}) {
  const [out, err]: [string[], string[]] = [[], []];
  const status = await scim(verb, args, {
    out: (l) => void out.push(l),
    err: { write: (s) => void err.push(s) },
    environment,
    timers: { now: () => 0, sleep: async () => undefined, random: () => 0 },
  });
  return { status, out: out.join('\n'), err: err.join('') };
}

test('a token on the command line is refused and not repeated', async () => {
  for (const args of [['--token', 'hunter2'], ['--token=hunter2']]) {
    const r = await plain('sync', ['--url', t.url, ...args]);
    assert.equal(r.status, 2);
    assert.match(r.err, /--token-file/);
    assert.ok(!(r.err + r.out).includes('hunter2'));
  }
});

for (const [what, args, says] of [
  ['no address', [], /--url is missing/],
  ['no token', ['--url', 'https://x.example'], /one of --token-file FILE and --token-env NAME/],
  ['two tokens', ['--url', 'https://x.example', '--token-env', 'A', '--token-file', 'b'], /only one of/],
  ['an empty variable', ['--url', 'https://x.example', '--token-env', 'NOT_SET'], /variable NOT_SET is empty/],
  [
    'a token file that is not there',
    ['--url', 'https://x.example', '--token-file', '/nonexistent'],
    /token file \/nonexistent cannot be read/,
  ],
  ['a flag that does not exist', ['--url', 'https://x.example', '--forse'], /Unknown option '--forse'/],
  ['an argument too many', ['--url', 'https://x.example', 'extra'], /extra/],
  [
    'a number that is none',
    ['--url', 'https://x.example', '--token-env', 'PATH_TOKEN', '--max-wait', 'soon'],
    /whole number/,
  ],
  [
    'an unknown profile',
    ['--url', 'https://x.example', '--token-env', 'PATH_TOKEN', '--profile', 'acme'],
    /there are auto, rfc/,
  ],
  ['a token of two lines', ['--url', 'https://x.example', '--token-env', 'TWO'], /does not hold one token/],
] as const)
  test(`a command line with ${what} ends with 2 and says so`, async () => {
    const r = await plain('sync', [...args], { PATH_TOKEN: 'x', TWO: 'a\nHost: evil' });
    assert.equal(r.status, 2, r.err);
    assert.match(r.err, says);
  });

for (const [verb, args, says] of [
  ['plan', [], /--desired is missing/],
  ['apply', [], /--plan is missing/],
  ['grant', ['--group', 'g'], /--user is missing/],
  ['revoke', ['--user', 'u'], /--group is missing/],
] as const)
  test(`${verb} without what it needs ends with 2`, async () => {
    const r = await c.run(verb, ...args);
    assert.deepEqual([r.status, r.json.problem.code], [2, 'scim/usage']);
    assert.match(r.err, says);
  });

for (const url of [
  'not a url',
  'ftp://x.example',
  'https://user:pw@x.example/v2',
  'https://x.example/v2?tenant=1',
  'https://x.example/#a',
])
  test(`${url.replace(/\/\/.*@/, '//(credentials)@')} is no address of a SCIM server`, async () => {
    const r = await c.run('sync', '--url', url);
    assert.deepEqual([r.status, r.json.problem.code], [2, 'scim/url']);
    assert.ok(!(r.err + r.out).includes('pw@'));
  });

for (const [url, code] of [
  ['http://127.0.0.1:1/scim', 'egress/plain-http'],
  ['https://127.0.0.1:1/scim', 'egress/private-address'],
  ['https://[::1]:1/scim', 'egress/private-address'],
  ['https://169.254.169.254/scim', 'egress/forbidden-address'],
] as const)
  test(`${url} is not asked unless it is named`, async () => {
    const r = await plain('sync', ['--url', url, '--token-env', 'T', '--json'], { T: 'x' });
    assert.equal(r.status, 1);
    assert.equal(JSON.parse(r.out).problem.code, code);
    if (code !== 'egress/forbidden-address') assert.match(r.err, /--allow-private/);
  });

test('naming another host allows nothing here', async () => {
  const r = await plain('sync', ['--url', t.url, '--token-env', 'T', '--allow-private', 'localhost', '--json'], {
    T: t.token,
  });
  assert.equal(JSON.parse(r.out).problem.code, 'egress/plain-http');
});

test('from a shell: help, a mistake, and a command that does not exist', () => {
  const help = gatehouse(['scim', 'plan', '--help']);
  assert.equal(help.status, 0);
  assert.match(help.stdout, /--manage-groups[^]*--token-file/);
  assert.equal(gatehouse(['scim', 'sync', '--url', 'https://x.example']).status, 2);
  assert.equal(gatehouse(['scim', 'unknown']).status, 2);
  assert.match(gatehouse(['help']).stdout, /scim revoke/);
});

test('a desired state or a plan that cannot be read ends with 2, before anything is asked', async () => {
  const before = t.requests.length;
  const desired = await c.run('plan', '--desired', c.file('bad.json', '{"people":[{"email":1}]}'));
  assert.deepEqual([desired.status, desired.json.problem.code], [2, 'scim/desired']);
  const plan = await c.run('apply', '--plan', c.file('bad-plan.json', '{}'));
  assert.deepEqual([plan.status, plan.json.problem.code], [2, 'scim/not-a-plan']);
  assert.equal(t.requests.length, before);
});

test('in words: what is there, a warning about the token file, and no control characters', async () => {
  t.addUser('ada@x.example', { displayName: 'Ada \u001B[31m' });
  t.addGroup('Eng \u001B[2J', [...t.users.values()]);
  const token = c.file('open-token', t.token);
  chmodSync(token, 0o644);
  const r = await plain('sync', ['--url', t.url, '--token-file', token, '--allow-private', new URL(t.url).host]);
  assert.equal(r.status, 0, r.err);
  assert.match(r.out, /1 users, 1 groups, 1 memberships/);
  assert.match(r.err, /others on this machine can read/);
  assert.ok(!(r.out + r.err).includes('\u001B'));
});

test('sync writes what is there as a file, and a plan of that file is empty', async () => {
  t.addUser('bob@x.example', { externalId: 'e2' });
  const file = `${c.dir}/now.json`;
  assert.equal((await c.run('sync', '--write-desired', file)).status, 0);
  const r = await c.run('plan', '--desired', file, '--manage-groups', '--check');
  assert.equal(r.status, 0, r.out);
  assert.deepEqual(r.json.plan.operations, []);
});

test('plan --check ends with 3 when there is something to do, and changes nothing', async () => {
  const file = c.file('more.json', { people: [{ email: 'cy@x.example', displayName: 'Cy' }] });
  const r = await plain(
    'plan',
    [
      '--url',
      t.url,
      '--token-env',
      'T',
      '--allow-private',
      '127.0.0.1',
      '--keep-unlisted',
      '--desired',
      file,
      '--check',
    ],
    { T: t.token },
  );
  assert.equal(r.status, 3);
  assert.match(r.out, /1 create user\n {2}create {8}cy@x\.example \(Cy\)/);
  assert.deepEqual(t.effects, []);
});

test('grant and revoke name who or what is missing, and then change nothing', async () => {
  const none = await c.run(
    'grant',
    '--user',
    'ada@x.example',
    '--user',
    'who@x.example',
    '--group',
    [...t.groups.keys()][0]!,
  );
  assert.deepEqual([none.status, none.json.problem.code], [1, 'scim/no-user']);
  assert.equal(
    (await c.run('revoke', '--user', 'ada@x.example', '--group', 'Nowhere')).json.problem.code,
    'scim/no-group',
  );
  t.addGroup('Twin');
  t.addGroup('Twin');
  assert.equal(
    (await c.run('grant', '--user', 'ada@x.example', '--group', 'Twin')).json.problem.code,
    'scim/ambiguous',
  );
  assert.deepEqual(t.effects, []);
});
