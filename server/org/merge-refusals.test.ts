import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { mergeHouse, type MergeHouse } from '#dev/merge-house.ts';
import { systemCtx } from '#kernel/ctx.ts';
import { newId, parseId, type Id } from '#kernel/id.ts';
import { applyMerge } from './apply-merge.ts';
import { MERGE_FRESH_MS } from './merge.ts';

let h: MergeHouse;
beforeEach(async () => {
  h = await mergeHouse();
});
afterEach(() => h[Symbol.asyncDispose]());

type Line = { code: string; about: string[]; says: string };
const lines = (preview: unknown, what: 'conflicts' | 'notices'): string[] =>
  (preview as Record<string, Line[]>)[what]?.map((l) => l.code) ?? [];
const post = (user: Id<'usr'>, org: string, path: string, body: unknown = {}) =>
  h.as(user, 'POST', `/orgs/${org}/merges${path}`, body);

test('a key, whatever it carries, makes no organization and takes no step of a merge: org/in-person', async () => {
  const sister = await h.api('POST', `/orgs/${h.acme.org}/sister-orgs`, { name: 'X', surface: 'console' });
  const merge = await h.api('POST', `/orgs/${h.acme.org}/merges`, { with: h.birch.org, as: 'receiving' });
  for (const r of [sister, merge]) assert.deepEqual([r.status, r.body['code']], [403, 'org/in-person'], r.text);
});

test('an organization that does not exist cannot be proposed to, and is answered as one that is not yours', async () => {
  for (const wrong of [newId('org'), 'acme']) {
    const r = await h.bo('', { with: wrong, as: 'joining' });
    assert.deepEqual([r.status, r.body['code']], [404, 'org/no-such-org'], r.text);
  }
});

test('sisters have nothing to merge: org/merge-same-parent', async () => {
  const sister = await h.as(h.acme.owner, 'POST', `/orgs/${h.acme.org}/sister-orgs`, { name: 'S', surface: 'console' });
  const r = await h.ada('', { with: sister.body['id'], as: 'receiving' });
  assert.deepEqual([r.status, r.body['code']], [409, 'org/merge-same-parent'], r.text);
});

test('there is one open proposal between two parents: org/merge-open-already', async () => {
  await h.bo('', { with: h.acme.org, as: 'joining' });
  const r = await h.bo('', { with: h.acme.org, as: 'joining' });
  assert.deepEqual([r.status, r.body['code']], [409, 'org/merge-open-already'], r.text);
});

test('an eleventh open proposal is one too many: org/merge-too-many', async () => {
  for (let i = 0; i < 10; i++) {
    const parent = newId('par');
    const org = newId('org');
    await h.sql(`insert into parent (id, name, created_at) values ($1, 'P', now())`, parent);
    await h.sql(
      `insert into org (parent, id, name, surface, created_at) values ($1, $2, 'P', 'console', now())`,
      parent,
      org,
    );
    assert.equal((await h.bo('', { with: org, as: 'joining' })).status, 201);
  }
  const r = await h.bo('', { with: h.acme.org, as: 'joining' });
  assert.deepEqual([r.status, r.body['code']], [429, 'org/merge-too-many'], r.text);
});

test('whoever proposes learns nothing of the other side’s people before it answers: org/merge-not-opened', async () => {
  const id = String((await h.bo('', { with: h.acme.org, as: 'joining' })).body['id']);
  await h.bo(`/${id}/send`);
  const r = await h.bo(`/${id}/preview`);
  assert.deepEqual([r.status, r.body['code']], [409, 'org/merge-not-opened'], r.text);
  const read = await h.as(h.birch.owner, 'GET', `/orgs/${h.birch.org}/merges/${id}`);
  assert.equal(read.body['preview'], null);
  assert.equal((read.body['receiving'] as { name: unknown }).name, null);
});

