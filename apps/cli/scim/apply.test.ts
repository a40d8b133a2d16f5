import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startScimTarget, type ScimTarget } from '@gatehouse/server/dev/scim-target.ts';
import { parsePlan, removals, type Plan } from './plan-file.ts';
import { stateFileOf } from './state-file.ts';
import { testConsole, type Console } from './test-console.ts';

const closing: (() => unknown)[] = [];
after(async () => {
  for (const c of closing) await c();
});

/** A target with twelve people in Eng, and a plan that makes four, grants five, revokes two and deletes two. */
async function planned(): Promise<{ t: ScimTarget; c: Console; plan: string; desired: string; expected: string[] }> {
  const t = await startScimTarget();
  const c = testConsole(t);
  closing.push(() => t.close(), c.close);
  const old = Array.from({ length: 12 }, (_, i) => t.addUser(`p${i}@x.example`));
  t.addGroup('Eng', old.slice(0, 5));
  t.addGroup('Ops', []);
  const desired = c.file('desired.json', {
    people: [
      ...old.slice(0, 10).map((u, i) => ({ email: u.userName, groups: i < 3 ? ['Eng'] : i === 9 ? ['Ops'] : [] })),
      ...[1, 2, 3, 4].map((i) => ({ email: `new${i}@x.example`, displayName: `New ${i}`, groups: ['Eng'] })),
    ],
    groups: ['Ops'],
  });
  const plan = join(c.dir, 'plan.json');
  const r = await c.run('plan', '--desired', desired, '--out', plan);
  assert.equal(r.status, 0, r.err);
  const expected = [
    ...[1, 2, 3, 4].map((i) => `create new${i}@x.example`),
    ...[1, 2, 3, 4].map((i) => `add new${i}@x.example to Eng`),
    'add p9@x.example to Ops',
    'remove p3@x.example from Eng',
    'remove p4@x.example from Eng',
    'delete p10@x.example',
    'delete p11@x.example',
  ].sort();
  return { t, c, plan, desired, expected };
}

const parsed = (plan: string): Plan => parsePlan(plan, readFileSync(plan, 'utf8'), undefined);
const written = (t: ScimTarget): number => t.requests.filter((r) => r.method !== 'GET').length;

test(
  'killed with -9 at every single write, apply ends right and does nothing twice',
  { timeout: 120_000 },
  async () => {
    const { t, c, plan, desired, expected } = await planned();
    const profile = c.file('one.json', { like: 'rfc', batch: 1 });
    let child: ChildProcess | undefined;
    t.manners.disturb = (r) => {
      // The request has arrived and will be done; whoever sent it never hears of it.
      if (r.method !== 'GET') child?.kill('SIGKILL');
      return undefined;
    };
    const run = (): Promise<number | null> =>
      new Promise((resolve) => {
        child = spawn(
          process.execPath,
          [
            fileURLToPath(new URL('../gatehouse.ts', import.meta.url)),
            'scim',
            'apply',
            ...c.common,
            '--profile',
            profile,
            '--plan',
            plan,
          ],
          { env: { ...process.env, SCIM_TOKEN: t.token }, stdio: ['ignore', 'ignore', 'inherit'] },
        );
        child.once('exit', (code) => resolve(code));
      });
    let [kills, status] = [0, await run()];
    while (status === null) {
      kills++;
      assert.ok(kills <= expected.length, 'a write was sent twice');
      status = await run();
    }
    assert.equal(status, 0);
    assert.equal(kills, expected.length);
    assert.equal(written(t), expected.length, 'each write was sent once');
    assert.deepEqual(t.effects.toSorted(), expected);
    t.manners.disturb = () => undefined;
    const again = await c.run('plan', '--desired', desired);
    assert.deepEqual(again.json.plan.operations, []);
    assert.ok(!existsSync(`${stateFileOf(plan, parsed(plan))}.lock`));
  },
);

test('a plan that was applied is not applied again, and a second plan is empty', async () => {
  const { t, c, plan, desired, expected } = await planned();
  const first = await c.run('apply', '--plan', plan);
  assert.deepEqual([first.status, first.json.applied, first.json.left], [0, 13, 0]);
  assert.deepEqual(t.effects.toSorted(), expected);
  const before = written(t);
  const second = await c.run('apply', '--plan', plan);
  assert.deepEqual([second.status, second.json.applied, second.json.before], [0, 0, 13]);
  // Without its memory it looks, and finds everything done.
  const third = await c.run('apply', '--plan', plan, '--state', join(c.dir, 'other.state'));
  assert.deepEqual([third.status, third.json.applied, third.json.already], [0, 0, 13]);
  assert.equal(written(t), before);
  assert.equal((await c.run('plan', '--desired', desired, '--check')).status, 0);
});

