import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import {
  authorizeUrl,
  browserOf,
  codeBody,
  consent,
  oauthHouse,
  register,
  signIn,
  tokenRequest,
  VERIFIER,
  type OauthHouse,
  type TestClient,
} from '#dev/oauth-house.ts';

let house: OauthHouse;
let client: TestClient;
before(async () => {
  house = await oauthHouse();
  client = await register(house);
});
after(() => house[Symbol.asyncDispose]());

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(house.origin + path, { headers, redirect: 'manual' });

test('after a yes the client gets a token for one place, of one organization, for ten minutes', async () => {
  const tokens = await signIn(house, client, { resource: `${house.origin}/mcp/crm` });
  assert.equal(tokens.expires_in, 600);
  assert.equal(decodeProtectedHeader(tokens.access_token).typ, 'at+jwt');
  assert.equal(decodeProtectedHeader(tokens.access_token).alg, 'ES256');
  const { iss, aud, sub, org, gid, client_id, scope, iat, exp } = decodeJwt(tokens.access_token);
  assert.deepEqual(
    { iss, aud, sub, org, client_id, scope, life: exp! - iat! },
    {
      iss: house.origin,
      aud: `${house.origin}/mcp/crm`,
      sub: house.ada.member,
      org: house.org,
      client_id: client.client_id,
      scope: 'mcp:read mcp:write',
      life: 600,
    },
  );
  assert.equal(typeof gid, 'string');
  const told = (await house.events()).map((e) => e.header['type']);
  assert.deepEqual(told.slice(-2), ['authorization.consent_given', 'authorization.token_issued']);
});

test('the answer to the client names the issuer (RFC 9207), also when the person says no', async () => {
  const yes = await consent(house, client);
  assert.equal(yes.searchParams.get('iss'), house.origin);
  assert.equal(yes.searchParams.get('state'), 'state-1');
  const no = await consent(house, client, {}, house.ada, 'Do not allow');
  assert.equal(no.searchParams.get('error'), 'access_denied');
  assert.equal(no.searchParams.get('iss'), house.origin);
  assert.equal(no.searchParams.get('code'), null);
  assert.equal((await house.events('authorization.consent_denied')).length, 1);
});

