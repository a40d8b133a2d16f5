import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDesired, desiredOf, type Desired } from './desired.ts';
import { judge } from './judge.ts';
import { governs, makePlan, type PlanRules } from './make-plan.ts';
import { splitName } from './person-name.ts';
import { needsWord, parsePlan, removals, type Plan } from './plan-file.ts';
import type { Member, RemoteGroup, RemoteUser, Snapshot } from './snapshot.ts';

const rules = (over: Partial<PlanRules> = {}): PlanRules => ({
  base: 'https://scim.example/v2',
  now: new Date('2026-08-01'),
  softDelete: false,
  manageGroups: false,
  keepUnlisted: false,
  ...over,
});
const user = (id: string, userName: string, more: Partial<RemoteUser> = {}): RemoteUser => ({
  id,
  userName,
  externalId: undefined,
  displayName: undefined,
  active: true,
  ...more,
});
const group = (id: string, displayName: string, members: (string | Member)[] = []): RemoteGroup => ({
  id,
  displayName,
  externalId: undefined,
  members: members.map((m) => (typeof m === 'string' ? { id: m, kind: 'user' } : m)),
});
const snap = (users: RemoteUser[], groups: RemoteGroup[] = []): Snapshot => ({ users, groups, warnings: [] });
const file = (json: unknown): Desired => parseDesired('d.json', JSON.stringify(json));
const kinds = (p: Plan): string[] => p.operations.map((o) => o.kind);
const says = (notes: Plan['drift']): string => notes.map((n) => n.says).join('\n');

for (const [name, givenName, familyName] of [
  ['Jane Smith', 'Jane', 'Smith'],
  ['Wilhelmina van der Wattage', 'Wilhelmina', 'van der Wattage'],
  ['Prince', 'Prince', ''],
  ['  Ada \t  Lovelace ', 'Ada', 'Lovelace'],
  ['José\u00A0Álvarez', 'José', 'Álvarez'],
  ['山田 太郎', '山田', '太郎'],
] as const)
  test(`the display name ${JSON.stringify(name)} is ${JSON.stringify(givenName)} and ${JSON.stringify(familyName)}`, () =>
    assert.deepEqual(splitName(name), { givenName, familyName }));

test('CSV and JSON of the same people say the same', () => {
  const csv = parseDesired(
    'people.CSV',
    '\uFEFFemail,display_name,external_id,groups\r\n"ada@x.example","Lovelace, ""Ada""",e1,Eng;Ops\r\nbob@x.example,,,\r\n\r\n,,,Empty\r\n',
  );
  assert.deepEqual(
    csv,
    file({
      people: [
        { email: 'ada@x.example', displayName: 'Lovelace, "Ada"', externalId: 'e1', groups: ['Eng', 'Ops'] },
        { email: 'bob@x.example' },
      ],
      groups: ['Empty'],
    }),
  );
});

test('a CSV row per grant gives one person with all the groups', () => {
  const d = parseDesired('a.csv', 'email,group\nada@x.example,Eng\nADA@x.example,Ops\n');
  assert.equal(d.people.length, 1);
  assert.deepEqual(
    d.grants.map((g) => g.group),
    ['Eng', 'Ops'],
  );
});

for (const [what, name, text, expected] of [
  [
    'a person twice in other capitals',
    'd.json',
    '{"people":[{"email":"a@x.example"},{"email":"A@x.example"}]}',
    /twice/,
  ],
  [
    'two people with one externalId',
    'd.json',
    '{"people":[{"email":"a@x.example","externalId":"1"},{"email":"b@x.example","externalId":"1"}]}',
    /same externalId/,
  ],
  [
    'a grant for a stranger',
    'd.json',
    '{"people":[],"grants":[{"user":"a@x.example","group":"g"}]}',
    /not among the people/,
  ],
  ['a misspelt field', 'd.json', '{"people":[{"email":"a@x.example","display":"A"}]}', /display/],
  ['a file that is not JSON', 'd.json', 'email', /not JSON/],
  ['an unknown column', 'd.csv', 'email,salary\n', /"salary" is not known/],
  ['a semicolon file', 'd.csv', 'email;group\n', /is not known/],
  ['an empty file', 'd.csv', '', /empty/],
  ['a row that is too long', 'd.csv', 'email\na@x.example,b\n', /line 2 has 2 fields/],
  ['a row without an address', 'd.csv', 'email,display_name\n,Ada\n', /line 2 has no e-mail/],
  ['a quotation mark that is never closed', 'd.csv', 'email\n"a@x.example\n', /line 2 is never closed/],
  [
    'two names of one person',
    'd.csv',
    'email,display_name,group\na@x.example,Ada,g\na@x.example,Eve,h\n',
    /line 3 gives a@x.example another displayName/,
  ],
] as const)
  test(`the desired state is refused for ${what}`, () =>
    assert.throws(() => parseDesired(name, text), { code: 'scim/desired', says: expected }));

