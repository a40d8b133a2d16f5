import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { read, sql } from '#kernel/db.ts';
import { z } from 'zod';
import { testDirectory, type TestDirectory } from '#dev/test-directory.ts';
import { filterSql } from './scim-filter.sql.ts';
import { parseFilter } from './scim-filter.ts';
import { groupPlaces } from './scim-group.sql.ts';
import { findResourcePath, groupResource, userResource } from './scim-schema.ts';
import { userPlaces } from './scim-user.sql.ts';

let d: TestDirectory;
before(async () => {
  d = await testDirectory();
  await d.t.super(
    `insert into scim_user (parent, id, directory, attributes, user_name_key, display_name_key, external_id, active, unlinked_because, created_at, changed_at)
     select $1, 'scu_' || lpad(to_hex(i), 32, '0'), $2, '{}', 'u' || i, 'd' || i, 'e' || i, true, 'no_address', now(), now() from generate_series(1, 200000) i`,
    d.parent,
    d.id,
  );
  await d.t.super(
    `insert into scim_email (parent, directory, scim_user, position, value_key) select parent, directory, id, 1, user_name_key || '@x' from scim_user`,
  );
  await d.t.super(
    `insert into scim_group (parent, id, directory, display_name, display_name_key, created_at, changed_at)
     select $1, 'grp_' || lpad(to_hex(i), 32, '0'), $2, 'G' || i, 'g' || i, now(), now() from generate_series(1, 200000) i`,
    d.parent,
    d.id,
  );
  await d.t.super(
    `insert into scim_membership (parent, group_id, scim_user, asserted_at) select g.parent, g.id, u.id, now() from scim_group g join scim_user u on right(u.id, 32) = right(g.id, 32)`,
  );
  await d.t.super(
    `insert into app_user (parent, id, email, display_name, state, origin, created_at) select $1, 'usr_' || lpad(to_hex(i), 32, '0'), 'P' || i || '@x', 'P', 'active', 'directory', now() from generate_series(1, 200000) i`,
    d.parent,
  );
  await d.t.super(`update scim_group set external_id = 'g-e' || substr(display_name, 2)`);
  await d.t.super(
    `insert into scim_journal (parent, directory, id, at, request, token, method, path, people, status, ms, bytes, meant, changed) select $1, $2, 'jrn_' || lpad(to_hex(i), 32, '0'), now(), 'r', 't', 'POST', '/Users', '{}', 201, 1, 0, '{}', '[]' from generate_series(1, 200000) i`,
    d.parent,
    d.id,
  );
  await d.t.super('analyze app_user, scim_journal, scim_user, scim_email, scim_group, scim_membership');
});
after(() => d.t.close());

const Plan = z.object({ 'QUERY PLAN': z.string() });
const id = `scu_${'7'.padStart(32, '0')}`;
for (const [r, filter, index] of [
  [userResource, 'userName eq "U77"', 'scim_user_name'],
  [userResource, 'externalId eq "e77"', 'scim_user_external'],
  [userResource, 'displayName eq "D77"', 'scim_user_display'],
  [userResource, 'emails[value eq "u77@x"]', 'scim_email_value'],
  [userResource, 'emails.value eq "u77@x"', 'scim_email_value'],
  [userResource, 'emails eq "u77@x"', 'scim_email_value'],
  [userResource, 'emails[type eq "work"].value eq "u77@x"', 'scim_email_value'],
  [userResource, 'userName eq "u77" and active eq true', 'scim_user_name'],
  [userResource, 'userName eq "u77" or externalId eq "e77"', 'scim_user_(name|external)'],
  [userResource, `id eq "${id}"`, 'scim_user_(pkey|order)'],
  [groupResource, 'displayName eq "G77"', 'scim_group_name'],
  [groupResource, 'externalId eq "g-e77"', 'scim_group_external'],
  [groupResource, `id eq "grp_${'7'.padStart(32, '0')}" and members eq "${id}"`, 'scim_(group|membership)_'],
  [groupResource, `members eq "${id}"`, 'scim_membership_user'],
] as const)
  test(`among 200,000, ${r.name} by ${filter} is found by the index ${index}`, async () => {
    const where = filterSql(
      parseFilter(filter, (name) => findResourcePath(r, name)),
      r === userResource ? userPlaces : groupPlaces,
    );
    const from =
      r === userResource
        ? sql`scim_user u where u.parent = app_parent() and u.directory = ${d.id} and u.deleted_at is null`
        : sql`scim_group g where g.parent = app_parent() and g.directory = ${d.id}`;
    const plan = await d.t.db.read({ parent: d.parent }, (db) =>
      db.many(read(Plan)`explain select from ${from} and ${where}`),
    );
    const text = plan.map((p) => p['QUERY PLAN']).join('\n');
    assert.match(text, new RegExp(index));
    assert.doesNotMatch(text, /Seq Scan/);
  });

const plan = async (statement: string, ...values: unknown[]): Promise<string> => {
  const client = await d.t.db.pool.connect();
  try {
    await client.query(`begin; set local app.parent = '${d.parent}'; set local app.org = '${d.org}'`);
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain ${statement}`, values);
    await client.query('rollback');
    return rows.map((r) => r['QUERY PLAN']).join('\n');
  } finally {
    client.release();
  }
};

for (const [what, statement, index] of [
  [
    'the next page of a walk',
    `select from scim_user where parent = app_parent() and directory = $1 and deleted_at is null and id > '${id}' order by id limit 100`,
    'scim_user_(order|pkey)',
  ],
  [
    'an account by its address',
    `select from app_user where parent = app_parent() and email_key = lower('P77@x') and $1 <> ''`,
    'app_user_(by_)?email',
  ],
  [
    'whoever was here before',
    `select from scim_user where parent = app_parent() and directory = $1 and deleted_at is not null and user_name_key = 'u77'`,
    'scim_user_gone',
  ],
  [
    'the members of a group',
    `select from scim_membership where parent = app_parent() and group_id = 'grp_x' and scim_user > '' and $1 <> '' order by scim_user limit 5000`,
    'scim_membership_pkey',
  ],
  [
    'the newest of the journal',
    `select from scim_journal where parent = app_parent() and directory = $1 order by id desc limit 50`,
    'scim_journal_(pkey|refused|resource)',
  ],
] as const)
  test(`among 200,000, ${what} is found by the index ${index}`, async () => {
    const text = await plan(statement, d.id);
    assert.match(text, new RegExp(index));
    assert.doesNotMatch(text, /Seq Scan|Sort/);
  });

test('among 200,000, all people are counted without looking at them', async () => {
  const a = await d.send('GET', '/Users?count=0');
  assert.equal(a.body['totalResults'], 200_000);
  const text = await plan('select sum(users) from scim_count where parent = app_parent() and directory = $1', d.id);
  assert.doesNotMatch(text, /scim_user/);
});
