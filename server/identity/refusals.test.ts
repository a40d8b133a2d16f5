import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from '#dev/browser.ts';
import { signInHouse, type SignInHouse } from '#dev/sign-in-house.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Secret } from '#kernel/secret.ts';
import { createApiKey } from '#org/create-api-key.ts';
import { foundOrg } from '#org/found-org.ts';
import { keyPermissions } from '#org/api-key.ts';
import { systemCtx } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import { newSecret } from './cookies.ts';
import { replaceClientSecret } from './replace-client-secret.ts';
import { safeDiscovery } from './sso-connection.ts';

let h: SignInHouse;
before(async () => {
  h = await signInHouse();
});
after(() => h[Symbol.asyncDispose]());

const org = (path: string): string => `/orgs/${h.acme.org}${path}`;

for (const error of ['login_required', 'server_error', 'invalid_scope'])
  test(`the error ${error} of an identity provider signs nobody in, and the trace has its words: identity/idp-refused`, async () => {
    const b = await h.signIn('00u-luca', {
      back: (q) =>
        new URLSearchParams({
          state: q.get('state')!,
          iss: q.get('iss')!,
          error,
          error_description: 'its <i>words</i>',
        }),
    });
    assert.ok(!h.signedIn(b));
    assert.match(b.text(), /the identity provider answered with an error/i);
    assert.match(b.text(), /whoever manages sign-in in your organization can see with the number below/i);
    assert.ok(!b.body.includes('its <i>words'));
    const trace = await h.traceOn(b);
    assert.equal(trace.outcome, 'identity/idp-refused');
    assert.equal(trace.stages.at(-1)?.['found'], `${error}: its <i>words</i>`);
  });

test('an answer with neither a code nor an error signs nobody in, and the trace says what came: identity/no-code', async () => {
  for (const code of [undefined, '']) {
    const asked = h.idp.asked.get('/token') ?? 0;
    const b = await h.signIn('00u-luca', {
      back(q) {
        if (code === undefined) q.delete('code');
        else q.set('code', code);
        return q;
      },
    });
    assert.ok(!h.signedIn(b));
    assert.match(b.text(), /sent you back without a code/);
    assert.match(b.text(), /begin again at \/sign-in/i);
    const last = (await h.traceOn(b)).stages.at(-1);
    assert.deepEqual([last?.['code'], last?.['expected']], ['identity/no-code', 'code, state']);
    assert.match(String(last?.['found']), /state, iss/);
    assert.equal(h.idp.asked.get('/token') ?? 0, asked, 'the identity provider is asked for nothing');
  }
});

test('an issuer that its own document spells differently is refused with both spellings: identity/issuer-mismatch', async () => {
  const issuer = h.idp.issuer.replace('http:', 'HTTP:');
  const body = { name: 'Other', issuer, clientId: 'another', clientSecret: 'x', allowPrivate: true };
  const r = await h.api('POST', org('/sso-connections'), body);
  assert.deepEqual([r.status, r.body['code']], [400, 'identity/issuer-mismatch'], r.text);
  assert.equal(r.body['detail'], `the discovery document of ${issuer} says that its issuer is ${h.idp.issuer}`);
  assert.equal(r.body['fix'], 'enter the issuer exactly as the identity provider states it');
});

test('the address at which a vendor serves every tenant is refused, with the next step: identity/issuer-mismatch', () => {
  const common = 'https://login.microsoftonline.com/common/v2.0';
  const found = {
    issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
    authorization_endpoint: `${common}/authorize`,
    token_endpoint: `${common}/token`,
    jwks_uri: `${common}/keys`,
    id_token_signing_alg_values_supported: ['RS256'],
  };
  assert.throws(
    () => safeDiscovery(found, common),
    (e) =>
      e instanceof Problem &&
      e.code === 'identity/issuer-mismatch' &&
      e.fix === 'use the issuer of your own tenant, with its id in the address',
  );
});

