import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId } from '#kernel/id.ts';
import { testDirectory, type Answer, type TestDirectory } from '#dev/test-directory.ts';
import { entraCreate, oktaCreate, patch } from '#dev/scim-shapes.ts';
import { findUserIdByExternalId } from './scim-user.sql.ts';

let d: TestDirectory;
before(async () => {
  d = await testDirectory();
});
after(() => d.t.close());

let n = 0;
const name = (): string => `person${++n}@corp.example`;
const add = async (over: Record<string, unknown> = {}): Promise<Answer> => {
  const a = await d.send('POST', '/Users', { ...oktaCreate(name()), ...over });
  assert.equal(a.status, 201, a.text);
  return a;
};
const accountOf = async (
  scu: string,
): Promise<{ id: string; state: string; email: string; display_name: string; origin: string } | undefined> =>
  (
    await d.t.super<{ id: string; state: string; email: string; display_name: string; origin: string }>(
      'select a.* from app_user a join scim_user u on u.user_id = a.id where u.id = $1',
      scu,
    )
  )[0];
const eventsOf = async (scu: string): Promise<string[]> =>
  (
    await d.t.super<{ type: string }>(
      `select header ->> 'type' as type from audit_inbox where data ->> 'entry' = $1 order by arrived`,
      scu,
    )
  ).map((r) => r.type);
const patched = async (id: string, ...ops: unknown[]): Promise<Answer> =>
  d.send('PATCH', `/Users/${id}`, patch(...ops));

test('a pushed person gets an account of origin directory and a membership with the role user', async () => {
  const a = await add();
  const account = await accountOf(a.body.id);
  assert.equal(account?.origin, 'directory');
  assert.equal(account.state, 'active');
  assert.deepEqual(await d.t.super('select org, role from member where user_id = $1', account.id), [
    { org: d.org, role: 'user' },
  ]);
  assert.deepEqual(await eventsOf(a.body.id), ['directory.user_added']);
  assert.equal(a.headers.get('location'), `${d.base}/Users/${a.body.id}`);
  assert.equal(a.headers.get('etag'), 'W/"1"');
  assert.equal(a.headers.get('content-type'), 'application/scim+json');
});

test('a local account with the same e-mail is left alone, and the entry says why it has no account', async () => {
  const email = name();
  const local = newId('usr');
  await d.t.super(
    `insert into app_user (parent, id, email, display_name, state, origin, created_at) values ($1, $2, $3, 'Olga', 'active', 'local', now())`,
    d.parent,
    local,
    email.toUpperCase(),
  );
  const a = await add({ userName: email, emails: [{ value: email, primary: true }], externalId: 'ext-local' });
  const [row] = await d.t.super('select user_id, unlinked_because from scim_user where id = $1', a.body.id);
  assert.deepEqual(row, { user_id: null, unlinked_because: 'local_user' });
  await patched(a.body.id, { op: 'replace', path: 'active', value: false });
  await d.send('DELETE', `/Users/${a.body.id}`);
  const [user] = await d.t.super('select state, display_name, email from app_user where id = $1', local);
  assert.deepEqual(user, { state: 'active', display_name: 'Olga', email: email.toUpperCase() });
  assert.equal(await d.t.db.read({ parent: d.parent }, (db) => findUserIdByExternalId(db, 'ext-local')), undefined);
});

test('A31: a stale If-Match is refused, a fresh one passes, and If-None-Match saves the answer', async () => {
  const { body } = await add();
  const ok = await d.send('PATCH', `/Users/${body.id}`, patch({ op: 'replace', path: 'title', value: 'x' }), {
    'if-match': 'W/"1"',
  });
  assert.equal(ok.status, 200);
  const stale = await d.send('PATCH', `/Users/${body.id}`, patch({ op: 'replace', path: 'title', value: 'y' }), {
    'if-match': 'W/"1"',
  });
  assert.equal(stale.status, 412);
  assert.equal(stale.body.status, '412');
  assert.equal((await d.send('GET', `/Users/${body.id}`, undefined, { 'if-none-match': 'W/"2"' })).status, 304);
  assert.equal((await d.send('GET', `/Users/${body.id}`, undefined, { 'if-none-match': 'W/"1"' })).status, 200);
});

test('A36: a userName that differs in case only is taken', async () => {
  const a = await add();
  const again = await d.send('POST', '/Users', { ...oktaCreate(a.body.userName.toUpperCase()), emails: [] });
  assert.deepEqual([again.status, again.body.scimType], [409, 'uniqueness']);
  const b = await add();
  const renamed = await patched(b.body.id, { op: 'replace', value: { userName: a.body.userName.toUpperCase() } });
  assert.deepEqual([renamed.status, renamed.body.scimType], [409, 'uniqueness']);
});

test('A37: a person who was deleted and is sent again has the account they had', async () => {
  const sent = oktaCreate(name());
  const first = await d.send('POST', '/Users', { ...sent, externalId: 'rev-1' });
  const account = await accountOf(first.body.id);
  assert.equal((await d.send('DELETE', `/Users/${first.body.id}`)).status, 204);
  assert.equal((await accountOf(first.body.id))?.state, 'suspended');
  assert.equal((await d.send('GET', `/Users/${first.body.id}`)).status, 404);
  assert.equal((await d.send('DELETE', `/Users/${first.body.id}`)).status, 404);
  assert.equal(await d.t.db.read({ parent: d.parent }, (db) => findUserIdByExternalId(db, 'rev-1')), undefined);
  const again = await d.send('POST', '/Users', { ...sent, externalId: 'rev-1' });
  assert.equal(again.status, 201, again.text);
  assert.equal((await accountOf(again.body.id))?.id, account?.id);
  assert.equal((await accountOf(again.body.id))?.state, 'active');
  assert.equal(await d.t.db.read({ parent: d.parent }, (db) => findUserIdByExternalId(db, 'rev-1')), account?.id);
});

