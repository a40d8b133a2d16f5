import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '#kernel/id.ts';
import { predefinedName, standingMappings } from './mapping.ts';
import { edits, missKind, nearMisses, type MissKind } from './near-miss.ts';
import { brakeLimit, brakes } from './brake.ts';
import { difference, edited, planHash, type Line } from './plan.ts';
import { mismatchesOf } from './diagnose.ts';
import { doorWords, saidGroups, type SaidAtSignIn, type Verdict } from './sign-in.ts';

const misses: [wanted: string, seen: string, kind: MissKind | undefined][] = [
  ['anthropic-engineering', 'engineering', 'prefix'],
  ['engineering', 'anthropic-engineering', 'prefix'],
  ['Sales', 'sales', 'case'],
  ['sales', 'sales ', 'space'],
  ['sales', 'sales\u200b', 'space'],
  ['sales-leads', 'sales_leads', 'separator'],
  ['sales leads', 'Sales-Leads', 'separator'],
  ['engineering', 'enginering', 'typo'],
  ['engineering', 'engneerings', 'typo'],
  ['engineering', 'marketing', undefined],
  ['sales', 'sates', undefined], // so short that it may as well be another word
  ['sales', 'sales', undefined],
];
for (const [wanted, seen, kind] of misses)
  test(`${JSON.stringify(seen)} for ${JSON.stringify(wanted)} is ${kind ? `a near miss: ${kind}` : 'no near miss'}`, () => {
    assert.equal(missKind(wanted, seen), kind);
  });

test('a group that is called like a role is not taken for a pre-defined name', () => {
  const o = { prefix: 'gatehouse', surface: 'workspace', org: newId('org') };
  const standing = standingMappings(o);
  const seen = (name: string) => ({ id: newId('grp'), name, members: 3 });
  assert.deepEqual(nearMisses(standing, [seen('owner'), seen('user')]), []);
  const near = seen(predefinedName(o, 'owner').replace('gatehouse-', ''));
  const [miss] = nearMisses(standing, [near]);
  assert.deepEqual([miss?.kind, miss?.mapping.role], ['prefix', 'owner']);
  assert.match(
    miss?.says ?? '',
    /\(3 members\) came and is mapped to nothing; .* is expected for the role owner: only the prefix differs/,
  );
});

test('a pre-defined name is prefix, surface, eight digits of the organization, role', () => {
  const org = newId('org');
  assert.match(
    predefinedName({ prefix: 'northwind', surface: 'console', org }, 'admin'),
    /^northwind-console-[0-9a-f]{8}-admin$/,
  );
  assert.ok(predefinedName({ prefix: 'x', surface: 'console', org }, 'user').includes(org.slice(-8)));
});

test('edits are counted up to the limit and no further', () => {
  assert.deepEqual([edits('kitten', 'sitting', 5), edits('abc', 'abc', 2), edits('a', 'abcdefgh', 2)], [3, 0, 3]);
});

const brakeCases: [what: string, b: Parameters<typeof brakes>[0], held: boolean][] = [
  ['one who leaves', { done: 0, taking: 1, members: 5, emptied: 0 }, false],
  ['the tenth within the hour', { done: 9, taking: 1, members: 5, emptied: 0 }, false],
  ['the eleventh of a small organization', { done: 10, taking: 1, members: 100, emptied: 0 }, true],
  ['the fiftieth of a thousand', { done: 49, taking: 1, members: 1000, emptied: 0 }, false],
  ['the fifty-first of a thousand', { done: 50, taking: 1, members: 1000, emptied: 0 }, true],
  ['eleven at once', { done: 0, taking: 11, members: 100, emptied: 0 }, true],
  ['five by a group that was emptied', { done: 0, taking: 5, members: 100, emptied: 5 }, false],
  ['six by a group that was emptied', { done: 0, taking: 6, members: 1000, emptied: 6 }, true],
];
for (const [what, b, held] of brakeCases)
  test(`the brake ${held ? 'holds' : 'lets go'} ${what}`, () => assert.equal(brakes(b), held));
test('the brake allows ten in any organization and five of a hundred in a large one', () => {
  assert.deepEqual([0, 200, 201, 1000, 10_000].map(brakeLimit), [10, 10, 10, 50, 500]);
});

const target = { mode: 'scim_advanced' as const, prefix: 'gatehouse', domains: [], mappings: [] };
const line = (what: Line['what'], to: Line['to'] = null): Line => ({
  user: newId('usr'),
  what,
  from: 'user',
  to,
  atNextSignIn: false,
  because: 'mapped',
});

test('the hash of a plan changes with the settings, the target, and whom it touches, and with nothing else', () => {
  const one = line('loses');
  const base = planHash(3, target, [one]);
  assert.equal(planHash(3, target, [{ ...one, because: 'other words' }]), base);
  assert.notEqual(planHash(4, target, [one]), base);
  assert.notEqual(planHash(3, { ...target, prefix: 'x' }, [one]), base);
  assert.notEqual(planHash(3, target, []), base);
  assert.notEqual(planHash(3, target, [{ ...one, what: 'raised' }]), base);
});

test('what two plans disagree about is told per person, with both sides', () => {
  const [a, b] = [line('loses'), line('gains', 'user')];
  assert.deepEqual(difference([a, b], [a]), [{ user: b.user, was: 'gains user', is: 'unchanged' }]);
});

test('a group that is mapped again has the new role and not two', () => {
  const group = newId('grp');
  const twice = edited(
    target,
    [
      { set: 'map', group, role: 'user', tier: null },
      { set: 'map', group, role: 'admin', tier: 'premium' },
    ],
    () => newId('map'),
  );
  assert.deepEqual(
    twice.mappings.map((m) => [m.role, m.tier]),
    [['admin', 'premium']],
  );
});

