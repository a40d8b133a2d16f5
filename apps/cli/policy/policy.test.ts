import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Hono } from 'hono';
import { callBody, gatewayHouse, raw, type GatewayHouse } from '@gatehouse/server/dev/gateway-house.ts';
import type { HousePerson } from '@gatehouse/server/dev/oauth-house.ts';
import { wildUpstream, type WildUpstream } from '@gatehouse/server/dev/wild-upstream.ts';
import { catalogue, doors } from '@gatehouse/server/doors.ts';
import { backtestJob } from '@gatehouse/server/policy/backtest.job.ts';
import { reviewTools } from '@gatehouse/server/connectors/review-tools.ts';
import { listTools } from '@gatehouse/server/connectors/tool.sql.ts';
import { scopeOf } from '@gatehouse/server/kernel/ctx.ts';
import { mount } from '@gatehouse/server/kernel/operation.ts';
import { silentLog } from '@gatehouse/server/kernel/log.ts';
import { createApiKey } from '@gatehouse/server/org/create-api-key.ts';
import { policy, type PolicyVerb } from './policy-commands.ts';

let g: GatewayHouse;
let up: WildUpstream;
let sue: HousePerson;
let key: string;
const dir = mkdtempSync(join(tmpdir(), 'policy-'));

before(async () => {
  [g, up] = await Promise.all([gatewayHouse(), wildUpstream()]);
  const app = new Hono();
  for (const door of doors(g.house.world)) mount(app, door, silentLog);
  g.house.also.answer = (req) => app.fetch(req);
  const connector = await g.connect('up', up.url, { classes: { change: 'write' }, rules: false });
  await g.rule({
    name: 'all read',
    who: { kind: 'everyone' },
    connector,
    tools: { classes: ['read'] },
    effect: 'allow',
    asks: 'never',
  });
  sue = await g.house.addPerson('Sue');
  const token = await g.token(sue);
  for (let i = 0; i < 3; i++) await raw(g, { token, body: callBody('look', { i }) });
  await raw(g, { token, body: callBody('change') });
  key = (
    await createApiKey(g.as(g.house.ada), {
      name: 'cli',
      permissions: ['policy.read', 'member.read', 'connector.read'],
      expiresAt: new Date(Date.now() + 3_600_000),
    })
  ).value;
});
after(async () => {
  rmSync(dir, { recursive: true, force: true });
  await up[Symbol.asyncDispose]();
  await g[Symbol.asyncDispose]();
});

type Said = { status: number; out: string; err: string; json: any }; // oxlint-disable-line typescript/no-explicit-any -- tests look into JSON

/** Runs a command in this process. Whoever waits lets the jobs run. */
async function run(
  verb: PolicyVerb,
  args: string[],
  environment: Record<string, string> = { KEY: key },
): Promise<Said> {
  const [out, err]: [string[], string[]] = [[], []];
  const status = await policy(
    verb,
    [
      '--url',
      `${g.house.origin}/api/orgs/${g.house.org}`,
      '--token-env',
      'KEY',
      '--allow-private',
      'localhost',
      ...args,
    ],
    {
      out: (l) => void out.push(l),
      err: { write: (t) => void err.push(t) },
      environment,
      timers: { now: () => 0, sleep: runJobs, random: () => 0 },
    },
  );
  const text = out.join('\n');
  return { status, out: text, err: err.join(''), json: text.startsWith('{') ? JSON.parse(text) : undefined };
}
async function runJobs(): Promise<void> {
  const waiting = await g.house.t.super<{ id: string }>(`select id from backtest where state = 'waiting'`);
  for (const { id } of waiting)
    await backtestJob(g.house.world, catalogue).run({ parent: g.house.parent, org: g.house.org, backtest: id });
}
const draft = (changes: unknown): string => {
  const file = join(dir, 'draft.json');
  writeFileSync(file, typeof changes === 'string' ? changes : JSON.stringify({ changes }));
  return file;
};
const stricter = [
  {
    kind: 'add_rule',
    rule: {
      name: 'no reading',
      who: { kind: 'everyone' },
      connector: 'any',
      tools: { classes: ['read'] },
      effect: 'forbid',
    },
  },
];

