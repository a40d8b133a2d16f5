import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { DOMAIN, OTHER_TENANT, PERSONAL, TENANT } from '#dev/vendors/microsoft-world.ts';
import { startMicrosoft, type MicrosoftStandIn } from '#dev/vendors/microsoft.ts';
import { inHand, REDIRECT } from '#dev/vendors/in-hand.ts';
import { GrantRefused, type Minting } from '#vault/organization-grant.ts';
import { oneDrive } from '../onedrive/manifest.ts';
import { outlook } from '../outlook/manifest.ts';
import { aadstsOf, classifyEntra, explainEntra } from './aadsts.ts';
import { CertificateFields, entraGrants } from './app-only.ts';
import { factsOf, foreignToTenant, readToken, Tenant } from './entra.ts';

async function vendorOf(t: TestContext): Promise<MicrosoftStandIn> {
  const vendor = await startMicrosoft();
  t.after(() => vendor.close());
  vendor.registerRedirect(REDIRECT);
  return vendor;
}
type Answer = { status: number; body: Record<string, unknown>; code: number | undefined };
const challenge = (v: string): string => createHash('sha256').update(v).digest('base64url');
const verifier = 'v'.repeat(43);

/** The authorization request as the vault makes it, with changes. */
async function consent(v: MicrosoftStandIn, change: Record<string, string | undefined> = {}, tenant: string = TENANT) {
  const url = new URL(`${v.origins['login']}/${tenant}/oauth2/v2.0/authorize`);
  const all = {
    client_id: v.app.clientId,
    response_type: 'code',
    redirect_uri: REDIRECT,
    scope: oneDrive.oauth?.scopes.read_only.join(' '),
    state: 's',
    code_challenge: challenge(verifier),
    code_challenge_method: 'S256',
    ...oneDrive.oauth?.authorizeParameters,
    ...change,
  };
  for (const [k, x] of Object.entries(all)) if (x !== undefined) url.searchParams.set(k, x);
  const answer = await fetch(url, { redirect: 'manual' });
  const to = answer.headers.get('location');
  const q = to === null ? undefined : new URL(to).searchParams;
  const text = q?.get('error_description') ?? (to === null ? await answer.text() : '');
  return {
    code: q?.get('code') ?? '',
    redirected: to !== null,
    says: Number(/AADSTS(\d+)/.exec(text)?.[1] ?? 0),
    error: q?.get('error') ?? undefined,
  };
}
async function ask(
  v: MicrosoftStandIn,
  form: Record<string, string | undefined>,
  tenant: string = TENANT,
): Promise<Answer> {
  const all = { client_id: v.app.clientId, client_secret: v.app.clientSecret, ...form };
  const body = new URLSearchParams();
  for (const [k, x] of Object.entries(all)) if (x !== undefined) body.set(k, x);
  const answer = await fetch(`${v.origins['login']}/${tenant}/oauth2/v2.0/token`, { method: 'POST', body });
  const json = (await answer.json()) as Record<string, unknown>;
  return { status: answer.status, body: json, code: aadstsOf(json)[0] };
}
const redeem = (v: MicrosoftStandIn, code: string, more: Record<string, string | undefined> = {}): Promise<Answer> =>
  ask(v, { grant_type: 'authorization_code', code, redirect_uri: REDIRECT, code_verifier: verifier, ...more });

for (const tenant of [
  'common',
  'organizations',
  'consumers',
  PERSONAL,
  'contoso',
  '',
  'a b.com',
  '../x.com',
  'x.com/..',
  '-a.com',
])
  test(`a connector is for one tenant, and ${JSON.stringify(tenant)} is none`, () => {
    assert.equal(Tenant.safeParse(tenant).success, false);
  });

test('a tenant is its id or its domain, without regard to case', () => {
  assert.equal(Tenant.parse(` ${TENANT.toUpperCase()}`), TENANT);
  assert.equal(Tenant.parse('Contoso.onmicrosoft.com'), 'contoso.onmicrosoft.com');
});

test('a consent gives a token, a refresh token and the tenant; a refresh gives new ones and the old refresh token goes on', async (t) => {
  const v = await vendorOf(t);
  const first = await redeem(v, (await consent(v)).code);
  const token = readToken(first.body);
  assert.deepEqual(factsOf(first.body), { tid: TENANT, oid: v.world.users[0]?.oid, upn: `ada@${DOMAIN}` });
  const asked = oneDrive.oauth?.scopes.read_only ?? [];
  assert.deepEqual(
    asked.filter((s) => !token.scopes?.includes(s)),
    [],
  );
  assert.ok((token.expiresIn ?? 0) >= 3600 && (token.expiresIn ?? 0) < 5400);
  for (let i = 0; i < 3; i++) {
    v.advance(80 * 86_400);
    const again = await ask(v, { grant_type: 'refresh_token', refresh_token: token.refreshToken });
    if (i === 0) assert.equal(again.status, 200);
    else assert.equal(again.code, 700082);
    assert.equal(classifyEntra(again.status, again.body), i === 0 ? undefined : 'reconnect');
  }
});

