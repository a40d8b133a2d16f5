// Longer than 300 lines, because a shape of a vendor is a test of its own and all need the same twenty people.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { entraGroup, oktaCreate, patch } from '#dev/scim-shapes.ts';
import { testDirectory, type Answer, type TestDirectory } from '#dev/test-directory.ts';
import { newId, type Id } from '#kernel/id.ts';
import { groupsOfUser } from './groups-of-user.sql.ts';

let d: TestDirectory;
const people: string[] = [];
before(async () => {
  d = await testDirectory();
  for (let i = 0; i < 20; i++)
    people.push((await d.send('POST', '/Users', oktaCreate(`m${i}@corp.example`))).body['id']);
});
after(() => d.t.close());

let n = 0;
const group = async (...members: string[]): Promise<string> => {
  const a = await d.send('POST', '/Groups', {
    ...entraGroup(`Group ${++n}`),
    members: members.map((value) => ({ value })),
  });
  assert.equal(a.status, 201, a.text);
  return a.body['id'];
};
const patched = (id: string, ...ops: unknown[]): Promise<Answer> => d.send('PATCH', `/Groups/${id}`, patch(...ops));
const membersOf = async (id: string): Promise<string[]> =>
  ((await d.send('GET', `/Groups/${id}`)).body['members'] ?? []).map((m: { value: string }) => m.value).sort();
const versionOf = async (id: string): Promise<string> => (await d.send('GET', `/Groups/${id}`)).body['meta'].version;
const sorted = (...i: number[]): string[] => i.map((k) => people[k]!).sort();
const eventsOf = async (id: string): Promise<string[]> =>
  (
    await d.t.super<{ type: string }>(
      `select header ->> 'type' as type from audit_inbox where data ->> 'group' = $1 order by arrived`,
      id,
    )
  ).map((r) => r.type);

test('a group shows its members with address, type and name', async () => {
  const id = await group(people[0]!);
  const { body } = await d.send('GET', `/Groups/${id}`);
  assert.deepEqual(body['members'], [
    { value: people[0], $ref: `${d.base}/Users/${people[0]}`, type: 'User', display: 'Some Person' },
  ]);
  const user = await d.send('GET', `/Users/${people[0]}`);
  assert.ok(user.body['groups'].some((g: { value: string }) => g.value === id));
});

test('Entra adds members with a null $ref and gets 204', async () => {
  const id = await group();
  const a = await patched(id, {
    op: 'Add',
    path: 'members',
    value: [
      { $ref: null, value: people[0] },
      { $ref: null, value: people[1] },
    ],
  });
  assert.equal(a.status, 204);
  assert.deepEqual(await membersOf(id), sorted(0, 1));
});

test('A13: Entra removes members by a list, whatever else is stored of them', async () => {
  const id = await group(people[0]!, people[1]!, people[2]!);
  await patched(id, { op: 'Remove', path: 'members', value: [{ $ref: null, value: people[0] }, people[1]] });
  assert.deepEqual(await membersOf(id), sorted(2));
});

test('A13: a remove whose list names nobody removes nobody', async () => {
  const id = await group(people[0]!);
  for (const value of [[], [{ value: '' }], [{ value: 'not-ours' }]])
    await patched(id, { op: 'remove', path: 'members', value });
  assert.deepEqual(await membersOf(id), sorted(0));
});

test('A14: a remove of members without value or filter removes all', async () => {
  const id = await group(people[0]!, people[1]!);
  assert.equal((await patched(id, { op: 'remove', path: 'members' })).status, 204);
  assert.deepEqual(await membersOf(id), []);
});

test('A15: a filter with "or" removes both', async () => {
  const id = await group(people[0]!, people[1]!, people[2]!);
  await patched(id, { op: 'remove', path: `members[value eq "${people[0]}" or value eq "${people[1]}"]` });
  assert.deepEqual(await membersOf(id), sorted(2));
});

test('members cannot be chosen by anything else than their value', async () => {
  const id = await group(people[0]!);
  const a = await patched(id, { op: 'remove', path: 'members[display co "Some"]' });
  assert.deepEqual([a.status, a.body['scimType']], [400, 'invalidFilter']);
  assert.deepEqual(await membersOf(id), sorted(0));
});

test('A16: adding who is in, or removing who is not, is 204, counts no version and logs nothing', async () => {
  const id = await group(people[0]!);
  const before = await eventsOf(id);
  for (const op of [
    { op: 'add', path: 'members', value: [{ value: people[0] }] },
    { op: 'remove', path: `members[value eq "${people[5]}"]` },
    { op: 'replace', path: 'members', value: [{ value: people[0] }] },
  ])
    assert.equal((await patched(id, op)).status, 204);
  assert.equal(await versionOf(id), 'W/"1"');
  assert.deepEqual(await eventsOf(id), before);
});

