import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { doorHouse, type DoorHouse } from '#dev/door-house.ts';
import { newId } from '#kernel/id.ts';
import { foundOrg } from './found-org.ts';

let h: DoorHouse;
before(async () => {
  h = await doorHouse();
});
after(() => h[Symbol.asyncDispose]());

const org = (path = ''): string => `/orgs/${h.acme.org}${path}`;

test('founding makes a parent, an organization and a primary owner, and the log of the organization begins with it', async () => {
  const [founded] = await h.events('org.founded');
  assert.equal(founded?.log, h.acme.org);
  assert.deepEqual(founded?.data, { org: h.acme.org, surface: 'workspace', owner: h.acme.owner });
  const { body } = await h.api('GET', org());
  assert.equal(body['name'], 'Acme Workspace');
  assert.equal(body['parent'], h.acme.parent);
});

test('an organization that exists and one that does not look the same to a stranger', async () => {
  const other = await foundOrg(h.world, {
    parentName: 'Other',
    orgName: 'Other',
    owner: { email: 'x@other.example', displayName: 'X' },
  });
  const foreign = await h.api('GET', `/orgs/${other.org}`);
  const nowhere = await h.api('GET', `/orgs/${newId('org')}`);
  const nonsense = await h.api('GET', '/orgs/nonsense');
  const same = ({ body }: typeof foreign) => ({ ...body, request: undefined });
  assert.equal(foreign.status, 404);
  assert.deepEqual(same(foreign), same(nowhere));
  assert.deepEqual(same(foreign), same(nonsense));
  const browser = await h.browserOf(h.acme.owner);
  await browser.open(`${h.origin}/api/orgs/${other.org}`);
  assert.equal(browser.status, 404);
  assert.match(browser.body, /org\/no-such-org/);
});

test('a person added by hand is found by part of the name, and adding them twice is refused', async () => {
  const who = { email: 'Grace@acme.example', displayName: 'Grace Hopper', role: 'user' };
  const added = await h.api('POST', org('/members'), who);
  assert.equal(added.status, 201, added.text);
  const found = await h.api('GET', org('/members?q=hopp'));
  assert.deepEqual(
    (found.body['items'] as { email: string }[]).map((m) => m.email),
    ['Grace@acme.example'],
  );
  const twice = await h.api('POST', org('/members'), { ...who, email: 'grace@ACME.example' });
  assert.equal(twice.body['code'], 'org/already-member');
});

test('a search for a percent sign finds the percent sign and not everybody', async () => {
  const found = await h.api('GET', org('/members?q=%25'));
  assert.deepEqual(found.body['items'], []);
});

test('pages of one walk through every member once, and an invented cursor is refused', async () => {
  for (const n of [1, 2, 3]) await h.addPerson(`Walker${n}`, 'user');
  const seen: string[] = [];
  let cursor = '';
  for (let i = 0; i < 20; i++) {
    const { body } = await h.api('GET', org(`/members?limit=1&q=walker${cursor && `&cursor=${cursor}`}`));
    seen.push(...(body['items'] as { email: string }[]).map((m) => m.email));
    if (body['next'] === null) break;
    cursor = body['next'] as string;
  }
  assert.deepEqual(seen, ['walker1@acme.example', 'walker2@acme.example', 'walker3@acme.example']);
  assert.equal((await h.api('GET', org('/members?cursor=zzz'))).body['code'], 'http/invalid');
});

test('the primary owner cannot be removed, demoted or suspended', async () => {
  const path = org(`/members/${h.acme.member}`);
  const tries = [
    await h.api('DELETE', path),
    await h.api('PATCH', path, { role: 'user' }),
    await h.api('POST', org(`/users/${h.acme.owner}/suspend`)),
  ];
  for (const t of tries) assert.deepEqual([t.status, t.body['code']], [409, 'org/primary-owner']);
  assert.equal((await h.api('PATCH', path, { role: 'primary_owner' })).body['code'], 'http/invalid');
});

test('an admin makes admins and no owners, and removes no owner', async () => {
  const admin = await h.addPerson('Adam', 'admin');
  const owner = await h.addPerson('Olga', 'owner');
  const plain = await h.addPerson('Paul', 'user');
  const browser = await h.browserOf(admin.user);
  const asAdam = { cookie: browser.cookies(new URL(h.origin)), origin: h.origin };
  const up = await h.api('PATCH', org(`/members/${plain.member}`), { role: 'admin' }, asAdam);
  assert.equal(up.body['role'], 'admin');
  for (const refused of [
    await h.api('PATCH', org(`/members/${plain.member}`), { role: 'owner' }, asAdam),
    await h.api('PATCH', org(`/members/${admin.member}`), { role: 'owner' }, asAdam),
    await h.api('DELETE', org(`/members/${owner.member}`), undefined, asAdam),
    await h.api('POST', org(`/users/${owner.user}/suspend`), undefined, asAdam),
    await h.api('POST', org('/members'), { email: 'e@acme.example', displayName: 'E', role: 'owner' }, asAdam),
  ]) {
    assert.deepEqual([refused.status, refused.body['code']], [403, 'org/not-permitted'], refused.text);
    assert.equal(refused.body['permission'], 'owner.manage');
  }
});

