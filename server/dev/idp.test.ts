import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as oidc from 'openid-client';
import { signInAtIdp } from './idp-visitor.ts';
import { everybody, groupNames, people } from './people.ts';
import { startStandIn, type StandIn } from './stand-in.ts';

type Ready = { url: string; issuer: string; client_id: string; client_secret: string };
const callback = 'http://127.0.0.1:9/callback';
let idp: StandIn<Ready>;
before(async () => {
  idp = await startStandIn<Ready>('idp.ts', ['--redirect-uri', callback, '--client-secret', 'lamp-secret']);
});
after(() => idp.stop());

const discovered = (secret = idp.ready.client_secret): Promise<oidc.Configuration> =>
  oidc.discovery(new URL(idp.ready.issuer), idp.ready.client_id, secret, undefined, {
    execute: [oidc.allowInsecureRequests],
  });

async function started(config: oidc.Configuration, redirect = callback) {
  const verifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirect,
    scope: 'openid email profile groups',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
  });
  return { url, verifier, state };
}

for (const person of everybody)
  test(`the stand-in IdP says who ${person.given} is, in a verified ID token with e-mail and groups`, async () => {
    const config = await discovered();
    const { url, verifier, state } = await started(config);
    const back = await signInAtIdp(url, person);
    const tokens = await oidc.authorizationCodeGrant(config, back, {
      pkceCodeVerifier: verifier,
      expectedState: state,
    });
    const claims = tokens.claims();
    assert.equal(claims?.sub, person.sub);
    assert.equal(claims?.['email'], person.email);
    assert.equal(claims?.['email_verified'], true);
    assert.deepEqual(claims?.['groups'], [...person.groups]);
  });

test('the stand-in IdP refuses a redirect URI that was not registered, without redirecting there', async () => {
  const { url } = await started(await discovered(), 'http://127.0.0.1:9/other');
  await assert.rejects(signInAtIdp(url, people.seller), /400.*invalid_redirect_uri/s);
});

test('the stand-in IdP refuses a client with a wrong secret', async () => {
  const { url, verifier, state } = await started(await discovered());
  const back = await signInAtIdp(url, people.seller);
  const wrong = await discovered('not-the-secret');
  await assert.rejects(
    oidc.authorizationCodeGrant(wrong, back, { pkceCodeVerifier: verifier, expectedState: state }),
    (e: oidc.ResponseBodyError | oidc.WWWAuthenticateChallengeError) =>
      /invalid_client/.test(JSON.stringify(e)) || e.status === 401,
  );
});

test('the stand-in IdP refuses an authorization request without PKCE', async () => {
  const config = await discovered();
  const url = oidc.buildAuthorizationUrl(config, { redirect_uri: callback, scope: 'openid', state: 'x' });
  const back = await signInAtIdp(url, people.seller);
  assert.equal(back.searchParams.get('error'), 'invalid_request');
});

test('a code of the stand-in IdP works once', async () => {
  const config = await discovered();
  const { url, verifier, state } = await started(config);
  const back = await signInAtIdp(url, people.lead);
  const exchange = () =>
    oidc.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state });
  await exchange();
  await assert.rejects(exchange(), /invalid_grant|grant request is invalid|unexpected HTTP response|server responded/i);
});

test('nobody who is not in the company signs in at the stand-in IdP', async () => {
  const { url } = await started(await discovered());
  await assert.rejects(signInAtIdp(url, { ...people.seller, sub: '00u-mallory' }), /403/);
});

test('among the five people are one without a mapped group and one leader who is also a seller', () => {
  assert.equal(everybody.length, 5);
  assert.deepEqual(people.unmapped.groups, [groupNames.workshop]);
  assert.ok(people.lead.groups.includes(groupNames.sales) && people.lead.groups.includes(groupNames.leads));
});
