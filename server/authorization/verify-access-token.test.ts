import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import { oauthHouse, register, signIn, type OauthHouse, type TestClient } from '#dev/oauth-house.ts';
import { Problem } from '#kernel/problem.ts';
import { startVersions, type Versions } from '#kernel/versions.ts';
import { systemCtx } from '#kernel/ctx.ts';
import { setUserState } from '#org/set-user-state.ts';
import { audiencesOf } from './resource.ts';
import { grantIsLive, openVerifier, type Verifier } from './live-grant.ts';
import { PublicJwk } from './signing-key.sql.ts';
import { revokeGrant } from './revoke-grant.ts';
import { TokenKeys, verifyAccessToken, type AccessToken } from './verify-access-token.ts';

let house: OauthHouse;
let client: TestClient;
let token: string;
let verifier: Verifier;
let versions: Versions;
before(async () => {
  house = await oauthHouse();
  client = await register(house);
  token = (await signIn(house, client, { resource: `${house.origin}/mcp/crm` })).access_token;
  versions = await startVersions({ pool: house.t.db.pool, log: house.world.log });
  verifier = openVerifier(house.world, versions);
});
after(async () => {
  await versions.close();
  await house[Symbol.asyncDispose]();
});

const at = (path: string, keys = verifier.keys) => ({
  issuer: house.origin,
  audiences: audiencesOf(house.origin, path),
  keys,
});
const refusedAs = (code: string) => (e: unknown) =>
  e instanceof Problem && e.kind === 'unauthenticated' && e.code === code;

test('a token is good at the place that it is for, twice', async () => {
  for (let i = 0; i < 2; i++) {
    const t = await verifyAccessToken(token, at('/mcp/crm'));
    assert.deepEqual(
      { member: t.member, org: t.org, client: t.client, scopes: t.scopes, jkt: t.jkt },
      {
        member: house.ada.member,
        org: house.org,
        client: client.client_id,
        scopes: ['mcp:read', 'mcp:write'],
        jkt: undefined,
      },
    );
  }
});

test('the second look at a token costs microseconds', async () => {
  const expect = at('/mcp/crm');
  await verifyAccessToken(token, expect);
  const start = performance.now();
  for (let i = 0; i < 1000; i++) await verifyAccessToken(token, expect);
  // A thousand of them; checking the signature each time takes over 100 ms.
  assert.ok(performance.now() - start < 60, `${performance.now() - start} ms`);
});

test('a token for one connector is refused at another and at the whole, on the first and on the second look', async () => {
  const fresh = openVerifier(house.world, versions).keys;
  for (let i = 0; i < 2; i++) {
    await assert.rejects(verifyAccessToken(token, at('/mcp/other', fresh)), refusedAs('authorization/token-audience'));
    await assert.rejects(verifyAccessToken(token, at('/mcp', fresh)), refusedAs('authorization/token-audience'));
    await verifyAccessToken(token, at('/mcp/crm', fresh));
  }
});

test('a token for the whole is good at a connector, for clients that know no resource metadata', async () => {
  const whole = (await signIn(house, client)).access_token;
  assert.equal((await verifyAccessToken(whole, at('/mcp/crm'))).audience, `${house.origin}/mcp`);
});

