import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import type { World } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import {
  crm,
  drive,
  everyone,
  loadPolicies,
  may,
  policyHouse,
  type PolicyHouse,
  setControl,
  shelf,
  why,
} from '#dev/policy-house.ts';
import { testDb, type TestDb } from '#dev/test-db.ts';

let t: TestDb;
let world: World;
before(async () => {
  t = await testDb();
  world = await t.world();
});
after(() => t.close());
const house = (name: string): Promise<PolicyHouse> => policyHouse(t, world, name);

const permit =
  '@note("kept")\n// and so is this\npermit(principal, action, resource) when { resource.class == Class::"read" };';

test('every change is a version with author, reason, hash and what was changed; comparing and restoring tell of exactly that', async () => {
  const h = await house('versions');
  const rule = await h.ask('POST', '/rules', {
    name: 'Readers',
    who: everyone,
    connector: crm,
    tools: { classes: ['read'] },
    effect: 'allow',
    asks: 'never',
  });
  const one = (await loadPolicies(h)).version;
  await setControl(h, { who: { kind: 'group', group: h.sales }, connector: crm, access: 'read_write' });
  await h.ask('POST', '/policy/cedar', { name: 'Never', cedar: 'forbid(principal, action, resource);', ...why });
  await h.ask('DELETE', `/rules/${rule.json.id}?reason=mistake`);
  const Listed = z.array(
    z.object({
      number: z.number(),
      kind: z.string(),
      about: z.string().nullable(),
      reason: z.string().nullable(),
      madeBy: z.string(),
    }),
  );
  const versions = Listed.parse((await h.ask('GET', '/policy/versions')).json.items);
  assert.deepEqual(
    versions.map((v) => [v.number, v.kind, v.reason, v.madeBy]),
    [
      [4, 'remove_rule', 'mistake', 'test'],
      [3, 'save_cedar', why.reason, 'test'],
      [2, 'set_control', why.reason, 'test'],
      [1, 'add_rule', null, 'test'],
    ],
  );
  assert.equal(versions[3]?.about, rule.json.id);
  assert.equal((await h.ask('GET', '/policy/versions?q=mistake')).json.items.length, 1);
  const page = await h.ask('GET', '/policy/versions?limit=3');
  assert.equal(
    (await h.ask('GET', `/policy/versions?limit=3&cursor=${String(page.json['next'])}`)).json.items.length,
    1,
  );
  const Differences = z.object({
    differences: z.array(
      z.object({ what: z.string(), change: z.string(), before: z.string().nullable(), after: z.string().nullable() }),
    ),
  });
  const against = async (a: number, b: number) =>
    Differences.parse((await h.ask('GET', `/policy/versions/${a}/against/${b}`)).json).differences.map((d) => [
      d.what,
      d.change,
      d.before ?? d.after,
    ]);
  assert.deepEqual(await against(4, 1), [
    ['rule', 'removed', 'Readers: everyone may use read tools'],
    ['control', 'added', 'Sales: read and write access'],
    ['cedar', 'added', 'forbid(principal, action, resource);'],
  ]);
  assert.deepEqual(await against(1, 0), [['rule', 'added', 'Readers: everyone may use read tools']]);
  assert.deepEqual(await against(2, 2), []);

  const restored = await h.ask('POST', '/policy/versions/1/restore', { reason: 'that was better' });
  assert.deepEqual([restored.json.number, restored.json.hash], [5, one]);
  assert.equal((await loadPolicies(h)).version, one);
  assert.deepEqual(await against(5, 1), []);
  const read = await h.ask('GET', '/policy/versions/5');
  assert.deepEqual(read.json['rules'], [{ id: rule.json.id, name: 'Readers', words: 'everyone may use read tools' }]);
  assert.equal((await h.ask('POST', '/policy/versions/1/restore', why)).json.number, 5);
  assert.deepEqual([await may(h, h.bob, 'read'), await may(h, h.ada, 'write')], ['allowed', 'denied']);
  const nothing = await h.ask('POST', '/policy/versions/0/restore', why);
  assert.equal(nothing.json.number, 6);
  assert.equal(await may(h, h.bob, 'read'), 'denied');
  for (const path of ['/policy/versions/7', '/policy/versions/x', '/policy/versions/1/against/9'])
    assert.equal((await h.ask('GET', path)).json.code, 'policy/no-version');
  assert.equal((await h.ask('POST', '/policy/versions/7/restore', why)).json.code, 'policy/no-version');
  const told = await t.super<{ type: string }>(
    `select header ->> 'type' as type from audit_inbox where header ->> 'type' = 'policy.version_made' and data ->> 'hash' = $1`,
    one,
  );
  assert.ok(told.length === 2, `${told.length} events`);
});

