import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { testDb, type TestDb } from '#dev/test-db.ts';
import { describeSchema } from './describe-schema.ts';

let t: TestDb;
let client: pg.Client;
before(async () => {
  t = await testDb();
  client = new pg.Client({ connectionString: t.superUrl });
  await client.connect();
});
after(async () => {
  await client.end();
  await t.close();
});

const lines = async (text: string): Promise<string[]> =>
  (await client.query<{ line: string }>(text)).rows.map((r) => r.line);
const ours = `n.nspname = 'public' and c.relkind in ('r', 'p')`;

test('the migrations, applied in order, give exactly schema.sql', async () => {
  assert.equal(
    await describeSchema(client),
    readFileSync(new URL('../schema/schema.sql', import.meta.url), 'utf8'),
    'run `npm run gen` and review the difference',
  );
});

test('every table says what it is for', async () => {
  assert.deepEqual(
    await lines(
      `select c.relname as line from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${ours} and not c.relispartition and obj_description(c.oid) is null`,
    ),
    [],
  );
});

test('row-level security is on for every table that a role of ours may touch', async () => {
  assert.deepEqual(
    await lines(`select c.relname as line from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where ${ours} and not c.relrowsecurity and exists (select from aclexplode(c.relacl) a where a.grantee <> c.relowner)`),
    [],
  );
});

test('no role of ours owns a table, is superuser or passes row-level security', async () => {
  assert.deepEqual(
    await lines(
      `select rolname as line from pg_roles where rolname ~ '^gatehouse' and (rolsuper or rolbypassrls or rolcreaterole)`,
    ),
    [],
  );
  assert.deepEqual(
    await lines(
      `select c.relname as line from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${ours} and c.relowner::regrole::text not in ('gatehouse_owner')`,
    ),
    [],
  );
});

test('nobody but the owner may change or delete an event that has its position', async () => {
  assert.deepEqual(
    await lines(`select grantee || ' ' || privilege_type as line from information_schema.role_table_grants
       where table_name ~ '^audit_event' and privilege_type in ('UPDATE', 'DELETE', 'TRUNCATE') and grantee <> 'gatehouse_owner'`),
    [],
  );
});

test('only the listed functions pass row-level security, none may be run by everybody, and each fixes its search path', async () => {
  const definers = await lines(
    `select p.proname::text as line from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'public' and p.prosecdef order by 1`,
  );
  const listed = readFileSync(new URL('../../docs/trust.md', import.meta.url), 'utf8');
  assert.deepEqual(
    definers.filter((d) => !listed.includes(`\`${d}\``)),
    [],
    'add the function to docs/trust.md with what it gives away',
  );
  assert.deepEqual(
    await lines(`select p.proname::text as line from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where n.nspname = 'public' and p.prosecdef and (p.proconfig is null or not exists (select from unnest(p.proconfig) c where c like 'search_path=%')
          or p.proacl is null or exists (select from aclexplode(p.proacl) a where a.grantee = 0))`),
    [],
  );
});

test("every table's key begins with, or is unique within, a parent, org, log or directory", async () => {
  const without = await lines(`select c.relname as line from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where ${ours} and not c.relispartition and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname in ('parent', 'org', 'log', 'scope', 'directory') and a.attnum > 0)
     order by 1`);
  // The parent itself; which migrations ran; what belongs to the deployment as a whole.
  assert.deepEqual(
    without.filter(
      (name) => !['parent', 'schema_migration', 'oauth_item', 'oauth_signing_key', 'gateway_node'].includes(name),
    ),
    [],
  );
});
