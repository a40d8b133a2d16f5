import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { doorHouse, type DoorHouse } from '#dev/door-house.ts';
import { newId, type Id } from '#kernel/id.ts';
import { foundOrg } from '#org/found-org.ts';

let h: DoorHouse;
before(async () => {
  h = await doorHouse();
});
after(() => h[Symbol.asyncDispose]());

type Shown = { id: string; email: string; current: boolean; method: string; member: string };
const list = async (query = '', headers?: Record<string, string>): Promise<Shown[]> => {
  const r = await h.api('GET', `/orgs/${h.acme.org}/sessions${query}`, undefined, headers);
  assert.equal(r.status, 200, r.text);
  return r.body['items'] as Shown[];
};
const cookieOf = async (user: Id<'usr'>) => ({
  cookie: (await h.browserOf(user)).cookies(new URL(h.origin)),
  origin: h.origin,
});
const end = (id: string, headers?: Record<string, string>) =>
  h.api('DELETE', `/orgs/${h.acme.org}/sessions/${id}`, undefined, headers);

test('an admin sees in which browsers members are signed in, which is their own, and finds one by a part of the name', async () => {
  const { user: admin } = await h.addPerson('Anna', 'admin');
  const { user } = await h.addPerson('Bela', 'user');
  const anna = await cookieOf(admin);
  await cookieOf(user);
  await cookieOf(user);
  const found = await list('?q=bel', anna);
  assert.deepEqual(
    found.map((s) => [s.email, s.method, s.current]),
    [
      ['bela@acme.example', 'setup_link', false],
      ['bela@acme.example', 'setup_link', false],
    ],
  );
  assert.deepEqual(
    (await list(`?user=${admin}`, anna)).map((s) => s.current),
    [true],
  );
  assert.deepEqual(await list('?user=nobody', anna), []);
});

test('a session that ended, is idle or is of a suspended person is not listed', async () => {
  const { user } = await h.addPerson('Cora', 'user');
  await cookieOf(user);
  const of = () => list(`?user=${user}`);
  assert.equal((await of()).length, 1);
  await h.api('POST', `/orgs/${h.acme.org}/users/${user}/suspend`);
  assert.deepEqual(await of(), []);
  await h.api('POST', `/orgs/${h.acme.org}/users/${user}/reactivate`);
  const [open] = await of();
  assert.equal((await end(open!.id)).status, 204);
  assert.deepEqual(await of(), []);
  await cookieOf(user);
  assert.equal((await of()).length, 1);
  h.advance(13 * 3_600_000);
  assert.deepEqual(await of(), []);
});

test('a session that an admin ends is over at its next request, and the log has who ended it', async () => {
  const { user: admin } = await h.addPerson('Dora', 'admin');
  const { user } = await h.addPerson('Emil', 'user');
  const [dora, emil] = [await cookieOf(admin), await cookieOf(user)];
  const [session] = await list(`?user=${user}`, dora);
  assert.equal((await end(session!.id, dora)).status, 204);
  assert.equal((await h.api('GET', '/me', undefined, emil)).status, 401);
  const told = (await h.events('session.ended')).at(-1);
  assert.deepEqual([told?.data['session'], told?.data['user'], told?.data['why']], [session!.id, user, 'revoked']);
});

test('an admin cannot end the session of an owner, and nobody that of somebody elsewhere', async () => {
  const { user: admin } = await h.addPerson('Fred', 'admin');
  const { user: owner } = await h.addPerson('Gina', 'owner');
  const [fred, gina] = [await cookieOf(admin), await cookieOf(owner)];
  const [session] = await list(`?user=${owner}`, fred);
  assert.equal((await end(session!.id, fred)).body['code'], 'org/not-permitted');
  assert.equal((await h.api('GET', '/me', undefined, gina)).status, 200);
  const other = await foundOrg(h.world, {
    parentName: 'Other',
    orgName: 'Other',
    owner: { email: 'x@other.example', displayName: 'X' },
  });
  const theirs = newId('ses');
  await h.t.super(
    `insert into session (parent, id, user_id, hash, method, user_agent, created_at, last_seen_at, expires_at)
     values ($1, $2, $3, $4, 'setup_link', '', now(), now(), now() + interval '1 day')`,
    other.parent,
    theirs,
    other.owner,
    Buffer.alloc(32, 7),
  );
  for (const id of [theirs, newId('ses'), 'nonsense'])
    assert.equal((await end(id)).body['code'], 'identity/no-member-session');
});
