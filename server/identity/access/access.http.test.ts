import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { doorHouse, type DoorHouse } from '#dev/door-house.ts';
import { newId } from '#kernel/id.ts';
import { SESSION_COOKIE } from '../cookies.ts';

let h: DoorHouse;
let access: string;
before(async () => {
  h = await doorHouse({ trustedProxies: ['127.0.0.0/8', '::1/128'] });
  access = `/orgs/${h.acme.org}/access`;
});
after(() => h[Symbol.asyncDispose]());

const office = '192.0.2.10';
const from = (address: string): Record<string, string> => ({
  authorization: `Bearer ${h.key}`,
  'x-forwarded-for': address,
});
const set = (body: object, address = office) => h.api('PATCH', access, body, from(address));
async function cookieOf(user: Parameters<DoorHouse['browserOf']>[0]): Promise<{ cookie: string }> {
  const b = await h.browserOf(user);
  const cookie = b.cookies(new URL(h.origin));
  assert.ok(cookie.includes(SESSION_COOKIE));
  return { cookie };
}

test('an organization that lets in its office only refuses a key and a session from elsewhere, and says which address it saw', async () => {
  assert.equal((await set({ addresses: ['192.0.2.0/24', '2001:db8::/32', '192.0.2.0/24'] })).status, 200);
  const { user } = await h.addPerson('Nia', 'owner');
  const { cookie } = await cookieOf(user);
  for (const headers of [from('198.51.100.7'), { cookie, 'x-forwarded-for': '198.51.100.7' }]) {
    const r = await h.api('GET', access, undefined, headers);
    assert.deepEqual(
      [r.status, r.body['code'], r.body['address']],
      [403, 'identity/address-not-allowed', '198.51.100.7'],
    );
  }
  for (const headers of [from(office), from('2001:db8::7'), { cookie, 'x-forwarded-for': office }]) {
    const r = await h.api('GET', access, undefined, headers);
    assert.equal(r.status, 200, r.text);
  }
  const told = (await h.events('access.changed')).at(-1);
  assert.deepEqual([told?.data['ranges'], told?.data['shutsOutWhoSet']], [2, false]);
  assert.ok(!JSON.stringify(told).includes('192.0.2'), 'the log has counts, not addresses');
  assert.equal((await set({ addresses: [] })).status, 200);
});

test('an address that a stranger writes into X-Forwarded-For opens nothing', async () => {
  await set({ addresses: ['192.0.2.0/24'] });
  const r = await h.api('GET', access, undefined, from(`${office}, 198.51.100.7`));
  assert.equal(r.body['code'], 'identity/address-not-allowed');
  await set({ addresses: [] });
});

test('a list that leaves out the address of the one who sets it is refused, and taken when they say that they mean it', async () => {
  const no = await set({ addresses: ['198.51.100.0/24'] });
  assert.deepEqual([no.status, no.body['code'], no.body['address']], [409, 'identity/would-shut-you-out', office]);
  assert.equal((await h.api('GET', access, undefined, from(office))).status, 200, 'nothing was changed');
  assert.equal((await set({ addresses: ['198.51.100.0/24'], evenIfItShutsMeOut: true })).status, 200);
  assert.equal((await h.api('GET', access, undefined, from(office))).body['code'], 'identity/address-not-allowed');
  assert.equal((await set({ addresses: [] }, '198.51.100.7')).status, 200);
});

test('what is no range, too many ranges, and a session of no length are refused by name', async () => {
  assert.equal((await set({ addresses: ['192.0.2.7/24'] })).body['code'], 'identity/not-a-range');
  const many = Array.from({ length: 201 }, (_, i) => `192.0.2.${i % 256}`);
  assert.equal((await set({ addresses: many })).body['code'], 'identity/too-many-ranges');
  assert.equal((await set({ sessionIdleS: 60 })).body['code'], 'identity/session-length');
  assert.equal((await set({ sessionMaxS: 31 * 86_400 })).body['code'], 'identity/session-length');
});

