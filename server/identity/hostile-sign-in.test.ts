import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from '#dev/browser.ts';
import type { Says } from '#dev/rogue-idp.ts';
import { signInHouse, type SignInHouse } from '#dev/sign-in-house.ts';
import { BROWSER_COOKIE, SESSION_COOKIE } from './cookies.ts';

let h: SignInHouse;
before(async () => {
  h = await signInHouse();
});
after(() => h[Symbol.asyncDispose]());

const lies: [string, Says, string, string][] = [
  ['of another issuer', { claims: (c) => ({ ...c, iss: 'https://evil.example' }) }, 'claims', 'identity/wrong-issuer'],
  ['for another application', { claims: (c) => ({ ...c, aud: 'other' }) }, 'claims', 'identity/wrong-audience'],
  [
    'for several applications without azp',
    { claims: (c) => ({ ...c, aud: ['gatehouse', 'other'] }) },
    'claims',
    'identity/wrong-audience',
  ],
  [
    'for several, authorized to another',
    { claims: (c) => ({ ...c, aud: ['gatehouse', 'other'], azp: 'other' }) },
    'claims',
    'identity/wrong-party',
  ],
  ['for us, authorized to another', { claims: (c) => ({ ...c, azp: 'other' }) }, 'claims', 'identity/wrong-party'],
  ['that has expired', { claims: (c) => ({ ...c, exp: Number(c['iat']) - 120 }) }, 'claims', 'identity/token-expired'],
  [
    'that is not valid yet',
    { claims: (c) => ({ ...c, nbf: Number(c['iat']) + 600 }) },
    'claims',
    'identity/token-not-yet-valid',
  ],
  [
    'from the future',
    { claims: (c) => ({ ...c, iat: Number(c['iat']) + 600, exp: Number(c['iat']) + 900 }) },
    'claims',
    'identity/issued-in-future',
  ],
  [
    'with the nonce of another sign-in',
    { claims: (c) => ({ ...c, nonce: 'other' }) },
    'claims',
    'identity/wrong-nonce',
  ],
  ['without a nonce', { claims: ({ ...c }) => (delete c['nonce'], c) }, 'claims', 'identity/wrong-nonce'],
  ['without a subject', { claims: ({ ...c }) => (delete c['sub'], c) }, 'token', 'identity/token-unreadable'],
  ['with an empty subject', { claims: (c) => ({ ...c, sub: '' }) }, 'claims', 'identity/bad-subject'],
  [
    'with a subject of 300 letters',
    { claims: (c) => ({ ...c, sub: 'x'.repeat(300) }) },
    'claims',
    'identity/bad-subject',
  ],
  ['signed by nobody (alg none)', { signed: 'none' }, 'token', 'identity/bad-algorithm'],
  ['signed with the client secret (HS256)', { signed: 'with-secret' }, 'token', 'identity/bad-algorithm'],
  ['signed by a stranger', { signed: 'by-stranger' }, 'token', 'identity/bad-signature'],
  ['signed by a key that it brings along', { signed: 'by-embedded-key' }, 'token', 'identity/bad-signature'],
  ['signed by a key that is not in the key set', { signed: 'unknown-kid' }, 'token', 'identity/bad-signature'],
  [
    'that is not there',
    { instead: { status: 200, body: '{"access_token":"x","token_type":"Bearer"}' } },
    'token',
    'identity/token-unreadable',
  ],
  [
    'that is HTML',
    { instead: { status: 200, body: '<p>hello</p>', type: 'text/html' } },
    'token',
    'identity/token-unreadable',
  ],
  ['that is endless', { instead: { status: 200, body: ' '.repeat(2_000_000) } }, 'token', 'identity/idp-unreachable'],
  [
    'that is a redirect to somewhere inside',
    { instead: { status: 302, body: '' } },
    'token',
    'identity/token-unreadable',
  ],
];
for (const [what, says, stage, code] of lies)
  test(`a token ${what} signs nobody in: ${code}`, async () => {
    const b = await h.signIn('00u-luca', says);
    assert.ok(!h.signedIn(b));
    const trace = await h.traceOn(b);
    assert.deepEqual(
      [trace.outcome, trace.stages.at(-1)?.['stage'], trace.user],
      [code, stage, null],
      JSON.stringify(trace),
    );
    const told = (await h.events('sign_in.refused')).at(-1);
    assert.equal(told?.data['code'], code);
  });

test('an answer of another identity provider, or of one that does not say which it is, is refused (RFC 9207)', async () => {
  for (const iss of ['https://evil.example', undefined]) {
    const b = await h.signIn('00u-luca', {
      back(q) {
        if (iss) q.set('iss', iss);
        else q.delete('iss');
        return q;
      },
    });
    assert.ok(!h.signedIn(b));
    assert.equal((await h.traceOn(b)).outcome, 'identity/wrong-response-issuer');
  }
});

test('a state that was never given out finds nothing, and leaves nothing', async () => {
  const { browser, at } = await h.begun();
  const query = h.idp.signIn(at, '00u-luca');
  query.set('state', 'A'.repeat(43));
  await h.back(browser, query);
  assert.ok(!h.signedIn(browser));
  assert.match(browser.body, /identity\/unknown-attempt/);
  await h.back(browser, new URLSearchParams());
  assert.match(browser.body, /identity\/unknown-attempt/);
});

test('an answer works once: the same address again signs nobody in', async () => {
  const { browser, at } = await h.begun();
  const query = h.idp.signIn(at, '00u-luca');
  await h.back(browser, query);
  assert.ok(h.signedIn(browser));
  const copy = new Browser();
  await h.back(copy, query);
  assert.ok(!h.signedIn(copy));
  assert.match(copy.body, /identity\/unknown-attempt/);
});

