import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId } from '#kernel/id.ts';
import { oktaCreate, patch } from '#dev/scim-shapes.ts';
import { testDirectory, type Answer, type TestDirectory } from '#dev/test-directory.ts';

let first: TestDirectory;
before(async () => {
  first = await testDirectory();
});
after(() => first.t.close());

/** Somebody who was here before the directory. */
async function local(d: TestDirectory, email: string, role = 'user'): Promise<string> {
  const user = newId('usr');
  await d.t.super(
    `insert into app_user (parent, id, email, display_name, state, origin, created_at) values ($1, $2, $3, 'Here Before', 'active', 'local', now())`,
    d.parent,
    user,
    email,
  );
  await d.t.super(
    `insert into member (org, id, user_id, role, created_at) values ($1, $2, $3, $4, now())`,
    d.org,
    newId('mem'),
    user,
    role,
  );
  return user;
}
const plan = async (d: TestDirectory): Promise<Answer> => d.api('GET', `/directories/${d.id}/adoption`);
const adopt = (d: TestDirectory, body: object): Promise<Answer> => d.api('POST', `/directories/${d.id}/adoption`, body);
const linkOf = async (d: TestDirectory, entry: string): Promise<unknown> =>
  (await d.t.super('select user_id from scim_user where id = $1', entry))[0]?.['user_id'];

test('the plan shows who would be taken, by what, and what would change; then exactly that happens', async () => {
  const d = await first.another('another parent');
  const ada = await local(d, 'Ada@corp.example', 'admin');
  await local(d, 'nobody-pushed-me@corp.example');
  const entry = (await d.send('POST', '/Users', oktaCreate('ada@corp.example'))).body['id'];
  assert.equal(await linkOf(d, entry), null, 'nothing is taken over by a push');
  const { body } = await plan(d);
  assert.deepEqual(body['matches'], [
    {
      entry,
      userName: 'ada@corp.example',
      user: ada,
      email: 'Ada@corp.example',
      displayName: 'Here Before',
      state: 'active',
      roles: [{ org: d.org, role: 'admin' }],
      by: 'email',
      was: 'local_user',
      becomes: { email: 'ada@corp.example', displayName: 'Some Person', suspended: false },
      primaryOwner: false,
    },
  ]);
  assert.equal(await linkOf(d, entry), null, 'a plan changes nothing');
  const a = await adopt(d, { hash: body['hash'], take: [entry] });
  assert.deepEqual([a.status, a.body], [200, { adopted: 1 }], a.text);
  assert.equal(await linkOf(d, entry), ada);
  assert.deepEqual(await d.t.super('select email, display_name as name, state from app_user where id = $1', ada), [
    { email: 'ada@corp.example', name: 'Some Person', state: 'active' },
  ]);
  assert.equal(
    (await d.t.super(`select role from member where user_id = $1`, ada))[0]?.['role'],
    'admin',
    'the role stays',
  );
  assert.equal(
    (await d.t.super(`select from audit_inbox where header->>'type' = 'directory.user_adopted' and log = $1`, d.org))
      .length,
    1,
  );
  assert.deepEqual((await plan(d)).body['matches'], []);
  await d.send('PATCH', `/Users/${entry}`, patch({ op: 'replace', path: 'active', value: false }));
  assert.equal(
    (await d.t.super('select state from app_user where id = $1', ada))[0]?.['state'],
    'suspended',
    'from now on the directory’s word counts',
  );
});

test('a plan that is no longer true is not applied, whatever has changed', async () => {
  const d = await first.another('another parent');
  const user = await local(d, 'eve@corp.example');
  const entry = (await d.send('POST', '/Users', oktaCreate('eve@corp.example'))).body['id'];
  for (const change of [
    () => d.t.super(`update member set role = 'owner' where user_id = $1`, user),
    () => d.t.super(`update app_user set display_name = 'Other' where id = $1`, user),
    () => d.send('PATCH', `/Users/${entry}`, patch({ op: 'replace', path: 'title', value: 'x' })),
    async () => {
      await local(d, 'sam@corp.example');
      await d.send('POST', '/Users', oktaCreate('sam@corp.example'));
    },
  ]) {
    const { body } = await plan(d);
    await change();
    const a = await adopt(d, { hash: body['hash'], take: 'all' });
    assert.deepEqual([a.status, a.body['code']], [412, 'directory/adoption-changed']);
  }
  assert.equal(await linkOf(d, entry), null);
});

