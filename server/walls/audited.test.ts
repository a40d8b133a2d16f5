import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { silentLog } from '#kernel/log.ts';
import { openSeal } from '#kernel/open-seal.ts';
import { listKeyScopes, listSealed, listSealedColumns } from '#keys/key.sql.ts';
import { testDb, type TestDb } from '#dev/test-db.ts';
import { tellStory, type Story } from '#dev/story.ts';
import { readConfig } from '../config.ts';

/**
 * The whole story is told on a database that watches: which transactions changed rows, and which of them put an event into an inbox. The
 * types already ask every `change` for its events; this catches what goes around it.
 */
const home = mkdtempSync(join(tmpdir(), 'gatehouse-audited-'));
chmodSync(home, 0o755);
let t: TestDb;
let story: Story;

/** The log itself and what the machinery keeps for itself. */
const machinery =
  /^(audit_|scope_version$|scope_bump$|scim_journal$|seal_key$|oauth_signing_key$|schema_migration$|gateway_node$|saml_seen$|connection_lease$)/;
/** Rows that may change without an event, and why. Only shrinks; five lines at most. */
const silent: Record<string, string> = {
  oauth_item: 'steps of a sign-in at our authorization server; the consent and the tokens that come of it are events',
  sign_in_attempt: 'a browser that was sent to an identity provider; the trace tells how it ended',
  api_key: 'last use, at most once a minute',
  scim_token: 'last use, at most once a minute',
  member_seat: 'last sign-in; the session that it opens is an event',
};

before(async () => {
  t = await testDb();
  await t.super(`
    create table watched (txid bigint, name text);
    create function watch() returns trigger language plpgsql security definer as $$
      begin insert into public.watched values (txid_current(), tg_table_name); return null; end $$;
    do $$ declare c text; begin
      for c in select relname from pg_class join pg_namespace n on n.oid = relnamespace
                where n.nspname = 'public' and relkind = 'r' and relname not in ('watched') and not relispartition loop
        execute format('create trigger watch after insert or update or delete on %I for each row execute function watch()', c);
      end loop; end $$`);
  const config = readConfig(
    { DATABASE_URL: t.url, GATEHOUSE_DATA: `${home}/data`, GATEHOUSE_PORT: '0', GATEHOUSE_DYNAMIC_REGISTRATION: 'on' },
    home,
  );
  story = await tellStory(config, silentLog, () => undefined, t.superUrl);
});
after(async () => {
  await story.stop();
  await t.close();
  rmSync(home, { recursive: true, force: true });
});

const withoutEvent = async (): Promise<string[]> =>
  (
    await t.super<{ name: string }>(
      `select distinct w.name from watched w where not exists (select from watched e where e.txid = w.txid and e.name = 'audit_inbox') order by 1`,
    )
  ).map((r) => r.name);

test('in the whole story, no row of ours changes in a transaction that leaves no event', async () => {
  assert.deepEqual(
    (await withoutEvent()).filter((name) => !machinery.test(name) && !(name in silent)),
    [],
  );
});

test('everything that the story sealed is found by the list of sealed columns, and opens as the list says', async () => {
  const seal = await openSeal(`${home}/data/root.key`, t.db);
  const opened: string[] = [];
  for (const { scope, parent, org } of [
    ...(await t.db.read({}, (db) => listKeyScopes(db, '', 1000))),
    { scope: 'deployment', parent: undefined, org: undefined },
  ]) {
    const rls = { parent: parent ?? undefined, org: org ?? undefined };
    for (const { tab, col } of await t.db.read(rls, (db) => listSealedColumns(db, scope)))
      for (const s of await t.db.read(rls, (db) => listSealed(db, scope, { tab, col, after: '' }, 1000))) {
        await seal.open({ table: tab, scope, row: s.row, generation: s.generation }, s.sealed);
        opened.push(`${tab}.${col}`);
      }
  }
  assert.ok(new Set(opened).size >= 3, `only ${[...new Set(opened)].join(', ')}`);
});

test('the list of silent rows has no line that the story does not need', async () => {
  assert.ok(Object.keys(silent).length <= 5);
  const without = await withoutEvent();
  assert.deepEqual(
    Object.keys(silent).filter((name) => !without.includes(name)),
    [],
  );
});

test('the watch sees: most tables that the story fills were written together with an event', async () => {
  const [row] = await t.super<{ n: string }>(
    `select count(distinct w.name) as n from watched w join watched e on e.txid = w.txid and e.name = 'audit_inbox' where w.name <> 'audit_inbox'`,
  );
  assert.ok(Number(row?.n) >= 15, `only ${row?.n} tables`);
});
