import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decodeJwt } from 'jose';
import { Browser } from '#dev/browser.ts';
import {
  authorizeUrl,
  browserOf,
  codeBody,
  consent,
  oauthHouse,
  register,
  signIn,
  tokenRequest,
  type OauthHouse,
  type TestClient,
} from '#dev/oauth-house.ts';

let house: OauthHouse;
let client: TestClient;
before(async () => {
  house = await oauthHouse();
  client = await register(house, { client_name: 'Quill' });
});
after(() => house[Symbol.asyncDispose]());

/** A person's browser in front of the consent page, and the fields of its form. */
async function onPage(
  person = house.ada,
  c = client,
): Promise<{
  b: Browser;
  csrf: string;
  post: (body: Record<string, string>, headers?: Record<string, string>) => Promise<Response>;
}> {
  const b = await browserOf(house, person);
  await b.open(await authorizeUrl(house, c));
  const csrf = /name="csrf" value="([^"]+)"/.exec(b.body)?.[1] ?? '';
  const page = b.url;
  const post = (body: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(page, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie: b.cookies(page), 'sec-fetch-site': 'same-origin', origin: 'null', ...headers },
      body: new URLSearchParams(body),
    });
  return { b, csrf, post };
}

const yes = (csrf: string): Record<string, string> => ({
  csrf,
  say: 'allow',
  member: house.ada.member,
  scope: 'mcp:read',
});

test('the page says who asks, where the answer goes, as whom one is signed in, in which organization and what it may do', async () => {
  const { b } = await onPage();
  const text = b.text();
  for (const part of [
    'Quill wants to act for you',
    'Ada',
    'ada@acme.example',
    '127.0.0.1:7777',
    'Look things up',
    'Change things',
    'Acme Workspace',
  ])
    assert.ok(text.includes(part), `${part} in: ${text}`);
  assert.match(text, /runs on your own device/);
});

test('the page cannot be framed, runs no script, and may send its form only to us and to the client', async () => {
  const { b } = await onPage();
  const csp = b.headers.get('content-security-policy') ?? '';
  assert.match(csp, /frame-ancestors 'none'/);
  assert.match(csp, /default-src 'none'/);
  assert.match(csp, /form-action 'self' http:\/\/127\.0\.0\.1:7777;/);
});

test('a name that hides or turns its letters around is printed by their numbers, and HTML stays text', async () => {
  const trick = await register(house, { client_name: '<b>Gate\u202Eesuoh</b>' });
  const { b } = await onPage(house.ada, trick);
  assert.ok(b.body.includes('&lt;b&gt;Gate[U+202E]esuoh&lt;/b&gt; wants'));
});

test('who is not signed in is sent to sign in and back to the same request', async () => {
  const b = new Browser();
  await b.open(await authorizeUrl(house, client));
  assert.match(b.url.pathname + b.url.search, /^\/sign-in\?return_to=%2Fconsent%2F[\w-]+$/);
});

for (const [what, headers] of [
  ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
  ['another subdomain', { 'sec-fetch-site': 'same-site' }],
  ['another origin, in a browser that does not say the site', { 'sec-fetch-site': '', origin: 'https://evil.example' }],
] as const)
  test(`an answer from ${what} is refused even with the page's own token`, async () => {
    const { csrf, post } = await onPage();
    const r = await post(yes(csrf), headers);
    assert.equal(r.status, 403);
    assert.match(await r.text(), /authorization\/cross-origin/);
  });

test('an answer without the token of this page, or with one of another request, is refused', async () => {
  const { post } = await onPage();
  const other = await onPage();
  for (const csrf of ['', other.csrf]) {
    const r = await post(yes(csrf));
    assert.equal(r.status, 403);
    assert.match(await r.text(), /authorization\/csrf/);
  }
});

test("another person in the same browser cannot answer with the first one's page", async () => {
  const bob = await house.addPerson('Bob');
  const { b, csrf } = await onPage();
  const cookie = b.cookies(b.url).replace(/me=usr_[0-9a-f]+/, `me=${bob.user}`);
  const r = await fetch(b.url, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie, 'sec-fetch-site': 'same-origin' },
    body: new URLSearchParams(yes(csrf)),
  });
  assert.equal(r.status, 403);
  assert.match(await r.text(), /authorization\/csrf/);
});

test('a request that another browser began is not shown, not answered and not sent on', async () => {
  const mine = await onPage();
  const other = await onPage();
  const cookie = other.b.cookies(other.b.url);
  const shown = await fetch(mine.b.url, { headers: { cookie: other.b.cookies(mine.b.url) } });
  assert.equal(shown.status, 404);
  assert.match(await shown.text(), /authorization\/no-interaction/);
  const r = await fetch(mine.b.url, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie, 'sec-fetch-site': 'same-origin' },
    body: new URLSearchParams(yes(mine.csrf)),
  });
  assert.equal(r.status, 404);
});

