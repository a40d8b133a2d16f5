import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { newId } from '#kernel/id.ts';
import { memberRoles } from '#org/member.ts';
import { decide, highest, type Decision, type LiveMapping, type Situation } from './decide.ts';
import { decisionTable, situation } from './decision-table.ts';
import { happenings, modes, type Happening, type Mode } from './mode.ts';
import { reasons } from './reason.ts';

const [users, admins, owners] = [newId('grp'), newId('grp'), newId('grp')];
const mappings: LiveMapping[] = [
  { id: newId('map'), role: 'user', tier: null, groups: [users] },
  { id: newId('map'), role: 'admin', tier: 'premium', groups: [admins] },
  { id: newId('map'), role: 'owner', tier: null, groups: [owners] },
];
const on = (mode: Mode, event: Happening, over: Partial<Situation> = {}): Decision =>
  decide(situation(mode, event, { mappings, ...over }));
const a = (role: (typeof memberRoles)[number], more: object = {}): Pick<Situation, 'member'> => ({
  member: { role, source: 'directory', activated: true, tier: null, ...more },
});
const does = (d: Decision): string[] => d.effects.map((e) => e.do);

// The table of modes as administrators know it from such products: how people come, how roles change, how they go.
test('manual: nobody comes by a sign-in or a directory, and nobody goes by them', () => {
  for (const event of ['login', 'scim_create', 'resync', 'group_add'] as const)
    assert.equal(on('login_only', event, { groups: [owners] }).role, undefined, event);
  assert.equal(on('login_only', 'manual_add', { given: 'admin' }).role, 'admin');
  for (const event of ['scim_delete', 'group_remove', 'resync', 'mode_change'] as const)
    assert.equal(on('login_only', event, a('admin')).role, 'admin', event);
  assert.equal(on('login_only', 'manual_remove', a('user')).role, undefined);
});

test('JIT: whoever is assigned comes at their sign-in, as user; roles stay what people give by hand', () => {
  const d = on('jit_permissive', 'login', { account: 'none', groups: [owners] });
  assert.deepEqual(does(d), ['create_account', 'add_member', 'take_seat']);
  assert.equal(d.role, 'user');
  assert.equal(on('jit_permissive', 'login', { ...a('admin'), groups: [users] }).role, 'admin');
});

test('JIT: whoever the directory removed cannot sign in, and stays listed until somebody removes them', () => {
  const d = on('jit_permissive', 'scim_disable', a('user'));
  assert.deepEqual(does(d), ['suspend_account']);
  assert.equal(d.admit, false);
  assert.equal(d.role, 'user');
  assert.ok(d.reasons.includes('stays_listed'));
});

test('JIT with mappings: a sign-in takes a mapped group, and gives the highest role of all of them', () => {
  const out = on('jit_advanced', 'login', { account: 'none' });
  assert.deepEqual([out.admit, out.role, out.reasons], [false, undefined, ['no_mapped_group']]);
  assert.equal(on('jit_advanced', 'login', { account: 'none', groups: [users, owners, admins] }).role, 'owner');
});

test('JIT with mappings: a role follows the groups at the next sign-in and not before', () => {
  const before = on('jit_advanced', 'group_add', { ...a('user'), groups: [admins] });
  assert.deepEqual([before.role, before.effects, before.reasons], ['user', [], ['at_next_sign_in']]);
  assert.equal(on('jit_advanced', 'login', { ...a('user'), groups: [admins] }).role, 'admin');
  assert.equal(on('jit_advanced', 'login', { ...a('admin'), groups: [users] }).role, 'user');
});

test('JIT with mappings: whoever lost the last mapped group is refused, and taken off the list when they try', () => {
  const listed = on('jit_advanced', 'group_remove', a('user'));
  assert.deepEqual([listed.role, listed.admit], ['user', false]);
  const tries = on('jit_advanced', 'login', a('user'));
  assert.deepEqual([tries.role, tries.admit, does(tries)], [undefined, false, ['remove_member', 'free_seat']]);
});

