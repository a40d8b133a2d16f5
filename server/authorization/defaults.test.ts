// The five defaults of the library, or of the usual adapter, that must not ship. Each was seen to happen before it was stopped.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
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
} from '#dev/oauth-house.ts';

let house: OauthHouse;
before(async () => {
  house = await oauthHouse();
});
after(() => house[Symbol.asyncDispose]());

const registration = async (
  metadata: Record<string, unknown>,
): Promise<{ status: number; body: Record<string, unknown> }> => {
  const r = await fetch(`${house.origin}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(metadata),
  });
  return { status: r.status, body: (await r.json()) as Record<string, unknown> };
};

test('1: a stranger who registers for client_credentials gets a client that can do nothing without a person', async () => {
  const { status, body } = await registration({
    redirect_uris: ['https://stranger.example/cb'],
    grant_types: ['client_credentials'],
    token_endpoint_auth_method: 'client_secret_post',
    response_types: [],
  });
  assert.equal(status, 201);
  assert.deepEqual(body['grant_types'], ['authorization_code', 'refresh_token']);
  const r = await fetch(`${house.origin}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: String(body['client_id']),
      client_secret: String(body['client_secret']),
      scope: 'mcp:write',
      resource: `${house.origin}/mcp`,
    }),
  });
  assert.equal(r.status, 400);
  assert.ok(!('access_token' in ((await r.json()) as object)));
});

test('2: of eight uses of one code at once, one gets tokens, and they end with the replay', async () => {
  const client = await register(house);
  const code = (await consent(house, client)).searchParams.get('code')!;
  const all = await Promise.all(
    Array.from({ length: 8 }, () => tokenRequest(house.origin, client, codeBody(client, code))),
  );
  const won = all.filter((r) => r.status === 200);
  assert.ok(won.length <= 1, `${won.length} were accepted`);
  assert.deepEqual(new Set(all.filter((r) => r.status !== 200).map((r) => r.body.error)), new Set(['invalid_grant']));
  for (const w of won) {
    const r = await tokenRequest(house.origin, client, refreshBody(w.body.refresh_token));
    assert.equal(r.body.error, 'invalid_grant');
  }
});

test('3: six refreshes of one token at once are all answered, and one line of tokens survives', async () => {
  const client = await register(house);
  const { refresh_token } = await signIn(house, client);
  const all = await Promise.all(
    Array.from({ length: 6 }, () => tokenRequest(house.origin, client, refreshBody(refresh_token))),
  );
  assert.deepEqual(
    all.map((r) => r.status),
    [200, 200, 200, 200, 200, 200],
  );
  const [first, second] = all.map((r) => r.body.refresh_token);
  const on = await tokenRequest(house.origin, client, refreshBody(first!));
  assert.equal(on.status, 200);
  // A twin of the line that went on is a replay: it ends everything.
  assert.equal((await tokenRequest(house.origin, client, refreshBody(second!))).body.error, 'invalid_grant');
  assert.equal(
    (await tokenRequest(house.origin, client, refreshBody(on.body.refresh_token))).body.error,
    'invalid_grant',
  );
});

test('4: what a stranger sends as our own property of a client is dropped', async () => {
  const { body } = await registration({
    redirect_uris: ['https://stranger.example/cb'],
    token_endpoint_auth_method: 'none',
    gatehouse: { org: house.org, trusted: true },
    scope: 'mcp:write openid',
  });
  assert.ok(!('gatehouse' in body));
  assert.ok(!('scope' in body));
  const [row] = await house.t.super<{ payload: Record<string, unknown> }>(
    `select payload from oauth_item where model = 'Client' and id = $1`,
    body['client_id'],
  );
  assert.ok(row && !('gatehouse' in row.payload));
});

test('5: a request under a foreign Host leads through consent to our own addresses only', async () => {
  const client = await register(house);
  const url = await authorizeUrl(house, client);
  const { request } = await import('node:http');
  const location = await new Promise<string>((resolve, reject) => {
    request(
      {
        host: url.hostname,
        port: url.port,
        path: url.pathname + url.search,
        headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example' },
      },
      (res) => resolve(res.headers.location ?? ''),
    )
      .on('error', reject)
      .end();
  });
  assert.match(location, /^\/consent\//);
  const b = await browserOf(house, house.ada);
  await b.open(url);
  await b.submit('Allow', {}, { stopAt: client.redirect });
  assert.ok(
    b.visited.every((v) => v.includes(house.origin) || v.includes(client.redirect)),
    b.visited.join('\n'),
  );
});

for (const [what, redirects] of [
  ['http off this machine', ['http://stranger.example/cb']],
  ['a user name in the redirect', ['https://a:b@stranger.example/cb']],
  ['a fragment', ['https://stranger.example/cb#x']],
  ['a script', ['javascript:alert(1)']],
] as const)
  test(`a registration with ${what} is refused`, async () => {
    const { status } = await registration({ redirect_uris: redirects, token_endpoint_auth_method: 'none' });
    assert.equal(status, 400);
  });

test('a client with a scheme of its own may register without saying that it is native', async () => {
  const { status, body } = await registration({
    redirect_uris: ['cursor://anysphere.cursor/callback'],
    token_endpoint_auth_method: 'none',
  });
  assert.equal(status, 201);
  assert.equal(body['application_type'], 'native');
});

test("a client's secret works, and the database has only its hash", async () => {
  const client = await register(house, { token_endpoint_auth_method: 'client_secret_post' });
  assert.ok(client.client_secret);
  const code = (await consent(house, client)).searchParams.get('code')!;
  const wrong = await tokenRequest(house.origin, client, { ...codeBody(client, code), client_secret: 'x' });
  assert.equal(wrong.body.error, 'invalid_client');
  const right = await tokenRequest(house.origin, client, {
    ...codeBody(client, code),
    client_secret: client.client_secret,
  });
  assert.equal(right.status, 200);
  const stored = JSON.stringify(await house.t.super('select * from oauth_item'));
  for (const secret of [client.client_secret, code, right.body.refresh_token]) assert.ok(!stored.includes(secret));
});

test('more registrations in a minute than people make are put off', async () => {
  await using flooded = await oauthHouse();
  const one = (): Promise<Response> =>
    fetch(`${flooded.origin}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
  let last = 0;
  for (let i = 0; i < 61; i++) last = (await one()).status;
  assert.equal(last, 429);
  flooded.advance(60_000);
  assert.equal((await one()).status, 400);
});
