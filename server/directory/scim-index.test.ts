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
     select $1, 'scu_' || lpad(to_hex(i), 32, '0'), $2, '{}', 'u' || i, 'd' || i, 'e' || i, true, 'no_address', now(), now() from generate_series(1, 20000) i`,
    d.parent,
    d.id,
  );
  await d.t.super(
    `insert into scim_email (parent, directory, scim_user, position, value_key) select parent, directory, id, 1, user_name_key || '@x' from scim_user`,
  );
  await d.t.super(
    `insert into scim_group (parent, id, directory, display_name, display_name_key, created_at, changed_at)
     select $1, 'grp_' || lpad(to_hex(i), 32, '0'), $2, 'G' || i, 'g' || i, now(), now() from generate_series(1, 20000) i`,
    d.parent,
    d.id,
  );
  await d.t.super(
    `insert into scim_membership (parent, group_id, scim_user, asserted_at) select g.parent, g.id, u.id, now() from scim_group g join scim_user u on right(u.id, 32) = right(g.id, 32)`,
  );
  await d.t.super('analyze scim_user, scim_email, scim_group, scim_membership');
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
  [userResource, `id eq "${id}"`, 'scim_user_pkey'],
  [groupResource, 'displayName eq "G77"', 'scim_group_name'],
  [groupResource, `members eq "${id}"`, 'scim_membership_user'],
] as const)
  test(`among 20,000, ${r.name} by ${filter} is found by the index ${index}`, async () => {
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