test('SCIM: whoever the directory creates is in at once as user, and whoever it disables or deletes is out at once', () => {
  const d = on('scim_permissive', 'scim_create', { groups: [owners] });
  assert.deepEqual(d.effects, [{ do: 'add_member', role: 'user', tier: null }]);
  assert.equal(on('scim_permissive', 'group_add', { ...a('admin'), groups: [users] }).role, 'admin');
  for (const event of ['scim_disable', 'scim_delete'] as const)
    assert.deepEqual(does(on('scim_permissive', event, a('user'))), ['suspend_account', 'remove_member', 'free_seat']);
});

test('SCIM with mappings: roles follow at once, the highest wins, and losing the last mapped group ends the membership', () => {
  assert.equal(on('scim_advanced', 'scim_create').role, undefined);
  const came = on('scim_advanced', 'group_add', { groups: [users, admins] });
  assert.deepEqual(came.effects, [{ do: 'add_member', role: 'admin', tier: 'premium' }]);
  assert.equal(on('scim_advanced', 'group_add', { ...a('user'), groups: [users, owners] }).role, 'owner');
  assert.equal(on('scim_advanced', 'group_remove', { ...a('owner'), groups: [users] }).role, 'user');
  const out = on('scim_advanced', 'group_remove', a('user'));
  assert.deepEqual(out.effects.slice(0, 1), [{ do: 'remove_member', cause: 'unmapped' }]);
  for (const event of ['scim_disable', 'scim_delete'] as const)
    assert.equal(on('scim_advanced', event, { ...a('user'), groups: [users] }).role, undefined);
});

test('among mappings of one role the one that was made first gives the tier', () => {
  const [one, two] = [newId('map', 1), newId('map', 2)];
  const both: LiveMapping[] = [
    { id: two, role: 'user', tier: 'late', groups: [users] },
    { id: one, role: 'user', tier: 'early', groups: [users] },
  ];
  assert.equal(highest([users], both)?.tier, 'early');
});

test('a sign-in never brings back whom an administrator or a directory removed; the directory, naming them anew, does', () => {
  for (const mode of ['jit_permissive', 'jit_advanced'] as const)
    for (const tombstone of ['hand', 'directory'] as const) {
      const d = on(mode, 'login', { groups: [users], tombstone });
      assert.deepEqual([d.admit, d.effects], [false, []], `${mode} ${tombstone}`);
      assert.ok(d.reasons.includes(tombstone === 'hand' ? 'removed_by_hand' : 'removed_by_directory'));
    }
  for (const event of ['resync', 'group_add'] as const)
    assert.equal(on('scim_advanced', event, { groups: [users], tombstone: 'hand' }).role, undefined, event);
  const anew = on('scim_advanced', 'scim_create', { groups: [users], tombstone: 'hand' });
  assert.deepEqual([anew.role, anew.reasons], ['user', ['mapped', 'returned']]);
});

test('whoever only lost a group is back with the group', () => {
  for (const mode of ['jit_advanced', 'scim_advanced'] as const)
    assert.equal(
      on(mode, mode === 'jit_advanced' ? 'login' : 'group_add', { groups: [users], tombstone: 'unmapped' }).role,
      'user',
    );
});

test('with no seat left nobody is added who could not enter, and the reason is said', () => {
  const stranger = on('jit_permissive', 'login', { account: 'none', seatsLeft: 0 });
  assert.deepEqual(
    [stranger.admit, stranger.effects, stranger.seat, stranger.reasons],
    [false, [], 'refused', ['no_seat']],
  );
  const member = on('scim_permissive', 'login', { ...a('user', { activated: false }), seatsLeft: 0 });
  assert.deepEqual([member.admit, member.role, member.seat], [false, 'user', 'refused']);
  assert.equal(on('scim_permissive', 'login', { ...a('user'), seatsLeft: 0 }).admit, true, 'who has a seat keeps it');
  assert.equal(on('login_only', 'login', { ...a('primary_owner', { activated: false }), seatsLeft: 0 }).admit, true);
});

test('switching to SCIM keeps whom people added by hand, and ends whom a sign-in had added and no directory knows', () => {
  const hand = on('scim_permissive', 'mode_change', { ...a('user', { source: 'hand' }), scim: 'absent' });
  assert.deepEqual([hand.role, hand.reasons], ['user', ['made_by_hand']]);
  assert.equal(
    on('scim_permissive', 'mode_change', { ...a('user', { source: 'sign_in' }), scim: 'absent' }).role,
    undefined,
  );
});