test('explain says by which rule a call would be allowed, or which rules come close, and --check tells a script', async () => {
  const yes = await run('explain', ['--user', 'SUE@acme.example', '--connector', 'up', '--tool', 'look', '--check']);
  assert.equal(yes.status, 0, yes.err);
  assert.match(yes.out, /^allowed: the rule "all read" lets you use look \(read\)/);
  assert.match(yes.out, /decided by {2}all read: everyone may use read tools/);
  const no = await run('explain', ['--user', sue.user, '--connector', 'up', '--tool', 'change', '--check']);
  assert.equal(no.status, 3);
  assert.match(no.out, /came close {2}all read: .* \(another tool\)/);
});

test('explain shows what rules see of the arguments, where a reviewer has said what they are', async () => {
  const [change] = (await g.house.world.db.read(scopeOf(g.ctx), listTools)).filter((t) => t.name === 'change');
  assert.ok(change);
  const before = await run('explain', [
    '--user',
    sue.user,
    '--connector',
    'up',
    '--tool',
    'change',
    '--arguments',
    '{"folder":"Reports/"}',
  ]);
  assert.ok(!before.out.includes('/Reports'), before.out);
  const projection = [{ kind: 'folder' as const, at: '/folder' }];
  await reviewTools(g.ctx, change.connector, [{ name: 'change', pin: change.pin, class: 'write', projection }]);
  const after = await run('explain', [
    '--user',
    sue.user,
    '--connector',
    'up',
    '--tool',
    'change',
    '--arguments',
    '{"folder":"Reports/"}',
  ]);
  assert.match(after.out, /arguments {3}\{"folder":"\/Reports"/);
});

test('explain of a recorded call says how it was decided then and how it would be now', async () => {
  const [{ id } = { id: '' }] = await g.house.t.super<{ id: string }>(
    `select id from tool_call where outcome = 'answered'`,
  );
  const r = await run('explain', ['--call', id, '--json']);
  assert.deepEqual([r.status, r.json.decided.outcome, r.json.now.outcome], [0, 'allowed', 'allowed']);
  const text = await run('explain', ['--call', id]);
  assert.match(text.out, /then allowed, by version [0-9a-f]+/);
  assert.match(text.out, /^now allowed: /m);
});

test('simulate lists what a person can do and who can use a tool, as text, JSON and CSV', async () => {
  const can = await run('simulate', [
    '--user',
    'sue@acme.example',
    '--connector',
    'up',
    '--outcome',
    'allowed',
    '--json',
  ]);
  assert.ok(can.json.items.some((t: { tool: string }) => t.tool === 'look'));
  assert.ok(!can.json.items.some((t: { tool: string }) => t.tool === 'change'));
  const who = await run('simulate', ['--tool', 'look', '--connector', 'up', '--q', 'sue']);
  assert.match(who.out, /^allowed +sue@acme\.example +up\/look: the rule "all read"/);
  const csv = await run('simulate', ['--tool', 'look', '--connector', 'up', '--csv']);
  assert.match(csv.out, /^user,email,name,outcome,tools,domains,says\r\nusr_/);
  const nobody = await run('simulate', ['--class', 'write', '--outcome', 'allowed', '--check']);
  assert.deepEqual([nobody.status, nobody.out], [0, 'there are no people to list']);
  assert.equal((await run('simulate', ['--class', 'read', '--outcome', 'allowed', '--check'])).status, 3);
});

test('backtest starts, waits and says what the draft would have stopped', async () => {
  const r = await run('backtest', ['--draft', draft(stricter), '--days', '1', '--check']);
  assert.equal(r.status, 3, r.err);
  assert.match(r.out, /^3 of 4 calls would come out otherwise$/m);
  assert.match(r.out, /^allowed -> denied: 3 calls, 3 of them had been answered$/m);
  assert.match(r.out, / Sue {2}look$/m);
  assert.match(r.out, /^by no reading: 3 \(allowed -> denied\)$/m);
  const same = await run('backtest', ['--draft', draft([]), '--check', '--json']);
  assert.deepEqual([same.status, same.json.report.changed], [0, 0]);
});

test('a backtest can be left alone, looked at later, and cancelled', async () => {
  const left = await run('backtest', ['--draft', draft(stricter), '--no-wait']);
  assert.match(left.out, /^bkt_[0-9a-f]{32}$/);
  assert.equal((await run('backtest', ['--id', left.out])).status, 0);
  const next = await run('backtest', ['--draft', draft(stricter), '--no-wait']);
  const off = await run('backtest', ['--id', next.out, '--cancel']);
  assert.deepEqual([off.status, off.out], [0, `${next.out} is cancelled`]);
  assert.equal((await run('backtest', ['--id', next.out])).status, 1);
});

for (const [what, verb, args, status, says] of [
  ['no question', 'explain', [], 2, /give --user, --connector and --tool, or --call/],
  ['two questions', 'explain', ['--call', 'tcl_x', '--user', 'a'], 2, /leave --user and --tool out/],
  [
    'arguments that are no object',
    'explain',
    ['--user', 'a', '--connector', 'c', '--tool', 't', '--arguments', '[1]'],
    2,
    /--arguments is not a JSON object/,
  ],
  [
    'a person who is not here',
    'explain',
    ['--user', 'x@y.example', '--connector', 'up', '--tool', 't'],
    1,
    /no member has the e-mail address x@y\.example/,
  ],
  [
    'a connector that is not here',
    'simulate',
    ['--class', 'read', '--connector', 'nope'],
    1,
    /no connector is called nope[^]*there are: up/,
  ],
  ['nothing to list', 'simulate', [], 2, /give --user, or --tool/],
  ['tools and people at once', 'simulate', ['--user', 'a', '--outside'], 2, /--user lists tools/],
  ['two forms of answer', 'simulate', ['--class', 'read', '--csv', '--json'], 2, /--csv or --json, not both/],
  ['no draft', 'backtest', [], 2, /one of --draft FILE and --id/],
  ['a draft that is not there', 'backtest', ['--draft', '/nonexistent'], 2, /the draft \/nonexistent cannot be read/],
  ['a token on the command line', 'explain', ['--token', 'hunter2'], 2, /--token-file/],
  ['a call that is not recorded', 'explain', ['--call', `tcl_${'0'.repeat(32)}`], 1, /no call tcl_0+ is recorded/],
] as const)
  test(`${verb} with ${what} ends with ${status} and says what to do`, async () => {
    const r = await run(verb, [...args]);
    assert.equal(r.status, status, r.out + r.err);
    assert.match(r.err, says);
    assert.match(r.err, /^gatehouse: /);
  });

test('a key that is not known is refused in the server\u2019s words, and is not repeated', async () => {
  const r = await run('simulate', ['--class', 'read', '--json'], { KEY: 'ghk_wrong-key' });
  assert.equal(r.status, 1);
  assert.equal(r.json.ok, false);
  assert.ok(!(r.err + r.out).includes('ghk_wrong-key'));
});

test('an address that is not an organization\u2019s API is refused before the key is sent', async () => {
  const err: string[] = [];
  const status = await policy('simulate', ['--url', 'https://x.example/api', '--token-env', 'KEY', '--class', 'read'], {
    out: () => undefined,
    err: { write: (t) => void err.push(t) },
    environment: { KEY: key },
    timers: { now: () => 0, sleep: async () => undefined, random: () => 0 },
  });
  assert.equal(status, 2);
  assert.match(err.join(''), /is not the address of an organization's API/);
});