test('a set-up link that nobody made, or that lost a letter, signs nobody in: identity/no-setup-link', async () => {
  for (const token of [newSecret(), newSecret().slice(1), 'x']) {
    const b = await new Browser().open(`${h.origin}/setup/${token}`);
    assert.equal(b.status, 404);
    assert.match(b.body, /identity\/no-setup-link/);
    assert.match(b.text(), /there is no such set-up link/i);
    assert.match(b.text(), /check that the address is whole; whoever runs this deployment can make another/i);
    const post = await fetch(`${h.origin}/setup/${token}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: h.origin, 'content-type': 'application/x-www-form-urlencoded' },
      body: '',
    });
    assert.deepEqual([post.status, post.headers.getSetCookie()], [404, []], await post.text());
  }
});

/** An organization of another parent, and its key. */
async function stranger(): Promise<{ org: Id<'org'>; key: Record<string, string> }> {
  const owner = { email: 'o@other.example', displayName: 'O' };
  const f = await foundOrg(h.world, { parentName: 'Other', orgName: 'Other', owner });
  const expiresAt = new Date(h.world.now().getTime() + 86_400_000);
  const ctx = { ...systemCtx(h.world, 'test', f), org: f.org };
  const key = await createApiKey(ctx, { name: 'k', permissions: keyPermissions, expiresAt, creator: f.owner });
  return { org: f.org, key: { authorization: `Bearer ${key.value}` } };
}

test('a way to sign in of another organization, or none, is neither shown nor changed: identity/no-such-connection', async () => {
  const other = await stranger();
  for (const [where, id, headers] of [
    [other.org, h.sso, other.key],
    [h.acme.org, newId('sso'), undefined],
    [h.acme.org, 'okta', undefined],
  ] as const)
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['POST', '/disable', undefined],
      ['POST', '/enable', undefined],
      ['PUT', '/client-secret', { clientSecret: 'of a stranger' }],
    ] as const) {
      const r = await h.api(method, `/orgs/${where}/sso-connections/${id}${path}`, body, headers);
      assert.deepEqual([r.status, r.body['code']], [404, 'identity/no-such-connection'], `${method} ${path} ${r.text}`);
      assert.deepEqual([r.body['detail'], r.body['fix']], ['there is no such way to sign in', 'begin at /sign-in']);
    }
  for (const id of [newId('sso'), 'okta']) {
    const r = await fetch(`${h.origin}/sign-in/start/${id}`, { redirect: 'manual' });
    assert.equal(r.status, 404);
    assert.match(await r.text(), /identity\/no-such-connection/);
  }
  assert.ok(h.signedIn(await h.signIn('00u-luca')), 'the secret is the one that it was');
});

test('the trace of a sign-in of another organization is answered like one that is not there: identity/no-such-trace', async () => {
  const b = await h.signIn('00u-luca', { signed: 'none' });
  const id = /sgn_[0-9a-f]{32}/.exec(b.body)?.[0];
  assert.equal((await h.traceOn(b)).outcome, 'identity/bad-algorithm', 'its own organization sees it');
  const other = await stranger();
  for (const [where, it, headers] of [
    [other.org, id, other.key],
    [h.acme.org, newId('sgn'), undefined],
    [h.acme.org, 'last', undefined],
  ] as const) {
    const r = await h.api('GET', `/orgs/${where}/sign-ins/${it}`, undefined, headers);
    assert.deepEqual([r.status, r.body['code']], [404, 'identity/no-such-trace'], r.text);
    assert.equal(r.body['detail'], 'there is no such sign-in in this organization');
  }
});

test('of two who replace a client secret at the same time the later one is told, and the first secret stands: identity/secret-replaced-meanwhile', async () => {
  const id = h.sso as Id<'sso'>;
  const ctx = { ...h.ctx, now: h.world.now() };
  // While the first one's secret is being sealed, somebody else enters theirs.
  const { seal } = h.world;
  const slow = {
    ...seal,
    async seal(...args: Parameters<typeof seal.seal>) {
      await replaceClientSecret(ctx, id, new Secret(h.idp.clientSecret));
      return seal.seal(...args);
    },
  };
  await assert.rejects(
    replaceClientSecret({ ...ctx, seal: slow }, id, new Secret('too late')),
    (e) =>
      e instanceof Problem &&
      e.kind === 'stale' &&
      e.code === 'identity/secret-replaced-meanwhile' &&
      /somebody else has replaced the secret/.test(e.says) &&
      /check which secret is right and enter it again/.test(e.fix ?? ''),
  );
  assert.ok(h.signedIn(await h.signIn('00u-luca')));
  assert.equal((await h.events('sso.secret_replaced')).length, 1);
});
