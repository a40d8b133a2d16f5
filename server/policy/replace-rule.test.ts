import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import type { World } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { crm, everyone, may, policyHouse, why } from '#dev/policy-house.ts';
import { testDb, type TestDb } from '#dev/test-db.ts';

let t: TestDb;
let world: World;
before(async () => {
  t = await testDb();
  world = await t.world();
});
after(() => t.close());

const readers = {
  name: 'Readers',
  who: everyone,
  connector: crm,
  tools: { classes: ['read'] },
  effect: 'allow',
  asks: 'never',
} as const;

test('a rule that is changed keeps its id, is one version, and is in force without a moment between', async () => {
  const h = await policyHouse(t, world, 'replace');
  const rule = (await h.ask('POST', '/rules', readers)).json.id;
  const writers = { ...readers, tools: { classes: ['write'] } };
  const seen = await h.ask('POST', '/policy/preview', { kind: 'replace_rule', rule, by: writers });
  const Seen = z.object({ rule: z.object({ id: z.string(), words: z.string(), cedar: z.string() }) });
  const drafted = Seen.parse(seen.json).rule;
  assert.deepEqual([drafted.id, drafted.words], [rule, 'everyone may use write tools']);
  assert.match(drafted.cedar, /Class::"write"/);
  const put = await h.ask('PUT', `/rules/${rule}`, { ...writers, ...why, expects: 1, previewed: seen.json.hash });
  assert.deepEqual([put.status, put.json.id], [200, rule]);
  assert.deepEqual([await may(h, h.bob, 'read'), await may(h, h.bob, 'write')], ['denied', 'allowed']);
  const versions = (await h.ask('GET', '/policy/versions')).json.items;
  assert.deepEqual(
    versions.map((v) => v['kind']),
    ['replace_rule', 'add_rule'],
  );
  const read = await h.ask('GET', `/rules/${rule}`);
  assert.equal(read.json['words'], 'everyone may use write tools');
  await h.ask('POST', '/policy/versions/1/restore', why);
  assert.equal(await may(h, h.bob, 'read'), 'allowed');
  const told = await t.super<{ data: { rule: string; classes: string[] } }>(
    `select data from audit_inbox where header ->> 'type' = 'policy.rule_replaced'`,
  );
  assert.deepEqual(told[0]?.data.classes, ['write']);
});

test('changing a rule to what it says already is no version', async () => {
  const h = await policyHouse(t, world, 'same');
  const rule = (await h.ask('POST', '/rules', readers)).json.id;
  assert.equal((await h.ask('PUT', `/rules/${rule}`, { ...readers, ...why })).status, 200);
  assert.equal((await h.ask('GET', '/policy/versions')).json.items.length, 1);
});

test('a rule may not take the name of another, and one that is not there cannot be changed or read', async () => {
  const h = await policyHouse(t, world, 'names');
  await h.ask('POST', '/rules', readers);
  const rule = (await h.ask('POST', '/rules', { ...readers, name: 'Others' })).json.id;
  assert.equal((await h.ask('PUT', `/rules/${rule}`, { ...readers, name: 'READERS' })).json.code, 'policy/name-taken');
  for (const id of [newId('rul'), 'x']) {
    assert.equal((await h.ask('PUT', `/rules/${id}`, readers)).json.code, 'policy/no-rule');
    assert.equal((await h.ask('GET', `/rules/${id}`)).json.code, 'policy/no-rule');
  }
});

test('a preview of Cedar says how it is evaluated, and one policy can be read by its id', async () => {
  const h = await policyHouse(t, world, 'experts');
  const policy = { name: 'None', cedar: 'forbid(principal, action, resource) when { false };' };
  const Seen = z.object({ rule: z.null(), cedar: z.object({ engine: z.string(), warnings: z.array(z.string()) }) });
  const seen = Seen.parse((await h.ask('POST', '/policy/preview', { kind: 'save_cedar', policy })).json);
  assert.equal(seen.cedar.engine, 'compiled');
  assert.equal(seen.cedar.warnings.length, 1);
  const { id } = (await h.ask('POST', '/policy/cedar', { ...policy, ...why })).json;
  assert.equal((await h.ask('GET', `/policy/cedar/${id}`)).json['cedar'], policy.cedar);
  assert.equal((await h.ask('GET', `/policy/cedar/${newId('ced')}`)).json.code, 'policy/no-cedar');
});