test('a token has every scope that the person ever consented to, whatever is asked for now', async (t) => {
  const v = await vendorOf(t);
  await redeem(v, (await consent(v, { scope: oneDrive.oauth?.scopes.read_write.join(' ') })).code);
  const less = readToken((await redeem(v, (await consent(v)).code)).body);
  assert.ok(less.scopes?.includes('Files.ReadWrite.All'));
});

for (const [what, change, says, redirected] of [
  ['an address that is not registered', { redirect_uri: 'https://evil.example/callback' }, 50011, false],
  ['an address that only begins like one', { redirect_uri: `${REDIRECT}/x` }, 50011, false],
  ['an unknown app', { client_id: TENANT }, 700016, false],
  ['a scope that Graph does not have', { scope: 'openid Files.Destroy.All' }, 650053, true],
  ['a scope of no form', { scope: 'openid https://x.example/y z' }, 70011, true],
] as const)
  test(`Entra refuses ${what}`, async (t) => {
    const v = await vendorOf(t);
    const got = await consent(v, change);
    assert.deepEqual([got.says, got.redirected, got.code], [says, redirected, '']);
  });

test('Entra refuses a person who declines, and one who needs an administrator', async (t) => {
  const v = await vendorOf(t);
  v.visitor.answer = 'deny';
  assert.deepEqual([(await consent(v)).error, (await consent(v)).says], ['access_denied', 65004]);
  v.visitor.answer = 'allow';
  v.registration.adminConsentOnly = true;
  const got = await consent(v);
  assert.equal(got.says, 90094);
  const words = explainEntra(
    { error_description: `AADSTS90094: x application with ID '${v.app.clientId}'` },
    v.settings,
  );
  assert.match(words ?? '', new RegExp(`adminconsent\\?client_id=${v.app.clientId}`));
  assert.ok((words ?? '').includes(`login.microsoftonline.com/${TENANT}/`));
  assert.ok((words ?? '').length <= 300);
});

for (const [what, more, says] of [
  ['another redirect address', { redirect_uri: 'https://x.example/' }, 500112],
  ['another verifier', { code_verifier: 'x'.repeat(43) }, 501481],
  ['no verifier', { code_verifier: undefined }, 501481],
  ['a wrong secret', { client_secret: 'wrong-secret' }, 7000215],
  ['no secret', { client_secret: undefined }, 7000218],
  ['another app', { client_id: TENANT }, 700016],
] as const)
  test(`Entra redeems no code with ${what}`, async (t) => {
    const v = await vendorOf(t);
    assert.equal((await redeem(v, (await consent(v)).code, more)).code, says);
  });

test('a code is redeemed once', async (t) => {
  const v = await vendorOf(t);
  const { code } = await consent(v);
  assert.equal((await redeem(v, code)).status, 200);
  const again = await redeem(v, code);
  assert.deepEqual([again.code, classifyEntra(again.status, again.body)], [54005, 'reconnect']);
});

test('what ends a consent is told apart from what ends an app, and from a bad day of Entra', async (t) => {
  const v = await vendorOf(t);
  const { refreshToken } = readToken((await redeem(v, (await consent(v)).code)).body);
  const refresh = (more: Record<string, string> = {}) =>
    ask(v, { grant_type: 'refresh_token', refresh_token: refreshToken, ...more });
  const expect = async (code: number, because: string, words: RegExp, more?: Record<string, string>): Promise<void> => {
    const got = await refresh(more);
    assert.deepEqual([got.code, classifyEntra(got.status, got.body)], [code, because]);
    const says = explainEntra(got.body, v.settings) ?? '';
    assert.match(says, words);
    assert.ok(says.includes(`AADSTS${code}`) && says.length <= 300, says);
  };
  v.blocked = 53003;
  await expect(53003, 'app', /Conditional Access/);
  v.blocked = 50076;
  await expect(50076, 'reconnect', /second factor/);
  v.blocked = undefined;
  await expect(7000215, 'app', /value of the secret/, { client_secret: 'wrong-secret' });
  await expect(70000, 'reconnect', /not valid any more/, { refresh_token: 'x' });
  v.withdraw('ada');
  await expect(65001, 'reconnect', /An administrator of Entra consents for everybody at https:/);
  await redeem(v, (await consent(v)).code);
  v.endGrants('ada');
  await expect(50173, 'reconnect', /password/);
  v.registration.secrets = [{ value: v.app.clientSecret, name: 'old', ends: new Date(0) }];
  await expect(7000222, 'app', /has ended; make a new one/);
  assert.equal(classifyEntra(503, { error: 'temporarily_unavailable' }), 'later');
  assert.equal(classifyEntra(400, { error: 'invalid_grant', error_description: 'AADSTS90033: x' }), 'later');
  assert.equal(classifyEntra(400, { error: 'invalid_grant' }), undefined);
});

