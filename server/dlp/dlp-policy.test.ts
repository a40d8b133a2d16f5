import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { systemCtx, type OrgCtx } from '#kernel/ctx.ts';
import { foundOrg } from '#org/found-org.ts';
import { testDb, type TestDb } from '#dev/test-db.ts';
import { dlpOperations } from './dlp.http.ts';
import { inspect } from './inspect.ts';
import { loadDlpPolicies } from './load-dlp-policies.ts';
import { setDlpPolicy } from './set-dlp-policy.ts';

let t: TestDb;
let ours: OrgCtx;
let theirs: OrgCtx;

before(async () => {
  t = await testDb();
  const world = await t.world();
  const found = async (name: string): Promise<OrgCtx> => {
    const f = await foundOrg(world, {
      parentName: name,
      orgName: name,
      owner: { email: `o@${name}.example`, displayName: 'O' },
    });
    return { ...systemCtx(world, 'test', f), org: f.org };
  };
  ours = await found('ours');
  theirs = await found('theirs');
});
after(() => t.close());

const verdict = async (ctx: OrgCtx, direction: 'to_tool' | 'to_user') =>
  inspect(await ctx.db.read(ctx, loadDlpPolicies), direction, { card: '4111 1111 1111 1111' }).kind;
const told = () =>
  t.super<{ data: unknown }>(
    `select data from audit_inbox where header ->> 'type' = 'dlp.policy_set' order by arrived`,
  );

test('an organization that has set nothing blocks both ways', async () => {
  assert.deepEqual([await verdict(ours, 'to_tool'), await verdict(ours, 'to_user')], ['blocked', 'blocked']);
});

test('what an organization sets applies to it alone, each way, and is in the log once', async () => {
  const setting = { detector: 'payment_card', to_tool: 'flag', to_user: 'allow' } as const;
  await setDlpPolicy(ours, setting);
  await setDlpPolicy(ours, setting);
  assert.deepEqual([await verdict(ours, 'to_tool'), await verdict(ours, 'to_user')], ['flagged', 'clean']);
  assert.equal(await verdict(theirs, 'to_tool'), 'blocked');
  const query = { text: 'select detector from dlp_policy', values: [], row: z.object({ detector: z.string() }) };
  assert.equal((await ours.db.read(ours, (db) => db.many(query))).length, 1);
  assert.equal((await theirs.db.read(theirs, (db) => db.many(query))).length, 0);
  assert.deepEqual(
    (await told()).map((e) => e.data),
    [setting],
  );
  await setDlpPolicy(ours, { ...setting, to_tool: 'block', to_user: 'block' });
  assert.equal(await verdict(ours, 'to_user'), 'blocked');
});

test('a detector that does not exist cannot be set', async () => {
  const unknown = { detector: 'no_such', to_tool: 'allow', to_user: 'allow' } as const;
  await assert.rejects(setDlpPolicy(ours, unknown), { code: 'dlp/no-detector', kind: 'missing' });
});

test('the door does not take quarantine, because nothing would keep what is stopped', () => {
  const body = dlpOperations.find((o) => o.id === 'dlp.set_policy')?.body;
  assert.equal(body?.safeParse({ to_tool: 'block', to_user: 'flag' }).success, true);
  assert.equal(body?.safeParse({ to_tool: 'quarantine', to_user: 'flag' }).success, false);
  assert.equal(body?.safeParse({ to_tool: 'block' }).success, false);
});
