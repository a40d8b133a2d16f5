import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from '#dev/browser.ts';
import { doorHouse, type DoorHouse } from '#dev/door-house.ts';
import { displayName, people } from '#dev/people.ts';
import { startRogueIdp, type RogueIdp } from '#dev/rogue-idp.ts';
import { startStandIn } from '#dev/stand-in.ts';

let h: DoorHouse;
let idp: RogueIdp;
before(async () => {
  h = await doorHouse();
  idp = await startRogueIdp();
});
after(async () => {
  await h[Symbol.asyncDispose]();
  await idp.stop();
});

const create = (more: object = {}) =>
  h.api('POST', `/orgs/${h.acme.org}/sso-connections`, {
    name: 'Lamp ID',
    issuer: idp.issuer,
    clientId: 'gatehouse',
    clientSecret: 'a secret of the connection',
    allowPrivate: true,
    ...more,
  });

async function told<T>(differently: Record<string, unknown>, work: () => Promise<T>): Promise<T> {
  Object.assign(idp.discovery, differently);
  try {
    return await work();
  } finally {
    for (const k of Object.keys(differently)) Reflect.deleteProperty(idp.discovery, k);
  }
}

for (const [what, differently, code] of [
  ['whose discovery document names another issuer', { issuer: 'https://evil.example' }, 'identity/discovery-failed'],
  [
    'that signs with nothing but the client secret',
    { id_token_signing_alg_values_supported: ['HS256', 'none'] },
    'identity/no-safe-signature',
  ],
  ['that knows PKCE only as plain', { code_challenge_methods_supported: ['plain'] }, 'identity/no-pkce'],
  [
    'that wants a kind of client authentication that we do not have',
    { token_endpoint_auth_methods_supported: ['tls_client_auth'] },
    'identity/no-auth-method',
  ],
  ['that names no key set', { jwks_uri: undefined }, 'identity/discovery-incomplete'],
  [
    'whose token endpoint is somewhere by plain http',
    { token_endpoint: 'http://inside.example/token' },
    'egress/plain-http',
  ],
  ['whose sign-in page is a script', { authorization_endpoint: 'javascript:alert(1)' }, 'egress/scheme'],
] as const)
  test(`an identity provider ${what} is not connected: ${code}`, async () => {
    const r = await told(differently, () => create());
    assert.equal(r.body['code'], code, r.text);
  });

test('an identity provider inside a private network is asked only if the one who connects it says so', async () => {
  const asked = idp.asked.get('/.well-known/openid-configuration') ?? 0;
  const r = await create({ allowPrivate: false });
  assert.equal(r.body['code'], 'egress/plain-http');
  const tls = await create({ allowPrivate: false, issuer: idp.issuer.replace('http:', 'https:') });
  assert.equal(tls.body['code'], 'identity/discovery-failed');
  assert.match(String(tls.body['detail']), /private network/);
  assert.equal(idp.asked.get('/.well-known/openid-configuration') ?? 0, asked, 'nothing was asked');
});

test('an issuer with a query, or one that is no address, is refused', async () => {
  assert.equal((await create({ issuer: `${idp.issuer}/?x=1` })).body['code'], 'identity/issuer-form');
  assert.equal((await create({ issuer: 'lamps' })).body['code'], 'http/invalid');
});

test('a connection says what to register, never shows its secret, and is found by its issuer', async () => {
  const made = await create();
  assert.equal(made.status, 201, made.text);
  assert.equal(made.body['redirectUri'], `${h.origin}/sign-in/callback`);
  assert.ok(!made.text.includes('a secret of the connection'));
  const found = await h.api('GET', `/orgs/${h.acme.org}/sso-connections?q=${encodeURIComponent(idp.issuer)}`);
  assert.equal((found.body['items'] as unknown[]).length, 1);
  assert.ok(!found.text.includes('a secret of the connection'));
  assert.equal((await create()).body['code'], 'identity/connected-already');
});

test('an admin manages no connections', async () => {
  const admin = await h.addPerson('Adele', 'admin');
  const b = await h.browserOf(admin.user);
  await b.open(`${h.origin}/api/orgs/${h.acme.org}/sso-connections`);
  assert.match(b.body, /sso\.manage/);
  assert.equal(b.status, 403);
});

test('a discovery document is asked for again after a day; what changed is told, and an identity provider that is silent stops nobody', async () => {
  const list = await h.api('GET', `/orgs/${h.acme.org}/sso-connections`);
  const [{ id }] = list.body['items'] as [{ id: string }];
  const start = () => fetch(`${h.origin}/sign-in/start/${id}`, { redirect: 'manual' });
  h.advance(25 * 3_600_000);
  const before = idp.asked.get('/.well-known/openid-configuration') ?? 0;
  await told({ authorization_endpoint: `${idp.issuer}/authorize2` }, async () => {
    const r = await start();
    assert.match(r.headers.get('location') ?? '', /\/authorize2\?/);
  });
  assert.equal(idp.asked.get('/.well-known/openid-configuration'), before + 1);
  assert.deepEqual((await h.events('sso.discovery_changed')).at(-1)?.data['changed'], ['authorization_endpoint']);
  h.advance(25 * 3_600_000);
  await told({ issuer: 'https://evil.example' }, async () => {
    const r = await start();
    assert.match(r.headers.get('location') ?? '', /\/authorize2\?/, 'the document that was judged stays in force');
  });
});

test('people of a real OpenID provider sign in from its discovery document alone', async () => {
  const real = await startStandIn<{ url: string; client_id: string; client_secret: string }>('idp.ts', [
    '--client-id',
    'gatehouse',
    '--redirect-uri',
    `${h.origin}/sign-in/callback`,
  ]);
  try {
    const r = await create({ name: 'Northwind ID', issuer: real.ready.url, clientSecret: real.ready.client_secret });
    assert.equal(r.status, 201, r.text);
    const ada = await h.browserOf(h.acme.owner);
    await ada.submit(/Link Northwind ID/);
    await ada.follow(/Continue at/);
    await ada.submit(displayName(people.owner));
    assert.equal(ada.url.href, `${h.origin}/`);
    const later = new Browser();
    await later.open(h.origin);
    await later.follow(/Northwind ID/);
    await later.submit(displayName(people.owner));
    assert.match(later.text(), /Signed in as ada@acme.example/);
    const stranger = new Browser();
    await stranger.open(`${h.origin}/sign-in`);
    await stranger.follow(/Northwind ID/);
    await stranger.submit(displayName(people.unmapped));
    assert.match(stranger.text(), /let you through, but nobody here has given you access yet/);
  } finally {
    await real.stop();
  }
});
