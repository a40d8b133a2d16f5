import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { testDb, type TestDb } from '#dev/test-db.ts';

/**
 * Everything sealed can be found: a rotation that forgot a column would leave secrets behind whose key is then destroyed. Looked at from both
 * sides: every column of bytes is sealed and has its line, or is something else and is named here; every place in the code that seals has a line.
 */
const notSealed: Record<string, string> = {
  'seal_key.wrapped': 'wrapped by a key provider, not sealed',
  'gateway_carried.sealed': 'for a day at most, under a key that is derived and never turns',
};
/** What is a digest, a public key or a tree says so by its name. */
const plain = /[._](hash|hashes|salt|root|leaf|commitment|frontier|public_key|proof_key|certificate|same)$/;

let t: TestDb;
before(async () => {
  t = await testDb();
});
after(() => t.close());

const lines = async (): Promise<string[]> =>
  (await t.super<{ c: string }>(`select tab || '.' || col as c from sealed_column order by 1`)).map((r) => r.c);

test('every column of bytes is listed as sealed, or its name says that it is something else', async () => {
  const columns = (
    await t.super<{ c: string }>(`select c.relname || '.' || a.attname as c from pg_attribute a
       join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped
        and a.atttypid = 'bytea'::regtype order by 1`)
  ).map((r) => r.c);
  const listed = new Set(await lines());
  assert.deepEqual(
    columns.filter((c) => !listed.has(c) && !plain.test(c) && !(c in notSealed)),
    [],
    'add a line to sealed_column in the migration that makes the column',
  );
  assert.deepEqual(
    [...listed].filter((c) => !columns.includes(c)),
    [],
  );
});

test('every table that the code seals for has a line', async () => {
  const root = new URL('../', import.meta.url);
  const files = globSync('**/*.ts', {
    cwd: root.pathname,
    exclude: ['**/node_modules/**', '{dev,walls,bench}/**', '**/*.test.ts'],
  });
  const sealed = new Set<string>();
  for (const f of files) {
    const text = readFileSync(new URL(f, root), 'utf8');
    // The form of every Aad: a table beside a scope, a row and a generation.
    for (const [, table] of text.matchAll(/\btable: '([a-z_]+)',\s*scope\b[^}]*?\brow\b[^}]*?\bgeneration\b/g))
      if (table) sealed.add(table);
  }
  assert.ok(sealed.size >= 9, `only ${sealed.size} found: did the form of an Aad change?`);
  const listed = new Set((await lines()).map((l) => l.split('.')[0]));
  assert.deepEqual(
    [...sealed].filter((table) => !listed.has(table)),
    [],
  );
});

test('each line is SQL that its table can answer', async () => {
  for (const c of await t.super<{ tab: string; col: string; scope: string; row_is: string; generation_is: string }>(
    'select * from sealed_column',
  ))
    await t.super(
      `select (${c.row_is})::text, (${c.generation_is})::int, ${c.col} from ${c.tab} where ${c.scope === 'deployment' ? 'true' : `${c.scope} = 'x'`}`,
    );
});