test('an admin of one organization cannot suspend somebody who owns another of the same parent', async () => {
  const second = newId('org');
  await h.t.super(
    `insert into org (parent, id, name, surface, created_at) values ($1, $2, 'Second', 'workspace', now())`,
    h.acme.parent,
    second,
  );
  const admin = await h.addPerson('Anton', 'admin');
  const both = await h.addPerson('Betty', 'user');
  await h.t.super(
    `insert into member (org, id, user_id, role, created_at) values ($1, $2, $3, 'owner', now())`,
    second,
    newId('mem'),
    both.user,
  );
  const asAnton = { cookie: (await h.browserOf(admin.user)).cookies(new URL(h.origin)), origin: h.origin };
  const refused = await h.api('POST', org(`/users/${both.user}/suspend`), undefined, asAnton);
  assert.equal(refused.body['permission'], 'owner.manage');
});

test('a plain member is told which permission is missing and who has it', async () => {
  const plain = await h.addPerson('Mona', 'user');
  const browser = await h.browserOf(plain.user);
  await browser.open(`${h.origin}/api${org('/api-keys')}`);
  const body = JSON.parse(browser.body) as Record<string, string>;
  assert.equal(body['code'], 'org/not-permitted');
  assert.match(body['detail'] ?? '', /api_key\.manage; you are user/);
  assert.match(body['fix'] ?? '', /ask Ada/);
});

test('a suspended person is refused at the very next request and let in again after reactivation', async () => {
  const p = await h.addPerson('Sam', 'user');
  const browser = await h.browserOf(p.user);
  await browser.open(`${h.origin}/api${org()}`);
  assert.equal(browser.status, 200);
  assert.equal((await h.api('POST', org(`/users/${p.user}/suspend`))).body['state'], 'suspended');
  await browser.open(`${h.origin}/api${org()}`);
  assert.equal(browser.status, 401);
  assert.match(browser.body, /identity\/suspended/);
  await h.api('POST', org(`/users/${p.user}/reactivate`));
  await browser.open(`${h.origin}/api${org()}`);
  assert.equal(browser.status, 200);
  const [told] = await h.events('user.suspended');
  assert.equal(told?.log, h.acme.parent, 'users are the parent’s, so the parent’s log tells it');
});

test('nobody suspends themselves', async () => {
  const o = await h.addPerson('Otto', 'owner');
  const asOtto = { cookie: (await h.browserOf(o.user)).cookies(new URL(h.origin)), origin: h.origin };
  const refused = await h.api('POST', org(`/users/${o.user}/suspend`), undefined, asOtto);
  assert.equal(refused.body['code'], 'org/suspend-yourself');
});

test('a person who is not in the organization can be neither suspended nor found there', async () => {
  const stranger = newId('usr');
  assert.equal((await h.api('POST', org(`/users/${stranger}/suspend`))).body['code'], 'org/no-such-user');
  assert.equal((await h.api('GET', org(`/members/${newId('mem')}`))).body['code'], 'org/no-such-member');
});

test('a key hands no organization over, whatever it carries; the primary owner in person does, and stays as owner', async () => {
  const next = await h.addPerson('Nora', 'admin');
  assert.equal(
    (await h.api('POST', org('/transfer-ownership'), { to: next.member })).body['code'],
    'org/only-primary-owner',
  );
  const other = await h.addPerson('Oscar', 'owner');
  const asOscar = { cookie: (await h.browserOf(other.user)).cookies(new URL(h.origin)), origin: h.origin };
  assert.equal(
    (await h.api('POST', org('/transfer-ownership'), { to: other.member }, asOscar)).body['code'],
    'org/only-primary-owner',
  );
  const asAda = { cookie: (await h.browserOf(h.acme.owner)).cookies(new URL(h.origin)), origin: h.origin };
  const asleep = await h.addPerson('Sleepy', 'admin');
  await h.api('POST', org(`/users/${asleep.user}/suspend`));
  assert.equal(
    (await h.api('POST', org('/transfer-ownership'), { to: asleep.member }, asAda)).body['code'],
    'org/suspended-successor',
  );
  const done = await h.api('POST', org('/transfer-ownership'), { to: next.member }, asAda);
  assert.equal(done.body['role'], 'primary_owner', done.text);
  assert.equal((await h.api('GET', org(`/members/${h.acme.member}`))).body['role'], 'owner');
  // Back again, so that Ada's keys and the other tests stand.
  const asNora = { cookie: (await h.browserOf(next.user)).cookies(new URL(h.origin)), origin: h.origin };
  await h.api('POST', org('/transfer-ownership'), { to: h.acme.member }, asNora);
});

test('two people who hand over and demote at once leave exactly one primary owner', async () => {
  const next = await h.addPerson('Race', 'owner');
  const asAda = { cookie: (await h.browserOf(h.acme.owner)).cookies(new URL(h.origin)), origin: h.origin };
  await Promise.all([
    h.api('POST', org('/transfer-ownership'), { to: next.member }, asAda),
    h.api('DELETE', org(`/members/${next.member}`)),
    h.api('PATCH', org(`/members/${next.member}`), { role: 'user' }),
  ]);
  const rows = await h.t.super(`select user_id from member where org = $1 and role = 'primary_owner'`, h.acme.org);
  assert.equal(rows.length, 1);
});
