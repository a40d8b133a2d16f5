// One house and one identity provider for all that an OpenID connection does beside the plain sign-in, which hostile-sign-in.test.ts attacks.
import assert from 'node:assert/strict';
import { after, before, mock, test } from 'node:test';
import { Browser } from '#dev/browser.ts';
import { startRogueIdp, type RogueIdp, type Says } from '#dev/rogue-idp.ts';
import { signInHouse, type SignInHouse } from '#dev/sign-in-house.ts';
import { newId } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { issuerOf } from './tenant.ts';

let h: SignInHouse;
before(async () => {
  h = await signInHouse();
});
after(() => h[Symbol.asyncDispose]());

/** A second provider whose Luca is linked already. */
async function provider(
  more: object,
  discovery: Record<string, unknown> = {},
): Promise<{ idp: RogueIdp; sso: string }> {
  const idp = await startRogueIdp();
  Object.assign(idp.discovery, discovery);
  const sso = await h.connect(idp, { matchDirectory: true, ...more });
  return { idp, sso };
}
async function through(p: { idp: RogueIdp; sso: string }, says?: Says, query = ''): Promise<{ b: Browser; at: URL }> {
  const b = new Browser();
  await b.open(`${h.origin}/sign-in/start/${p.sso}${query}`, { stopAt: p.idp.issuer });
  const at = new URL(b.url);
  await h.back(b, p.idp.signIn(at, '00u-luca', says));
  return { b, at };
}
const outcome = async (b: Browser): Promise<string> => (h.signedIn(b) ? 'signed_in' : (await h.traceOn(b)).outcome);
const connection = (sso: string) => `/orgs/${h.acme.org}/sso-connections/${sso}`;

for (const [what, says, code] of [
  ['that points to a key at an address (jku)', { signed: 'by-key-at-address' }, 'identity/bad-signature'],
  [
    'that points to a certificate at an address (x5u)',
    { signed: 'by-certificate-at-address' },
    'identity/bad-signature',
  ],
  ['that is encrypted (JWE)', { signed: 'encrypted' }, 'identity/bad-signature'],
] as const)
  test(`a token ${what} signs nobody in, and the address is not asked: ${code}`, async () => {
    const b = await h.signIn('00u-luca', says);
    assert.equal(await outcome(b), code);
    assert.deepEqual([h.idp.asked.get('/evil-jwks'), h.idp.asked.get('/evil-x5u')], [undefined, undefined]);
  });

test('an address that the provider has not verified is nobody\u2019s, also when it says so in a text', async () => {
  for (const verified of [false, 'false']) {
    const b = await h.signIn('00u-stranger', {
      claims: (c) => ({ ...c, email: 'ada@acme.example', email_verified: verified }),
    });
    assert.equal(await outcome(b), 'identity/no-account');
  }
});

test('a key set that is endless signs nobody in', async () => {
  const p = await provider({});
  p.idp.keySet.body = `{"keys":[${' '.repeat(2_000_000)}]}`;
  assert.equal(await outcome((await through(p)).b), 'identity/idp-unreachable');
  await p.idp.stop();
});

test('while a provider changes its keys people sign in with the old one and with the new one, and after that with the new one alone', async () => {
  const p = await provider({});
  assert.equal(await outcome((await through(p)).b), 'signed_in');
  try {
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 });
    await p.idp.rotate(true);
    assert.equal(await outcome((await through(p)).b), 'signed_in', 'the new key, which was not in the set that we had');
    await p.idp.rotate(false);
    assert.equal(await outcome((await through(p)).b), 'identity/bad-signature', 'not asked again within a minute');
    mock.timers.setTime(Date.now() + 61_000);
    assert.equal(await outcome((await through(p)).b), 'signed_in');
    assert.equal(await outcome((await through(p, { signed: 'by-stranger' })).b), 'identity/bad-signature');
  } finally {
    mock.timers.reset();
  }
  assert.equal(p.idp.asked.get('/jwks'), 3, 'once, and once for each key that was new');
  await p.idp.stop();
});