test('a person of two organizations chooses, and the token is of the chosen one', async () => {
  const second = await house.addOrg('Acme Labs');
  const eve = await house.addPerson('Eve', [house.org, second]);
  const labs = await house.t.super<{ id: string }>(
    `select id from member where org = $1 and user_id = $2`,
    second,
    eve.user,
  );
  const b = await browserOf(house, eve);
  await b.open(await authorizeUrl(house, client));
  assert.match(b.text(), /Acme Labs/);
  await b.submit('Allow', { member: labs[0]!.id }, { stopAt: client.redirect });
  const r = await tokenRequest(house.origin, client, codeBody(client, b.url.searchParams.get('code')!));
  assert.equal(decodeJwt(r.body.access_token)['org'], second);
  assert.equal(decodeJwt(r.body.access_token).sub, labs[0]!.id);
});

test('nobody can choose an organization that is not theirs', async () => {
  const bob = await house.addPerson('Bobby');
  const { csrf, post } = await onPage();
  const r = await post({ ...yes(csrf), member: bob.member });
  assert.equal(r.status, 404);
  assert.match(await r.text(), /authorization\/no-membership/);
});

test('what was not ticked is not in the token, now or after a refresh', async () => {
  const { csrf, post } = await onPage();
  const r = await post(yes(csrf));
  assert.equal(r.status, 303);
  const b = await browserOf(house, house.ada);
  await b.open(await authorizeUrl(house, client));
  // A browser sends each ticked box; this one leaves the second out.
  b.body = b.body.replace(
    /<label class="choice"><input type="checkbox" name="scope" value="mcp:write"[^>]*>/,
    '<label>',
  );
  await b.submit('Allow', {}, { stopAt: client.redirect });
  const tokens = await tokenRequest(house.origin, client, codeBody(client, b.url.searchParams.get('code')!));
  assert.equal(tokens.body.scope, 'mcp:read');
  const again = await tokenRequest(house.origin, client, {
    grant_type: 'refresh_token',
    refresh_token: tokens.body.refresh_token,
    scope: 'mcp:read',
  });
  assert.equal(again.body.scope, 'mcp:read');
});

test('a yes with nothing ticked is refused and the request stays open', async () => {
  const { csrf, post } = await onPage();
  const { scope: _none, ...nothing } = yes(csrf);
  const r = await post(nothing);
  assert.equal(r.status, 400);
  assert.match(await r.text(), /authorization\/nothing-allowed/);
  assert.equal((await post(yes(csrf))).status, 303);
});

test('a form that says neither yes nor no, is no form, or is too large is refused', async () => {
  const { csrf, b, post } = await onPage();
  assert.match(await (await post({ csrf })).text(), /authorization\/form</);
  assert.match(await (await post({ csrf, say: 'x'.repeat(20_000) })).text(), /authorization\/form-size/);
  const json = await fetch(b.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin', cookie: b.cookies(b.url) },
    body: '{}',
  });
  assert.equal(json.status, 415);
  const put = await fetch(b.url, { method: 'PUT' });
  assert.equal(put.status, 405);
  assert.match(await put.text(), /authorization\/method/);
});

test('who signed out in front of the page is told so', async () => {
  const { csrf, b } = await onPage();
  const cookie = b.cookies(b.url).replace(/me=usr_[0-9a-f]+;? ?/, '');
  const r = await fetch(b.url, {
    method: 'POST',
    headers: { cookie, 'sec-fetch-site': 'same-origin' },
    body: new URLSearchParams(yes(csrf)),
  });
  assert.equal(r.status, 401);
  assert.match(await r.text(), /authorization\/signed-out/);
});

test('two people, one browser after the other: each token is of the one who said yes', async () => {
  const bob = await house.addPerson('Rob');
  const b = await browserOf(house, house.ada);
  await b.open(await authorizeUrl(house, client));
  await b.submit('Allow', {}, { stopAt: client.redirect });
  await b.open(`${house.origin}/test-sign-in/${bob.user}`);
  await b.open(await authorizeUrl(house, client));
  await b.submit('Allow', {}, { stopAt: client.redirect });
  const r = await tokenRequest(house.origin, client, codeBody(client, b.url.searchParams.get('code')!));
  assert.equal(decodeJwt(r.body.access_token).sub, bob.member);
});

test('prompts that the library does not know by itself lead to the same page', async () => {
  for (const prompt of ['consent', 'login', 'select_account', 'create']) {
    const back = await consent(house, client, { params: { prompt } });
    assert.ok(back.searchParams.get('code'), `${prompt}: ${back.search}`);
  }
});

test('a suspended person cannot consent', async () => {
  const sue = await house.addPerson('Sue');
  await house.t.super(`update app_user set state = 'suspended' where id = $1`, sue.user);
  const { b } = await onPage(sue);
  assert.equal(b.status, 403);
  assert.match(b.text(), /belong to no organization/);
  await assert.rejects(signIn(house, client, {}, sue));
});
