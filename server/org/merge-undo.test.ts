import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { mergeHouse, type MergeHouse } from '#dev/merge-house.ts';
import type { Id } from '#kernel/id.ts';
import { newId } from '#kernel/id.ts';
import { MERGE_UNDO_MS } from './merge.ts';

let h: MergeHouse;
beforeEach(async () => {
  h = await mergeHouse();
});
afterEach(() => h[Symbol.asyncDispose]());

test('people of one identity become one account: both organizations, both ways in, browsers of the old account end', async () => {
  const [a, b] = [await h.connection(h.acme.parent, 'Okta'), await h.connection(h.birch.parent, 'Okta')];
  const here = await h.person(h.acme, 'lin@acme.example', 'admin');
  const there = await h.person(h.birch, 'lin@birch.example', 'user');
  await h.link(h.acme.parent, a, 'lin', here.user);
  await h.link(h.birch.parent, b, 'lin', there.user);
  const before = await h.as(there.user, 'GET', '/orgs');
  assert.equal(before.status, 200);
  await h.merged();
  const orgs = await h.as(here.user, 'GET', '/orgs');
  assert.deepEqual(
    (orgs.body['items'] as { name: string; role: string }[]).map((o) => [o.name, o.role]),
    [
      ['Acme Workspace', 'admin'],
      ['Birch Console', 'user'],
    ],
  );
  assert.deepEqual(
    await h.sql('select connection from identity_link where user_id = $1 order by 1', here.user),
    [a, b].sort().map((connection) => ({ connection })),
  );
  assert.equal((await h.as(there.user, 'GET', '/orgs')).status, 401);
});

/** Things that happen after a merge and tie the two sides together. */
const ties: [string, string, (m: { moved: Id<'usr'>; stays: Id<'usr'> }) => Promise<unknown>][] = [
  [
    'somebody who moved joined an organization that stays',
    'belongs_to_both',
    ({ moved }) =>
      h.sql(
        `insert into member (org, id, user_id, role, created_at) values ($1, $2, $3, 'user', now())`,
        h.acme.org,
        newId('mem'),
        moved,
      ),
  ],
  [
    'somebody of the receiving side was taken into an organization that moved',
    'was_here_before',
    ({ stays }) =>
      h.sql(
        `insert into member (org, id, user_id, role, created_at) values ($1, $2, $3, 'user', now())`,
        h.birch.org,
        newId('mem'),
        stays,
      ),
  ],
  [
    'the organization was merged on',
    'org_elsewhere',
    async () => {
      const parent = newId('par');
      await h.sql(`insert into parent (id, name, created_at) values ($1, 'C', now())`, parent);
      await h.sql(`update org set parent = $1 where id = $2`, parent, h.birch.org);
      await h.sql(`update org set parent = $1 where id = $2`, h.acme.parent, h.birch.org);
      const sister = newId('org');
      await h.sql(
        `insert into org (parent, id, name, surface, created_at) values ($1, $2, 'Sister', 'console', now())`,
        parent,
        sister,
      );
      await h.sql(
        `insert into merge_moved (parent, merge, kind, id) select parent, id, 'org', $1 from merge_proposal where state = 'applied'`,
        sister,
      );
    },
  ],
  [
    'a domain of the receiving side was given to an organization that moved',
    'domain_of_other',
    () =>
      h.sql(
        `insert into domain (parent, id, name, shown, token, include_subdomains, home_org, added_at, state, since, next_check_at)
         values ($1, $2, 'acme.example', 'acme.example', $3, false, $4, now(), 'pending', now(), now())`,
        h.acme.parent,
        newId('dom'),
        '0'.repeat(32),
        h.birch.org,
      ),
  ],
  [
    'a connection of the receiving side was made for an organization that moved',
    'connection_of_other',
    async () => {
      const c = await h.connection(h.acme.parent, 'Late');
      await h.sql(
        `insert into saml_connection (parent, connection, org, sign_in_url, sign_in_binding, sign_requests, idp_initiated, must_encrypt, clock_skew_s, expired_certificate, groups_overage, email_domains, attribute_map)
         values ($1, $2, $3, 'https://idp.example', 'redirect', false, false, false, 60, 'warn', 'keep', '{}', '{}')`,
        h.acme.parent,
        c,
        h.birch.org,
      );
    },
  ],
  [
    'somebody new has an address that somebody left behind on the other side',
    'address_taken',
    async () => {
      await h.sql(
        `update app_user set email = 'old@acme.example' where email = 'pat@shared.example' and parent = $1`,
        h.acme.parent,
      );
      await h.person({ parent: h.acme.parent, org: h.birch.org }, 'pat@shared.example', 'user');
      await h.sql(
        `update app_user set created_at = now() + interval '1 hour' where email = 'pat@shared.example' and parent = $1`,
        h.acme.parent,
      );
    },
  ],
];
for (const [what, code, happens] of ties)
  test(`a merge is not undone when ${what}, and the reason has a name and a way out: org/merge-undo-impossible`, async () => {
    for (const f of [h.acme, h.birch]) await h.person(f, 'pat@shared.example', 'user');
    const moved = await h.person(h.birch, 'moved@birch.example', 'user');
    const stays = await h.person(h.acme, 'stays@acme.example', 'user');
    const id = await h.merged({ joinByAddress: true });
    await happens({ moved: moved.user, stays: stays.user });
    const read = await h.as(h.acme.owner, 'GET', `/orgs/${h.acme.org}/merges/${id}`);
    const shown = (read.body['undoObstacles'] as { code: string; fix: string }[]) ?? [];
    assert.deepEqual([...new Set(shown.map((o) => o.code))], [code], read.text);
    const r = await h.ada(`/${id}/undo`);
    assert.deepEqual([r.status, r.body['code']], [409, 'org/merge-undo-impossible'], r.text);
    assert.deepEqual(
      (r.body['reasons'] as { code: string }[]).map((x) => x.code),
      shown.map((o) => o.code),
    );
    assert.equal(await h.stateOf(id), 'applied');
  });