const pair = await generateKeyPair('ES256', { extractable: true });
const publicJwk = PublicJwk.parse({ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' });
const fakeKeys = (now = () => new Date()): TokenKeys => new TokenKeys(() => Promise.resolve([publicJwk]), now);
const made = (
  change: (p: JWTPayload) => JWTPayload = (p) => p,
  header: Record<string, string> = {},
  key = pair.privateKey,
) => {
  const p = change({
    ...decodeJwt(token),
    iat: Math.floor(Date.now() / 1000),
    exp: Math.floor(Date.now() / 1000) + 60,
  });
  return new SignJWT(p).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k1', ...header }).sign(key);
};

test('a token made like ours with a key of the set is good, so that the refusals below have one reason each', async () => {
  await verifyAccessToken(await made(), at('/mcp/crm', fakeKeys()));
});

const other = await generateKeyPair('ES256');
const ed = await generateKeyPair('EdDSA');
for (const [what, code, make] of [
  ['that has expired', 'authorization/token-expired', () => made((p) => ({ ...p, exp: 1 }))],
  ['of another issuer', 'authorization/token-issuer', () => made((p) => ({ ...p, iss: 'https://other.example' }))],
  [
    'for another audience',
    'authorization/token-audience',
    () => made((p) => ({ ...p, aud: 'https://other.example/mcp' })),
  ],
  ['without an audience', 'authorization/token-audience', () => made(({ aud: _aud, ...p }) => p)],
  ['that is an id token', 'authorization/token-type', () => made((p) => p, { typ: 'JWT' })],
  ['by another key under our key id', 'authorization/token-signature', () => made((p) => p, {}, other.privateKey)],
  [
    'by a key that nobody knows',
    'authorization/token-signature',
    () => made((p) => p, { kid: 'k2' }, other.privateKey),
  ],
  [
    'by an algorithm that we do not use',
    'authorization/token-alg',
    () => made((p) => p, { alg: 'EdDSA' }, ed.privateKey),
  ],
  [
    'that is an identity provider’s assertion (ID-JAG)',
    'authorization/token-type',
    () => made((p) => p, { typ: 'oauth-id-jag+jwt' }),
  ],
  [
    'that is good from tomorrow on only',
    'authorization/token-malformed',
    () => made((p) => ({ ...p, nbf: Math.floor(Date.now() / 1000) + 86_400 })),
  ],
  [
    'by our public key, taken for a shared secret',
    'authorization/token-alg',
    () =>
      new SignJWT(decodeJwt(token))
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'k1' })
        .setExpirationTime('1m')
        .sign(new TextEncoder().encode(JSON.stringify(publicJwk))),
  ],
  ['without an organization', 'authorization/token-malformed', () => made(({ org: _org, ...p }) => p)],
  ['without a consent', 'authorization/token-malformed', () => made(({ gid: _gid, ...p }) => p)],
  ['without an end', 'authorization/token-malformed', () => made(({ exp: _exp, ...p }) => p)],
  [
    'bound to a certificate, which we cannot check',
    'authorization/token-malformed',
    () => made((p) => ({ ...p, cnf: { 'x5t#S256': 'x' } })),
  ],
  ['that is a text', 'authorization/token-malformed', () => Promise.resolve('abc')],
  ['that is empty', 'authorization/token-malformed', () => Promise.resolve('')],
  [
    'with alg none',
    'authorization/token-alg',
    () =>
      Promise.resolve(`${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${token.split('.')[1]}.`),
  ],
  [
    'with a changed claim',
    'authorization/token-signature',
    async () => {
      const [h, , s] = (await made()).split('.');
      return `${h}.${Buffer.from(JSON.stringify({ ...decodeJwt(token), scope: 'mcp:write' })).toString('base64url')}.${s}`;
    },
  ],
] as const)
  test(`a token ${what} is refused as ${code}`, async () => {
    const t = await make();
    await assert.rejects(verifyAccessToken(t, at('/mcp/crm', fakeKeys())), refusedAs(code));
  });

test('a token that is remembered as good is refused once its time is over', async () => {
  let now = Date.now();
  const keys = fakeKeys(() => new Date(now));
  const t = await made();
  await verifyAccessToken(t, at('/mcp/crm', keys));
  now += 61_000;
  await assert.rejects(verifyAccessToken(t, at('/mcp/crm', keys)), refusedAs('authorization/token-expired'));
});

test('tokens with unknown key ids do not make us ask the database each time', async () => {
  let loads = 0;
  const keys = new TokenKeys(
    () => {
      loads++;
      return Promise.resolve([publicJwk]);
    },
    () => new Date(),
  );
  for (let i = 0; i < 20; i++)
    await assert.rejects(
      verifyAccessToken(await made((p) => p, { kid: `x${i}` }, other.privateKey), at('/mcp/crm', keys)),
    );
  assert.equal(loads, 1);
});

async function deadWithin(ms: number, t: AccessToken): Promise<void> {
  const start = performance.now();
  while (await grantIsLive(verifier, t)) {
    assert.ok(performance.now() - start < ms, `still alive after ${ms} ms`);
    await sleep(20);
  }
}

const ctx = () => ({ ...systemCtx(house.world, 'test', { parent: house.parent, org: house.org }), org: house.org });

test('a consent that an administrator ended is refused within a second, though the token is still good', async () => {
  const t = await verifyAccessToken((await signIn(house, client)).access_token, at('/mcp'));
  assert.equal((await verifier.liveGrant(t))?.user, house.ada.user);
  assert.ok(await grantIsLive(verifier, t));
  await revokeGrant(ctx(), t.grant, undefined);
  await deadWithin(1000, t);
});

test('a suspended person is refused within a second', async () => {
  const sue = await house.addPerson('Susan');
  const t = await verifyAccessToken((await signIn(house, client, {}, sue)).access_token, at('/mcp'));
  assert.ok(await grantIsLive(verifier, t));
  await setUserState(ctx(), sue.user, 'suspended');
  await deadWithin(1000, t);
});

test('a consent that the client gave back is refused within a second', async () => {
  const tokens = await signIn(house, client);
  const t = await verifyAccessToken(tokens.access_token, at('/mcp'));
  assert.ok(await grantIsLive(verifier, t));
  const r = await fetch(`${house.origin}/oauth/revoke`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: client.client_id, token: tokens.refresh_token }),
  });
  assert.equal(r.status, 200);
  await deadWithin(1000, t);
  assert.equal((await house.events('authorization.grant_revoked')).at(-1)?.data['by'], 'client');
});

test('a consent is alive only for the member, organization and client of the token', async () => {
  const t = await verifyAccessToken((await signIn(house, client)).access_token, at('/mcp'));
  const bob = await house.addPerson('Bert');
  assert.ok(await grantIsLive(verifier, t));
  assert.equal(await grantIsLive(verifier, { ...t, member: bob.member }), false);
  assert.equal(await grantIsLive(verifier, { ...t, client: 'other' }), false);
});
