import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Hono } from 'hono';
import type { Ctx } from '#kernel/ctx.ts';
import { problemJson } from '#kernel/dialect.ts';
import { newId } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { mount } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { entraGroup, oktaCreate } from '#dev/scim-shapes.ts';
import { testDirectory, type TestDirectory } from '#dev/test-directory.ts';
import { directoryOperations } from './directory.http.ts';
import { scimCtx, scimTokenHash } from './directory.ts';

let d: TestDirectory;
let api: Hono;
before(async () => {
  d = await testDirectory();
  api = new Hono();
  // Who may do this is the identity room's business and tested there; here the door lets an API key in.
  const gate = (c: { req: { param(name: string): string | undefined } }): Promise<Ctx> => {
    const { now, ...world } = d.world;
    return Promise.resolve({
      ...world,
      now: now(),
      actor: { kind: 'api_key', id: newId('key') },
      parent: d.parent,
      org: c.req.param('org') as Ctx['org'],
      request: 'req',
    });
  };
  mount(api, { prefix: '/api', gate, dialect: problemJson, operations: directoryOperations }, silentLog);
});
after(() => d.t.close());

const call = async (
  method: string,
  path: string,
  body?: unknown,
  org: string = d.org,
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into JSON
): Promise<{ status: number; body: any }> => {
  const res = await api.request(`https://gatehouse.test/api/orgs/${org}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await res.text();
  return { status: res.status, body: text === '' ? undefined : JSON.parse(text) };
};

test('a new directory and its token open the SCIM server; the token is stored as a hash only', async () => {
  const made = await call('POST', '/directories', { name: 'Okta' });
  assert.equal(made.status, 201);
  const { status, body } = await call('POST', `/directories/${made.body.id}/tokens`, { days: 30 });
  assert.equal(status, 201);
  assert.match(body.token, /^ghs_[\w-]{43}$/);
  assert.equal(body.expires, '2026-08-31T09:00:00.000Z');
  const res = await d.app.request(`${made.body.url}/Users`, { headers: { authorization: `Bearer ${body.token}` } });
  assert.equal(res.status, 200);
  const [row] = await d.t.super('select to_jsonb(t)::text as text, hash from scim_token t where id = $1', body.id);
  assert.ok(!row!['text'].includes(body.token));
  assert.deepEqual(row!['hash'], scimTokenHash(body.token));
  assert.equal(
    (await d.t.super(`select from audit_inbox where data::text like '%' || $1 || '%'`, body.token)).length,
    0,
  );
  const listed = await call('GET', `/directories/${made.body.id}/tokens`);
  assert.equal(listed.body.items[0].lastUsed, '2026-08-01T09:00:00.000Z');
  assert.equal(listed.body.items[0].token, undefined);
});

test('a revoked token is refused at once, the other token of the directory goes on', async () => {
  const made = await call('POST', '/directories', { name: 'Entra' });
  const [one, two] = [
    await call('POST', `/directories/${made.body.id}/tokens`, {}),
    await call('POST', `/directories/${made.body.id}/tokens`, {}),
  ];
  assert.equal((await call('DELETE', `/directories/${made.body.id}/tokens/${one.body.id}`)).status, 204);
  assert.equal((await call('DELETE', `/directories/${made.body.id}/tokens/${one.body.id}`)).status, 204);
  const status = async (token: string): Promise<number> =>
    (await d.app.request(`${made.body.url}/Users`, { headers: { authorization: `Bearer ${token}` } })).status;
  assert.deepEqual([await status(one.body.token), await status(two.body.token)], [401, 200]);
  assert.equal(
    (
      await d.t.super(
        `select from audit_inbox where header ->> 'type' = 'directory.token_revoked' and data ->> 'token' = $1`,
        one.body.id,
      )
    ).length,
    1,
  );
});

test('a directory of another organization is missing, whatever is asked of it', async () => {
  const org = newId('org');
  await d.t.super(
    `insert into org (parent, id, name, surface, created_at) values ($1, $2, 'Other', 'console', now())`,
    d.parent,
    org,
  );
  for (const [method, path, body] of [
    ['POST', `/directories/${d.id}/tokens`, {}],
    ['GET', `/directories/${d.id}/tokens`],
    ['DELETE', `/directories/${d.id}/tokens/${newId('sct')}`],
  ] as const) {
    const a = await call(method, path, body, org);
    assert.deepEqual([a.status, a.body.code], [404, 'directory/no-directory']);
  }
  assert.deepEqual((await call('GET', '/directories', undefined, org)).body.items, []);
  assert.deepEqual((await call('GET', '/groups', undefined, org)).body.items, []);
});

for (const [path, code] of [
  ['/directories/nonsense/tokens', 'directory/no-directory'],
  [`/groups/${newId('grp')}/members`, 'directory/no-group'],
  ['/groups/nonsense/members', 'directory/no-group'],
])
  test(`${path} is ${code}`, async () => {
    const a = await call('GET', path!);
    assert.deepEqual([a.status, a.body.code], [404, code]);
  });

test('an unknown token is missing', async () => {
  for (const id of [newId('sct'), 'nonsense']) {
    const a = await call('DELETE', `/directories/${d.id}/tokens/${id}`);
    assert.deepEqual([a.status, a.body.code], [404, 'directory/no-token']);
  }
});

test('groups and their people are searched and paged', async () => {
  const ids: string[] = [];
  for (const n of ['ada', 'bob', 'cleo'])
    ids.push(
      (await d.send('POST', '/Users', { ...oktaCreate(`${n}@corp.example`), displayName: `${n} Person` })).body['id'],
    );
  const group = await d.send('POST', '/Groups', {
    ...entraGroup('Sales Leads'),
    members: ids.map((value) => ({ value })),
  });
  d.clock.advance(1);
  await d.send('POST', '/Groups', entraGroup('Support'));
  const found = await call('GET', '/groups?q=LEAD');
  assert.deepEqual(
    found.body.items.map((g: { name: string; members: number }) => [g.name, g.members]),
    [['Sales Leads', 3]],
  );
  const first = await call('GET', '/groups?limit=1');
  const second = await call('GET', `/groups?limit=1&cursor=${first.body.next}`);
  assert.deepEqual(
    [first.body.items[0].name, second.body.items[0].name, second.body.next],
    ['Sales Leads', 'Support', null],
  );
  const members = await call('GET', `/groups/${group.body['id']}/members?q=BOB`);
  assert.deepEqual(
    members.body.items.map((m: { userName: string; active: boolean }) => [m.userName, m.active]),
    [['bob@corp.example', true]],
  );
});

test('a SCIM use case cannot be reached without a directory token', () => {
  const { now, ...world } = d.world;
  const ctx: Ctx = { ...world, now: now(), actor: { kind: 'nobody' }, parent: d.parent, org: d.org, request: 'r' };
  assert.throws(
    () => scimCtx(ctx),
    (e) => e instanceof Problem && e.code === 'directory/not-scim',
  );
});