test('an answer without a token, or with a token of another kind, is none', () => {
  for (const answer of [{}, { token_type: 'pop', access_token: 'x' }, { token_type: 'Bearer', access_token: '' }])
    assert.throws(() => readToken(answer), GrantRefused);
  assert.deepEqual(
    readToken({ token_type: 'Bearer', access_token: 'x', scope: 'https://graph.microsoft.us/Files.Read.All' }).scopes,
    ['Files.Read.All'],
  );
  for (const id_token of ['x', 'a.b.c', `a.${Buffer.from('{"tid":"../x"}').toString('base64url')}.c`])
    assert.deepEqual(factsOf({ id_token }), {});
});

test('whose account it is, is what Graph and the tenant say; personal accounts and other tenants are foreign', async (t) => {
  const v = await vendorOf(t);
  const ada = { email: `ada@${DOMAIN}`, name: 'Ada' };
  const whose = async (settings: Record<string, unknown> = {}) => {
    const { client } = await inHand(t, oneDrive, v, { settings });
    const account = await oneDrive.whoami(client);
    return { account, foreign: foreignToTenant(account, client.settings, ada) };
  };
  const own = await whose();
  assert.deepEqual(own, {
    account: { subject: v.world.users[0]?.oid, label: ada.email, email: ada.email, tenant: TENANT },
    foreign: undefined,
  });
  assert.deepEqual((await whose({ tenant: DOMAIN })).foreign, undefined);
  // A token of one tenant and an answer about another are not put together.
  v.fault = (r) =>
    r.path === '/v1.0/organization'
      ? { status: 200, body: { value: [{ id: OTHER_TENANT, verifiedDomains: [{ name: DOMAIN }] }] } }
      : undefined;
  assert.match((await whose({ tenant: DOMAIN })).foreign ?? '', /belongs to another organization/);
  v.fault = undefined;
  // Strictly, Entra lets nobody else in.
  v.visitor.account = 'mallory';
  assert.equal((await consent(v)).says, 50020);
  v.lenient = true;
  const mallory = await whose();
  assert.equal(mallory.account.tenant, OTHER_TENANT);
  assert.match(mallory.foreign ?? '', /belongs to another organization/);
  assert.match((await whose({ tenant: DOMAIN })).foreign ?? '', /belongs to another organization/);
  v.visitor.account = 'pat';
  const pat = await whose();
  assert.equal(pat.account.tenant, PERSONAL);
  assert.match(pat.foreign ?? '', /personal Microsoft account/);
  assert.match(foreignToTenant({ subject: 'x', label: 'x' }, { tenant: TENANT }, ada) ?? '', /does not say/);
});

const minting = (v: MicrosoftStandIn, fields: Minting['fields'], more: Partial<Minting> = {}): Minting => ({
  fields,
  settings: { tenant: TENANT },
  access: 'read_only',
  scopes: [],
  subject: undefined,
  narrow: undefined,
  origin: (role) => v.origins[role] ?? '',
  fetch,
  now: new Date(),
  ...more,
});
const grantOf = (kind: string) => {
  const grant = entraGrants(['organization']).find((g) => g.kind === kind);
  if (!grant) throw new Error(kind);
  return grant;
};

test('an app proves itself by certificate or secret, and the certificate says when it ends', async (t) => {
  const v = await vendorOf(t);
  for (const kind of ['entra_certificate', 'entra_secret']) {
    const grant = grantOf(kind);
    const fields = v.accounts[kind] ?? {};
    const minted = await grant.mint(minting(v, grant.fields.parse(fields)));
    assert.ok((minted.expiresIn ?? 0) > 3000);
    assert.deepEqual(minted.facts, { app: v.app.clientId });
    const shown = JSON.stringify(grant.shown(fields));
    assert.ok(shown.includes(v.app.clientId) && !shown.includes('PRIVATE') && !shown.includes(v.app.clientSecret));
  }
  const certificate = grantOf('entra_certificate');
  const ends = certificate.ends?.(v.accounts['entra_certificate'] ?? {});
  assert.equal(Math.round(((ends?.getTime() ?? 0) - Date.now()) / 86_400_000), 365);
  const last = v.seen.findLast((r) => r.body.includes('client_assertion='));
  const head = JSON.parse(
    Buffer.from(
      new URLSearchParams(last?.body.toString()).get('client_assertion')?.split('.')[0] ?? '',
      'base64url',
    ).toString(),
  );
  assert.deepEqual([head.alg, Object.keys(head).includes('x5t#S256')], ['PS256', true]);
});

