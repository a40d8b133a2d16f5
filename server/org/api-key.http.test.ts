import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { doorHouse, type DoorHouse } from '#dev/door-house.ts';
import { newId } from '#kernel/id.ts';

let h: DoorHouse;
before(async () => {
  h = await doorHouse();
});
after(() => h[Symbol.asyncDispose]());

const inDays = (n: number): string => new Date(h.world.now().getTime() + n * 86_400_000).toISOString();
const org = (path = ''): string => `/orgs/${h.acme.org}${path}`;
const keyHeader = (value: unknown) => ({ authorization: `Bearer ${String(value)}` });

/** A key of Ada with these permissions. */
async function keyWith(...permissions: string[]): Promise<Record<string, string>> {
  const made = await h.api('POST', org('/api-keys'), { name: 'some', permissions, expiresAt: inDays(1) });
  assert.equal(made.status, 201, made.text);
  return keyHeader(made.body['value']);
}

test('a key does only what it carries', async () => {
  const reader = await keyWith('member.read');
  assert.equal((await h.api('GET', org('/members'), undefined, reader)).status, 200);
  const refused = await h.api('GET', org('/api-keys'), undefined, reader);
  assert.deepEqual([refused.status, refused.body['code']], [403, 'org/not-permitted']);
});

test('a key cannot make a key that carries more than itself', async () => {
  const maker = await keyWith('api_key.manage');
  const wanted = { name: 'more', permissions: ['api_key.manage', 'sso.manage'], expiresAt: inDays(1) };
  const refused = await h.api('POST', org('/api-keys'), wanted, maker);
  assert.equal(refused.body['code'], 'org/key-over-scoped');
  assert.deepEqual(refused.body['permissions'], ['sso.manage']);
});

test('an admin cannot make a key that carries what only owners have', async () => {
  const admin = await h.addPerson('Amir', 'admin');
  const asAmir = { cookie: (await h.browserOf(admin.user)).cookies(new URL(h.origin)), origin: h.origin };
  const wanted = { name: 'x', permissions: ['directory.manage'], expiresAt: inDays(1) };
  assert.equal((await h.api('POST', org('/api-keys'), wanted, asAmir)).body['code'], 'org/key-over-scoped');
});

test('an expired key is refused, and no key lives longer than a year', async () => {
  const shortLived = await keyWith('org.read');
  assert.equal((await h.api('GET', org(), undefined, shortLived)).status, 200);
  h.advance(2 * 86_400_000);
  assert.equal((await h.api('GET', org(), undefined, shortLived)).body['code'], 'org/key-expired');
  for (const expiresAt of [inDays(366), inDays(-1)]) {
    const r = await h.api('POST', org('/api-keys'), { name: 'x', permissions: ['org.read'], expiresAt });
    assert.equal(r.body['code'], 'org/key-expiry');
  }
  const none = await h.api('POST', org('/api-keys'), { name: 'x', permissions: ['org.read'] });
  assert.equal(none.body['code'], 'http/invalid');
});

test('a revoked key is refused at the next request', async () => {
  const made = await h.api('POST', org('/api-keys'), { name: 'gone', permissions: ['org.read'], expiresAt: inDays(1) });
  const its = keyHeader(made.body['value']);
  assert.equal((await h.api('GET', org(), undefined, its)).status, 200);
  assert.equal((await h.api('DELETE', org(`/api-keys/${String(made.body['id'])}`))).status, 204);
  assert.equal((await h.api('GET', org(), undefined, its)).body['code'], 'org/key-revoked');
});

test('a key ends when its creator is removed or suspended, and the removal says how many ended', async () => {
  const o = await h.addPerson('Kim', 'owner');
  const asKim = { cookie: (await h.browserOf(o.user)).cookies(new URL(h.origin)), origin: h.origin };
  const wanted = { name: 'of Kim', permissions: ['org.read', 'sso.manage'], expiresAt: inDays(1) };
  const its = keyHeader((await h.api('POST', org('/api-keys'), wanted, asKim)).body['value']);
  assert.equal((await h.api('GET', org('/sso-connections'), undefined, its)).status, 200);
  await h.api('PATCH', org(`/members/${o.member}`), { role: 'admin' });
  assert.equal((await h.api('GET', org('/sso-connections'), undefined, its)).body['code'], 'org/not-permitted');
  await h.api('POST', org(`/users/${o.user}/suspend`));
  assert.equal((await h.api('GET', org(), undefined, its)).body['code'], 'org/key-orphaned');
  await h.api('POST', org(`/users/${o.user}/reactivate`));
  assert.equal((await h.api('GET', org(), undefined, its)).status, 200);
  const removed = await h.api('DELETE', org(`/members/${o.member}`));
  assert.deepEqual(removed.body, { keysEnded: 1 });
  assert.equal((await h.api('GET', org(), undefined, its)).body['code'], 'org/key-orphaned');
});

test('the value of a key is shown once and is nowhere in the database', async () => {
  const made = await h.api('POST', org('/api-keys'), { name: 'once', permissions: ['org.read'], expiresAt: inDays(1) });
  const value = String(made.body['value']);
  assert.match(value, /^ghk_[\w-]{43}$/);
  const listed = await h.api('GET', org('/api-keys?q=once'));
  assert.equal((listed.body['items'] as unknown[]).length, 1);
  assert.ok(!listed.text.includes(value));
  const rows = await h.t.super(`select to_jsonb(k)::text as row from api_key k`);
  const events = await h.t.super(`select data::text as row from audit_inbox`);
  assert.ok([...rows, ...events].every((r) => !String(r['row']).includes(value)));
});

test('the last use of a key is written down at most once a minute', async () => {
  const its = await keyWith('org.read');
  const lastUse = async (): Promise<number> => {
    const [r] = await h.t.super<{ at: Date }>(
      `select last_used_at as at from api_key where name = 'some' order by id desc limit 1`,
    );
    return r!.at.getTime();
  };
  await h.api('GET', org(), undefined, its);
  const first = await lastUse();
  h.advance(30_000);
  await h.api('GET', org(), undefined, its);
  assert.equal(await lastUse(), first);
  h.advance(31_000);
  await h.api('GET', org(), undefined, its);
  assert.ok((await lastUse()) > first);
});

test('a key is refused at another organization as if that did not exist', async () => {
  const r = await h.api('GET', `/orgs/${newId('org')}/members`);
  assert.deepEqual([r.status, r.body['code']], [404, 'org/no-such-org']);
});

for (const [what, header, code] of [
  ['no credential', undefined, 'identity/signed-out'],
  ['a key that was never given out', `Bearer ghk_${'A'.repeat(43)}`, 'identity/unknown-key'],
  ['an access token of an agent', 'Bearer eyJhbGciOiJFUzI1NiJ9.e30.x', 'identity/not-an-api-key'],
  ['basic authentication', 'Basic eDp5', 'identity/not-an-api-key'],
] as const)
  test(`the API does nothing for ${what}: ${code}`, async () => {
    const r = await h.api('GET', org(), undefined, header === undefined ? {} : { authorization: header });
    assert.deepEqual([r.status, r.body['code']], [401, code]);
  });

test('a request with a key is judged by the key alone, even beside a live cookie', async () => {
  const cookie = (await h.browserOf(h.acme.owner)).cookies(new URL(h.origin));
  const r = await h.api('GET', org(), undefined, { cookie, authorization: 'Bearer nonsense' });
  assert.equal(r.body['code'], 'identity/not-an-api-key');
});
