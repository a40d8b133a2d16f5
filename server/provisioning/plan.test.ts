import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { doorHouse, type DoorHouse } from '#dev/door-house.ts';
import { provisioningHouse, type ProvisioningHouse } from '#dev/provisioning-house.ts';
import type { Actor } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { createApiKey } from '#org/create-api-key.ts';
import { applyPlan } from './apply-plan.ts';
import { refuseLockOut } from './plan.ts';

let h: DoorHouse;
let p: ProvisioningHouse;
let staff: Id<'grp'>;
let olga: { user: Id<'usr'>; entry: string };
let uwe: { user: Id<'usr'>; entry: string };
let luc: { user: Id<'usr'>; entry: string };
before(async () => {
  h = await doorHouse();
  p = await provisioningHouse(h);
  [olga, uwe, luc] = [await p.push('Olga'), await p.push('Uwe'), await p.push('=Luc')];
  staff = await p.group('Staff', [olga.entry, uwe.entry]);
});
after(() => h[Symbol.asyncDispose]());

const roles = async (): Promise<string[]> =>
  (
    await h.t.super<{ line: string }>(
      `select user_id || role as line from member where org = $1 order by 1`,
      h.acme.org,
    )
  ).map((r) => r.line);
const withMapping = [
  { set: 'map', group: '', role: 'user' },
  { set: 'mode', mode: 'scim_advanced' },
];
const edits = (): object[] => withMapping.map((e) => ('group' in e ? { ...e, group: staff } : e));

test('a dry run shows who would lose access and why, as a list and as CSV, and changes nothing', async () => {
  const before = await roles();
  const plan = await p.ok('POST', '/plans', { edits: edits() });
  assert.deepEqual(plan['summary'], { gains: 0, loses: 1, raised: 0, lowered: 0 });
  assert.deepEqual(plan['warnings'], ['no group has come whose people would be owners']);
  const { items } = await p.ok('GET', `/plans/${plan['id']}/people?what=loses`);
  assert.deepEqual([items[0].user, items[0].from, items[0].to, items[0].atNextSignIn], [luc.user, 'user', null, false]);
  assert.match(items[0].because[0].says, /none of the groups/);
  const csv = await p.api('GET', `/plans/${plan['id']}/people.csv`);
  assert.match(csv.text, /^user,email,name,what,from,to,when,because\r\n/);
  assert.match(
    csv.text,
    /,'=luc@acme\.example,'=Luc,loses,user,,at once,no_mapped_group\r\n/,
    'a spreadsheet takes no name for a formula',
  );
  assert.deepEqual(await roles(), before);
  const kept = await p.ok('GET', `/plans/${plan['id']}`);
  assert.deepEqual([kept['hash'], kept['appliedAt'], kept['target'].mode], [plan['hash'], null, 'scim_advanced']);
  assert.equal((await p.ok('GET', ''))['mode'], 'scim_permissive');
});

test('a plan is applied only while what it showed is true; else the difference is told and nothing is done', async () => {
  const plan = await p.ok('POST', '/plans', { edits: edits() });
  await p.regroup(staff, 'add', [luc.entry]);
  const before = await roles();
  const late = await p.api('POST', `/plans/${plan['id']}/apply`, { hash: plan['hash'], confirm: 'Acme Workspace' });
  assert.deepEqual([late.status, late.body['code']], [409, 'provisioning/plan-changed']);
  assert.match(late.body['detail'] ?? late.text, /luc@acme\.example was "loses", is "unchanged" now/);
  assert.deepEqual(await roles(), before);
  const wrong = await p.api('POST', `/plans/${plan['id']}/apply`, { hash: '0'.repeat(64), confirm: 'Acme Workspace' });
  assert.match(wrong.text, /the hash is not the one of this plan/);
  await p.regroup(staff, 'remove', [luc.entry]);
  // What it showed is true again.
  const done = await p.ok('POST', `/plans/${plan['id']}/apply`, { hash: plan['hash'], confirm: 'Acme Workspace' });
  assert.equal(done['changed'], 1);
  assert.equal(await p.roleOf(luc.user), undefined);
  assert.equal(await p.roleOf(olga.user), 'user');
  const again = await p.api('POST', `/plans/${plan['id']}/apply`, { hash: plan['hash'] });
  assert.equal(again.body['code'], 'provisioning/plan-applied');
  const said = await h.events('provisioning.mode_changed');
  assert.deepEqual(
    said.map((e) => e.data),
    [{ from: 'scim_permissive', to: 'scim_advanced' }],
  );
});