test('A17: an unknown member is refused and nothing of the request is applied', async () => {
  const id = await group(people[0]!);
  for (const value of [newId('scu'), 'not-an-id', 'grp_00000000000000000000000000000000']) {
    const a = await patched(
      id,
      { op: 'replace', path: 'displayName', value: 'Changed' },
      { op: 'add', path: 'members', value: [{ value: people[1] }, { value }] },
    );
    assert.deepEqual([a.status, a.body['scimType']], [400, 'invalidValue']);
    assert.match(a.body['detail'], new RegExp(value));
  }
  const { body } = await d.send('GET', `/Groups/${id}`);
  assert.notEqual(body['displayName'], 'Changed');
  assert.deepEqual(await membersOf(id), sorted(0));
});

test('A17: a person of another directory cannot be made a member', async () => {
  const other = await d.another('same parent');
  const theirs = (await other.send('POST', '/Users', oktaCreate('theirs@corp.example'))).body['id'];
  const id = await group();
  const a = await patched(id, { op: 'add', path: 'members', value: [{ value: theirs }] });
  assert.deepEqual([a.status, a.body['scimType']], [400, 'invalidValue']);
});

test('Okta removes one and adds another in one request', async () => {
  const id = await group(people[0]!);
  await patched(
    id,
    { op: 'remove', path: `members[value eq "${people[0]}"]` },
    { op: 'add', path: 'members', value: [{ value: people[1], display: 'x' }] },
  );
  assert.deepEqual(await membersOf(id), sorted(1));
});

test('Okta replaces the whole list, with a path or without', async () => {
  const id = await group(people[0]!, people[1]!);
  await patched(id, { op: 'replace', path: 'members', value: [{ value: people[1] }, { value: people[2] }] });
  assert.deepEqual(await membersOf(id), sorted(1, 2));
  await patched(id, { op: 'replace', value: { members: [{ value: people[3] }] } });
  assert.deepEqual(await membersOf(id), sorted(3));
  const [e] = await d.t.super(
    `select data from audit_inbox where data ->> 'group' = $1 order by arrived desc limit 1`,
    id,
  );
  assert.deepEqual(e?.['data'], {
    directory: d.id,
    group: id,
    added: { count: 1, entries: [people[3]] },
    removed: { count: 2, entries: sorted(1, 2) },
    whole: true,
  });
});

test('Okta renames with each push and repeats the id; another id is refused', async () => {
  const id = await group(people[0]!);
  assert.equal((await patched(id, { op: 'replace', value: { id, displayName: `Renamed ${id}` } })).status, 204);
  assert.equal((await d.send('GET', `/Groups/${id}`)).body['displayName'], `Renamed ${id}`);
  const a = await patched(id, { op: 'replace', value: { id: newId('grp'), displayName: 'No' } });
  assert.deepEqual([a.status, a.body['scimType']], [400, 'mutability']);
});

test('ConductorOne revokes the last member by replacing the list with null', async () => {
  const id = await group(people[0]!);
  assert.equal((await patched(id, { op: 'replace', path: 'members', value: null })).status, 204);
  assert.deepEqual(await membersOf(id), []);
});

test('a PUT without members leaves them, an empty list empties the group', async () => {
  const id = await group(people[0]!);
  const { body } = await d.send('GET', `/Groups/${id}?excludedAttributes=members`);
  assert.equal((await d.send('PUT', `/Groups/${id}`, { ...body, displayName: `Put ${id}` })).status, 200);
  assert.deepEqual(await membersOf(id), sorted(0));
  const emptied = await d.send('PUT', `/Groups/${id}`, { ...body, members: [] });
  assert.deepEqual(emptied.body['members'], []);
});

test('a group of the same name, whatever the case, is refused, also by renaming', async () => {
  const id = await group();
  const { displayName } = (await d.send('GET', `/Groups/${id}`)).body;
  const a = await d.send('POST', '/Groups', entraGroup(displayName.toUpperCase()));
  assert.deepEqual([a.status, a.body['scimType']], [409, 'uniqueness']);
  const other = await group();
  const b = await patched(other, { op: 'replace', path: 'displayName', value: displayName });
  assert.deepEqual([b.status, b.body['scimType']], [409, 'uniqueness']);
});

test("Entra changes a group's externalId several times in one request, in order", async () => {
  const id = await group();
  await patched(
    id,
    { op: 'remove', path: 'externalId' },
    { op: 'add', path: 'externalId', value: 'a' },
    { op: 'replace', path: 'externalId', value: `last ${id}` },
  );
  assert.equal((await d.send('GET', `/Groups/${id}`)).body['externalId'], `last ${id}`);
});

