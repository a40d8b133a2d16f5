import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from '#dev/browser.ts';
import { signInHouse, type SignInHouse } from '#dev/sign-in-house.ts';
import { newId } from '#kernel/id.ts';

let h: SignInHouse;
before(async () => {
  h = await signInHouse();
  await h.t.super(
    `insert into domain (parent, id, name, shown, token, include_subdomains, added_at, state, since, verified_at, last_success_at, next_check_at)
     values ($1, $2, 'acme.example', 'acme.example', repeat('a', 32), false, now(), 'verified', now(), now(), now(), now() + interval '1 day')`,
    h.acme.parent,
    newId('dom'),
  );
});
after(() => h[Symbol.asyncDispose]());

const find = async (email: string): Promise<Browser> => {
  const b = await new Browser().open(`${h.origin}/sign-in?return_to=%2Fme%2Fpasskeys`);
  return b.submit('Find my way in', { email });
};

test('an address of a proven domain leads to its one identity provider, which is told the address and brings back to where one was', async () => {
  const b = await find('luca@acme.example');
  const start = `/sign-in/start/${h.sso}?return_to=%2Fme%2Fpasskeys&login_hint=luca%40acme.example`;
  assert.equal(b.headers.get('refresh'), `0; url=${start}`);
  await b.follow('Continue', { stopAt: h.idp.issuer });
  const at = new URL(b.url);
  assert.equal(at.searchParams.get('login_hint'), 'luca@acme.example');
  await h.back(b, h.idp.signIn(at, '00u-luca'));
  assert.ok(h.signedIn(b));
  assert.equal(b.url.pathname, '/me/passkeys');
});

test('the answer is of the domain alone: the same for an account and for none', async () => {
  const [known, none] = [await find('luca@acme.example'), await find('zzzz@acme.example')];
  assert.equal(none.body.replaceAll('zzzz', 'luca'), known.body);
});

test('an unknown domain, what is no address, and a choice of providers are told in words that name no provider', async () => {
  for (const email of ['x@nowhere.example', 'not an address', 'x@"><script>alert(1)</script>']) {
    const b = await find(email);
    assert.match(b.text(), /We know of no identity provider for/);
    assert.ok(!b.body.includes('<script') && b.headers.get('refresh') === null);
  }
  await h.connect(h.idp, { name: 'Second ID', clientId: 'second' });
  const several = await find('luca@acme.example');
  assert.match(several.text(), /several ways to sign in for people at acme.example/);
  assert.doesNotMatch(several.text(), /Northwind|Second ID/);
  await several.submit('Show how to sign in', { org: h.acme.org });
  assert.match(several.text(), /Sign in with Northwind ID/);
  await h.api('POST', `/orgs/${h.acme.org}/sso-connections/${h.sso}/disable`);
  assert.ok((await find('luca@acme.example')).headers.get('refresh'), 'one that is switched off is no choice');
});