test('a userName that passes to somebody else does not open the account of the one who left', async () => {
  const sent = oktaCreate(name());
  const first = await d.send('POST', '/Users', { ...sent, externalId: 'leaver' });
  const left = await accountOf(first.body.id);
  await d.send('DELETE', `/Users/${first.body.id}`);
  const newcomer = await d.send('POST', '/Users', { ...sent, externalId: 'newcomer' });
  assert.equal(newcomer.status, 201);
  assert.equal(await accountOf(newcomer.body.id), undefined);
  assert.equal((await d.t.super('select state from app_user where id = $1', left?.id))[0]?.['state'], 'suspended');
});

test('A38: a password is neither stored nor shown nor logged', async () => {
  const a = await add({ password: 'hunter2-very-secret' });
  await patched(a.body.id, { op: 'replace', value: { password: 'hunter2-very-secret' } });
  assert.ok(!a.text.includes('hunter2'));
  for (const [table, column] of [
    ['scim_user', 'attributes'],
    ['audit_inbox', 'data'],
  ])
    assert.equal((await d.t.super(`select from ${table} where ${column}::text like '%hunter2%'`)).length, 0);
});

test('A42: a person without an address is accepted, and gets the account when an address comes', async () => {
  const a = await d.send('POST', '/Users', { userName: `plain${++n}`, name: { givenName: 'Cher', familyName: '' } });
  assert.equal(a.status, 201, a.text);
  assert.equal(await accountOf(a.body.id), undefined);
  await patched(a.body.id, { op: 'add', path: 'emails', value: [{ value: `cher${n}@corp.example`, type: 'work' }] });
  assert.equal((await accountOf(a.body.id))?.email, `cher${n}@corp.example`);
  assert.deepEqual(await eventsOf(a.body.id), [
    'directory.user_added',
    'directory.user_changed',
    'directory.user_linked',
  ]);
});

test('active false suspends the account in the same transaction, and active true ends that suspension', async () => {
  const { body } = await add();
  await patched(body.id, { op: 'Replace', path: 'active', value: 'False' });
  assert.equal((await accountOf(body.id))?.state, 'suspended');
  await patched(body.id, { op: 'replace', value: { active: true } });
  assert.equal((await accountOf(body.id))?.state, 'active');
  assert.deepEqual(await eventsOf(body.id), [
    'directory.user_added',
    'directory.user_changed',
    'directory.user_deactivated',
    'directory.user_changed',
    'directory.user_reactivated',
  ]);
});

test('a suspension by an administrator does not end because the directory says active', async () => {
  const { body } = await add();
  const account = await accountOf(body.id);
  await d.t.super(`update app_user set state = 'suspended', suspended_by = 'usr_admin' where id = $1`, account?.id);
  await patched(body.id, { op: 'replace', path: 'active', value: false });
  await patched(body.id, { op: 'replace', path: 'active', value: true });
  assert.equal((await accountOf(body.id))?.state, 'suspended');
});

test('taking the attribute active away, or a PUT without it, lets nobody back in', async () => {
  const { body } = await add();
  await patched(body.id, { op: 'replace', path: 'active', value: false });
  await patched(body.id, { op: 'remove', path: 'active' });
  assert.equal((await accountOf(body.id))?.state, 'suspended');
  const { active: _, ...rest } = (await d.send('GET', `/Users/${body.id}`)).body;
  await d.send('PUT', `/Users/${body.id}`, { ...rest, title: 'Back?' });
  assert.equal((await accountOf(body.id))?.state, 'suspended');
});

test('a leaver whose new address is taken is suspended all the same', async () => {
  const other = await add();
  const { body } = await add();
  const a = await d.send('PUT', `/Users/${body.id}`, { ...body, active: false, emails: other.body.emails });
  assert.equal(a.status, 200, a.text);
  assert.equal((await accountOf(body.id))?.state, 'suspended');
  assert.notEqual((await accountOf(body.id))?.email, (await accountOf(other.body.id))?.email);
});

test('the same request again changes nothing and logs nothing', async () => {
  const { body } = await add();
  const op = { op: 'replace', value: { 'name.givenName': 'Same', active: true } };
  const once = await patched(body.id, op);
  const twice = await patched(body.id, op);
  assert.equal(once.body.meta.version, 'W/"2"');
  assert.equal(twice.body.meta.version, 'W/"2"');
  assert.deepEqual(await eventsOf(body.id), ['directory.user_added', 'directory.user_changed']);
});

test('a user without a userName is refused, and removing it later is refused', async () => {
  const a = await d.send('POST', '/Users', { displayName: 'Nobody' });
  assert.deepEqual([a.status, a.body.scimType], [400, 'invalidValue']);
  assert.match(a.body.detail, /userName/);
  const { body } = await add();
  assert.equal((await patched(body.id, { op: 'remove', path: 'userName' })).status, 400);
});

test("Entra's creation with listed but absent extension and empty roles is accepted", async () => {
  const a = await d.send('POST', '/Users', entraCreate(name()));
  assert.equal(a.status, 201, a.text);
  assert.equal(a.body.roles, undefined);
  assert.equal(a.body.externalId.startsWith('entra-'), true);
});

test('an external id of another person is refused', async () => {
  await add({ externalId: 'one-of-a-kind' });
  const a = await d.send('POST', '/Users', { ...oktaCreate(name()), externalId: 'one-of-a-kind' });
  assert.deepEqual([a.status, a.body.scimType], [409, 'uniqueness']);
  assert.match(a.body.detail, /externalId/);
});