test('people of another tenant or hosted domain are refused, whatever address they have', async () => {
  const tid = '11111111-2222-3333-4444-555555555555';
  const p = await provider({ tenants: [tid], hostedDomains: ['acme.example'] });
  const good = { tid, hd: 'acme.example', email: 'luca@acme.example', email_verified: true };
  const as = (claims: object) => through(p, { claims: (c) => ({ ...c, ...claims }) });
  assert.equal(await outcome((await as(good)).b), 'signed_in');
  assert.equal(
    await outcome((await as({ ...good, tid: '99999999-2222-3333-4444-555555555555' })).b),
    'identity/wrong-tenant',
  );
  assert.equal(await outcome((await as({ ...good, tid: undefined })).b), 'identity/wrong-tenant');
  assert.equal(await outcome((await as({ ...good, hd: 'evil.example' })).b), 'identity/wrong-hosted-domain');
  assert.equal(await outcome((await as({ ...good, hd: undefined })).b), 'identity/wrong-hosted-domain');
  const opened = await h.api('PATCH', connection(p.sso), { hostedDomains: [] });
  assert.deepEqual([opened.status, opened.body['hostedDomains'], opened.body['tenants']], [200, [], [tid]]);
  assert.equal(await outcome((await as({ ...good, hd: undefined })).b), 'signed_in');
  assert.equal((await h.events('sso.connection_changed')).length, 1);
  await p.idp.stop();
});

test('Entra\u2019s shared endpoints become the tenant\u2019s own, and Google\u2019s one issuer needs a domain', () => {
  const tenant = '11111111-2222-3333-4444-555555555555';
  const shared = { issuer: 'https://login.microsoftonline.com/common/v2.0', hostedDomains: [] };
  assert.equal(issuerOf({ ...shared, tenants: [tenant] }), `https://login.microsoftonline.com/${tenant}/v2.0`);
  const code = (what: Parameters<typeof issuerOf>[0]): string => {
    try {
      return issuerOf(what);
    } catch (e) {
      return e instanceof Problem ? e.code : String(e);
    }
  };
  for (const tenants of [[], [tenant, tenant], ['acme']])
    assert.equal(code({ ...shared, tenants }), 'identity/tenant-needed');
  const google = { issuer: 'https://accounts.google.com', tenants: [] };
  assert.equal(code({ ...google, hostedDomains: [] }), 'identity/hosted-domain-needed');
  assert.equal(code({ ...google, hostedDomains: ['acme.example'] }), google.issuer);
  const okta = { issuer: 'https://acme.okta.com/oauth2/default', tenants: [], hostedDomains: [] };
  assert.equal(code(okta), okta.issuer);
});

test('a connection signs with a key of its own, and while it goes on to the next no sign-in fails', async () => {
  const keyed = {
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    pushed_authorization_request_endpoint: '',
  };
  const idp = await startRogueIdp();
  Object.assign(idp.discovery, keyed, { pushed_authorization_request_endpoint: `${idp.issuer}/par` });
  const sso = await h.connect(idp, { clientSecret: undefined, privateKeyJwt: true, matchDirectory: true });
  const p = { idp, sso };
  const shown = await h.api('GET', connection(sso));
  assert.deepEqual(
    [shown.body['authMethod'], shown.body['jwksUri']],
    ['private_key_jwt', `${h.origin}/api/oidc/${sso}/jwks`],
  );
  idp.clientKeys = String(shown.body['jwksUri']);
  const keys = async () =>
    ((await (await fetch(idp.clientKeys ?? '')).json()) as { keys: Record<string, string>[] }).keys;
  const before = await keys();
  assert.ok(
    before.every((k) => !('d' in k)),
    'public halves only',
  );
  assert.equal(await outcome((await through(p)).b), 'signed_in');
  assert.equal((await h.api('POST', `${connection(sso)}/client-key`)).status, 200);
  assert.equal(await outcome((await through(p)).b), 'signed_in');
  const after = await keys();
  const both = after.filter((k) => before.some((o) => o['kid'] === k['kid'] && o['x'] === k['x']));
  assert.ok(both.length >= 2, 'the key that signs now was published before it signed');
  assert.equal(new Set(idp.assertions.map((a) => a.jti)).size, idp.assertions.length, 'no assertion twice');
  assert.equal(idp.assertions.length, 4, 'pushed and redeemed, twice');
  assert.equal((await h.events('sso.client_key_used')).length, 1);
  assert.equal(
    (await h.api('PUT', `${connection(sso)}/client-secret`, { clientSecret: 'x' })).body['code'],
    'identity/no-auth-method',
  );
  await idp.stop();
});

