import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { Browser } from '#dev/browser.ts';
import { doorHouse, type DoorHouse } from '#dev/door-house.ts';
import { newId } from '#kernel/id.ts';
import { SESSION_COOKIE } from './cookies.ts';
import { createSetupLink } from './create-setup-link.ts';
import { currentUser } from './current-user.ts';

let h: DoorHouse;
before(async () => {
  h = await doorHouse();
});
after(() => h[Symbol.asyncDispose]());

const HOUR = 3_600_000;
const headerOf = (b: Browser): string => b.cookies(new URL(h.origin));
const me = (cookie: string) => h.api('GET', '/me', undefined, { cookie });

test('a set-up link signs its owner in by a button, once; looking at it uses nothing up', async () => {
  const { url } = await createSetupLink({ ...h.ctx, now: h.world.now() }, h.acme.owner);
  const scanner = await fetch(url);
  assert.equal(scanner.headers.getSetCookie().length, 0);
  const ada = await new Browser().open(url);
  assert.match(ada.text(), /Sign in as Ada/);
  await ada.submit(/Sign in as/);
  assert.equal(ada.url.href, `${h.origin}/`);
  assert.match(ada.text(), /Acme Workspace.*primary owner/s);
  const late = await new Browser().open(url);
  assert.match(late.body, /identity\/setup-link-used/);
});

test('a set-up link that two browsers use at once lets one of them in', async () => {
  const { url } = await createSetupLink({ ...h.ctx, now: h.world.now() }, h.acme.owner);
  // Both requests have looked at the link before either may use it up.
  const lock = new pg.Client({ connectionString: h.t.superUrl });
  await lock.connect();
  await lock.query('begin; select from setup_link for update');
  const use = () => fetch(url, { method: 'POST', redirect: 'manual', headers: { origin: h.origin } });
  const both = Promise.all([use(), use()]);
  for (let waiting = 0; waiting < 2;) {
    // From another connection: within a transaction this view stands still.
    const rows = await h.t.super<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    waiting = rows[0]!.n;
  }
  await lock.query('commit');
  await lock.end();
  const statuses = (await both).map((r) => r.status).toSorted((a, b) => a - b);
  assert.deepEqual(statuses, [303, 409]);
});

test('a set-up link ends after 24 hours, and one that was never made is not there', async () => {
  const { url } = await createSetupLink({ ...h.ctx, now: h.world.now() }, h.acme.owner);
  h.advance(24 * HOUR);
  assert.match((await new Browser().open(url)).body, /identity\/setup-link-expired/);
  for (const token of ['A'.repeat(43), 'short'])
    assert.equal((await new Browser().open(`${h.origin}/setup/${token}`)).status, 404);
});

test('a page of another site cannot use a set-up link up (login CSRF)', async () => {
  const { url } = await createSetupLink({ ...h.ctx, now: h.world.now() }, h.acme.owner);
  const r = await fetch(url, { method: 'POST', redirect: 'manual', headers: { origin: 'https://evil.example' } });
  assert.match(await r.text(), /identity\/cross-site/);
  assert.equal((await fetch(url)).status, 200);
});

test('whoever is not signed in is led to sign in and back', async () => {
  const r = await fetch(`${h.origin}/?a=1&b=2`, { redirect: 'manual' });
  assert.equal(r.status, 303);
  assert.equal(r.headers.get('location'), `/sign-in?return_to=${encodeURIComponent('/?a=1&b=2')}`);
});

test('a session that is not used for 12 hours ends; one that is used goes on', async () => {
  const used = headerOf(await h.browserOf(h.acme.owner));
  const left = headerOf(await h.browserOf(h.acme.owner));
  h.advance(11 * HOUR);
  assert.equal((await me(used)).status, 200);
  h.advance(HOUR);
  assert.equal((await me(used)).status, 200);
  assert.equal((await me(left)).body['code'], 'identity/session-ended');
});

test('a session ends after seven days, however busy it is', async () => {
  const cookie = headerOf(await h.browserOf(h.acme.owner));
  for (let i = 0; i < 16; i++) {
    assert.equal((await me(cookie)).status, 200, `after ${i * 10.4} hours`);
    h.advance(10.4 * HOUR);
  }
  assert.equal((await me(cookie)).status, 200, 'just before');
  h.advance(2 * HOUR);
  assert.equal((await me(cookie)).body['code'], 'identity/session-ended');
});

test('signing out ends the session itself, not only the cookie', async () => {
  const b = await h.browserOf(h.acme.owner);
  const cookie = headerOf(b);
  await b.submit('Sign out');
  assert.equal(b.url.pathname, '/sign-in');
  assert.equal((await me(cookie)).body['code'], 'identity/session-ended');
  const told = (await h.events('session.ended')).at(-1);
  assert.equal(told?.data['why'], 'signed_out');
});