test('a control that is set as it is already makes no version', async () => {
  const h = await house('same');
  const first = await setControl(h, { who: everyone, connector: crm, access: 'read' });
  const second = await setControl(h, { who: everyone, connector: crm, access: 'read' });
  assert.deepEqual([second.id, second.version], [first.id, first.version]);
});

test('a change of a version that is not in force any more is refused, and two at once are two versions', async () => {
  const h = await house('stale');
  const both = await Promise.all(
    [crm, drive].map((connector) =>
      h.ask('PUT', '/policy/controls', { who: everyone, connector, access: 'read', expects: 0, ...why }),
    ),
  );
  assert.deepEqual(
    both.map((r) => r.status).toSorted((a, b) => a - b),
    [200, 412],
  );
  const late = both.find((r) => r.status === 412);
  assert.equal(late?.json.code, 'policy/stale');
  assert.match(late?.json.detail ?? '', /^version 1 is in force, not 0: test made it at /);
  await Promise.all([crm, drive].map((connector) => setControl(h, { who: everyone, connector, access: 'read_write' })));
  assert.equal((await h.ask('GET', '/policy/settings')).json.version, 3);
  const gone = await h.ask('DELETE', `/policy/controls/${newId('ctl')}?reason=x&expects=1`);
  assert.equal(gone.json.code, 'policy/stale');
});

const PreviewShape = z.object({
  hash: z.string(),
  version: z.number(),
  looked: z.object({ people: z.number(), tools: z.number() }),
  counts: z.record(z.string(), z.object({ people: z.number(), pairs: z.number() })),
  groups: z.array(z.looseObject({ name: z.string(), gains: z.number() })),
  lines: z.array(
    z.looseObject({ effect: z.string(), connectorName: z.string(), toolCount: z.number(), peopleCount: z.number() }),
  ),
});