test('the directory’s own id finds an account that another directory left, before the address does', async () => {
  const d = await first.another('another parent');
  const old = (await d.send('POST', '/Users', { userName: 'old-name@corp.example', externalId: 'emp-1' })).body['id'];
  const account = await linkOf(d, old);
  await d.send('DELETE', `/Users/${old}`);
  const stranger = await local(d, 'new-name@corp.example');
  const sister = (await first.another('another parent')).id;
  assert.ok(sister);
  const id = newId('dir');
  await d.t.super(
    `insert into directory (parent, id, org, name, created_at, rate) values ($1, $2, $3, 'New IdP', now(), 100000)`,
    d.parent,
    id,
    d.org,
  );
  await d.t.super('update scim_token set directory = $1 where directory = $2', id, d.id);
  const send = (body: object): Promise<Response> =>
    Promise.resolve(
      d.app.request(`https://gatehouse.test/scim/v2/${id}/Users`, {
        method: 'POST',
        headers: { authorization: `Bearer ${d.token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    );
  assert.equal((await send({ userName: 'new-name@corp.example', externalId: 'emp-1' })).status, 201);
  const { body } = await d.api('GET', `/directories/${id}/adoption`);
  assert.deepEqual(
    body['matches'].map((m: { user: string; by: string }) => [m.user, m.by]),
    [[account, 'external_id']],
  );
  assert.notEqual(account, stranger);
});

test('a primary owner is taken by name only, and never in order to be suspended', async () => {
  const d = await first.another('another parent');
  const boss = await local(d, 'boss@corp.example', 'primary_owner');
  const entry = (await d.send('POST', '/Users', oktaCreate('boss@corp.example'))).body['id'];
  const { body } = await plan(d);
  assert.equal(body['matches'][0].primaryOwner, true);
  assert.deepEqual((await adopt(d, { hash: body['hash'], take: 'all' })).body, { adopted: 0 });
  assert.equal(await linkOf(d, entry), null);
  const unnamed = await adopt(d, { hash: body['hash'], take: [entry] });
  assert.deepEqual([unnamed.status, unnamed.body['code']], [409, 'directory/adopts-primary-owner']);
  await d.send('PATCH', `/Users/${entry}`, patch({ op: 'replace', path: 'active', value: false }));
  const off = (await plan(d)).body;
  const suspends = await adopt(d, { hash: off['hash'], take: [entry], primaryOwners: [entry] });
  assert.deepEqual([suspends.status, suspends.body['code']], [409, 'directory/suspends-primary-owner']);
  await d.send('PATCH', `/Users/${entry}`, patch({ op: 'replace', path: 'active', value: true }));
  const on = (await plan(d)).body;
  assert.deepEqual((await adopt(d, { hash: on['hash'], take: [entry], primaryOwners: [entry] })).body, { adopted: 1 });
  assert.equal(await linkOf(d, entry), boss);
});

test('one that cannot be taken holds up all of the request', async () => {
  const d = await first.another('another parent');
  await local(d, 'a@corp.example');
  await local(d, 'boss@corp.example', 'primary_owner');
  const a = (await d.send('POST', '/Users', oktaCreate('a@corp.example'))).body['id'];
  const boss = (await d.send('POST', '/Users', oktaCreate('boss@corp.example'))).body['id'];
  const { body } = await plan(d);
  assert.equal((await adopt(d, { hash: body['hash'], take: [a, boss] })).status, 409);
  assert.equal(await linkOf(d, a), null);
  const stranger = await adopt(d, { hash: body['hash'], take: [newId('scu')] });
  assert.deepEqual([stranger.status, stranger.body['code']], [400, 'directory/not-in-plan']);
});

test('an address of a domain that the directory does not speak for proves nothing', async () => {
  const d = await first.another('another parent');
  await local(d, 'ceo@victim.example');
  await d.send('POST', '/Users', oktaCreate('ceo@victim.example'));
  assert.equal((await plan(d)).body['matches'].length, 1);
  await d.api('PATCH', `/directories/${d.id}`, { domainPolicy: 'hold', domains: ['corp.example'] });
  assert.deepEqual((await plan(d)).body['matches'], []);
});

test('somebody whom another live entry has is in no plan, and of two entries with one address the first is', async () => {
  const d = await first.another('another parent');
  await d.send('POST', '/Users', { userName: 'x1', emails: [{ value: 'shared@corp.example' }] });
  const second = (await d.send('POST', '/Users', { userName: 'x2', emails: [{ value: 'shared@corp.example' }] })).body[
    'id'
  ];
  assert.equal(await linkOf(d, second), null);
  assert.deepEqual((await plan(d)).body['matches'], []);
  await local(d, 'twins@corp.example');
  const one = (await d.send('POST', '/Users', { userName: 'y1', emails: [{ value: 'twins@corp.example' }] })).body[
    'id'
  ];
  d.clock.advance(1000);
  await d.send('POST', '/Users', { userName: 'y2', emails: [{ value: 'twins@corp.example' }] });
  assert.deepEqual(
    (await plan(d)).body['matches'].map((m: { entry: string }) => m.entry),
    [one],
  );
});

test('another organization can neither see a plan nor apply one', async () => {
  const d = await first.another('another parent');
  const other = await first.another('another parent');
  assert.equal((await other.api('GET', `/directories/${d.id}/adoption`)).body['code'], 'directory/no-directory');
  assert.equal(
    (await other.api('POST', `/directories/${d.id}/adoption`, { hash: 'x'.repeat(64), take: 'all' })).body['code'],
    'directory/no-directory',
  );
  assert.equal((await other.api('POST', `/directories/${d.id}/held`, {})).body['code'], 'directory/no-directory');
});