const refused: [what: string, run: () => unknown, code: string][] = [
  [
    'a mapping of nothing',
    () => edited(target, [{ set: 'map', role: 'user', tier: null }], () => newId('map')),
    'provisioning/group-or-name',
  ],
  [
    'a mapping of a group and a name',
    () =>
      edited(target, [{ set: 'map', group: newId('grp'), name: 'x', role: 'user', tier: null }], () => newId('map')),
    'provisioning/group-or-name',
  ],
  [
    'the end of a mapping that is none',
    () => edited(target, [{ set: 'unmap', mapping: newId('map') }], () => newId('map')),
    'provisioning/no-mapping',
  ],
  [
    'more mappings than anybody can oversee',
    () =>
      edited(
        target,
        Array.from({ length: 201 }, (_, i) => ({
          set: 'map' as const,
          name: `g${i}`,
          role: 'user' as const,
          tier: null,
        })),
        () => newId('map'),
      ),
    'provisioning/too-many-mappings',
  ],
];
for (const [what, run, code] of refused)
  test(`a plan refuses ${what}: ${code}`, () =>
    assert.throws(run, (e) => e instanceof Error && 'code' in e && e.code === code));

const pair = {
  entry: newId('scu'),
  user: newId('usr'),
  unlinkedBecause: null,
  userName: 'john.doe@corp.onmicrosoft.example',
  mail: 'jd@corp.example',
  externalId: 'object-1',
  active: true,
  accountEmail: 'jd@corp.example',
  connection: newId('sso'),
  subject: 'pairwise-1',
  otherId: 'object-1',
  seenEmail: 'jd@corp.example',
  seenUser: null,
  subjects: 1,
};
const codes = (over: object): string[] => mismatchesOf({ ...pair, ...over }).map((m) => `${m.code} ${m.harm}`);
test('a UPN that is not the mail address is told, and is harmless once the person is recognized by another name', () => {
  assert.deepEqual(codes({}), ['upn_not_mail may_keep_out']);
  assert.deepEqual(codes({ seenUser: pair.user }), ['upn_not_mail harmless']);
});
test('a sign-in that externalId does not match is shown with both sides and the repair', () => {
  const [m] = mismatchesOf({ ...pair, externalId: 'other', userName: 'jd@corp.example' });
  assert.deepEqual([m?.code, m?.harm], ['not_matched', 'keeps_out']);
  assert.match(m?.directory ?? '', /"other"/);
  assert.match(m?.signIn ?? '', /"pairwise-1", object id "object-1"/);
  assert.match(m?.fix ?? '', /Entra: objectId/);
});
test('a subject that changed under one address is told as that, and capital letters as harmless', () => {
  assert.deepEqual(codes({ userName: 'x', subjects: 2 }), ['subject_changed keeps_out']);
  assert.deepEqual(codes({ userName: 'x', seenEmail: 'JD@corp.example', seenUser: pair.user }), ['case_only harmless']);
  assert.deepEqual(codes({ userName: 'x', seenEmail: 'other@corp.example', seenUser: pair.user }), [
    'address_differs harmless',
  ]);
  assert.deepEqual(
    codes({ userName: 'x', unlinkedBecause: 'local_user', subject: null, otherId: null, seenEmail: null }),
    ['not_linked may_keep_out'],
  );
});

const said: SaidAtSignIn = {
  connection: newId('sso'),
  subject: 's',
  otherId: undefined,
  email: 'a@b.example',
  displayName: 'A',
  groups: ['one', 'one', '', 'x'.repeat(300), 'two'],
  department: 'Sales',
};
test('the groups of a sign-in are taken once each, without empty and endless ones, beside the department', () => {
  assert.deepEqual(saidGroups(said), [
    { attribute: 'groups', value: 'one' },
    { attribute: 'groups', value: 'two' },
    { attribute: 'department', value: 'Sales' },
  ]);
  assert.deepEqual(saidGroups({ groups: 'too_many', department: undefined }), []);
});

const verdict = (reason: Verdict['decision']['reasons'][number]): Verdict => ({
  org: newId('org'),
  orgName: 'Acme',
  mode: 'jit_advanced',
  decision: { admit: false, role: undefined, seat: 'none', effects: [], reasons: [reason] },
  wanted: ['gatehouse-workspace-9c9b0ada-user'],
});
test('who is refused for a lack of groups is told which came and which were wanted, in the trace and not on the page', () => {
  const words = doorWords([verdict('no_mapped_group')], said);
  assert.equal(words?.code, 'provisioning/no-mapped-group');
  assert.match(words?.found ?? '', /received groups "one", "one"/);
  assert.match(words?.expected ?? '', /"gatehouse-workspace-9c9b0ada-user"/);
  assert.ok(!words?.says.includes('"one"'));
  assert.match(doorWords([verdict('no_mapped_group')], { ...said, groups: 'too_many' })?.found ?? '', /overage/);
});
test('each refusal of a sign-in has its own words', () => {
  assert.equal(doorWords([verdict('no_seat')], said)?.code, 'provisioning/no-seat');
  assert.equal(doorWords([verdict('removed_by_hand')], said)?.code, 'provisioning/removed');
  assert.equal(doorWords([verdict('other_domain')], said)?.code, 'provisioning/address');
  assert.equal(doorWords([verdict('unverified_domain')], said)?.code, 'provisioning/domain-unverified');
  assert.equal(doorWords([verdict('added_by_hand_only')], said), undefined);
});