test('a person sees their own browsers and ends one of them, and nobody else’s', async () => {
  const ben = await h.addPerson('Ben', 'user');
  const one = headerOf(await h.browserOf(ben.user));
  const two = headerOf(await h.browserOf(ben.user));
  const ada = headerOf(await h.browserOf(h.acme.owner));
  const { body } = await h.api('GET', '/me/sessions', undefined, { cookie: one });
  const items = body['items'] as { id: string; current: boolean }[];
  assert.deepEqual(
    items.map((s) => s.current),
    [false, true],
  );
  const other = items.find((s) => !s.current)!.id;
  const from = { origin: h.origin };
  const foreign = await h.api('DELETE', `/me/sessions/${other}`, undefined, { cookie: ada, ...from });
  assert.deepEqual([foreign.status, foreign.body['code']], [404, 'identity/no-such-session']);
  assert.equal((await me(two)).status, 200);
  assert.equal((await h.api('DELETE', `/me/sessions/${other}`, undefined, { cookie: one, ...from })).status, 204);
  assert.equal((await me(two)).body['code'], 'identity/session-ended');
});

test('an API key is no person and has no sessions', async () => {
  assert.equal((await h.api('GET', '/me/sessions')).body['code'], 'identity/not-a-person');
});

test('a cookie that is there twice counts for nothing', async () => {
  const cookie = headerOf(await h.browserOf(h.acme.owner));
  assert.equal((await me(`${cookie}; ${cookie}`)).body['code'], 'identity/signed-out');
});

for (const [what, headers, fine] of [
  ['of our own page', { 'sec-fetch-site': 'same-origin', origin: 'ours' }, true],
  ['of our own page, which sends no referrer', { 'sec-fetch-site': 'same-origin', origin: 'null' }, true],
  ['of our own page in an old browser', { origin: 'ours' }, true],
  ['of another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, false],
  ['of another site that hides its origin', { 'sec-fetch-site': 'cross-site', origin: 'null' }, false],
  ['of a neighbour on another subdomain', { 'sec-fetch-site': 'same-site', origin: 'https://evil.localhost' }, false],
  ['of another port of this host', { 'sec-fetch-site': 'same-site', origin: 'http://localhost:1' }, false],
  ['of a sandboxed frame in an old browser', { origin: 'null' }, false],
  ['of whoever says nothing', {}, false],
  ['that contradicts itself', { 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' }, false],
] as const)
  test(`a change with a cookie from a request ${what} is ${fine ? 'taken' : 'refused'}`, async () => {
    const cookie = headerOf(await h.browserOf(h.acme.owner));
    const sent: Record<string, string> = { cookie };
    for (const [k, v] of Object.entries(headers)) sent[k] = v === 'ours' ? h.origin : v;
    const r = await h.api('PATCH', `/orgs/${h.acme.org}`, { name: `Acme ${newId('org')}` }, sent);
    if (fine) assert.equal(r.status, 200, r.text);
    else assert.deepEqual([r.status, r.body['code']], [403, 'identity/cross-site']);
    if (!fine) assert.equal((await h.api('GET', '/me', undefined, sent)).status, 200, 'reading is not changing');
  });

test('currentUser knows the person behind a cookie until they are suspended', async () => {
  const p = await h.addPerson('Cora', 'user');
  const cookie = headerOf(await h.browserOf(p.user));
  const found = await currentUser(h.world, cookie);
  assert.equal(found?.user, p.user);
  assert.equal(found?.parent, h.acme.parent);
  await h.api('POST', `/orgs/${h.acme.org}/users/${p.user}/suspend`);
  assert.equal(await currentUser(h.world, cookie), undefined);
  assert.equal(await currentUser(h.world, undefined), undefined);
  assert.equal(await currentUser(h.world, `${SESSION_COOKIE}=${'x'.repeat(43)}`), undefined);
});

test('a suspended person cannot use a set-up link', async () => {
  const p = await h.addPerson('Dora', 'user');
  const { url } = await createSetupLink({ ...h.ctx, now: h.world.now() }, p.user);
  await h.api('POST', `/orgs/${h.acme.org}/users/${p.user}/suspend`);
  const r = await fetch(url, { method: 'POST', redirect: 'manual', headers: { origin: h.origin } });
  assert.match(await r.text(), /identity\/suspended/);
});

test('the pages carry no script and cannot be framed', async () => {
  const r = await fetch(`${h.origin}/sign-in`);
  const policy = r.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.equal(r.headers.get('cache-control'), 'no-store');
});