const anySituation = fc.record({
  mode: fc.constantFrom(...modes),
  event: fc.constantFrom(...happenings),
  account: fc.constantFrom('none', 'active', 'suspended'),
  member: fc.option(
    fc.record({
      role: fc.constantFrom(...memberRoles),
      source: fc.constantFrom('hand', 'directory', 'sign_in'),
      activated: fc.boolean(),
      tier: fc.constantFrom(null, 'premium'),
    }),
    { nil: undefined },
  ),
  scim: fc.constantFrom('absent', 'active', 'disabled', 'deleted'),
  groups: fc.subarray([users, admins, owners]),
  mappings: fc.subarray(mappings),
  tombstone: fc.constantFrom(undefined, 'hand', 'directory', 'unmapped'),
  seatsLeft: fc.constantFrom<Situation['seatsLeft'][]>('no_limit', 0, 1),
  exempt: fc.constantFrom('no', 'break_glass', 'owns_elsewhere'),
  lastOwner: fc.boolean(),
  held: fc.boolean(),
  address: fc.constantFrom('allowed', 'other_domain', 'unverified_domain', 'missing'),
  given: fc.constantFrom('owner', 'admin', 'user'),
});
const RUNS = { numRuns: 4000 };

test('whatever happens, no identity provider lowers, removes or suspends the primary owner, a break-glass account or the last owner', () => {
  fc.assert(
    fc.property(anySituation, (s) => {
      const spared = s.member && (s.member.role === 'primary_owner' || s.exempt === 'break_glass' || s.lastOwner);
      if (!s.member || !spared || s.event === 'manual_remove') return;
      const d = decide(s);
      assert.ok(d.role !== undefined && memberRoles.indexOf(d.role) <= memberRoles.indexOf(s.member.role));
      assert.ok(!does(d).some((e) => e === 'remove_member' || e === 'suspend_account'));
    }),
    RUNS,
  );
});

test('whatever happens, a held person loses nothing until somebody decides', () => {
  fc.assert(
    fc.property(anySituation, (s) => {
      if (!s.member || s.event === 'manual_remove') return;
      const d = decide({ ...s, held: true });
      assert.ok(d.role !== undefined && memberRoles.indexOf(d.role) <= memberRoles.indexOf(s.member.role));
      assert.ok(!does(d).includes('suspend_account'));
    }),
    RUNS,
  );
});

test('whatever happens, what is decided is what its effects do, each refused sign-in has a reason, and deciding again changes nothing', () => {
  fc.assert(
    fc.property(anySituation, (s) => {
      const d = decide(s);
      let role: string | undefined = s.member?.role;
      for (const e of d.effects)
        if (e.do === 'add_member') role = e.role;
        else if (e.do === 'change_role') role = e.to;
        else if (e.do === 'remove_member') role = undefined;
      assert.equal(role, d.role);
      assert.ok(d.admit || s.event !== 'login' || d.reasons.length > 0, JSON.stringify(d));
      assert.equal(does(d).filter((e) => e === 'add_member').length * (s.member ? 1 : 0), 0, 'a member is not added');
      if (s.account === 'none' || d.role === undefined || d.seat === 'refused') return;
      const account = does(d).includes('suspend_account')
        ? 'suspended'
        : does(d).includes('restore_account')
          ? 'active'
          : s.account;
      let tier: string | null = s.member?.tier ?? null;
      for (const e of d.effects)
        if (e.do === 'add_member') ({ tier } = e);
        else if (e.do === 'change_tier') tier = e.to;
      const again = decide({
        ...s,
        account,
        member: { role: d.role, source: s.member?.source ?? 'directory', activated: d.seat === 'taken', tier },
      });
      assert.deepEqual(again.effects, []);
    }),
    RUNS,
  );
});

test('the table has every mode with every happening and every kind of person, and each of its reasons has words', () => {
  const lines = decisionTable().trimEnd().split('\n').slice(4);
  assert.equal(lines.length, modes.length * (happenings.length * 23 + 5));
  for (const l of lines)
    for (const code of l.slice(156).trim().split(' ').filter(Boolean)) assert.ok(code in reasons, l);
  const written = readFileSync(new URL('../../docs/generated/provisioning-decisions.txt', import.meta.url), 'utf8');
  assert.equal(decisionTable(), written, 'run `npm run gen` and review the difference');
});