test('after seven days a merge stays: org/merge-undo-over', async () => {
  const id = await h.merged();
  h.advance(MERGE_UNDO_MS + 60_000);
  const r = await h.ada(`/${id}/undo`);
  assert.deepEqual([r.status, r.body['code']], [409, 'org/merge-undo-over'], r.text);
});

test('people and sessions that came to the moved organization since go back with it, and newcomers of the other side stay', async () => {
  const dir = await h.directory(h.birch, 'Birch Okta');
  const id = await h.merged();
  const made = await h.person({ parent: h.acme.parent, org: h.birch.org }, 'fresh@birch.example', 'user');
  const other = await h.person({ parent: h.acme.parent, org: h.acme.org }, 'fresh@acme.example', 'user');
  await h.sql(`update app_user set created_at = now() + interval '1 hour' where id in ($1, $2)`, made.user, other.user);
  await h.entry(h.acme.parent, dir, made.user);
  assert.equal((await h.as(made.user, 'GET', '/orgs')).status, 200);
  assert.equal((await h.bo(`/${id}/undo`)).body['state'], 'undone');
  const parents = await h.sql(
    'select id, parent from app_user where id in ($1, $2) order by parent = $3',
    made.user,
    other.user,
    h.birch.parent,
  );
  assert.deepEqual(parents, [
    { id: other.user, parent: h.acme.parent },
    { id: made.user, parent: h.birch.parent },
  ]);
  assert.equal((await h.as(made.user, 'GET', `/orgs/${h.birch.org}`)).status, 200, 'the browser is still signed in');
});

test('whoever was shut out while the accounts were one does not come back in by undoing', async () => {
  const [here, there] = [
    await h.person(h.acme, 'sam@both.example', 'user'),
    await h.person(h.birch, 'sam@both.example', 'user'),
  ];
  const id = await h.merged({ joinByAddress: true });
  await h.sql(`update app_user set state = 'suspended' where id = $1`, here.user);
  await h.ada(`/${id}/undo`);
  assert.deepEqual(await h.sql('select state from app_user where id = $1', there.user), [{ state: 'suspended' }]);
});

test('whoever left the directory that was set aside is out when the merge is undone', async () => {
  const entries: string[] = [];
  const people: Id<'usr'>[] = [];
  for (const f of [h.acme, h.birch]) {
    const p = await h.person(f, 'kim@both.example', 'user');
    people.push(p.user);
    entries.push(await h.entry(f.parent, await h.directory(f, 'D'), p.user));
  }
  const id = await h.merged({ joinByAddress: true, sharedEntries: 'receiving_decides' });
  assert.deepEqual(await h.sql('select user_id, unlinked_because from scim_user where id = $1', entries[1]), [
    { user_id: null, unlinked_because: 'address_in_use' },
  ]);
  await h.sql('update scim_user set active = false where id = $1', entries[1]);
  await h.ada(`/${id}/undo`);
  assert.deepEqual(await h.sql('select state from app_user where id = $1', people[1]), [{ state: 'suspended' }]);
  assert.deepEqual(await h.sql('select user_id from scim_user where id = $1', entries[1]), [{ user_id: people[1] }]);
});

test('somebody who is added while a merge is carried out is not left between two parents', async () => {
  const { id, hash } = await h.proposed();
  await h.ada(`/${id}/approve`, { hash });
  const adding = h.as(h.birch.owner, 'POST', `/orgs/${h.birch.org}/members`, {
    email: 'late@birch.example',
    displayName: 'Late',
    role: 'user',
  });
  const [added, approved] = await Promise.all([adding, h.bo(`/${id}/approve`, { hash })]);
  assert.equal(approved.body['state'], 'applied', approved.text);
  assert.ok([201, 404, 503].includes(added.status), added.text);
  assert.deepEqual(
    await h.sql(
      `select m.id from member m join org o on o.id = m.org left join app_user u on u.id = m.user_id and u.parent = o.parent where u.id is null`,
    ),
    [],
  );
});