test('a preview says who gains what, changes nothing, and binds the change to what was seen', async () => {
  const h = await house('preview');
  const rule = {
    name: 'Sales write',
    who: { kind: 'group', group: h.sales },
    connector: crm,
    tools: { classes: ['read', 'write'] },
    effect: 'allow',
    asks: 'never',
  };
  const look = async (wish: unknown) => {
    const r = await h.ask('POST', '/policy/preview', wish);
    assert.equal(r.status, 200, JSON.stringify(r.json));
    return PreviewShape.parse(r.json);
  };
  const seen = await look({ kind: 'add_rule', rule });
  assert.deepEqual(
    [seen.version, seen.looked, seen.counts['gains'], seen.counts['loses']],
    [0, { people: 3, tools: 6 }, { people: 1, pairs: 2 }, { people: 0, pairs: 0 }],
  );
  assert.deepEqual(
    seen.lines.map((l) => [l.effect, l['from'], l['to'], l.connectorName, l.toolCount, l['people']]),
    [['gains', 'denied', 'allowed', 'CRM', 2, [{ user: h.ada, name: 'Ada' }]]],
  );
  assert.deepEqual(
    seen.groups.map((g) => [g.name, g.gains]),
    [['Sales', 1]],
  );
  assert.equal(await may(h, h.ada, 'write'), 'denied');
  assert.equal((await look({ kind: 'add_rule', rule })).hash, seen.hash);

  const other = await h.ask('POST', '/rules', { ...rule, effect: 'allow', asks: 'always', previewed: seen.hash });
  assert.deepEqual([other.status, other.json.code], [409, 'policy/preview-stale']);
  await t.super(
    `insert into org_group_member (parent, org, group_id, user_id, asserted_at) values ($1, $2, $3, $4, now())`,
    h.parent,
    h.org,
    h.sales,
    h.bob,
  );
  assert.equal((await h.ask('POST', '/rules', { ...rule, previewed: seen.hash })).json.code, 'policy/preview-stale');
  const again = await look({ kind: 'add_rule', rule });
  assert.equal(again.counts['gains']?.people, 2);
  const kept = shelf.tools;
  shelf.tools = shelf.tools.slice(1);
  assert.equal((await h.ask('POST', '/rules', { ...rule, previewed: again.hash })).json.code, 'policy/preview-stale');
  shelf.tools = kept;
  const made = await h.ask('POST', '/rules', { ...rule, previewed: again.hash });
  assert.equal(made.status, 201);
  assert.equal((await look({ kind: 'remove_rule', rule: made.json.id })).counts['loses']?.pairs, 4);
  const cut = { who: everyone, connector: crm, access: 'blocked' } as const;
  const control = await look({ kind: 'set_control', control: cut });
  assert.equal(control.counts['loses']?.people, 2);
  assert.equal((await h.ask('PUT', '/policy/controls', { ...cut, ...why, previewed: control.hash })).status, 200);
  const back = await look({ kind: 'restore', version: 1 });
  assert.equal(back.counts['gains']?.people, 2);
  assert.equal((await h.ask('POST', '/policy/versions/1/restore', { ...why, previewed: back.hash })).status, 200);
  const cedar = { name: 'c', cedar: 'forbid(principal, action, resource) when { resource.class == Class::"write" };' };
  const expert = await look({ kind: 'save_cedar', policy: cedar });
  assert.deepEqual(expert.counts['loses'], { people: 2, pairs: 2 });
  assert.equal((await h.ask('POST', '/policy/cedar', { ...cedar, ...why, previewed: expert.hash })).status, 201);
  const settings = await look({ kind: 'set_settings', settings: { mode: 'open', defaultAccess: 'read' } });
  assert.deepEqual(settings.counts['gains'], { people: 3, pairs: 4 });
  const bad = await h.ask('POST', '/policy/preview', { kind: 'remove_rule', rule: newId('rul') });
  assert.equal(bad.json.code, 'policy/no-rule');
});

test('what one organization says is not there for another', async () => {
  const [ours, theirs] = [await house('ours'), await house('theirs')];
  const control = await setControl(ours, { who: everyone, connector: crm, access: 'read' });
  const cedar = await ours.ask('POST', '/policy/cedar', { name: 'c', cedar: permit, ...why });
  assert.equal((await theirs.ask('DELETE', `/policy/controls/${control.id}?reason=x`)).json.code, 'policy/no-control');
  assert.equal(
    (await theirs.ask('PUT', `/policy/cedar/${cedar.json.id}`, { name: 'c', cedar: permit, ...why })).json.code,
    'policy/no-cedar',
  );
  const seen = (h: PolicyHouse, table: string) =>
    h.ctx.db.read(
      h.ctx,
      async (db) =>
        (
          await db.one({
            text: `select count(*)::int as n from ${table}`,
            values: [],
            row: z.object({ n: z.number() }),
          })
        ).n,
    );
  await ours.ask('PUT', '/policy/settings', { mode: 'regulated', timeZone: 'Europe/Berlin', ...why });
  for (const table of ['policy_control', 'cedar_policy', 'policy_version', 'policy_setting'])
    assert.deepEqual([await seen(theirs, table), (await seen(ours, table)) > 0], [0, true], table);
});

test('the application can rewrite no version and nothing that was in one', async () => {
  const client = await t.db.pool.connect();
  try {
    for (const statement of [
      'update policy_version set reason = null',
      'delete from policy_version',
      `update policy_control set access = 'read'`,
      'delete from policy_control',
      `update cedar_policy set cedar = ''`,
      `update policy_setting set mode = 'open'`,
      `update rule set conditions = '[]'`,
    ])
      await assert.rejects(client.query(statement), /permission denied/);
  } finally {
    client.release();
  }
});
