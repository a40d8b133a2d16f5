import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testDirectory, type TestDirectory } from '#dev/test-directory.ts';

const MEMBERS = 12_345;
let d: TestDirectory;
const group = (n: number): string => `grp_${String(n).padStart(32, '0')}`;
before(async () => {
  d = await testDirectory();
  await d.t.super(
    `insert into scim_user (parent, id, directory, attributes, user_name_key, active, unlinked_because, created_at, changed_at)
     select $1, 'scu_' || lpad(to_hex(i), 32, '0'), $2, jsonb_build_object('userName', 'u' || i, 'displayName', 'Name "' || i || E'" \\\\ \\u00e9\\n'), 'u' || i, true, 'no_address', now(), now()
       from generate_series(1, ${MEMBERS}) i`,
    d.parent,
    d.id,
  );
  for (const n of [1, 2, 3])
    await d.t.super(
      `insert into scim_group (parent, id, directory, display_name, display_name_key, created_at, changed_at) values ($1, $2, $3, $4, $4, now(), now())`,
      d.parent,
      group(n),
      d.id,
      `g${n}`,
    );
  for (const n of [1, 2])
    await d.t.super(
      `insert into scim_membership (parent, group_id, scim_user, asserted_at) select parent, $1, id, now() from scim_user`,
      group(n),
    );
});
after(() => d.t.close());

test('a large group is whole, each member once and in order, with names that JSON has to escape', async () => {
  const { body, headers } = await d.send('GET', `/Groups/${group(1)}`);
  assert.equal(headers.get('etag'), 'W/"1"');
  assert.equal(body['members'].length, MEMBERS);
  const ids: string[] = body['members'].map((m: { value: string }) => m.value);
  assert.deepEqual(ids, [...new Set(ids)].sort());
  assert.deepEqual(body['members'][6], {
    value: ids[6],
    $ref: `${d.base}/Users/${ids[6]}`,
    type: 'User',
    display: 'Name "7" \\ \u00e9\n',
  });
  assert.deepEqual([body['id'], body['displayName'], body['meta'].resourceType], [group(1), 'g1', 'Group']);
});

test('the parts of members that were asked for are those that are sent', async () => {
  const keys = async (query: string): Promise<string[] | undefined> => {
    const [first] = (await d.send('GET', `/Groups/${group(1)}?${query}`)).body['members'] ?? [];
    return first && Object.keys(first);
  };
  assert.deepEqual(await keys('attributes=members.value'), ['value']);
  assert.deepEqual(await keys('attributes=members.display,members.type'), ['type', 'display']);
  assert.deepEqual(await keys('excludedAttributes=members.$ref,members.type'), ['value', 'display']);
  assert.equal(await keys('excludedAttributes=members'), undefined);
  assert.equal(await keys('attributes=displayName'), undefined);
});

test('a group without members has an empty list', async () => {
  assert.deepEqual((await d.send('GET', `/Groups/${group(3)}`)).body['members'], []);
});

test('a list of groups with more members than are held in memory is streamed, and says the same as each group', async () => {
  const { body } = await d.send('GET', '/Groups');
  assert.deepEqual([body['totalResults'], body['itemsPerPage'], body['startIndex']], [3, 3, 1]);
  assert.deepEqual(
    body['Resources'].map((g: { id: string; members: unknown[] }) => [g.id, g.members.length]),
    [
      [group(1), MEMBERS],
      [group(2), MEMBERS],
      [group(3), 0],
    ],
  );
  assert.deepEqual(body['Resources'][0], (await d.send('GET', `/Groups/${group(1)}`)).body);
});

test('an answer that breaks off is broken, and does not look like a shorter group', async () => {
  const res = await d.app.request(`${d.base}/Groups/${group(2)}`, { headers: { authorization: `Bearer ${d.token}` } });
  assert.equal(res.status, 200);
  await d.t.super(`alter table scim_membership rename to elsewhere`);
  await assert.rejects(res.text());
  await d.t.super(`alter table elsewhere rename to scim_membership`);
});
