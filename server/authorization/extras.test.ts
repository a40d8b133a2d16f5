// What is switched on beside the plain code flow: pushed requests, device flow, DPoP, key-authenticated clients, revocation, introspection.
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { calculateJwkThumbprint, decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import {
  authorizeUrl,
  browserOf,
  codeBody,
  consent,
  oauthHouse,
  refreshBody,
  register,
  signIn,
  tokenRequest,
  type OauthHouse,
  type TestClient,
} from '#dev/oauth-house.ts';
import { Problem } from '#kernel/problem.ts';
import { checkDpop, type Presented } from './check-dpop.ts';
import { openVerifier } from './live-grant.ts';
import { verifyAccessToken, type AccessToken } from './verify-access-token.ts';

let house: OauthHouse;
let client: TestClient;
before(async () => {
  house = await oauthHouse();
  client = await register(house);
});
after(() => house[Symbol.asyncDispose]());

const post = async (path: string, body: Record<string, string>, headers: Record<string, string> = {}) => {
  const r = await fetch(house.origin + path, { method: 'POST', headers, body: new URLSearchParams(body) });
  const text = await r.text();
  return { status: r.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> };
};

test('a pushed request is used once, and its answer is a code like any other', async () => {
  const url = await authorizeUrl(house, client);
  const pushed = await post('/oauth/par', Object.fromEntries(url.searchParams));
  assert.equal(pushed.status, 201);
  const short = new URL(`${house.origin}/oauth/authorize`);
  short.search = new URLSearchParams({
    client_id: client.client_id,
    request_uri: String(pushed.body['request_uri']),
  }).toString();
  const b = await browserOf(house, house.ada);
  await b.open(short);
  await b.submit('Allow', {}, { stopAt: client.redirect });
  const r = await tokenRequest(house.origin, client, codeBody(client, b.url.searchParams.get('code')!));
  assert.equal(r.status, 200);
  const again = await browserOf(house, house.ada);
  await again.open(short, { stopAt: client.redirect });
  assert.equal(again.status, 400);
});

type Key = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';

async function beginDevice(
  c: TestClient,
): Promise<{ device_code: string; user_code: string; verification_uri: string }> {
  const r = await post('/oauth/device/code', {
    client_id: c.client_id,
    scope: 'mcp:read',
    resource: `${house.origin}/mcp`,
  });
  assert.equal(r.status, 200);
  return r.body as never;
}

test('a device shows a code, a person types it, checks it and says yes, and the device gets its tokens once', async () => {
  const device = await register(house, {
    client_name: 'Wall screen',
    grant_types: [DEVICE, 'refresh_token'],
    response_types: [],
    redirect_uris: [],
  });
  const begun = await beginDevice(device);
  const poll = () => tokenRequest(house.origin, device, { grant_type: DEVICE, device_code: begun.device_code });
  assert.equal((await poll()).body.error, 'authorization_pending');
  const b = await browserOf(house, house.ada);
  await b.open(begun.verification_uri);
  assert.match(b.text(), /Which code does the device show/);
  await b.submit('Continue', { user_code: begun.user_code });
  assert.ok(b.text().includes(begun.user_code) && b.text().includes('Wall screen'), b.text());
  await b.submit('Yes, continue');
  assert.match(b.text(), /Wall screen wants to act for you/);
  await b.submit('Allow');
  assert.match(b.text(), /The device is connected/);
  const tokens = await poll();
  assert.equal(tokens.status, 200);
  assert.equal(decodeJwt(tokens.body.access_token).sub, house.ada.member);
  assert.equal((await poll()).body.error, 'invalid_grant');
  assert.equal(
    (await tokenRequest(house.origin, device, refreshBody(tokens.body.refresh_token))).body.error,
    'invalid_grant',
  );
  assert.equal((await house.events('authorization.reuse_detected')).at(-1)?.data['what'], 'device_code');
});

test('a wrong device code is refused on our own page, and a no reaches the device', async () => {
  const device = await register(house, { grant_types: [DEVICE], response_types: [], redirect_uris: [] });
  const begun = await beginDevice(device);
  const b = await browserOf(house, house.ada);
  await b.open(begun.verification_uri);
  await b.submit('Continue', { user_code: 'WRNG-CODE' });
  assert.match(b.text(), /This code is wrong/);
  await b.submit('Continue', { user_code: begun.user_code });
  await b.submit('No, stop');
  assert.equal(
    (await tokenRequest(house.origin, device, { grant_type: DEVICE, device_code: begun.device_code })).body.error,
    'access_denied',
  );
});

test('what could be used as it stands is not in the database: device codes, interactions, sessions', async () => {
  const device = await register(house, { grant_types: [DEVICE], response_types: [], redirect_uris: [] });
  const begun = await beginDevice(device);
  const b = await browserOf(house, house.ada);
  await b.open(await authorizeUrl(house, client));
  const uid = b.url.pathname.split('/').at(-1)!;
  const stored = JSON.stringify(await house.t.super('select * from oauth_item'));
  for (const secret of [begun.device_code, uid]) assert.ok(!stored.includes(secret), secret);
});

test('the pages of the device flow load nothing from elsewhere and cannot be framed', async () => {
  const b = await browserOf(house, house.ada);
  await b.open(`${house.origin}/oauth/device`);
  assert.doesNotMatch(b.body, /https?:\/\/(?!localhost)/);
  assert.match(b.headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/);
});

test('a client that publishes a key proves itself with it, and not with another or with none', async () => {
  const key = await generateKeyPair('ES256', { extractable: true });
  const other = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(key.publicKey)), kid: 'c1', alg: 'ES256', use: 'sig' };
  const keyed = await register(house, {
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [jwk] },
    token_endpoint_auth_signing_alg: 'ES256',
  });
  const assertion = (by: Key, jti: string = randomUUID()): Promise<string> =>
    new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: 'c1' })
      .setIssuer(keyed.client_id)
      .setSubject(keyed.client_id)
      .setAudience(house.origin)
      .setJti(jti)
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(by);
  const body = async (by: Key, jti?: string): Promise<Record<string, string>> => ({
    ...codeBody(keyed, (await consent(house, keyed)).searchParams.get('code')!),
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await assertion(by, jti),
  });
  assert.equal((await tokenRequest(house.origin, keyed, await body(key.privateKey, 'same'))).status, 200);
  assert.equal((await tokenRequest(house.origin, keyed, await body(key.privateKey, 'same'))).status, 401);
  assert.equal((await tokenRequest(house.origin, keyed, await body(other.privateKey))).status, 401);
  const code = (await consent(house, keyed)).searchParams.get('code')!;
  assert.equal((await tokenRequest(house.origin, keyed, codeBody(keyed, code))).body.error, 'invalid_client');
});

