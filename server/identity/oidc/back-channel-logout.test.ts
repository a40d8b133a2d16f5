import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from '#dev/browser.ts';
import { startRogueIdp, type RogueIdp, type Says } from '#dev/rogue-idp.ts';
import { signInHouse, type SignInHouse } from '#dev/sign-in-house.ts';
import { newId } from '#kernel/id.ts';

let h: SignInHouse;
before(async () => {
  h = await signInHouse();
  const { user } = await h.addPerson('Mara', 'user');
  await h.inDirectory('00u-mara', user);
});
after(() => h[Symbol.asyncDispose]());

const sub = '00u-luca';
const sid = (value: string): Says => ({ claims: (c) => ({ ...c, sid: value }) });
const alive = async (b: Browser): Promise<boolean> =>
  (await h.api('GET', '/me', undefined, { cookie: b.cookies(new URL(h.origin)) })).status === 200;
const uri = (sso = h.sso): string => `${h.origin}/api/oidc/${sso}/back-channel-logout`;
async function send(token: string, to = uri()): Promise<{ status: number; code: unknown }> {
  const r = await fetch(to, { method: 'POST', body: new URLSearchParams({ logout_token: token }) });
  const text = await r.text();
  return { status: r.status, code: text === '' ? undefined : (JSON.parse(text) as { code: string }).code };
}
const said = (more: object, idp: RogueIdp = h.idp) => idp.logoutToken((c) => ({ ...c, ...more }));

test('a logout token that names a session ends that one and no other, at once', async () => {
  const [one, two] = [await h.signIn(sub, sid('s-1')), await h.signIn(sub, sid('s-2'))];
  const hers = await h.signIn('00u-mara', sid('s-1'));
  const at = performance.now();
  assert.equal((await send(await said({ sub, sid: 's-1' }))).status, 200);
  assert.deepEqual([await alive(one), await alive(two), await alive(hers)], [false, true, true]);
  assert.ok(performance.now() - at < 1000);
  const told = (await h.events('sso.logged_out')).at(-1)?.data as { sessions: string[]; users: string[] };
  assert.deepEqual([told.sessions.length, told.users], [1, [h.luca]]);
});

test('a logout token that names a person ends all their sessions of this provider, and none of another or of a set-up link', async () => {
  const idp = await startRogueIdp();
  const other = await h.connect(idp, { matchDirectory: true });
  const byLink = await h.browserOf(h.luca);
  const [one, two, hers] = [await h.signIn(sub), await h.signIn(sub, sid('s-3')), await h.signIn('00u-mara')];
  assert.equal((await send(await said({ sub }, idp), uri(other))).status, 200);
  assert.deepEqual([await alive(one), await alive(two)], [true, true], 'the other provider has no session here');
  assert.equal((await send(await said({ sub }))).status, 200);
  assert.deepEqual(
    [await alive(one), await alive(two), await alive(hers), await alive(byLink)],
    [false, false, true, true],
  );
  await idp.stop();
});

test('a logout token that ends nothing is taken, and the log says nothing', async () => {
  const before = (await h.events('sso.logged_out')).length;
  assert.equal((await send(await said({ sub: 'nobody-here' }))).status, 200);
  assert.equal((await h.events('sso.logged_out')).length, before);
});

const now = () => Math.floor(Date.now() / 1000);
const refusals: [string, (b: Browser) => Promise<string>, string][] = [
  ['with a nonce', () => said({ sub, nonce: 'x' }), 'identity/logout-nonce'],
  ['with an empty nonce', () => said({ sub, nonce: '' }), 'identity/logout-nonce'],
  ['without the event, as an ID token is', () => said({ sub, events: undefined }), 'identity/logout-claims'],
  ['of another event', () => said({ sub, events: { 'urn:other': {} } }), 'identity/logout-claims'],
  [
    'whose event is not an object',
    () => said({ sub, events: { 'http://schemas.openid.net/event/backchannel-logout': 1 } }),
    'identity/logout-claims',
  ],
  ['of another issuer', () => said({ sub, iss: 'https://evil.example' }), 'identity/logout-claims'],
  ['for another application', () => said({ sub, aud: 'other' }), 'identity/logout-claims'],
  ['without jti', () => said({ sub, jti: undefined }), 'identity/logout-claims'],
  ['without iat', () => said({ sub, iat: undefined }), 'identity/logout-claims'],
  ['that names nobody', () => said({}), 'identity/logout-claims'],
  ['from the future', () => said({ sub, iat: now() + 600, exp: now() + 700 }), 'identity/logout-claims'],
  ['that has expired', () => said({ sub, iat: now() - 300, exp: now() - 120 }), 'identity/logout-expired'],
  ['that was kept for an hour', () => said({ sub, iat: now() - 3600, exp: now() + 3600 }), 'identity/logout-expired'],
  [
    'of the type of an access token',
    () => h.idp.logoutToken((c) => ({ ...c, sub }), 'rightly', 'at+jwt'),
    'identity/logout-claims',
  ],
  ['signed by a stranger', () => h.idp.logoutToken((c) => ({ ...c, sub }), 'by-stranger'), 'identity/logout-signature'],
  [
    'signed by a key that it brings along',
    () => h.idp.logoutToken((c) => ({ ...c, sub }), 'by-embedded-key'),
    'identity/logout-signature',
  ],
  [
    'signed by a key that is not in the key set',
    () => h.idp.logoutToken((c) => ({ ...c, sub }), 'unknown-kid'),
    'identity/logout-signature',
  ],
  [
    'signed with the client secret',
    () => h.idp.logoutToken((c) => ({ ...c, sub }), 'with-secret'),
    'identity/logout-signature',
  ],
  ['signed by nobody', () => h.idp.logoutToken((c) => ({ ...c, sub }), 'none'), 'identity/logout-signature'],
  ['that is no token', () => Promise.resolve('hello'), 'identity/logout-unreadable'],
];
for (const [what, make, code] of refusals)
  test(`a logout token ${what} ends nothing: ${code}`, async () => {
    const b = await h.signIn(sub);
    assert.deepEqual(await send(await make(b)), { status: 400, code });
    assert.ok(await alive(b));
  });

test('a logout token works once: who was signed out and in again is not signed out by the same one, however many arrive at once', async () => {
  const b = await h.signIn(sub);
  const token = await said({ sub });
  const answers = await Promise.all([send(token), send(token), send(token)]);
  assert.deepEqual(
    answers.map((a) => a.status).toSorted((x, y) => x - y),
    [200, 400, 400],
  );
  assert.ok(answers.every((a) => a.status === 200 || a.code === 'identity/logout-replayed'));
  assert.ok(!(await alive(b)));
  const again = await h.signIn(sub);
  assert.equal((await send(token)).code, 'identity/logout-replayed');
  assert.ok(await alive(again));
});

test('a logout token to a connection that is not there, or whose keys cannot be asked for, ends nothing', async () => {
  for (const sso of [newId('sso'), 'nothing'])
    assert.deepEqual(await send(await said({ sub }), uri(sso)), { status: 404, code: 'identity/no-such-connection' });
  for (const unusable of ['endless', 'gone'] as const) {
    const idp = await startRogueIdp();
    const sso = await h.connect(idp);
    const token = await said({ sub }, idp);
    if (unusable === 'gone') await idp.stop();
    else idp.keySet.body = `{"keys":[${' '.repeat(2_000_000)}]}`;
    try {
      assert.deepEqual(await send(token, uri(sso)), { status: 502, code: 'identity/logout-no-keys' }, unusable);
    } finally {
      if (unusable === 'endless') await idp.stop();
    }
  }
});