test('a deleted group is gone for everybody, and a second delete is missing', async () => {
  const id = await group(people[0]!);
  assert.equal((await d.send('DELETE', `/Groups/${id}`)).status, 204);
  assert.equal((await d.send('DELETE', `/Groups/${id}`)).status, 404);
  assert.equal((await d.send('GET', `/Groups/${id}`)).status, 404);
  assert.deepEqual(await eventsOf(id), [
    'directory.group_added',
    'directory.members_changed',
    'directory.group_removed',
  ]);
});

test('a deleted person leaves every group, and the groups have a new version', async () => {
  const gone = (await d.send('POST', '/Users', oktaCreate('gone@corp.example'))).body['id'];
  const id = await group(gone, people[0]!);
  await d.send('DELETE', `/Users/${gone}`);
  assert.deepEqual(await membersOf(id), sorted(0));
  assert.equal(await versionOf(id), 'W/"2"');
});

test('policy sees the groups of an account while its entry is active, by one query on indexes', async () => {
  const a = await d.send('POST', '/Users', oktaCreate('grouped@corp.example'));
  const [row] = await d.t.super<{ user_id: Id<'usr'> }>('select user_id from scim_user where id = $1', a.body['id']);
  const ids = [await group(a.body['id']), await group(a.body['id'])].sort();
  const groups = (): Promise<string[]> =>
    d.t.db.read({ parent: d.parent, org: d.org }, (db) => groupsOfUser(db, row!.user_id));
  assert.deepEqual(await groups(), ids);
  await d.send('PATCH', `/Users/${a.body['id']}`, patch({ op: 'replace', path: 'active', value: false }));
  assert.deepEqual(await groups(), []);
});

test('A39: sixteen clients add different people at once; all are in and none is refused', async () => {
  const id = await group();
  const answers = await Promise.all(
    people.slice(0, 16).map((value) => patched(id, { op: 'add', path: 'members', value: [{ value }] })),
  );
  assert.deepEqual(
    answers.map((a) => a.status),
    answers.map(() => 204),
  );
  assert.deepEqual(await membersOf(id), people.slice(0, 16).sort());
  assert.equal(await versionOf(id), 'W/"17"');
});

test('A40: adds, removes and replacements of sixteen writers end in a state that some serial order has', async () => {
  const id = await group();
  type Step = { ops: { op: string; ids: string[] }[] };
  const pick = (k: number): string => people[k % people.length]!;
  const steps: Step[] = Array.from({ length: 64 }, (_, i) => ({
    ops: [
      i % 8 === 7
        ? { op: 'replace', ids: [pick(i), pick(i * 3), pick(i * 7)] }
        : { op: i % 3 === 0 ? 'remove' : 'add', ids: [pick(i * 5), pick(i * 11 + 1)] },
    ],
  }));
  const lanes = Array.from({ length: 16 }, (_, lane) => steps.filter((_s, i) => i % 16 === lane));
  await Promise.all(
    lanes.map(async (lane) => {
      for (const s of lane) {
        const a = await patched(
          id,
          ...s.ops.map((o) => ({ op: o.op, path: 'members', value: o.ids.map((value) => ({ value })) })),
        );
        assert.equal(a.status, 204, a.text);
      }
    }),
  );
  // The log has every effective change in commit order (the group's version row is taken until commit), so replaying it must give the same members.
  const rows = await d.t.super<{ data: { added: { entries: string[] }; removed: { entries: string[] } } }>(
    `select data from audit_inbox where data ->> 'group' = $1 and header ->> 'type' = 'directory.members_changed' order by arrived`,
    id,
  );
  const replayed = new Set<string>();
  for (const { data } of rows) {
    for (const r of data.removed.entries) assert.ok(replayed.delete(r), 'a removed person was in the group');
    for (const a of data.added.entries) {
      assert.ok(!replayed.has(a), 'an added person was not in the group');
      replayed.add(a);
    }
  }
  assert.deepEqual([...replayed].sort(), await membersOf(id));
  assert.equal(await versionOf(id), `W/"${rows.length + 1}"`);
});

test('If-Match on a group holds against a change that happens at the same time', async () => {
  const id = await group();
  const answers = await Promise.all(
    people.slice(0, 8).map((value) =>
      d.send('PATCH', `/Groups/${id}`, patch({ op: 'add', path: 'members', value: [{ value }] }), {
        'if-match': 'W/"1"',
      }),
    ),
  );
  assert.deepEqual(answers.map((a) => String(a.status)).sort(), ['204', ...Array.from({ length: 7 }, () => '412')]);
});
