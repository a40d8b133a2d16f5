// One property over random worlds; the larger part of the file makes them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type pg from 'pg';
import { mergeHouse, type MergeHouse } from '#dev/merge-house.ts';
import { secretPlace } from '#identity/sso-connection.ts';
import { newId, type Id } from '#kernel/id.ts';
import { foundOrg, type Founded } from '#org/found-org.ts';

/**
 * Random parents with people, directories, connections, groups, rules, keys, seats and domains; merged and undone. What is compared are all
 * rows of all tables, so a table that a merge forgets, or brings back otherwise, is seen.
 */
let h: MergeHouse;
before(async () => {
  h = await mergeHouse();
});
after(() => h[Symbol.asyncDispose]());

const sql = <T extends pg.QueryResultRow>(text: string, ...values: unknown[]): Promise<T[]> =>
  h.sql<T>(text, ...values);

/** What a merge and its undoing leave behind on purpose, and what is nobody's row. */
const aside =
  /^(audit_|merge_|message$|scope_(version|bump)$|seal_key$|schema_migration$|session$|sign_in_attempt$|saml_message$|gateway_node$|scim_journal$)/;

type Rows = Map<string, string[]>;
async function allRows(): Promise<Rows> {
  const tables = await sql<{ name: string }>(
    `select relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and relkind = 'r'`,
  );
  const rows: Rows = new Map();
  for (const { name } of tables.filter((t) => !aside.test(t.name)))
    rows.set(
      name,
      // A sealed secret is different bytes each time; that it opens is asked below.
      (
        await sql<{ row: string }>(
          `select (to_jsonb(x) - 'secret_sealed' - 'private_sealed')::text as row from ${name} x order by 1`,
        )
      ).map((r) => r.row),
    );
  return rows;
}

/** Every identity that can sign in, with what it reaches: organizations with the role, and the groups that count there. And which keys and rules work. */
async function reach(): Promise<Map<string, string[]>> {
  const rows = await sql<{ key: string; access: string | null }>(`
    select l.connection || '/' || l.subject as key, o.name || ' as ' || m.role || ' in ' || coalesce(
             (select string_agg(g.name, ', ' order by g.name) from (
                select s.display_name as name from scim_user e join scim_membership k on k.scim_user = e.id join scim_group s on s.id = k.group_id
                 where e.user_id = u.id and e.deleted_at is null
                union select g.attribute || '=' || g.name from org_group_member k join org_group g on g.id = k.group_id where k.user_id = u.id and g.attribute is not null
                union select g.name from org_group_member k join org_group g on g.id = k.group_id where k.user_id = u.id and g.org = o.id) g), 'none') as access
      from identity_link l join app_user u on u.id = l.user_id and u.parent = l.parent and u.state = 'active'
      left join member m on m.user_id = u.id left join org o on o.id = m.org and o.parent = u.parent
    union all
    select 'key/' || k.id, 'works in ' || o.name from api_key k join org o on o.id = k.org
      join app_user u on u.id = k.created_by and u.parent = o.parent and u.state = 'active' join member m on m.org = k.org and m.user_id = u.id
    union all
    select 'rule/' || r.id, 'is about ' || m.role || ' in ' || o.name from rule r join org o on o.id = r.org join member m on m.org = r.org and m.user_id = r.who_id
     where r.who_kind = 'user'
     order by 1, 2`);
  const out = new Map<string, string[]>();
  for (const r of rows) out.set(r.key, [...(out.get(r.key) ?? []), ...(r.access === null ? [] : [r.access])]);
  return out;
}

const person = fc.record({
  name: fc.integer({ min: 0, max: 30 }),
  role: fc.constantFrom('owner', 'admin', 'user'),
  org: fc.integer({ min: 0, max: 1 }),
  linked: fc.boolean(),
  inDirectory: fc.boolean(),
  group: fc.integer({ min: 0, max: 2 }),
  attribute: fc.option(fc.constantFrom('Sales', 'Legal'), { nil: undefined }),
  hand: fc.boolean(),
  rule: fc.boolean(),
  key: fc.boolean(),
  seat: fc.boolean(),
});
type Wanted = { people: (typeof person extends fc.Arbitrary<infer P> ? P : never)[]; directory: boolean };
const side: fc.Arbitrary<Wanted> = fc.record({
  people: fc.uniqueArray(person, { maxLength: 8, selector: (p) => p.name }),
  directory: fc.boolean(),
});