test('what somebody has undone is planned and done again, though the plan has the same hash', async () => {
  const { t, c, plan, desired } = await planned();
  assert.equal((await c.run('apply', '--plan', plan)).status, 0);
  const [, ops] = [...t.groups.values()];
  const [only] = ops!.members;
  const hashes: string[] = [];
  for (let i = 0; i < 2; i++) {
    ops!.members = [];
    const again = await c.run('plan', '--desired', desired, '--out', plan);
    hashes.push(again.json.plan.hash);
    const r = await c.run('apply', '--plan', plan);
    assert.deepEqual([r.status, r.json.applied, ops!.members], [0, 1, [only]]);
    c.later(1000);
  }
  assert.equal(hashes[0], hashes[1]);
});

const moves: [string, (t: ScimTarget) => void, RegExp][] = [
  [
    'a group has another name',
    (t) => void ([...t.groups.values()][0]!.displayName = 'Admins'),
    /was Eng and is now Admins/,
  ],
  [
    'a group is gone',
    (t) => void t.groups.delete([...t.groups.values()][1]!.id),
    /the group Ops \(.*\) is not there any more/,
  ],
  [
    'an account to be granted is gone',
    (t) => void t.users.delete([...t.users.values()][9]!.id),
    /the account p9@x\.example .* is not there any more/,
  ],
  [
    'an account to be deleted is somebody else now',
    (t) => void ([...t.users.values()][10]!.userName = 'ceo@x.example'),
    /was p10@x\.example and is now ceo@x\.example/,
  ],
  [
    'an account to be deleted has another externalId',
    (t) => void ([...t.users.values()][10]!.externalId = 'e9'),
    /had the externalId none and has e9 now/,
  ],
];
for (const [what, move, says] of moves)
  test(`apply does nothing at all and ends with 3 when ${what}`, async () => {
    const { t, c, plan } = await planned();
    move(t);
    const r = await c.run('apply', '--plan', plan);
    assert.deepEqual([r.status, r.json.problem.code], [3, 'scim/target-moved']);
    assert.match(r.err, says);
    assert.deepEqual([t.effects, written(t)], [[], 0]);
  });

test('what moved in the direction of the plan does not stop it', async () => {
  const { t, c, plan } = await planned();
  const [eng, ops] = [...t.groups.values()];
  t.addUser('NEW1@x.example');
  ops!.members.push([...t.users.values()][9]!.id);
  eng!.members = eng!.members.filter((m) => m !== [...t.users.values()][3]!.id);
  t.users.delete([...t.users.values()][11]!.id);
  t.addUser('stranger@x.example');
  const r = await c.run('apply', '--plan', plan);
  assert.deepEqual([r.status, r.json.already, r.json.applied], [0, 4, 9], r.err);
  assert.ok(
    [...t.users.values()].some((u) => u.userName === 'stranger@x.example'),
    'who came after the plan is not in it',
  );
});

test('an account that somebody else makes between the look and the write is adopted, not doubled', async () => {
  const { t, c, plan } = await planned();
  let raced = 0;
  t.manners.disturb = (r) => {
    if (r.method === 'POST' && raced++ === 0) t.addUser(String(r.body?.['userName']));
    return undefined;
  };
  const r = await c.run('apply', '--plan', plan);
  assert.deepEqual([r.status, r.json.already], [0, 1], r.out);
  assert.equal([...t.users.values()].filter((u) => u.userName === 'new1@x.example').length, 1);
});

test('an account that cannot be made does not stop the others, and its grants wait for it', async () => {
  const { t, c, plan } = await planned();
  t.manners.disturb = (r) =>
    r.method === 'POST' && r.body?.['userName'] === 'new2@x.example' ? { status: 403 } : undefined;
  const r = await c.run('apply', '--plan', plan);
  assert.equal(r.status, 1);
  assert.deepEqual(
    r.json.failed.map((f: { what: string }) => f.what),
    ['create new2@x.example (New 2)', 'grant new2@x.example -> Eng'],
  );
  t.manners.disturb = () => undefined;
  const then = await c.run('apply', '--plan', plan);
  assert.deepEqual([then.status, then.json.applied, then.json.before], [0, 2, 11]);
});