test('a key or a pushed request that the provider does not offer cannot be chosen', async () => {
  const make = (more: object) =>
    h.api('POST', `/orgs/${h.acme.org}/sso-connections`, {
      name: 'X',
      issuer: h.idp.issuer,
      clientId: 'other',
      allowPrivate: true,
      ...more,
    });
  assert.equal((await make({ privateKeyJwt: true })).body['code'], 'identity/no-key-auth');
  assert.equal((await make({ par: 'always' })).body['code'], 'identity/no-par');
  assert.equal((await make({ privateKeyJwt: true, clientSecret: 'x' })).body['code'], 'http/invalid');
  assert.equal((await h.api('POST', `${connection(h.sso)}/client-key`)).body['code'], 'identity/no-key-auth');
  assert.equal((await h.api('PATCH', connection(h.sso), { par: 'always' })).body['code'], 'identity/no-par');
  for (const sso of [h.sso, newId('sso'), 'nothing'])
    assert.equal((await h.api('GET', `/oidc/${sso}/jwks`)).body['code'], 'identity/no-such-connection');
});

test('where the provider offers it the request is pushed, and its address says nothing of it', async () => {
  const idp = await startRogueIdp();
  Object.assign(idp.discovery, { pushed_authorization_request_endpoint: `${idp.issuer}/par` });
  const p = { idp, sso: await h.connect(idp, { matchDirectory: true }) };
  const { b, at } = await through(p);
  assert.equal(await outcome(b), 'signed_in');
  assert.deepEqual(
    [...at.searchParams.keys()].toSorted((x, y) => x.localeCompare(y)),
    ['client_id', 'request_uri'],
  );
  assert.equal(idp.askedFor(at).get('code_challenge_method'), 'S256');

  idp.refusePush = true;
  const second = await through(p);
  assert.equal(await outcome(second.b), 'signed_in', 'offered: it goes by the address then');
  assert.ok(second.at.searchParams.has('code_challenge'));
  assert.equal((await h.api('PATCH', connection(p.sso), { par: 'always' })).status, 200);
  const refused = await new Browser().open(`${h.origin}/sign-in/start/${p.sso}`, { stopAt: idp.issuer });
  assert.match(refused.body, /identity\/par-failed/);
  assert.equal((await h.api('PATCH', connection(p.sso), { par: 'never' })).status, 200);
  assert.equal(await outcome((await through(p)).b), 'signed_in');
  await idp.stop();
});

test('who is asked for a proof of now gets in with one of now only', async () => {
  const now = () => Math.floor(Date.now() / 1000);
  const p = { idp: h.idp, sso: h.sso };
  const with_ = (at: number | undefined) =>
    through(p, { claims: (c) => ({ ...c, ...(at === undefined ? {} : { auth_time: at }) }) }, '?max_age=0');
  const fresh = await with_(now());
  assert.equal(fresh.at.searchParams.get('max_age'), '0');
  assert.equal(await outcome(fresh.b), 'signed_in');
  assert.equal(await outcome((await with_(now() - 3600)).b), 'identity/stale-proof');
  assert.equal(await outcome((await with_(undefined)).b), 'identity/stale-proof');
  assert.match(await (await fetch(`${h.origin}/sign-in?max_age=0`)).text(), /max_age=0/);
});