async function fill(f: Founded, w: Wanted, issuer: string, foldedWith: 'same people' | 'own people'): Promise<void> {
  const sister = newId('org');
  await sql(
    `insert into org (parent, id, name, surface, created_at) values ($1, $2, $3, 'workspace', now())`,
    f.parent,
    sister,
    `Sister of ${f.org}`,
  );
  await sql(
    `insert into member (org, id, user_id, role, created_at) values ($1, $2, $3, 'primary_owner', now())`,
    sister,
    newId('mem'),
    f.owner,
  );
  const connection = await h.connection(f.parent, `IdP ${f.org.slice(-5)}`, issuer);
  const place = secretPlace(f.parent, connection as Id<'sso'>, 1);
  await sql(
    `update sso_connection set secret_sealed = $1, auth_method = 'client_secret_basic' where id = $2`,
    await h.world.seal.seal(place, Buffer.from(`secret of ${connection}`)),
    connection,
  );
  const directory = w.directory ? await h.directory(f, 'Dir') : undefined;
  const groups: string[] = [];
  for (const name of directory ? ['Crew', 'Leads', 'Guests'] : []) {
    const id = newId('grp');
    groups.push(id);
    await sql(
      `insert into scim_group (parent, id, directory, display_name, display_name_key, created_at, changed_at) values ($1, $2, $3, $4, $4, now(), now())`,
      f.parent,
      id,
      directory,
      name,
    );
  }
  const hand = newId('grp');
  await sql(
    `insert into org_group (parent, id, org, source, name, first_seen_at, last_seen_at) values ($1, $2, $3, 'hand', 'Helpers', now(), now())`,
    f.parent,
    hand,
    f.org,
  );
  await sql(
    `insert into domain (parent, id, name, shown, token, include_subdomains, home_org, added_at, state, since, next_check_at)
     values ($1, $2, $3, $3, $4, false, $5, now(), 'pending', now(), now() + interval '1 year')`,
    f.parent,
    newId('dom'),
    `${f.org.slice(-12)}.example`,
    '0'.repeat(32),
    f.org,
  );
  // A sign-in without an identity provider: its trace goes with the account, not with a connection.
  await sql(
    `insert into sign_in_trace (parent, id, at, method, user_id, outcome, stages) values ($1, $2, now(), 'passkey', $3, 'signed_in', '[]')`,
    f.parent,
    newId('sgn'),
    f.owner,
  );
  for (const p of w.people) {
    const email = `${p.name}@${foldedWith === 'same people' ? 'shared' : f.org.slice(-6)}.example`;
    const { user, member } = await h.person({ parent: f.parent, org: p.org === 0 ? f.org : sister }, email, p.role);
    const org = p.org === 0 ? f.org : sister;
    if (p.linked) await h.link(f.parent, connection, `sub-${p.name}`, user);
    if (p.attribute !== undefined) {
      await sql(
        `insert into org_group (parent, id, source, attribute, name, first_seen_at, last_seen_at) values ($1, $2, 'attribute', 'department', $3, now(), now()) on conflict do nothing`,
        f.parent,
        newId('grp'),
        p.attribute,
      );
      await sql(
        `insert into org_group_member (parent, group_id, user_id, asserted_at)
         select parent, id, $2, now() from org_group where parent = $1 and attribute = 'department' and name = $3`,
        f.parent,
        user,
        p.attribute,
      );
      await sql(
        `insert into rule (org, id, name, effect, asks, who_kind, who_id, tool_classes, created_by, created_at)
         select $2, $3, $3, 'allow', 'never', 'group', id, '{read}', $4, now() from org_group where parent = $1 and attribute = 'department' and name = $5`,
        f.parent,
        org,
        newId('rul'),
        f.owner,
        p.attribute,
      );
      await sql(
        `insert into user_attribute (parent, user_id, name, vals, connection, asserted_at) values ($1, $2, 'department', array[$3], $4, now())`,
        f.parent,
        user,
        p.attribute,
        connection,
      );
    }
    if (p.hand)
      await sql(
        `insert into org_group_member (parent, org, group_id, user_id, asserted_at) values ($1, $2, $3, $4, now())`,
        f.parent,
        f.org,
        hand,
        user,
      );
    if (directory && p.inDirectory) {
      const entry = await h.entry(f.parent, directory, user);
      await sql(
        `insert into scim_membership (parent, group_id, scim_user, asserted_at) values ($1, $2, $3, now())`,
        f.parent,
        groups[p.group],
        entry,
      );
    }
    if (p.rule)
      await sql(
        `insert into rule (org, id, name, effect, asks, who_kind, who_id, tool_classes, created_by, created_at) values ($1, $2, $2, 'allow', 'never', 'user', $3, '{read}', $3, now())`,
        org,
        newId('rul'),
        user,
      );
    if (p.key)
      await sql(
        `insert into api_key (org, id, name, hash, permissions, created_by, created_at, expires_at) values ($1, $2::text, 'k', sha256(convert_to($2::text, 'UTF8')), '{org.read}', $3, now(), now() + interval '1 day')`,
        org,
        newId('key'),
        user,
      );
    if (p.seat)
      await sql(
        `insert into member_seat (org, member, user_id, source, activated_at) values ($1, $2, $3, 'hand', now())`,
        org,
        member,
        user,
      );
  }
}

const orgsOf = async (parent: string): Promise<string[]> =>
  (await sql<{ id: string }>('select id from org where parent = $1', parent)).map((o) => o.id);