test('a proposal of others is missing: org/no-such-merge', async () => {
  const { id } = await h.proposed();
  const other = await h.as(h.acme.owner, 'POST', `/orgs/${h.acme.org}/sister-orgs`, { name: 'S', surface: 'console' });
  const sister = String(other.body['id']);
  // A sister organization is of the side, but does not speak for it.
  assert.equal((await h.as(h.acme.owner, 'GET', `/orgs/${sister}/merges/${id}`)).status, 200);
  for (const [org, merge] of [
    [sister, id],
    [h.acme.org, newId('mrg')],
    [h.acme.org, 'mine'],
  ]) {
    const r = await post(h.acme.owner, String(org), `/${merge}/reject`);
    assert.deepEqual([r.status, r.body['code']], [404, 'org/no-such-merge'], r.text);
  }
});

test('steps come in their order: org/merge-state', async () => {
  const id = String((await h.bo('', { with: h.acme.org, as: 'joining' })).body['id']);
  for (const [path, body] of [
    [`/${id}/preview`, {}],
    [`/${id}/approve`, { hash: '0'.repeat(64) }],
    [`/${id}/undo`, {}],
  ] as const) {
    const r = await h.bo(path, body);
    assert.deepEqual([r.status, r.body['code']], [409, 'org/merge-state'], r.text);
  }
});

test('an approval is of the preview that was looked at, not of another: org/merge-other-preview', async () => {
  const { id } = await h.proposed();
  const r = await h.ada(`/${id}/approve`, { hash: '0'.repeat(64) });
  assert.deepEqual([r.status, r.body['code']], [412, 'org/merge-other-preview'], r.text);
});

test('a browser left alone for ten minutes neither approves nor undoes: org/merge-not-fresh', async () => {
  const { id, hash } = await h.proposed();
  await h.sql(`update session set created_at = created_at - interval '1 second' * $1`, MERGE_FRESH_MS / 1000 + 5);
  const r = await h.ada(`/${id}/approve`, { hash });
  assert.deepEqual([r.status, r.body['code']], [403, 'org/merge-not-fresh'], r.text);
  const undo = await h.ada(`/${id}/undo`);
  assert.deepEqual([undo.status, undo.body['code']], [403, 'org/merge-not-fresh'], undo.text);
});

test('one person with an account on each side does not approve for both: org/merge-same-person', async () => {
  const both = [
    await h.person(h.acme, 'eve@both.example', 'owner'),
    await h.person(h.birch, 'eve@both.example', 'owner'),
  ] as const;
  const { id, hash } = await h.proposed({ joinByAddress: true });
  assert.equal((await post(both[0].user, h.acme.org, `/${id}/approve`, { hash })).status, 200);
  const r = await post(both[1].user, h.birch.org, `/${id}/approve`, { hash });
  assert.deepEqual([r.status, r.body['code']], [403, 'org/merge-same-person'], r.text);
});

test('a parent moves with all its organizations, so whoever approves for it owns them all: org/merge-not-owner-of-all', async () => {
  const sister = await h.as(h.birch.owner, 'POST', `/orgs/${h.birch.org}/sister-orgs`, {
    name: 'Birch Two',
    surface: 'workspace',
  });
  const second = await h.person(h.birch, 'second@birch.example', 'owner');
  const { id, hash } = await h.proposed();
  await h.ada(`/${id}/approve`, { hash });
  const r = await post(second.user, h.birch.org, `/${id}/approve`, { hash });
  assert.deepEqual([r.status, r.body['code']], [403, 'org/merge-not-owner-of-all'], r.text);
  assert.match(String(r.body['detail']), /Birch Two/);
  assert.equal((await h.bo(`/${id}/approve`, { hash })).body['state'], 'applied');
  assert.equal(await h.parentOf(String(sister.body['id'])), h.acme.parent);
});