test('a plan that was made before somebody else changed the settings is not applied', async () => {
  await p.verified('acme.example');
  const plan = await p.ok('POST', '/plans', { edits: [{ set: 'domains', domains: ['acme.example'] }] });
  await p.set({ set: 'prefix', prefix: 'other' });
  const late = await p.api('POST', `/plans/${plan['id']}/apply`, { hash: plan['hash'], confirm: 'Acme Workspace' });
  assert.match(late.text, /somebody changed the mode or the mappings since this plan was made/);
});

test('without a group of owners the organization’s name must be written', async () => {
  await p.set({ set: 'mode', mode: 'scim_permissive' });
  const plan = await p.ok('POST', '/plans', { edits: [{ set: 'mode', mode: 'scim_advanced' }] });
  assert.equal(plan['confirm'], true);
  for (const confirm of [undefined, 'acme workspace'])
    assert.equal(
      (await p.api('POST', `/plans/${plan['id']}/apply`, { hash: plan['hash'], ...(confirm ? { confirm } : {}) })).body[
        'code'
      ],
      'provisioning/confirm',
    );
  const owners = await p.group('Owners', [olga.entry]);
  const sure = await p.ok('POST', '/plans', {
    edits: [
      { set: 'map', group: owners, role: 'owner' },
      { set: 'mode', mode: 'scim_advanced' },
    ],
  });
  assert.equal(sure['confirm'], false);
  await p.ok('POST', `/plans/${sure['id']}/apply`, { hash: sure['hash'] });
  assert.equal(await p.roleOf(olga.user), 'owner');
});

test('nobody applies a plan that would take their ownership, in person or with a key that stands on it', async () => {
  const owners = (await p.ok('GET', '/mappings'))['items'].find(
    (m: { role: string; predefined: boolean }) => m.role === 'owner' && !m.predefined,
  );
  const plan = await p.ok('POST', '/plans', { edits: [{ set: 'unmap', mapping: owners.id }] });
  assert.deepEqual(plan['summary'], { gains: 0, loses: 0, raised: 0, lowered: 1 });
  const expiresAt = new Date(Date.now() + 86_400_000);
  const { key } = await createApiKey(h.ctx, {
    name: 'olga',
    permissions: ['directory.manage'],
    expiresAt,
    creator: olga.user,
  });
  const actors: Actor[] = [
    { kind: 'user', id: olga.user, session: newId('ses') },
    { kind: 'api_key', id: key.id },
  ];
  for (const actor of actors)
    await assert.rejects(
      applyPlan({ ...h.ctx, actor }, plan['id'], { hash: plan['hash'], confirm: 'Acme Workspace' }),
      (e: Error & { code?: string }) => e.code === 'provisioning/locks-you-out',
    );
  assert.equal(await p.roleOf(olga.user), 'owner');
  assert.equal((await p.ok('GET', `/plans/${plan['id']}`))['appliedAt'], null);
});

test('no plan leaves an organization without an owner who can sign in', () => {
  const owner = { user: olga.user, role: 'owner' as const };
  const loses = {
    user: olga.user,
    what: 'loses' as const,
    from: 'owner' as const,
    to: null,
    atNextSignIn: false,
    because: 'no_mapped_group',
  };
  assert.throws(
    () => refuseLockOut([loses], [owner], undefined),
    (e: Error & { code?: string }) => e.code === 'provisioning/no-owner-left',
  );
  refuseLockOut([loses, { ...loses, user: uwe.user, what: 'raised', to: 'owner' }], [owner], undefined);
});