test('a plan that takes much away wants to hear the number', async () => {
  const { t, c } = await planned();
  const plan = join(c.dir, 'empty.json');
  const shown = await c.run('plan', '--desired', c.file('none.csv', 'email\n'), '--out', plan);
  assert.equal(shown.json.needsWord, true);
  const n = removals(shown.json.plan);
  for (const flags of [[], ['--allow-removals', String(n - 1)]]) {
    const r = await c.run('apply', '--plan', plan, ...flags);
    assert.deepEqual([r.status, r.json.problem.code], [1, 'scim/many-removals']);
  }
  assert.deepEqual(t.effects, []);
  assert.equal((await c.run('apply', '--plan', plan, '--allow-removals', String(n))).status, 0);
  assert.equal(t.users.size, 0);
});

test('a plan with conflicts is shown with status 1 and never applied', async () => {
  const { t, c } = await planned();
  const plan = join(c.dir, 'conflict.json');
  const file = c.file('c.json', { people: [{ email: 'p1@x.example', groups: ['Nowhere'] }] });
  assert.equal((await c.run('plan', '--desired', file, '--keep-unlisted', '--out', plan)).status, 1);
  assert.equal((await c.run('apply', '--plan', plan)).json.problem.code, 'scim/conflicts');
  assert.deepEqual(t.effects, []);
});

test('a plan goes nowhere but where it was made for, unedited, and if asked only by its hash', async () => {
  const { t, c, plan } = await planned();
  const other = await startScimTarget();
  closing.push(() => other.close());
  const codes = async (...args: string[]) => {
    const r = await c.run('apply', ...args);
    return [r.status, r.json.problem.code];
  };
  assert.deepEqual(await codes('--plan', plan, '--url', other.url), [1, 'scim/token-refused']);
  other.token = t.token;
  assert.deepEqual(await codes('--plan', plan, '--url', other.url), [1, 'scim/other-target']);
  assert.deepEqual(await codes('--plan', plan, '--profile', c.file('soft.json', { softDelete: true })), [
    1,
    'scim/other-profile',
  ]);
  assert.deepEqual(await codes('--plan', plan, '--expect', 'f'.repeat(64)), [3, 'scim/plan-hash']);
  const edited = c.file('edited.json', readFileSync(plan, 'utf8').replace('new1@x.example', 'eve@x.example'));
  assert.deepEqual(await codes('--plan', edited), [3, 'scim/plan-hash']);
  assert.deepEqual([t.effects, other.effects], [[], []]);
});

test('one plan is applied by one process at a time, and a dead one holds nobody up', async () => {
  const { c, plan } = await planned();
  const lock = `${stateFileOf(plan, parsed(plan))}.lock`;
  writeFileSync(lock, String(process.pid));
  assert.equal((await c.run('apply', '--plan', plan)).json.problem.code, 'scim/already-running');
  writeFileSync(lock, '999999999');
  assert.equal((await c.run('apply', '--plan', plan)).status, 0);
});

test("a state that was cut off in the middle of a line is read up to there; another plan's or a broken one is refused", async () => {
  const { t, c, plan, expected } = await planned();
  let posts = 0;
  t.manners.disturb = (r) => (r.method === 'POST' && ++posts > 2 ? { status: 401 } : undefined);
  assert.equal((await c.run('apply', '--plan', plan)).json.problem.code, 'scim/token-refused');
  t.manners.disturb = () => undefined;
  const state = stateFileOf(plan, parsed(plan));
  writeFileSync(state, `${readFileSync(state, 'utf8')}{"done":[5],"how":"appl`);
  const r = await c.run('apply', '--plan', plan);
  assert.deepEqual([r.status, r.json.before], [0, 2], r.err);
  assert.deepEqual(t.effects.toSorted(), expected);
  assert.equal(
    (await c.run('apply', '--plan', plan, '--state', c.file('other', '{"plan":"x","made":"z","base":"y"}\n'))).json
      .problem.code,
    'scim/other-state',
  );
  assert.equal(
    (await c.run('apply', '--plan', plan, '--state', c.file('broken', 'what\n'))).json.problem.code,
    'scim/broken-state',
  );
});