async function secretsOpen(): Promise<void> {
  const rows = await sql<{ parent: Id<'par'>; id: Id<'sso'>; generation: number; sealed: Buffer }>(
    'select parent, id, secret_generation as generation, secret_sealed as sealed from sso_connection where secret_sealed is not null',
  );
  for (const r of rows) {
    const opened = await h.world.seal.open(secretPlace(r.parent, r.id, r.generation), r.sealed);
    assert.equal(opened.toString(), `secret of ${r.id}`);
  }
}

let nth = 0;
/** What the random worlds came to, so that a test that only met easy ones is seen. */
const met = { applied: 0, joined: 0, setAside: 0, takenOver: 0 };
const found = (name: string): Promise<Founded> =>
  foundOrg(h.world, {
    parentName: name,
    orgName: `${name} ${++nth}`,
    owner: { email: `owner${nth}@${name.toLowerCase()}.example`, displayName: name },
  });

test('merging and undoing gives every row back, everybody reaches what they reached, and a third parent is not touched', async () => {
  await fc.assert(
    fc.asyncProperty(side, side, side, fc.constantFrom('same people', 'own people'), async (a, b, c, whose) => {
      const [into, from, third] = [await found('Into'), await found('From'), await found('Third')];
      // Each side is at the same identity provider with a client of its own; the third too, which must not matter.
      const issuer = `https://idp-${nth}.example`;
      await fill(into, a, issuer, whose);
      await fill(from, b, issuer, whose);
      await fill(third, c, issuer, whose);
      const before = await allRows();
      const reached = await reach();
      const moving = await orgsOf(from.parent);

      const draft = await h.as(from.owner, 'POST', `/orgs/${from.org}/merges`, {
        with: into.org,
        as: 'joining',
        joinByAddress: true,
        sharedEntries: 'receiving_decides',
      });
      const id = String(draft.body['id']);
      await h.as(from.owner, 'POST', `/orgs/${from.org}/merges/${id}/send`, {});
      const seen = await h.as(into.owner, 'POST', `/orgs/${into.org}/merges/${id}/preview`, {});
      const preview = seen.body['preview'] as { conflicts: unknown[]; joined: unknown[]; notices: { code: string }[] };
      const approve = (f: Founded) =>
        h.as(f.owner, 'POST', `/orgs/${f.org}/merges/${id}/approve`, { hash: seen.body['hash'] });
      const first = await approve(into);
      if (preview.conflicts.length > 0) {
        assert.equal(first.body['code'], 'org/merge-conflicts');
        return;
      }
      assert.equal(first.status, 200, first.text);
      const second = await approve(from);
      assert.deepEqual([second.status, second.body['state']], [200, 'applied'], second.text);

      met.applied += 1;
      met.joined += preview.joined.length;
      met.setAside += preview.notices.filter((n) => n.code === 'entry_set_aside').length;
      met.takenOver += preview.notices.filter((n) => n.code === 'directory_takes_over').length;

      // Merged.
      assert.deepEqual(new Set(await orgsOf(into.parent)).isSupersetOf(new Set(moving)), true);
      assert.deepEqual(await orgsOf(from.parent), []);
      await secretsOpen();
      const merged = await reach();
      // Someone whose directory entry was set aside loses the groups of that directory, as the preview said.
      const losing = preview.notices.some((n) => n.code === 'entry_set_aside');
      const orgsAndRoles = (access: readonly string[]): string[] => access.map((x) => x.split(' in ')[0] ?? '');
      for (const [identity, access] of reached) {
        const now = merged.get(identity) ?? [];
        const lost = losing
          ? orgsAndRoles(access).filter((x) => !orgsAndRoles(now).includes(x))
          : access.filter((x) => {
              const [org = '', groups = ''] = x.split(' in ');
              return !now.some((y) => {
                const [o = '', g = ''] = y.split(' in ');
                return o === org && groups.split(', ').every((one) => one === 'none' || g.split(', ').includes(one));
              });
            });
        assert.deepEqual(lost, [], `${identity} had ${access.join('; ')} and has ${now.join('; ')}`);
      }
      for (const [table, rows] of await allRows()) {
        const ofThird = (r: string): boolean => r.includes(third.parent) || r.includes(third.org);
        assert.deepEqual(rows.filter(ofThird), before.get(table)?.filter(ofThird), `${table} of the third parent`);
      }

      // And back.
      const undone = await h.as(into.owner, 'POST', `/orgs/${into.org}/merges/${id}/undo`, {});
      assert.deepEqual([undone.status, undone.body['state']], [200, 'undone'], undone.text);
      await secretsOpen();
      const afterwards = await allRows();
      for (const [table, rows] of before) assert.deepEqual(afterwards.get(table), rows, table);
      assert.deepEqual(await reach(), reached);
    }),
    { numRuns: 12, endOnFailure: true, seed: 7 },
  );
  for (const [what, n] of Object.entries(met)) assert.ok(n > 0, `the random worlds had no case of: ${what}`);
});