test('a client may ask about its own refresh token and nobody else may; access tokens are not its business', async () => {
  const other = await register(house);
  const t = await signIn(house, client);
  const ask = (c: TestClient, token: string) => post('/oauth/introspect', { client_id: c.client_id, token });
  assert.equal((await ask(client, t.refresh_token)).body['active'], true);
  assert.deepEqual((await ask(other, t.refresh_token)).body, { active: false });
  assert.equal((await ask(client, t.access_token)).body['error'], 'unsupported_token_type');
});

test('another client cannot revoke a refresh token', async () => {
  const other = await register(house);
  const t = await signIn(house, client);
  await post('/oauth/revoke', { client_id: other.client_id, token: t.refresh_token });
  assert.equal((await tokenRequest(house.origin, client, refreshBody(t.refresh_token))).status, 200);
});

const keys = await generateKeyPair('ES256', { extractable: true });
const jwk = await exportJWK(keys.publicKey);
const ath = (token: string): string => createHash('sha256').update(token).digest('base64url');
const proof = (claims: Record<string, unknown>, by = keys, header: Record<string, unknown> = {}): Promise<string> =>
  exportJWK(by.publicKey).then((j) =>
    new SignJWT({ jti: randomUUID(), iat: Math.floor(Date.now() / 1000), ...claims })
      .setProtectedHeader({
        alg: 'ES256',
        typ: 'dpop+jwt',
        jwk: { kty: j.kty!, crv: j.crv!, x: j.x!, y: j.y! },
        ...header,
      })
      .sign(by.privateKey),
  );

async function boundToken(): Promise<{ access: string; refresh: string; token: AccessToken }> {
  const code = (await consent(house, client)).searchParams.get('code')!;
  const htu = `${house.origin}/oauth/token`;
  const r = await tokenRequest(house.origin, client, codeBody(client, code), {
    dpop: await proof({ htm: 'POST', htu }),
  });
  assert.equal(r.body.token_type, 'DPoP');
  const verifier = openVerifier(house.world, { stamp: () => undefined });
  const token = await verifyAccessToken(r.body.access_token, {
    issuer: house.origin,
    audiences: [`${house.origin}/mcp`],
    keys: verifier.keys,
  });
  return { access: r.body.access_token, refresh: r.body.refresh_token, token };
}

