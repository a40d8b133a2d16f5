import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testDb, type TestDb } from '#dev/test-db.ts';

/** A merge moves what a parent has. Whoever adds a table says in its migration how it takes part, or fails here. */
let t: TestDb;
before(async () => {
  t = await testDb();
});
after(() => t.close());

const lines = async (text: string, ...values: unknown[]): Promise<string[]> =>
  (await t.super<{ line: string }>(text, ...values)).map((r) => r.line);
const columns = `information_schema.columns c join pg_class k on k.relname = c.table_name and k.relkind in ('r', 'p') and not k.relispartition
  where c.table_schema = 'public'`;

/** Tables of a parent that do not move, and why. */
const stays: Record<string, string> = {
  merge_proposal: 'tells of both parents by name',
  merge_moved: 'belongs to the merge',
};

test('every table with a column parent says how its rows take part in a merge', async () => {
  assert.deepEqual(
    await lines(
      `select c.table_name as line from ${columns} and c.column_name = 'parent' and c.table_name <> all($1)
          and not exists (select from merge_rule r where r.tab = c.table_name and r.what in ('moves', 'ends')) order by 1`,
      Object.keys(stays),
    ),
    [],
    'add its lines to merge_rule in the migration that makes the table',
  );
});

test('every reference that includes a parent can wait for the end of a merge', async () => {
  assert.deepEqual(
    await lines(`select k.conrelid::regclass || ' ' || k.conname as line from pg_constraint k
      where k.contype = 'f' and not k.condeferrable and array_length(k.conkey, 1) > 1 and k.connamespace = 'public'::regnamespace
        and exists (select from pg_attribute a where a.attrelid = k.conrelid and a.attnum = any(k.conkey) and a.attname = 'parent')`),
    [],
    'end the migration with: select defer_parent_references();',
  );
});

/** Who did something once. It stays as it was written; nothing is decided by it. */
const history =
  /^(removed|decided|set|reviewed|changed|made|suspended|metadata_signed|joining|receiving|ended|applied|added|asked|used|proposed|linked|begun|imported)_by(_call)?$/;
const past: Record<string, string> = {
  'rule.created_by': 'who wrote the rule',
  'dlp_policy.created_by': 'who wrote it; it applies without them',
  'dlp_detector.created_by': 'who wrote it; it applies without them',
  'dlp_scanner.created_by': 'who connected it; it is asked without them',
  'own_key.named_by': 'who named it; it wraps without them',
  'seal_rotation.started_by': 'who began it; it goes on without them',
  'scim_token.created_by': 'who made it; the token works without them',
  'scim_client.created_by': 'who made it; the client works without them',
  'group_mapping.created_by': 'who wrote the mapping',
  'tool_call.user_id': 'who called then; an open call is of the member, whose id does not change',
  'provisioning_plan_line.user_id': 'what a plan said; a plan from before the merge is not true any more',
};
/** Tables whose rows move with the account itself, so that the account in them never changes. A passkey of an account that is joined stays with the old one. */
const withTheAccount = ['session', 'setup_link', 'user_attribute', 'sign_in_attempt', 'passkey', 'mail_link'];

test('every column that names an account is said to act now, or known to be the past', async () => {
  const found = await t.super<{ tab: string; col: string }>(
    `select c.table_name as tab, c.column_name as col from ${columns} and c.data_type = 'text'
        and (c.column_name ~ '(^|_)(user|user_id|who_id|by)$') and c.table_name !~ '^(audit_|merge_|oauth_)'
        and not exists (select from merge_rule r where r.tab = c.table_name and r.col = c.column_name and r.what = 'person') order by 1, 2`,
  );
  // A scim_user is an entry of a directory, not an account.
  const unknown = found.filter(
    (f) =>
      !history.test(f.col) &&
      f.col !== 'scim_user' &&
      !(`${f.tab}.${f.col}` in past) &&
      !withTheAccount.includes(f.tab),
  );
  assert.deepEqual(
    unknown.map((f) => `${f.tab}.${f.col}`),
    [],
  );
});

test('every secret that is sealed for a parent and moves is sealed anew', async () => {
  const sealed = await lines(
    `select c.table_name || '.' || c.column_name as line from ${columns} and c.data_type = 'bytea' and c.column_name ~ 'sealed$'
        and exists (select from merge_rule r where r.tab = c.table_name and r.what = 'moves') order by 1`,
  );
  assert.deepEqual(sealed, [
    // Both are read by listSealedAtParent and put in place by place_moved_secret. What is only of use for days ends instead.
    'saml_key.private_sealed',
    'sso_connection.secret_sealed',
  ]);
});

test('a member of an organization always has an account at its parent', async () => {
  await t.super(`insert into parent (id, name, created_at) values ('par_a', 'A', now()), ('par_b', 'B', now())`);
  await t.super(
    `insert into org (parent, id, name, surface, created_at) values ('par_a', 'org_a', 'A', 'workspace', now())`,
  );
  await t.super(
    `insert into app_user (parent, id, email, display_name, state, origin, created_at) values ('par_b', 'usr_b', 'b@b.example', 'B', 'active', 'local', now())`,
  );
  await assert.rejects(
    t.super(
      `insert into member (org, id, user_id, role, created_at) values ('org_a', 'mem_x', 'usr_b', 'user', now())`,
    ),
    { code: '40001' },
  );
});

test('no role of ours may move rows by itself: only the whole merge of a proposal can be asked for', async () => {
  for (const name of [
    'carry_rows',
    'carry_attribute_groups',
    'merge_side',
    'merge_matches',
    'merge_ties',
    'defer_parent_references',
  ])
    assert.deepEqual(
      await lines(
        `select r.rolname || ' runs ' || p.proname as line from pg_proc p cross join pg_roles r
          where p.proname = $1 and r.rolname ~ '^gatehouse_(app|sequencer|oauth|worker)$' and has_function_privilege(r.oid, p.oid, 'execute')`,
        name,
      ),
      [],
    );
  for (const table of ['merge_moved', 'merge_rule'])
    assert.deepEqual(
      await lines(
        `select grantee as line from information_schema.role_table_grants where table_name = $1 and grantee <> 'gatehouse_owner'`,
        table,
      ),
      [],
    );
});