test('an answer that is opened twice at the same moment is taken once', async () => {
  const { browser, at } = await h.begun();
  const query = h.idp.signIn(at, '00u-luca');
  const open = () =>
    fetch(`${h.origin}/sign-in/callback?${query.toString()}`, {
      redirect: 'manual',
      headers: { cookie: browser.cookies(new URL(h.origin)) },
    });
  const statuses = (await Promise.all([open(), open()])).map((r) => r.status).toSorted((a, b) => a - b);
  assert.deepEqual(statuses, [303, 400]);
});

test('nobody is signed in by an answer that another browser fetched (login CSRF)', async () => {
  const mallory = await h.begun();
  const query = h.idp.signIn(mallory.at, '00u-luca');
  const victim = new Browser();
  await h.back(victim, query);
  assert.ok(!h.signedIn(victim));
  assert.equal((await h.traceOn(victim)).outcome, 'identity/other-browser');
  const other = await h.begun();
  const query2 = h.idp.signIn((await h.begun()).at, '00u-luca');
  await h.back(other.browser, query2);
  assert.ok(!h.signedIn(other.browser), 'a browser with a sign-in of its own under way is another browser, too');
});

test('a code of another sign-in is worth nothing in this one (code injection)', async () => {
  const stolen = h.idp.signIn((await h.begun()).at, '00u-luca').get('code')!;
  const { browser, at } = await h.begun();
  const query = h.idp.signIn(at, '00u-mallory');
  query.set('code', stolen);
  await h.back(browser, query);
  assert.ok(!h.signedIn(browser));
  const trace = await h.traceOn(browser);
  assert.equal(trace.outcome, 'identity/code-refused');
  assert.match(trace.stages.at(-1)?.['found'] ?? '', /invalid_grant/);
});

test('a parameter that is there twice is refused', async () => {
  const { browser, at } = await h.begun();
  const query = h.idp.signIn(at, '00u-luca');
  query.append('code', 'other');
  await h.back(browser, query);
  assert.match(browser.body, /http\/query-duplicate/);
});

test('an error of the identity provider is shown in plain words, its text only in the trace', async () => {
  const b = await h.signIn('00u-luca', {
    back: (q) =>
      new URLSearchParams({
        state: q.get('state')!,
        iss: q.get('iss')!,
        error: 'access_denied',
        error_description: '<b>no</b>',
      }),
  });
  assert.ok(!b.body.includes('<b>no'));
  const trace = await h.traceOn(b);
  assert.equal(trace.outcome, 'identity/idp-denied');
  assert.equal(trace.stages.at(-1)?.['found'], 'access_denied: <b>no</b>');
});

test('a sign-in that took more than 15 minutes is refused', async () => {
  const { browser, at } = await h.begun();
  const query = h.idp.signIn(at, '00u-luca');
  h.advance(15 * 60_000 + 1000);
  await h.back(browser, query);
  assert.ok(!h.signedIn(browser));
  assert.equal((await h.traceOn(browser)).outcome, 'identity/attempt-expired');
});

test('two tabs of one browser can sign in side by side, and the second ends the session of the first', async () => {
  const browser = new Browser();
  const one = await h.begun('/?tab=1', browser);
  const two = await h.begun('/?tab=2', browser);
  await h.back(browser, h.idp.signIn(one.at, '00u-luca'));
  assert.equal(browser.url.search, '?tab=1');
  const first = h.cookieOf(browser, SESSION_COOKIE);
  await h.back(browser, h.idp.signIn(two.at, '00u-luca'));
  assert.equal(browser.url.search, '?tab=2');
  const r = await h.api('GET', '/me', undefined, { cookie: `${SESSION_COOKIE}=${first}` });
  assert.equal(r.body['code'], 'identity/session-ended');
});

test('a session cookie that was planted before signing in is not the one after it (fixation)', async () => {
  const planted = 'P'.repeat(43);
  const { browser, at } = await h.begun();
  const query = h.idp.signIn(at, '00u-luca');
  const r = await fetch(`${h.origin}/sign-in/callback?${query.toString()}`, {
    redirect: 'manual',
    headers: { cookie: `${browser.cookies(new URL(h.origin))}; ${SESSION_COOKIE}=${planted}` },
  });
  assert.equal(r.status, 303);
  assert.ok(!r.headers.getSetCookie().some((c) => c.includes(planted)));
  const me = await h.api('GET', '/me', undefined, { cookie: `${SESSION_COOKIE}=${planted}` });
  assert.equal(me.body['code'], 'identity/signed-out');
});

for (const where of [
  '//evil.example',
  '/\\evil.example',
  'https://evil.example/',
  '/\tevil',
  '\\\\evil.example',
  '/a\nb',
  'javascript:alert(1)',
])
  test(`after signing in nobody is sent to ${JSON.stringify(where)}`, async () => {
    const query = `return_to=${encodeURIComponent(where)}`;
    for (const path of [`/sign-in?${query}`, `/sign-in/start/${h.sso}?${query}`]) {
      const r = await fetch(h.origin + path, { redirect: 'manual' });
      assert.equal(r.status, 400);
      assert.match(await r.text(), /identity\/return-path/);
    }
  });

test('the cookie of a browser that signs in is not its session', async () => {
  const { browser } = await h.begun();
  const value = h.cookieOf(browser, BROWSER_COOKIE);
  assert.ok(value);
  const r = await h.api('GET', '/me', undefined, { cookie: `${SESSION_COOKIE}=${value}` });
  assert.equal(r.body['code'], 'identity/signed-out');
});