test('of two organizations of a person the stricter length counts, for sessions that are open already, too', async () => {
  const { user } = await h.addPerson('Oda', 'user');
  const other = newId('org');
  await h.t.super(
    `insert into org (parent, id, name, surface, region, created_at) values ($1, $2, 'Sister', 'workspace', 'local', now())`,
    h.acme.parent,
    other,
  );
  await h.t.super(
    `insert into member (org, id, user_id, role, created_at) values ($1, $2, $3, 'user', now())`,
    other,
    newId('mem'),
    user,
  );
  const headers = await cookieOf(user);
  const me = () => h.api('GET', '/me', undefined, headers);
  await set({ sessionIdleS: 3 * 86_400 });
  h.advance(13 * 3600_000);
  const idle = await me();
  assert.equal(idle.body['code'], 'identity/session-ended', 'the sister keeps the usual 12 hours');
  assert.match(String(idle.body['detail']), /12 hours/);
  await set({ sessionIdleS: 1800, sessionMaxS: 7200 });
  const second = await cookieOf(user);
  const again = () => h.api('GET', '/me', undefined, second);
  for (const minutes of [25, 25, 25, 25]) {
    h.advance(minutes * 60_000);
    assert.equal((await again()).status, 200);
  }
  h.advance(25 * 60_000);
  assert.equal((await again()).body['code'], 'identity/session-ended', 'after two hours, however busy');
  const third = await cookieOf(user);
  h.advance(31 * 60_000);
  assert.match(String((await h.api('GET', '/me', undefined, third)).body['detail']), /30 minutes/);
  await set({ sessionIdleS: null, sessionMaxS: null });
  const fourth = await cookieOf(user);
  h.advance(3 * 3600_000);
  assert.equal((await h.api('GET', '/me', undefined, fourth)).status, 200);
  await set({ sessionMaxS: 7200 });
  const cut = await h.api('GET', '/me', undefined, fourth);
  assert.match(String(cut.body['detail']), /expired/, 'a stricter length ends what began before');
  await set({ sessionMaxS: null });
});

test('an admin ends every session of a member at once, and none of anybody else', async () => {
  const [kim, lea] = [await h.addPerson('Kim', 'user'), await h.addPerson('Lea', 'user')];
  const [one, two, hers] = [await cookieOf(kim.user), await cookieOf(kim.user), await cookieOf(lea.user)];
  const r = await h.api('POST', `/orgs/${h.acme.org}/members/${kim.member}/sessions/end`);
  assert.deepEqual([r.status, r.body['ended']], [200, 2]);
  for (const c of [one, two])
    assert.equal((await h.api('GET', '/me', undefined, c)).body['code'], 'identity/session-ended');
  assert.equal((await h.api('GET', '/me', undefined, hers)).status, 200);
  assert.deepEqual((await h.events('sessions.ended')).at(-1)?.data, { user: kim.user, count: 2 });
  assert.equal((await h.api('POST', `/orgs/${h.acme.org}/members/${kim.member}/sessions/end`)).body['ended'], 0);
});

test('an admin does not end the sessions of an owner, and nobody those of a stranger', async () => {
  const [admin, owner] = [await h.addPerson('Ann', 'admin'), await h.addPerson('Orla', 'owner')];
  const b = await h.browserOf(admin.user);
  const r = await h.api('POST', `/orgs/${h.acme.org}/members/${owner.member}/sessions/end`, undefined, {
    cookie: b.cookies(new URL(h.origin)),
    origin: h.origin,
  });
  assert.deepEqual([r.status, r.body['code']], [403, 'org/not-permitted']);
  for (const id of [newId('mem'), 'nobody'])
    assert.equal(
      (await h.api('POST', `/orgs/${h.acme.org}/members/${id}/sessions/end`)).body['code'],
      'org/no-such-member',
    );
});