for (const [code, fill, choices] of [
  [
    'same_address',
    async () => [await h.person(h.acme, 'x@both.example', 'user'), await h.person(h.birch, 'X@both.example', 'user')],
    {},
  ],
  [
    'state_differs',
    async () => {
      await h.person(h.acme, 'x@both.example', 'user');
      const p = await h.person(h.birch, 'x@both.example', 'user');
      await h.sql(`update app_user set state = 'suspended' where id = $1`, p.user);
    },
    { joinByAddress: true },
  ],
  [
    'two_directories',
    async () => {
      for (const f of [h.acme, h.birch])
        await h.entry(f.parent, await h.directory(f, 'D'), (await h.person(f, 'x@both.example', 'user')).user);
    },
    { joinByAddress: true },
  ],
  [
    'same_connection',
    async () => {
      const a = await h.connection(h.acme.parent, 'Okta');
      const b = await h.connection(h.birch.parent, 'Okta');
      await h.sql(`update sso_connection set client_id = 'gatehouse' where id in ($1, $2)`, a, b);
    },
    {},
  ],
  [
    'ambiguous',
    async () => {
      const a = await h.connection(h.acme.parent, 'Okta');
      const b = await h.connection(h.birch.parent, 'Okta');
      const one = await h.person(h.acme, 'one@x.example', 'user');
      await h.person(h.acme, 'two@x.example', 'user');
      const p = await h.person(h.birch, 'two@x.example', 'user');
      await h.link(h.acme.parent, a, 'sub', one.user);
      await h.link(h.birch.parent, b, 'sub', p.user);
    },
    { joinByAddress: true },
  ],
  [
    'same_domain',
    async () => {
      for (const f of [h.acme, h.birch])
        await h.sql(
          `insert into domain (parent, id, name, shown, token, include_subdomains, added_at, state, since, next_check_at)
           values ($1, $2, 'both.example', 'both.example', $3, false, now(), 'pending', now(), now())`,
          f.parent,
          newId('dom'),
          '0'.repeat(32),
        );
    },
    {},
  ],
] as const)
  test(`${code} stands in the way of a merge and is shown before anybody approves: org/merge-conflicts`, async () => {
    await fill();
    const { id, hash, preview } = await h.proposed(choices);
    assert.ok(lines(preview, 'conflicts').includes(code), JSON.stringify(preview['conflicts']));
    const r = await h.ada(`/${id}/approve`, { hash });
    assert.deepEqual([r.status, r.body['code']], [409, 'org/merge-conflicts'], r.text);
    assert.ok(String(r.body['fix']).length > 0);
  });

test('an issuer that anybody can write into a configuration does not make two accounts one person', async () => {
  for (const f of [h.acme, h.birch]) {
    const c = await h.connection(f.parent, 'Saml');
    await h.sql(`update sso_connection set kind = 'saml', client_id = $2 where id = $1`, c, f.org);
    await h.link(f.parent, c, 'ceo@acme.example', (await h.person(f, `ceo@${f.org.slice(-5)}.example`, 'user')).user);
  }
  const { preview } = await h.proposed();
  assert.deepEqual(preview['joined'], []);
});

test('a secret that is replaced while a merge is carried out stops the merge, and nothing has moved: org/merge-secret-changed', async () => {
  const c = await h.connection(h.birch.parent, 'Okta');
  const seal = (n: number) =>
    h.world.seal.seal({ table: 'sso_connection', scope: h.birch.parent, row: c, generation: n }, Buffer.from('s'));
  const save = async (n: number) =>
    h.sql(
      `update sso_connection set secret_sealed = $2, secret_generation = $3, auth_method = 'client_secret_basic' where id = $1`,
      c,
      await seal(n),
      n,
    );
  await save(1);
  const { id, hash } = await h.proposed();
  await h.ada(`/${id}/approve`, { hash });
  await h.sql(
    `update merge_proposal set joining_by = $2, joining_at = now(), state = 'approved_both' where id = $1`,
    id,
    h.birch.owner,
  );
  const { seal: real } = h.world;
  const ctx = {
    ...systemCtx(h.world, 'test', { parent: h.acme.parent, org: h.acme.org }),
    seal: {
      ...real,
      // In the moment between reading and moving, an administrator enters another secret.
      async seal(...a: Parameters<typeof real.seal>) {
        await save(2);
        return real.seal(...a);
      },
    },
  };
  await assert.rejects(applyMerge(ctx, parseId('mrg', id)!, h.up), { code: 'org/merge-secret-changed' });
  assert.equal(await h.parentOf(h.birch.org), h.birch.parent);
  assert.equal(await h.stateOf(id), 'approved_both');
});