test('people are found by externalId first, then by userName in any capitals', () => {
  const p = makePlan(
    file({ people: [{ email: 'ada.new@x.example', externalId: 'e1' }, { email: 'BOB@x.example' }] }),
    snap([user('1', 'ada.old@x.example', { externalId: 'e1' }), user('2', 'bob@X.example')]),
    rules(),
  );
  assert.deepEqual(p.operations, []);
  assert.match(says(p.drift), /ada\.new@x\.example has the account ada\.old@x\.example/);
});

test("an account whose externalId is somebody else's is not given to a person with the same address", () => {
  const p = makePlan(
    file({ people: [{ email: 'ada@x.example', displayName: 'Ada', externalId: 'new-ada', groups: ['Eng'] }] }),
    snap([user('1', 'ada@x.example', { externalId: 'old-ada' })], [group('g', 'Eng')]),
    rules(),
  );
  assert.deepEqual(p.operations, [], 'neither granted nor deleted');
  assert.match(says(p.conflicts), /may be somebody else's/);
});

test('one line that could be two accounts touches neither', () => {
  const p = makePlan(
    file({ people: [{ email: 'ada@x.example', externalId: 'e1' }], groups: ['Eng'] }),
    snap(
      [user('1', 'other@x.example', { externalId: 'e1' }), user('2', 'ada@x.example')],
      [group('g', 'Eng', ['1', '2'])],
    ),
    rules(),
  );
  assert.deepEqual(p.operations, []);
  assert.match(says(p.conflicts), /2 accounts that could be ada@x\.example/);
});

test('two lines that are the same account are a conflict', () => {
  const p = makePlan(
    file({ people: [{ email: 'a@x.example', externalId: 'e1' }, { email: 'b@x.example' }] }),
    snap([user('1', 'b@x.example', { externalId: 'e1' })]),
    rules(),
  );
  assert.equal(p.conflicts.length, 1);
  assert.deepEqual(p.operations, []);
});

test('a plan makes, grants, revokes and deletes, additions first, and leaves other groups alone', () => {
  const p = makePlan(
    file({
      people: [
        { email: 'ada@x.example', groups: [] },
        { email: 'new@x.example', displayName: 'New Person', groups: ['Eng'] },
      ],
      groups: ['Eng'],
    }),
    snap(
      [user('1', 'ada@x.example'), user('2', 'gone@x.example')],
      [group('g', 'Eng', ['1', '2']), group('h', 'Other', ['1', '2'])],
    ),
    rules(),
  );
  assert.deepEqual(kinds(p), ['create_user', 'grant', 'revoke', 'delete_user']);
  assert.match(says(p.drift), /the group Other is not in the file/);
});

test('groups inside groups and members that the SCIM does not show are told and never removed', () => {
  const p = makePlan(
    file({ people: [], groups: ['Eng'] }),
    snap([], [group('g', 'Eng', [{ id: 'nested', kind: 'group' }, 'stranger'])]),
    rules(),
  );
  assert.deepEqual(p.operations, []);
  assert.match(says(p.drift), /nested, which is a group[^]*stranger, which is no account/);
});

test('a nested group is not taken for the account that happens to have its id', () => {
  const p = makePlan(
    file({ people: [{ email: 'ada@x.example' }], groups: ['Eng'] }),
    snap([user('7', 'ada@x.example')], [group('g', 'Eng', [{ id: '7', kind: 'group' }])]),
    rules(),
  );
  assert.deepEqual(p.operations, []);
});

test('an account that is in question keeps its groups until the question is settled', () => {
  const p = makePlan(
    file({ people: [{ email: 'ada@x.example', externalId: 'e1' }], groups: ['Eng'] }),
    snap(
      [user('1', 'other@x.example', { externalId: 'e1' }), user('2', 'ada@x.example')],
      [group('g', 'Eng', ['1', '2'])],
    ),
    rules({ keepUnlisted: true }),
  );
  assert.deepEqual(p.operations, []);
});

test('a missing group is a conflict, unless groups are to be managed; then the unnamed are deleted, too', () => {
  const d = file({ people: [{ email: 'ada@x.example', groups: ['New'] }] });
  const s = snap([user('1', 'ada@x.example')], [group('g', 'Old', ['1'])]);
  const careful = makePlan(d, s, rules());
  assert.deepEqual([kinds(careful), careful.conflicts.map((c) => c.kind)], [[], ['no_group']]);
  const bold = makePlan(d, s, rules({ manageGroups: true }));
  assert.deepEqual(kinds(bold), ['create_group', 'grant', 'delete_group']);
  assert.equal(removals(bold), 2, 'the group and its member');
});

test('two groups of one name are told apart by id only', () => {
  const s = snap([], [group('g1', 'Eng'), group('g2', 'Eng')]);
  assert.deepEqual(
    makePlan(file({ people: [], groups: ['Eng'] }), s, rules()).conflicts.map((c) => c.kind),
    ['unclear_group'],
  );
  assert.deepEqual(makePlan(file({ people: [], groups: ['g2'] }), s, rules()).conflicts, []);
});

test('where deleting is switching off, who is off counts as gone and is switched on again', () => {
  const d = file({ people: [{ email: 'ada@x.example' }] });
  const s = snap([
    user('1', 'ada@x.example', { active: false }),
    user('2', 'off@x.example', { active: false }),
    user('3', 'on@x.example'),
  ]);
  const p = makePlan(d, s, rules({ softDelete: true }));
  assert.deepEqual(
    p.operations.map((o) => [o.kind, 'user' in o && 'id' in o.user && o.user.id]),
    [
      ['switch_on_user', '1'],
      ['delete_user', '3'],
    ],
  );
});

test('people whom the file does not name stay if that is asked for', () => {
  const p = makePlan(file({ people: [] }), snap([user('1', 'ada@x.example')]), rules({ keepUnlisted: true }));
  assert.deepEqual(p.operations, []);
  assert.match(says(p.drift), /not in the file; it stays/);
});

test('an account is not made without a display name', () => {
  const p = makePlan(file({ people: [{ email: 'ada@x.example' }] }), snap([]), rules());
  assert.match(says(p.conflicts), /must give a display name/);
});

test('names that differ are told and stay', () => {
  const p = makePlan(
    file({ people: [{ email: 'ada@x.example', displayName: 'Ada King', externalId: 'e' }] }),
    snap([user('1', 'ada@x.example', { displayName: 'Ada', active: false })]),
    rules(),
  );
  assert.deepEqual(
    p.drift.map((d) => d.kind),
    ['external_id_missing', 'name_differs', 'inactive'],
  );
});

test('a handful of leavers passes, a truncated file does not', () => {
  const people = Array.from({ length: 40 }, (_, i) => user(String(i), `p${i}@x.example`));
  const without = (n: number): Plan =>
    makePlan(file({ people: people.slice(n).map((u) => ({ email: u.userName })) }), snap(people), rules());
  assert.equal(needsWord(without(5)), false);
  assert.equal(needsWord(without(6)), true);
  assert.equal(
    needsWord(makePlan(file({ people: [] }), snap(people.slice(0, 2)), rules())),
    true,
    'everybody is never few',
  );
});

test('the hash of a plan is that of what it does: the time does not count, everything else does', () => {
  const d = file({ people: [{ email: 'new@x.example', displayName: 'New' }] });
  const a = makePlan(d, snap([]), rules());
  assert.equal(a.hash, makePlan(d, snap([]), rules({ now: new Date() })).hash);
  assert.notEqual(a.hash, makePlan(d, snap([]), rules({ base: 'https://other.example' })).hash);
  assert.equal(parsePlan('p', JSON.stringify(a), a.hash).hash, a.hash);
  const edited = JSON.stringify(a).replace('new@x.example', 'eve@x.example');
  assert.throws(() => parsePlan('p', edited, undefined), { code: 'scim/plan-hash' });
  assert.throws(() => parsePlan('p', JSON.stringify(a), 'ff'), { code: 'scim/plan-hash' });
  assert.throws(() => parsePlan('p', '{}', undefined), { code: 'scim/not-a-plan' });
  assert.throws(() => parsePlan('p', 'x', undefined), { code: 'scim/not-a-plan' });
});

/** What a faithful target is after a plan. */
function after(s: Snapshot, plan: Plan): Snapshot {
  const users = new Map(s.users.map((u) => [u.id, u]));
  const groups = new Map(s.groups.map((g) => [g.id, { ...g, members: [...(g.members ?? [])] }]));
  const id = (ref: { id: string } | { made: number }): string => ('id' in ref ? ref.id : `made${ref.made}`);
  for (const [n, o] of plan.operations.entries())
    switch (o.kind) {
      case 'create_group':
        groups.set(`made${n}`, { ...group(`made${n}`, o.displayName), members: [] });
        break;
      case 'create_user':
        users.set(
          `made${n}`,
          user(`made${n}`, o.userName, { externalId: o.externalId ?? undefined, displayName: o.displayName }),
        );
        break;
      case 'switch_on_user':
        users.set(o.user.id, { ...users.get(o.user.id)!, active: true });
        break;
      case 'grant':
        groups.get(id(o.group))!.members.push({ id: id(o.user), kind: 'user' });
        break;
      case 'revoke':
        groups.get(o.group.id)!.members = groups.get(o.group.id)!.members.filter((m) => m.id !== o.user.id);
        break;
      case 'delete_user':
        if (plan.deletes === 'soft') users.set(o.user.id, { ...users.get(o.user.id)!, active: false });
        else {
          users.delete(o.user.id);
          for (const g of groups.values()) g.members = g.members.filter((m) => m.id !== o.user.id);
        }
        break;
      case 'delete_group':
        groups.delete(o.group.id);
    }
  return { users: [...users.values()], groups: [...groups.values()], warnings: [] };
}

const nat = (max: number) => fc.nat({ max });
const worlds = fc.record({
  users: fc.uniqueArray(
    fc.record({ n: nat(9), ext: fc.option(nat(9), { nil: undefined }), active: fc.boolean(), upper: fc.boolean() }),
    { selector: (u) => u.n, maxLength: 8 },
  ),
  groups: fc.uniqueArray(fc.record({ n: nat(4), members: fc.uniqueArray(nat(9)), nested: fc.boolean() }), {
    selector: (g) => g.n,
  }),
  people: fc.uniqueArray(
    fc.record({ n: nat(9), ext: fc.option(nat(9), { nil: undefined }), groups: fc.uniqueArray(nat(4)) }),
    {
      selector: (p) => p.n,
      maxLength: 8,
    },
  ),
  named: fc.uniqueArray(nat(4)),
  soft: fc.boolean(),
  manage: fc.boolean(),
  keep: fc.boolean(),
});

test('a plan of what a plan has made is empty, and judged by what it has made every operation is done (2,000 random worlds)', () => {
  fc.assert(
    fc.property(worlds, (w) => {
      const s = snap(
        w.users.map((u) =>
          user(`u${u.n}`, u.upper ? `P${u.n}@X.example` : `p${u.n}@x.example`, {
            active: u.active,
            externalId: u.ext === undefined ? undefined : `e${u.ext}`,
          }),
        ),
        w.groups.map((g) =>
          group(`g${g.n}`, `Group ${g.n}`, [
            ...g.members.map((m) => `u${m}`),
            ...(g.nested ? [{ id: 'nested', kind: 'group' } as const] : []),
          ]),
        ),
      );
      const exts = new Set<number>();
      const d = file({
        people: w.people.map((p) => {
          const ext = p.ext !== undefined && !exts.has(p.ext) ? p.ext : undefined;
          if (ext !== undefined) exts.add(ext);
          return {
            email: `p${p.n}@x.example`,
            displayName: `Person ${p.n}`,
            ...(ext === undefined ? {} : { externalId: `e${ext}` }),
            groups: p.groups.map((g) => `Group ${g}`),
          };
        }),
        groups: w.named.map((g) => `group ${g}`),
      });
      const r = rules({ softDelete: w.soft, manageGroups: w.manage, keepUnlisted: w.keep });
      const plan = makePlan(d, s, r);
      assert.equal(makePlan(d, s, r).hash, plan.hash, 'pure');
      const then = after(s, plan);
      assert.deepEqual(makePlan(d, then, r).operations, []);
      for (const [, standing] of judge(plan, then, new Map())) assert.equal(standing.is, 'already');
      for (const [n, standing] of judge(plan, s, new Map()))
        assert.ok(standing.is === 'todo', `operation ${n} is to be done: ${JSON.stringify(standing)}`);
      // Nobody outside the file's reach: ungoverned groups keep exactly their members, but for accounts that are gone.
      for (const g of s.groups.filter((g) => !governs(d, w.manage)(g))) {
        const kept = then.groups.find((x) => x.id === g.id)!;
        const gone = new Set(s.users.filter((u) => !then.users.some((x) => x.id === u.id)).map((u) => u.id));
        assert.deepEqual(
          kept.members,
          g.members!.filter((m) => !gone.has(m.id)),
        );
      }
    }),
    { numRuns: 2000 },
  );
});

test('the file that sync writes wants exactly what is there (500 random worlds)', () => {
  fc.assert(
    fc.property(worlds, (w) => {
      const s = snap(
        w.users.map((u) => user(`u${u.n}`, `p${u.n}@x.example`, { active: u.active, externalId: `e${u.n}` })),
        w.groups.map((g) =>
          group(
            `g${g.n}`,
            `Group ${g.n % 3}`,
            g.members.filter((m) => w.users.some((u) => u.n === m)).map((m) => `u${m}`),
          ),
        ),
      );
      const d = parseDesired('d.json', JSON.stringify(desiredOf(s, false)));
      const plan = makePlan(d, s, rules({ manageGroups: true }));
      assert.deepEqual([plan.operations, plan.conflicts], [[], []]);
    }),
    { numRuns: 500 },
  );
});