test('a near miss is shown with its repair, and one call maps the group as it is', async () => {
  await p.set({ set: 'map', name: 'acme-engineering', role: 'admin' });
  const came = await p.group('engineering', [uwe.entry]);
  assert.equal(await p.roleOf(uwe.user), 'user');
  const { items } = await p.ok('GET', '/near-misses');
  const miss = items.find((m: { group: string }) => m.group === came);
  assert.deepEqual(
    [miss.wanted, miss.seen, miss.kind, miss.role, miss.members],
    ['acme-engineering', 'engineering', 'prefix', 'admin', 1],
  );
  assert.match(miss.fix, /near-misses\/fix/);
  const fixed = await p.ok('POST', '/near-misses/fix', { mapping: miss.mapping, group: miss.group });
  assert.deepEqual([fixed['summary'].raised, fixed['applied'].changed], [1, 1]);
  assert.equal(await p.roleOf(uwe.user), 'admin');
  assert.ok(!(await p.ok('GET', '/near-misses'))['items'].some((m: { group: string }) => m.group === came));
  assert.equal(
    (await p.api('POST', '/near-misses/fix', { mapping: miss.mapping, group: miss.group })).body['code'],
    'provisioning/no-near-miss',
  );
});

test('a change that takes something from somebody is never applied at once', async () => {
  const plan = await p.ok('POST', '/plans', { edits: [{ set: 'mode', mode: 'login_only' }], apply: 'if_nobody_loses' });
  assert.notEqual(plan['applied'], null);
  const back = await p.ok('POST', '/plans', {
    edits: [{ set: 'mode', mode: 'scim_advanced' }],
    apply: 'if_nobody_loses',
  });
  assert.notEqual(back['applied'], null, 'everybody is in a mapped group');
  const mapping = (await p.ok('GET', '/mappings'))['items'].find((m: { name: string }) => m.name === 'Owners');
  const takes = await p.ok('POST', '/plans', {
    edits: [{ set: 'unmap', mapping: mapping.id }],
    apply: 'if_nobody_loses',
  });
  assert.deepEqual([takes['applied'], takes['summary'].lowered], [null, 1]);
  assert.equal(await p.roleOf(olga.user), 'owner');
});

test('where sign-ins decide, a plan plays the next sign-in and touches nobody now', async () => {
  const plan = await p.ok('POST', '/plans', { edits: [{ set: 'mode', mode: 'jit_advanced' }] });
  assert.deepEqual(plan['warnings'], [
    'no domain is named, so a sign-in makes no account for somebody whom nobody here knows yet',
  ]);
  const { items } = await p.ok('GET', `/plans/${plan['id']}/people`);
  assert.ok(items.every((l: { atNextSignIn: boolean }) => l.atNextSignIn));
  const before = await roles();
  const done = await p.ok('POST', `/plans/${plan['id']}/apply`, { hash: plan['hash'], confirm: 'Acme Workspace' });
  assert.equal(done['changed'], 0);
  assert.deepEqual(await roles(), before);
});

const refusals: [what: string, edits: object[], code: string][] = [
  ['a group that is not here', [{ set: 'map', group: newId('grp'), role: 'user' }], 'provisioning/no-group'],
  ['a mapping that is not here', [{ set: 'unmap', mapping: newId('map') }], 'provisioning/no-mapping'],
  ['neither group nor name', [{ set: 'map', role: 'user' }], 'provisioning/group-or-name'],
  ['the role primary owner', [{ set: 'map', name: 'x', role: 'primary_owner' }], 'http/invalid'],
  ['a prefix with capital letters', [{ set: 'prefix', prefix: 'Acme' }], 'http/invalid'],
  [
    'a domain that the parent has not verified',
    [{ set: 'domains', domains: ['acme.example', 'somebody-else.example'] }],
    'provisioning/domain-unverified',
  ],
  ['a domain that is none', [{ set: 'domains', domains: ['acme'] }], 'http/invalid'],
  ['no change at all', [], 'http/invalid'],
];
for (const [what, edit, code] of refusals)
  test(`a plan of ${what} is refused: ${code}`, async () => {
    assert.equal((await p.api('POST', '/plans', { edits: edit })).body['code'], code);
  });

test('a plan of another organization, or none, is missing', async () => {
  for (const path of [
    `/plans/${newId('pln')}`,
    '/plans/nonsense',
    `/plans/${newId('pln')}/people`,
    `/plans/${newId('pln')}/people.csv`,
  ])
    assert.equal((await p.api('GET', path)).body['code'], 'provisioning/no-plan', path);
  assert.equal(
    (await p.api('POST', `/plans/${newId('pln')}/apply`, { hash: '0'.repeat(64) })).body['code'],
    'provisioning/no-plan',
  );
});
