import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { World } from '#kernel/ctx.ts';
import { catalogue, everyone, loadPolicies, may, policyHouse, type PolicyHouse, why } from '#dev/policy-house.ts';
import { testDb, type TestDb } from '#dev/test-db.ts';
import { addRule } from './add-rule.ts';
import { MAX_CEDAR } from './check-cedar.ts';

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

test('a policy in Cedar decides from the moment it is saved, keeps its text, and says who evaluates it', async () => {
  const h = await house('expert');
  const made = await h.ask('POST', '/policy/cedar', { name: 'All may read', cedar: permit, ...why });
  assert.deepEqual([made.status, made.json['engine'], made.json['warnings']], [201, 'compiled', []]);
  assert.equal(await may(h, h.bob, 'read'), 'allowed');
  assert.equal((await h.ask('GET', '/policy/cedar?q=kept')).json.items[0]?.['cedar'], permit);
  const address = 'forbid(principal, action, resource) unless { ip("10.0.0.1").isLoopback() };';
  const replaced = await h.ask('PUT', `/policy/cedar/${made.json.id}`, {
    name: 'All may read',
    cedar: address,
    ...why,
  });
  assert.deepEqual(
    [replaced.status, replaced.json.id, replaced.json['engine'], replaced.json['lacks']],
    [200, made.json.id, 'cedar-wasm', 'the function isLoopback'],
  );
  const set = await loadPolicies(h);
  assert.equal(set.program.lacks[0]?.policy, made.json.id);
  assert.equal((await h.ask('DELETE', `/policy/cedar/${made.json.id}?reason=enough`)).status, 204);
  assert.deepEqual((await h.ask('GET', '/policy/cedar')).json.items, []);
  assert.equal((await h.ask('DELETE', `/policy/cedar/${made.json.id}?reason=again`)).json.code, 'policy/no-cedar');
});

const wrong: readonly [what: string, cedar: string, code: string, says: RegExp][] = [
  [
    'a misspelt attribute',
    'permit(principal, action, resource)\nwhen { resource.clas == Class::"read" };',
    'policy/cedar-not-valid',
    /line 2, column 8: .*`clas`.*did you mean `class`/,
  ],
  [
    'a missing operand',
    'permit(principal, action, resource) when { "é" == resource.name && };',
    'policy/cedar-not-valid',
    /line 1, column 68: unexpected token `}` \(expected .*identifier/,
  ],
  ['two policies', `${permit} ${permit}`, 'policy/cedar-not-valid', /unexpected token/],
  ['a template', 'permit(principal == ?principal, action, resource);', 'policy/cedar-not-valid', /template/],
  [
    'a comparison of kinds',
    'permit(principal, action, resource) when { resource.name == 1 };',
    'policy/cedar-not-valid',
    /compatible/,
  ],
  [
    'an optional argument taken for granted',
    'permit(principal, action == Action::"call", resource) when { context.args.path like "*" };',
    'policy/cedar-not-valid',
    /path/,
  ],
  ['nothing', '// nothing', 'policy/cedar-not-valid', /unexpected end/],
  [
    'brackets without end',
    `permit(principal, action, resource) when { ${'('.repeat(3000)}true${')'.repeat(3000)} };`,
    'policy/cedar-too-deep',
    /nests 3001 deep/,
  ],
  [
    'a chain without end',
    `permit(principal, action, resource) when { ${'true && '.repeat(400)}true };`,
    'policy/cedar-too-deep',
    /400 operators/,
  ],
  [
    'an if in an if and so on',
    `permit(principal, action, resource) when { ${'if true then '.repeat(200)}true${' else true'.repeat(200)} };`,
    'policy/cedar-too-deep',
    /nests 201/,
  ],
];
test('a policy in Cedar that is wrong is refused with the place and what was expected, and the engine works on', async () => {
  const h = await house('wrong');
  for (const [what, cedar, code, says] of wrong) {
    const r = await h.ask('POST', '/policy/cedar', { name: what, cedar, ...why });
    assert.deepEqual([r.status, r.json.code], [400, code], what);
    assert.match(r.json.detail, says, what);
  }
  assert.equal(
    (await h.ask('POST', '/policy/cedar', { name: 'long', cedar: `//${'x'.repeat(10_240)}`, ...why })).json.code,
    'http/invalid',
  );
  assert.equal((await h.ask('POST', '/policy/cedar', { name: 'no reason', cedar: permit })).json.code, 'http/invalid');
  assert.equal((await h.ask('POST', '/policy/cedar', { name: 'fine', cedar: permit, ...why })).status, 201);
  assert.equal(
    (await h.ask('POST', '/policy/cedar', { name: 'FINE', cedar: permit, ...why })).json.code,
    'policy/name-taken',
  );
  const impossible = await h.ask('POST', '/policy/cedar', {
    name: 'never',
    cedar: 'permit(principal, action, resource) when { 1 == 2 };',
    ...why,
  });
  assert.match(JSON.stringify(impossible.json['warnings']), /impossible/);
});

test('what an expert writes can have no name of a generated policy, and has the schema to be written against', async () => {
  const h = await house('names');
  const rule = await addRule(
    h.ctx,
    { name: 'r', who: everyone, connector: 'any', tools: { classes: ['read'] }, effect: 'allow', asks: 'never' },
    catalogue,
  );
  const made = await h.ask('POST', '/policy/cedar', {
    name: rule.id,
    cedar: `@id("${rule.id}")\nforbid(principal, action, resource);`,
    ...why,
  });
  const set = await loadPolicies(h);
  assert.deepEqual(Object.keys(set.policies).sort(), ['after_reading', made.json.id, rule.id].sort());
  assert.equal(await may(h, h.ada, 'read'), 'denied');
  assert.match(String((await h.ask('GET', '/policy/cedar/schema')).json['schema']), /entity Tool/);
});

test(`policy ${MAX_CEDAR + 1} in Cedar is refused`, async () => {
  const h = await house('full');
  await t.super(
    `insert into cedar_policy (org, id, name, cedar, set_by, set_at, since) select $1, 'ced_' || i, 'p' || i, $2, 'test', now(), 0 from generate_series(1, $3::int) i`,
    h.org,
    permit,
    MAX_CEDAR,
  );
  assert.equal(
    (await h.ask('POST', '/policy/cedar', { name: 'one more', cedar: permit, ...why })).json.code,
    'policy/too-many',
  );
});

test('whoever writes a policy is told where it is wrong without a refusal, and how it would be evaluated once it is right', async () => {
  const h = await policyHouse(t, world, 'writing');
  const check = async (cedar: string) => {
    const r = await h.ask('POST', '/policy/cedar/check', { cedar });
    assert.equal(r.status, 200, JSON.stringify(r.json));
    return r.json as unknown as { errors: { line: number; says: string }[]; checked: { engine: string } | null };
  };
  const wrong = await check('forbid(principal, action, resource)\nwhen { resource.clas == Class::"read" };');
  assert.deepEqual([wrong.errors[0]?.line, wrong.checked], [2, null]);
  const deep = await check(`forbid(principal, action, resource) when { ${'('.repeat(60)}true${')'.repeat(60)} };`);
  assert.match(deep.errors[0]?.says ?? '', /nests/);
  const right = await check('forbid(principal, action, resource) when { resource.class == Class::"read" };');
  assert.deepEqual([right.errors, right.checked?.engine], [[], 'compiled']);
});
