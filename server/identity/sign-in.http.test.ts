import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from '#dev/browser.ts';
import { SESSION_COOKIE } from './cookies.ts';
import { signInHouse, type SignInHouse, type Trace } from '#dev/sign-in-house.ts';
import { newId } from '#kernel/id.ts';
import { foundOrg } from '#org/found-org.ts';

let h: SignInHouse;
before(async () => {
  h = await signInHouse();
});
after(() => h[Symbol.asyncDispose]());

test('the session cookie is for this host alone, hidden from scripts, and kept by us only as a hash', async () => {
  const { browser, at } = await h.begun();
  const query = h.idp.signIn(at, '00u-luca');
  const r = await fetch(`${h.origin}/sign-in/callback?${query.toString()}`, {
    redirect: 'manual',
    headers: { cookie: browser.cookies(new URL(h.origin)) },
  });
  const set = r.headers.getSetCookie().find((c) => c.startsWith(`${SESSION_COOKIE}=`)) ?? '';
  const [pair = '', ...attributes] = set.split('; ');
  assert.deepEqual(attributes, ['Path=/', 'Secure', 'HttpOnly', 'SameSite=Lax', 'Max-Age=2592000']);
  const value = pair.slice(SESSION_COOKIE.length + 1);
  const rows = await h.t.super(`select to_jsonb(s)::text as row from session s`);
  assert.ok(rows.every((row) => !String(row['row']).includes(value)));
});

test('a connection that is switched off lets nobody begin, and on again it does', async () => {
  const path = `/orgs/${h.acme.org}/sso-connections/${h.sso}`;
  await h.api('POST', `${path}/disable`);
  const b = await new Browser().open(`${h.origin}/sign-in/start/${h.sso}`);
  assert.match(b.body, /identity\/connection-disabled/);
  await h.api('POST', `${path}/enable`);
  assert.ok(h.signedIn(await h.signIn('00u-luca')));
});

test('a client secret that was replaced is the one that is sent, and the old one opens no more', async () => {
  const path = `/orgs/${h.acme.org}/sso-connections/${h.sso}/client-secret`;
  assert.equal((await h.api('PUT', path, { clientSecret: 'wrong' })).status, 204);
  const b = await h.signIn('00u-luca');
  assert.equal((await h.traceOn(b)).outcome, 'identity/client-refused');
  assert.equal((await h.api('PUT', path, { clientSecret: h.idp.clientSecret })).status, 204);
  assert.ok(h.signedIn(await h.signIn('00u-luca')));
  const rows = await h.t.super(`select to_jsonb(c)::text as row from sso_connection c`);
  assert.ok(rows.every((r) => !String(r['row']).includes(h.idp.clientSecret)));
});

test('traces are found by what is in them', async () => {
  await h.signIn('00u-needle-in-hay');
  const { body } = await h.api('GET', `/orgs/${h.acme.org}/sign-ins?q=needle-in`);
  assert.equal((body['items'] as Trace[]).length, 1);
  const page = await h.api('GET', `/orgs/${h.acme.org}/sign-ins?limit=2`);
  assert.equal((page.body['items'] as Trace[]).length, 2);
  assert.ok(page.body['next']);
});

test('the sign-in page names no connection of anybody once there are two parents, and those of the organization that one names', async () => {
  const alone = await new Browser().open(`${h.origin}/sign-in`);
  assert.match(alone.text(), /Sign in with Northwind ID/);
  await foundOrg(h.world, {
    parentName: 'Rival',
    orgName: 'Rival',
    owner: { email: 'r@rival.example', displayName: 'R' },
  });
  const b = await new Browser().open(`${h.origin}/sign-in`);
  assert.ok(!b.body.includes('Northwind') && !b.body.includes('Rival'));
  await b.open(`${h.origin}/sign-in?org=${h.acme.org}`);
  assert.match(b.text(), /Sign in with Northwind ID/);
  await b.open(`${h.origin}/sign-in?org=${newId('org')}`);
  assert.match(b.text(), /no way to sign in/);
});