test('a token that was asked for with a proof is bound to its key, and so is its refresh token', async () => {
  const { token, refresh } = await boundToken();
  assert.equal(token.jkt, await calculateJwkThumbprint(jwk));
  assert.equal((await tokenRequest(house.origin, client, refreshBody(refresh))).body.error, 'invalid_grant');
  const htu = `${house.origin}/oauth/token`;
  const ok = await tokenRequest(house.origin, client, refreshBody(refresh), {
    dpop: await proof({ htm: 'POST', htu }),
  });
  assert.equal(ok.status, 200);
});

test('one proof on sixteen token requests at once, over two nodes, is taken once', async () => {
  const other = await house.anotherNode();
  const codes: string[] = [];
  for (let i = 0; i < 16; i++) codes.push((await consent(house, client)).searchParams.get('code')!);
  const dpop = await proof({ htm: 'POST', htu: `${house.origin}/oauth/token` });
  const all = await Promise.all(
    codes.map((c, i) => tokenRequest(i % 2 ? other : house.origin, client, codeBody(client, c), { dpop })),
  );
  assert.equal(all.filter((r) => r.status === 200).length, 1);
});

const URL_ = () => `${house.origin}/mcp`;
const presented = async (access: string, claims: Record<string, unknown> = {}, by = keys): Promise<Presented> => ({
  scheme: 'DPoP',
  token: access,
  proof: await proof({ htm: 'POST', htu: URL_(), ath: ath(access), ...claims }, by),
  method: 'POST',
  url: URL_(),
});

test('a bound token with a fresh proof for this request is taken, once', async () => {
  const { access, token } = await boundToken();
  const p = await presented(access);
  await checkDpop(house.world, token, p);
  await assert.rejects(
    checkDpop(house.world, token, p),
    (e) => e instanceof Problem && e.code === 'authorization/dpop-replayed',
  );
});

const stranger = await generateKeyPair('ES256', { extractable: true });
for (const [what, code, make] of [
  [
    'without a proof',
    'authorization/dpop-missing',
    async (a: string) => ({ ...(await presented(a)), proof: undefined }),
  ],
  [
    'as a bearer token',
    'authorization/dpop-missing',
    async (a: string) => ({ ...(await presented(a)), scheme: 'Bearer' }),
  ],
  ['with a proof by another key', 'authorization/dpop-key', (a: string) => presented(a, {}, stranger)],
  ['with a proof for another method', 'authorization/dpop-request', (a: string) => presented(a, { htm: 'GET' })],
  [
    'with a proof for another address',
    'authorization/dpop-request',
    (a: string) => presented(a, { htu: 'https://other.example/mcp' }),
  ],
  ['with a proof for another token', 'authorization/dpop-token', (a: string) => presented(a, { ath: ath('other') })],
  [
    'with a proof of two minutes ago',
    'authorization/dpop-malformed',
    (a: string) => presented(a, { iat: Math.floor(Date.now() / 1000) - 120 }),
  ],
  [
    'with a proof of two minutes ahead',
    'authorization/dpop-malformed',
    (a: string) => presented(a, { iat: Math.floor(Date.now() / 1000) + 120 }),
  ],
  ['with a proof without jti', 'authorization/dpop-malformed', (a: string) => presented(a, { jti: '' })],
  [
    'with something that is no proof',
    'authorization/dpop-malformed',
    async (a: string) => ({ ...(await presented(a)), proof: 'x' }),
  ],
] as const)
  test(`a bound token ${what} is refused as ${code}`, async () => {
    const { access, token } = await boundToken();
    await assert.rejects(
      checkDpop(house.world, token, await make(access)),
      (e) => e instanceof Problem && e.code === code,
    );
  });

test('a token that is not bound is a bearer token and nothing else', async () => {
  const t = (await signIn(house, client)).access_token;
  const verifier = openVerifier(house.world, { stamp: () => undefined });
  const token = await verifyAccessToken(t, { issuer: house.origin, audiences: [URL_()], keys: verifier.keys });
  await checkDpop(house.world, token, { scheme: 'Bearer', token: t, proof: undefined, method: 'POST', url: URL_() });
  await assert.rejects(
    checkDpop(house.world, token, await presented(t)),
    (e) => e instanceof Problem && e.code === 'authorization/dpop-unbound',
  );
});