test('an app without its right proof is refused, in words for an administrator', async (t) => {
  const v = await vendorOf(t);
  const fields = v.accounts['entra_certificate'] ?? {};
  const certificate = grantOf('entra_certificate');
  const no = async (kind: string, given: Minting['fields'], code: number, more: Partial<Minting> = {}): Promise<void> =>
    assert.rejects(
      grantOf(kind).mint(minting(v, given, more)),
      (e: Error) => e instanceof GrantRefused && e.because === 'app' && e.says.includes(`AADSTS${code}`),
    );
  const other = v.otherCertificate();
  await no('entra_certificate', { ...fields, ...other }, 700027);
  await no('entra_certificate', fields, 700024, { now: new Date(Date.now() - 3_600_000) });
  await no('entra_secret', { client_id: v.app.clientId, client_secret: 'wrong-secret' }, 7000215);
  await no('entra_secret', { client_id: TENANT, client_secret: 'wrong-secret' }, 700016);
  await no('entra_secret', v.accounts['entra_secret'] ?? {}, 90002, { settings: { tenant: OTHER_TENANT } });
  await no('entra_secret', v.accounts['entra_secret'] ?? {}, 1002012, {
    origin: (role) => (role === 'api' ? 'https://graph.example' : (v.origins[role] ?? '')),
  });
  v.registration.certificates = [];
  await no('entra_certificate', fields, 700027);
  v.registration.disabled = true;
  await no('entra_secret', v.accounts['entra_secret'] ?? {}, 7000112);
  const { private_key } = v.otherCertificate();
  assert.match(
    JSON.stringify(CertificateFields.safeParse({ ...fields, private_key }).error?.issues),
    /does not belong to the certificate/,
  );
  assert.equal(certificate.fields.safeParse({ ...fields, more: 1 }).success, false);
  assert.equal(
    certificate.fields.safeParse({
      ...fields,
      certificate: '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----',
    }).success,
    false,
  );
});

test('the account of an app is the app, checked by whatever Graph answers', async (t) => {
  const v = await vendorOf(t);
  const { client } = await inHand(t, outlook, v, { account: 'entra_certificate', actAs: 'organization_as_person' });
  const account = await outlook.whoami(client);
  assert.deepEqual(account, { subject: v.app.clientId, label: `app ${v.app.clientId}`, tenant: TENANT });
  v.registration.roles.add('Organization.Read.All');
  assert.equal((await outlook.whoami(client)).tenant, TENANT);
  assert.equal(foreignToTenant(account, client.settings, undefined), undefined);
});

test('when a secret ends is read where Graph tells the app, of that secret only', async (t) => {
  const v = await vendorOf(t);
  const fields = v.accounts['entra_secret'] ?? {};
  const { client } = await inHand(t, oneDrive, v, { account: 'entra_secret' });
  const ends = (given = fields) => oneDrive.givenEnds?.(client, given);
  assert.equal(await ends(), undefined);
  v.registration.roles.add('Application.Read.All');
  const [own] = v.registration.secrets;
  v.registration.secrets.push({ value: 'xyz', name: 'older', ends: new Date(0) });
  assert.equal((await ends())?.getTime(), own?.ends.getTime());
  assert.equal(await ends({ ...fields, client_secret: 'other-secret' }), undefined);
  assert.equal(await ends({ ...fields, client_id: TENANT }), undefined);
  assert.equal(await ends(v.accounts['entra_certificate']), undefined);
});

test('tools of a connector that only reads are of the class read, and every tool has what rules need', () => {
  for (const { builtin, oauth } of [oneDrive, outlook]) {
    const names = builtin?.tools.map((x) => x.name) ?? [];
    assert.equal(new Set(names).size, names.length);
    for (const tool of builtin?.tools ?? []) {
      const level = tool.class === 'read' ? oauth?.scopes.read_only : oauth?.scopes.read_write;
      assert.ok(
        tool.scopes.some((s) => level?.includes(s)),
        tool.name,
      );
      if (tool.class !== 'read') assert.ok(!tool.scopes.some((s) => oauth?.scopes.read_only.includes(s)), tool.name);
    }
  }
});