for (const [what, params, error] of [
  ['no PKCE challenge', { code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
  ['a plain PKCE challenge', { code_challenge: VERIFIER, code_challenge_method: 'plain' }, 'invalid_request'],
  ['a resource of another server', { resource: 'https://elsewhere.example/mcp' }, 'invalid_target'],
  ['a resource of ours that is not MCP', { resource: 'ORIGIN/api/orgs' }, 'invalid_target'],
  ['the implicit response type', { response_type: 'token' }, 'unsupported_response_type'],
] as const)
  test(`a request with ${what} is refused and the client is told ${error}`, async () => {
    const url = await authorizeUrl(house, client, {});
    for (const [k, v] of Object.entries(params))
      if (v === '') url.searchParams.delete(k);
      else url.searchParams.set(k, v.replace('ORIGIN', house.origin));
    const b = await browserOf(house, house.ada);
    await b.open(url, { stopAt: client.redirect });
    assert.equal(new URLSearchParams(b.url.search || b.url.hash.slice(1)).get('error'), error);
  });

for (const uri of [
  'http://127.0.0.1:7777/callback/../other',
  'http://127.0.0.1:7777/callbackx',
  'http://127.0.0.1:7777/callback?x=1',
  'http://127.0.0.1:7777/callback#x',
  'http://user@127.0.0.1:7777/callback',
  'http://127.0.0.1.evil.example:7777/callback',
  'http://localhost:7777/callback',
  'https://127.0.0.1:7777/callback',
  'http://evil.example/callback',
])
  test(`a redirect to ${uri} is shown to the person and never followed`, async () => {
    const b = await browserOf(house, house.ada);
    await b.open(await authorizeUrl(house, client, { params: { redirect_uri: uri } }), { stopAt: uri });
    assert.equal(b.status, 400);
    assert.equal(b.url.origin, house.origin);
    assert.match(b.text(), /address that it has not registered/);
  });

test('a native client may answer on any port of the loopback address that it registered', async () => {
  const url = await authorizeUrl(house, client, { params: { redirect_uri: 'http://127.0.0.1:50123/callback' } });
  const b = await browserOf(house, house.ada);
  await b.open(url);
  assert.match(b.text(), /wants to act for you/);
});

test('a code is worth nothing with another verifier, another redirect or another client', async () => {
  const other = await register(house);
  const code = async (): Promise<string> => (await consent(house, client)).searchParams.get('code')!;
  const wrong = [
    [client, { code_verifier: `${VERIFIER}x` }],
    [client, { redirect_uri: 'http://127.0.0.1:7777/other' }],
    [other, {}],
  ] as const;
  for (const [who, change] of wrong) {
    const r = await tokenRequest(house.origin, who, { ...codeBody(client, await code()), ...change });
    assert.equal(r.status, 400);
    assert.equal(r.body.error, 'invalid_grant');
  }
});

test('a hostile Host header or forwarding header changes no address in the metadata', async () => {
  const { request } = await import('node:http');
  const body = await new Promise<string>((resolve, reject) => {
    const url = new URL('/.well-known/oauth-authorization-server', house.origin);
    const headers = {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.example',
    };
    request({ host: url.hostname, port: url.port, path: url.pathname, headers }, (res) => {
      let text = '';
      res.on('data', (c) => (text += c)).on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
  assert.doesNotMatch(body, /evil/);
  const m = JSON.parse(body) as Record<string, unknown>;
  for (const [name, value] of Object.entries(m))
    if (name.endsWith('_endpoint') || name === 'jwks_uri')
      assert.ok(String(value).startsWith(`${house.origin}/oauth/`), name);
});

test('the metadata says S256 only, the issuer without slash, CIMD, and no scope of the resource', async () => {
  const r = await get('/.well-known/oauth-authorization-server');
  const m = (await r.json()) as Record<string, unknown>;
  assert.equal(m['issuer'], house.origin);
  assert.deepEqual(m['code_challenge_methods_supported'], ['S256']);
  assert.equal(m['authorization_response_iss_parameter_supported'], true);
  assert.equal(m['client_id_metadata_document_supported'], true);
  assert.deepEqual(m['grant_types_supported'], [
    'authorization_code',
    'refresh_token',
    'urn:ietf:params:oauth:grant-type:device_code',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
  ]);
  assert.equal(r.headers.get('cache-control'), 'public, max-age=300');
  assert.equal(r.headers.get('access-control-allow-origin'), '*');
  assert.deepEqual(await (await get('/.well-known/openid-configuration')).json(), m);
});

test('authorization server metadata with a path behind it does not exist, and says so in JSON', async () => {
  for (const path of ['/.well-known/oauth-authorization-server/mcp', '/.well-known/openid-configuration/mcp/crm']) {
    const r = await get(path);
    assert.equal(r.status, 404);
    assert.match(r.headers.get('content-type') ?? '', /json/);
  }
});

test('every MCP path has its protected-resource metadata, other paths have none', async () => {
  const doc = async (suffix: string): Promise<Record<string, unknown>> => {
    const r = await get(`/.well-known/oauth-protected-resource${suffix}`);
    assert.equal(r.status, 200, suffix);
    assert.equal(r.headers.get('access-control-allow-origin'), '*');
    return (await r.json()) as Record<string, unknown>;
  };
  assert.equal((await doc(''))['resource'], `${house.origin}/mcp`);
  assert.equal((await doc('/mcp'))['resource'], `${house.origin}/mcp`);
  const crm = await doc('/mcp/crm');
  assert.equal(crm['resource'], `${house.origin}/mcp/crm`);
  assert.deepEqual(crm['authorization_servers'], [house.origin]);
  assert.deepEqual(crm['scopes_supported'], ['mcp:read', 'mcp:write']);
  for (const suffix of ['/api', '/mcp/../x', '/mcp/a/b', '/mcpx'])
    assert.equal((await get(`/.well-known/oauth-protected-resource${suffix}`)).status, 404, suffix);
  const preflight = await fetch(`${house.origin}/.well-known/oauth-protected-resource/mcp`, { method: 'OPTIONS' });
  assert.equal(preflight.status, 204);
});

test('a browser client may register, with a preflight', async () => {
  const r = await fetch(`${house.origin}/oauth/register`, {
    method: 'OPTIONS',
    headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
  });
  assert.equal(r.status, 204);
  assert.equal(r.headers.get('access-control-allow-origin'), '*');
});

test('a page may call the token endpoint from an origin of its redirects, on loopback from any port, and from nowhere else', async () => {
  const from = (origin: string): Promise<{ status: number; headers: Headers }> =>
    tokenRequest(house.origin, client, { grant_type: 'refresh_token', refresh_token: 'x' }, { origin });
  assert.equal(
    (await from('http://127.0.0.1:9999')).headers.get('access-control-allow-origin'),
    'http://127.0.0.1:9999',
  );
  assert.equal((await from('https://evil.example')).headers.get('access-control-allow-origin'), null);
  assert.equal((await from('null')).headers.get('access-control-allow-origin'), null);
});

test('with registration off, the endpoint is not there and not in the metadata', async () => {
  await using closed = await oauthHouse({ dcr: false });
  const r = await fetch(`${closed.origin}/oauth/register`, { method: 'POST', body: '{}' });
  assert.equal(r.status, 404);
  const m = (await (await fetch(`${closed.origin}/.well-known/oauth-authorization-server`)).json()) as object;
  assert.ok(!('registration_endpoint' in m));
});

test('a request without scope gets reading only, without resource the whole of MCP', async () => {
  const b = await browserOf(house, house.ada);
  const url = await authorizeUrl(house, client);
  url.searchParams.delete('scope');
  url.searchParams.delete('resource');
  await b.open(url);
  await b.submit('Allow', {}, { stopAt: client.redirect });
  const r = await tokenRequest(house.origin, client, codeBody(client, b.url.searchParams.get('code')!));
  assert.equal(r.body.scope, 'mcp:read');
  assert.equal(decodeJwt(r.body.access_token).aud, `${house.origin}/mcp`);
});
