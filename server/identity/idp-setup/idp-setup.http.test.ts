import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from '#dev/browser.ts';
import { samlKey } from '#dev/saml-signer.ts';
import { idpMetadata } from '#dev/saml-metadata.ts';
import { idpSetupHouse, type IdpSetupHouse } from '#dev/idp-setup-house.ts';
import { foundOrg } from '#org/found-org.ts';

let h: IdpSetupHouse;
before(async () => {
  h = await idpSetupHouse();
});
after(() => h[Symbol.asyncDispose]());

const post = (url: string, fields: Record<string, string> = {}, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams(fields),
    headers: { origin: h.origin, 'sec-fetch-site': 'same-origin', ...headers },
  });
const bring = (): Record<string, string> => ({
  issuer: h.idp.issuer,
  client_id: h.idp.clientId,
  client_secret: h.idp.clientSecret,
});
/** A token on the page that has just been made: it is on no other page. */
const scimToken = (b: Browser): string => /ghs_[\w-]{43}/.exec(b.body)?.[0] ?? '';

test('a link is made once: its address is in the answer, the list has no token, and the table only its hash', async () => {
  const { id, token } = await h.link({ name: 'once' });
  const list = await h.api('GET', `/orgs/${h.acme.org}/idp-setup-links?q=once`);
  assert.equal((list.body['items'] as { id: string }[])[0]?.id, id);
  assert.ok(!list.text.includes(token));
  const rows = await h.t.super<{ line: string }>(`select l::text as line from idp_setup_link l where id = $1`, id);
  assert.ok(!rows[0]!.line.includes(token));
  const [made] = (await h.events('idp_setup.link_created')).filter((e) => e.data['link'] === id);
  assert.deepEqual([made?.log, made?.data['tasks']], [h.acme.parent, ['domain', 'sign_in', 'directory']]);
});

test('the first page says who sent the link, until when it works and what is to be done, and is opened in the log once', async () => {
  const { url, id } = await h.link();
  const b = await new Browser().open(url);
  assert.equal(b.status, 200);
  assert.match(b.text(), /Ada asks you to do this/);
  assert.match(b.text(), /works until \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
  await new Browser().open(url);
  const opened = (await h.events('idp_setup.link_opened')).filter((e) => e.data['link'] === id);
  assert.equal(opened.length, 1);
});

test('a whole set-up: sign-in is connected and waits for an owner, and nobody can use it until then', async () => {
  const { browser, id } = await h.visit();
  await browser.follow('Sign-in');
  assert.match(browser.text(), new RegExp(`Sign-in redirect URIs ${h.origin}/sign-in/callback`));
  await browser.submit('Connect sign-in', bring());
  assert.match(browser.text(), /connected; waits to be switched on/);
  assert.ok(!browser.body.includes(h.idp.clientSecret));
  const links = await h.api('GET', `/orgs/${h.acme.org}/idp-setup-links`);
  const connection = (links.body['items'] as { id: string; connection: string }[]).find((l) => l.id === id)!.connection;
  const start = await fetch(`${h.origin}/sign-in/start/${connection}`, { redirect: 'manual' });
  assert.equal(start.status, 403);
  assert.match(await start.text(), /switched off/);
  await h.api('POST', `/orgs/${h.acme.org}/sso-connections/${connection}/enable`);
  const begun = await new Browser().open(`${h.origin}/sign-in/start/${connection}`, { stopAt: h.idp.issuer });
  assert.equal(begun.url.origin, h.idp.issuer);

  await browser.follow('What has arrived');
  assert.match(browser.text(), /1 browser was sent to your identity provider and is not back/);
  const query = h.idp.signIn(begun.url, 'nobody-here');
  await begun.open(`${h.origin}/sign-in/callback?${query.toString()}`);
  await browser.follow('Look again');
  assert.match(browser.text(), /Refused/);
  assert.match(browser.text(), /proved who it was; the organization here did not let them in/);
  // The holder of a link learns nothing about the people and rules of the organization.
  assert.ok(!browser.body.includes('nobody-here'), browser.text());
  const made = (await h.events('sso.connection_created')).filter((e) => e.data['connection'] === connection);
  assert.deepEqual(made[0]?.header['actor'], { kind: 'system', id });
});

test('the connection is tested by a dry sign-in while it is still switched off, and nobody is let in by that', async () => {
  const { browser } = await h.visit();
  await browser.follow('Sign-in');
  await browser.submit('Connect sign-in', { ...bring(), client_id: h.idp.clientId });
  // The client is connected already by an earlier test; the holder is told whom to ask, and not which connection it is.
  assert.equal(browser.status, 409, browser.text());
  assert.match(browser.text(), /connected already[^]*ask Ada, who sees all connections/i);
  const fresh = await idpSetupHouse();
  try {
    const { browser: b } = await fresh.visit();
    await b.follow('Sign-in');
    await b.submit('Connect sign-in', {
      issuer: fresh.idp.issuer,
      client_id: fresh.idp.clientId,
      client_secret: fresh.idp.clientSecret,
    });
    await b.submit('Test the connection');
    await b.submit('Begin the test', {}, { stopAt: fresh.idp.issuer });
    if (b.url.origin !== fresh.idp.issuer) await b.follow(/Continue/, { stopAt: fresh.idp.issuer });
    await b.open(`${fresh.origin}/sign-in/callback?${fresh.idp.signIn(b.url, 'somebody').toString()}`);
    assert.match(b.text(), /As received/, b.text());
    assert.equal((await fresh.events('session.opened')).filter((e) => e.data['via'] === 'oidc').length, 0);
  } finally {
    await fresh[Symbol.asyncDispose]();
  }
});

test('a link that was made with `activates` connects a way in that works at once', async () => {
  const idp = h.idp.clientId;
  const { browser } = await h.visit({ activates: true });
  await browser.follow('Sign-in');
  await browser.submit('Connect sign-in', { ...bring(), client_id: `${idp}-other` });
  assert.match(browser.text(), /connected; nobody has tried it/);
  assert.match(browser.text(), /Try to sign in/);
  await browser.submit('Replace the secret', { client_secret: 'another' });
  assert.match(browser.text(), /It is connected over OpenID Connect/);
  await browser.submit('Begin sign-in again');
  assert.match(browser.text(), /First there, then back here/);
  const [dropped] = await h.events('idp_setup.connection_dropped');
  assert.ok(dropped);
});

for (const [what, fields, status, says, fix] of [
  ['no issuer', { issuer: ' ' }, 400, /The issuer is missing/, /copy it from the place named/i],
  [
    'an issuer with its placeholder left in',
    { issuer: 'https://login.example/{tenant}/v2.0' },
    400,
    /not an address/,
    /in the place of what stands in braces/,
  ],
  ['an issuer that is no address', { issuer: 'acme.okta.com' }, 400, /not an address/, /begins with https/],
  ['no client id', { client_id: '' }, 400, /client id is missing/, /copy it/i],
  ['no client secret', { client_secret: '' }, 400, /client secret is missing/, /make another there/],
  [
    'an issuer that does not answer',
    { issuer: 'http://127.0.0.1:9' },
    502,
    /no usable discovery document|private/,
    /./,
  ],
] as const)
  test(`connecting sign-in with ${what} shows the form again, says what to do, and keeps what was entered but the secret`, async () => {
    const { browser } = await h.visit({ allowPrivate: [new URL(h.idp.issuer).host, '127.0.0.1:9'] });
    await browser.follow('Sign-in');
    await browser.submit('Connect sign-in', { ...bring(), client_secret: 'a-secret-to-keep', ...fields });
    assert.equal(browser.status, status, browser.text());
    assert.match(browser.text(), says);
    assert.match(browser.text(), fix);
    const kept: Record<string, string> = { ...bring(), ...fields };
    if (kept['client_id'] !== '') assert.ok(browser.body.includes(`value="${kept['client_id']}"`));
    assert.ok(!browser.body.includes('a-secret-to-keep'));
    assert.equal(browser.url.pathname.endsWith('/sign-in'), true);
  });

for (const [provider, issuer, field, refused, fields, kept] of [
  [
    'entra-id',
    'https://login.microsoftonline.com/common/v2.0',
    'Tenant',
    /speaks for every tenant[^]*Enter the id of your tenant below/,
    { tenant: '00000000-1111-2222-3333-44444444444A' },
    { tenants: ['00000000-1111-2222-3333-44444444444a'] },
  ],
  [
    'google-workspace',
    'https://accounts.google.com',
    'Domains of your organization',
    /one issuer for every account[^]*Enter the domains of your Google Workspace below/,
    { hosted_domains: ' Acme.example, bücher.example ;acme.example' },
    { hostedDomains: ['acme.example', 'xn--bcher-kva.example'] },
  ],
] as const)
  test(`the page for ${provider} asks whose people are meant, and the connection keeps it`, async () => {
    const { browser, id } = await h.visit({}, { provider, protocol: 'oidc' });
    await browser.follow('Sign-in');
    assert.match(browser.text(), new RegExp(field));
    const entered = { ...bring(), client_id: `of-${provider}` };
    await browser.submit('Connect sign-in', { ...entered, issuer });
    assert.equal(browser.status, 400, browser.text());
    assert.match(browser.text(), refused);
    const bad = Object.fromEntries(Object.keys(fields).map((name) => [name, 'not one!']));
    assert.match((await browser.submit('Connect sign-in', { ...entered, ...bad })).text(), /this is not /i);
    await browser.submit('Connect sign-in', { ...entered, ...fields });
    assert.match(browser.text(), /waits to be switched on/);
    const links = (await h.api('GET', `/orgs/${h.acme.org}/idp-setup-links`)).body['items'];
    const connection = (links as { id: string; connection: string }[]).find((l) => l.id === id)?.connection;
    const made = (await h.api('GET', `/orgs/${h.acme.org}/sso-connections/${connection}`)).body;
    for (const [name, value] of Object.entries(kept)) assert.deepEqual(made[name], value);
  });

test('a provider without a page of its own is asked for the tenant or the domains once its issuer needs them', async () => {
  const { browser } = await h.visit({}, { provider: 'generic', protocol: 'oidc' });
  await browser.follow('Sign-in');
  assert.doesNotMatch(browser.text(), /Domains of your organization/);
  await browser.submit('Connect sign-in', { ...bring(), issuer: 'https://accounts.google.com' });
  assert.match(browser.text(), /Domains of your organization/);
});

test('a host inside a private network that the maker of the link did not name is not asked', async () => {
  const { browser } = await h.visit({ allowPrivate: [] });
  await browser.follow('Sign-in');
  const before_ = h.idp.asked.get('/.well-known/openid-configuration') ?? 0;
  await browser.submit('Connect sign-in', bring());
  assert.equal(browser.status >= 400, true);
  assert.equal(h.idp.asked.get('/.well-known/openid-configuration') ?? 0, before_);
});

for (const [what, metadata, says] of [
  ['nothing', '', /metadata is missing/],
  ['a sentence', 'it is in the mail', /neither an address nor metadata/],
  ['XML that is no metadata', '<a xmlns="urn:b"/>', /./],
] as const)
  test(`connecting SAML with ${what} shows the form again and says what to do`, async () => {
    const { browser } = await h.visit({}, { provider: 'entra-id', protocol: 'saml' });
    await browser.follow('Sign-in');
    assert.match(browser.text(), new RegExp(`${h.origin}/saml/acs/${h.acme.org}`));
    await browser.submit('Connect sign-in', { metadata });
    assert.equal(browser.status, 400, browser.text());
    assert.match(browser.text(), says);
  });

test('SAML is connected from the text of a metadata file; our values stay on the page, and it waits for an owner', async () => {
  const key = samlKey();
  const metadata = idpMetadata({
    entityId: 'https://idp.lamps.example/saml',
    sso: 'https://idp.lamps.example/sso',
    keys: [key],
  });
  const { browser, id } = await h.visit({}, { provider: 'keycloak', protocol: 'saml' });
  await browser.follow('Sign-in');
  await browser.submit('Connect sign-in', { metadata });
  assert.equal(browser.status, 200, browser.text());
  assert.match(browser.text(), /connected; waits to be switched on Issuer https:\/\/idp\.lamps\.example\/saml/);
  assert.match(browser.text(), new RegExp(`Master SAML Processing URL ${h.origin}/saml/acs/${h.acme.org}`));
  const rows = await h.t.super<{ state: string; kind: string }>(
    `select c.state, c.kind from sso_connection c join idp_setup_link l on l.connection = c.id where l.id = $1`,
    id,
  );
  assert.deepEqual(rows[0], { state: 'disabled', kind: 'saml' });
});

test('choosing no identity provider, or one that is not in the list, is told on the form', async () => {
  const { url } = await h.link();
  for (const provider of ['', 'acme-id']) {
    const r = await post(`${url}/provider`, { provider, protocol: 'oidc' });
    assert.equal(r.status, 400);
    assert.match(await r.text(), /No identity provider was chosen[^]*identity\/idp-setup-field/);
  }
});

test('a directory is made with a token that is shown one time; the page then sees the first request of the identity provider', async () => {
  const { browser } = await h.visit();
  await browser.follow('People and groups');
  await browser.submit('Make address and token');
  const token = scimToken(browser);
  assert.ok(token, browser.text());
  const base = /http:\/\/localhost:\d+\/scim\/v2\/dir_[0-9a-f]{32}/.exec(browser.body)?.[0] ?? '';
  await browser.follow('What has arrived');
  assert.match(browser.text(), /No request with a token of this directory has arrived/);
  const scim = (path: string, init: RequestInit = {}, bearer = token) =>
    fetch(`${base}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/scim+json' },
    });
  assert.equal((await scim('/Users?filter=userName%20eq%20%22x%22', {}, 'ghs_wrong')).status, 401);
  await browser.follow('Look again');
  assert.match(browser.text(), /No request with a token/);
  assert.equal((await scim('/Users?filter=userName%20eq%20%22x%22')).status, 200);
  await browser.follow('Look again');
  assert.match(browser.text(), /We have seen your request/);
  assert.equal(
    (await scim('/Users', { method: 'POST', body: '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]}' }))
      .status,
    400,
  );
  // Refusals reach the journal in batches.
  for (let i = 0; i < 50 && !/POST \/Users 400/.test(browser.text()); i++) {
    await new Promise((r) => setTimeout(r, 100));
    await browser.follow('Look again');
  }
  assert.match(browser.text(), /POST \/Users 400/);
  await browser.open(browser.url.href.replace('/seen', '/directory'));
  assert.equal(scimToken(browser), '');
  assert.match(browser.text(), /last used/);
});

test('two tokens work beside each other for a change without a gap; a third is refused with what to do; ending one ends it', async () => {
  const { browser, url } = await h.visit();
  await browser.follow('People and groups');
  await browser.submit('Make address and token');
  await browser.open(`${url}/directory`);
  await browser.submit('Make another token');
  await browser.open(`${url}/directory`);
  await browser.submit('Make another token');
  assert.equal(browser.status, 400);
  assert.match(browser.text(), /2 tokens that work already[^]*end the one/i);
  await browser.open(`${url}/directory`);
  await browser.submit('End it');
  assert.equal(browser.body.match(/End it/g)?.length, 1);
});

test('Google Workspace cannot push people, and the page says so and what to do instead', async () => {
  const { browser, url } = await h.visit({}, { provider: 'google-workspace', protocol: 'saml' });
  await browser.follow('People and groups');
  assert.match(browser.text(), /only to the applications of its own catalogue/);
  assert.ok(!browser.body.includes('Make address and token'));
  const r = await post(`${url}/directory`);
  assert.equal(r.status, 303);
  assert.equal((await h.t.super(`select 1 from directory where name = 'Google Workspace'`)).length, 0);
});

test('a domain is added, looked up and verified through the link; another domain of the parent is not shown', async () => {
  const { browser } = await h.visit();
  await browser.follow('Domain');
  await browser.submit('Add the domain', { domain: 'lamps.example' });
  const value = /gatehouse-domain-verification=[^<\s]+/.exec(browser.body)?.[0] ?? '';
  assert.ok(value, browser.text());
  await browser.submit('Look it up now');
  assert.match(browser.text(), /not verified yet/);
  h.zone.txt('_gatehouse-challenge.lamps.example', value);
  h.advance(10_000);
  await browser.submit('Look it up now');
  assert.match(browser.text(), /lamps\.example State verified/, browser.text());
  const other = await h.visit();
  await other.browser.follow('Domain');
  assert.ok(!other.browser.body.includes('lamps.example'));
  await other.browser.submit('Add the domain', { domain: 'lamps.example' });
  assert.equal(other.browser.status, 409);
  assert.match(other.browser.text(), /ask Ada how it stands/);
  for (const [domain, says] of [
    ['', /domain is missing/],
    ['gmail.com', /./],
    ['not a domain', /./],
  ] as const) {
    await other.browser.submit('Add the domain', { domain });
    assert.equal(other.browser.status, 400, domain);
    assert.match(other.browser.text(), says);
  }
});

const pagesOf = (url: string): string[] => [
  url,
  ...['domain', 'sign-in', 'directory', 'seen'].map((p) => `${url}/${p}`),
];
const formsOf = (url: string): string[] =>
  ['provider', 'domain', 'sign-in', 'sign-in/secret', 'sign-in/again', 'sign-in/test', 'directory'].map(
    (p) => `${url}/${p}`,
  );

async function refusedEverywhere(url: string, status: number, code: string, says: RegExp): Promise<void> {
  for (const page of pagesOf(url)) {
    const r = await fetch(page, { redirect: 'manual' });
    const text = await r.text();
    assert.equal(r.status, status, page);
    assert.match(text, new RegExp(code), page);
    assert.match(text, says);
    assert.ok(!text.includes('Acme'), 'names no organization');
  }
  for (const form of formsOf(url)) {
    const r = await post(form, { provider: 'okta', protocol: 'oidc' });
    assert.equal(r.status, status, form);
    await r.text();
  }
}

test('a link that was taken back opens nothing, says so and whom to ask; taking it back twice changes nothing', async () => {
  const { id, url } = await h.link();
  for (let i = 0; i < 2; i++)
    assert.equal((await h.api('DELETE', `/orgs/${h.acme.org}/idp-setup-links/${id}`)).status, 204);
  await refusedEverywhere(url, 403, 'identity/idp-setup-link-revoked', /ask Ada/);
  assert.equal((await h.events('idp_setup.link_revoked')).filter((e) => e.data['link'] === id).length, 1);
});

test('a link of 7 days opens nothing on the eighth', async () => {
  const { url } = await h.link();
  const day = 86_400_000;
  h.advance(7 * day - 60_000);
  assert.equal((await fetch(url)).status, 200);
  h.advance(120_000);
  await refusedEverywhere(url, 403, 'identity/idp-setup-link-expired', /ask Ada/);
  h.advance(-7 * day - 60_000);
});

test('a token that nobody made, or a piece of one, opens nothing', async () => {
  const { url } = await h.link();
  for (const wrong of [`${h.origin}/idp-setup/${'A'.repeat(43)}`, url.slice(0, -1), `${url}x`])
    await refusedEverywhere(wrong, 404, 'identity/no-idp-setup-link', /address is whole/);
});

test('a link ends with the permission of who made it', async () => {
  const { user, member } = await h.addPerson('Olaf', 'owner');
  const olaf = await h.browserOf(user);
  const r = await fetch(`${h.origin}/api/orgs/${h.acme.org}/idp-setup-links`, {
    method: 'POST',
    headers: {
      cookie: olaf.cookies(new URL(h.origin)),
      origin: h.origin,
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ name: 'from Olaf' }),
  });
  const { url } = (await r.json()) as { url: string };
  assert.equal((await fetch(url)).status, 200);
  await h.t.super(`update member set role = 'admin' where id = $1`, member);
  await refusedEverywhere(url, 403, 'identity/idp-setup-link-unbacked', /Olaf made this set-up link and may no longer/);
});

test('a key without directory.manage cannot make a link that hands it on', async () => {
  const made = await h.api('POST', `/orgs/${h.acme.org}/api-keys`, {
    name: 'sso only',
    permissions: ['sso.manage'],
    expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
  });
  const auth = { authorization: `Bearer ${String(made.body['value'])}` };
  const make = (tasks: string[]) => h.api('POST', `/orgs/${h.acme.org}/idp-setup-links`, { name: 'k', tasks }, auth);
  const refused = await make(['sign_in', 'directory']);
  assert.deepEqual([refused.status, refused.body['code']], [403, 'identity/idp-setup-link-over-scoped']);
  assert.equal((await make(['sign_in'])).status, 201, made.text);
});

test('a link is for its tasks only', async () => {
  const { browser, url } = await h.visit({ tasks: ['directory'] }, { provider: 'okta' });
  assert.ok(!browser.body.includes('/sign-in"'));
  for (const path of ['domain', 'sign-in']) {
    const r = await fetch(`${url}/${path}`);
    assert.equal(r.status, 404);
    assert.match(await r.text(), /identity\/idp-setup-no-task/);
  }
  const r = await post(`${url}/sign-in`, bring());
  assert.equal(r.status, 404);
});

test('a page of another site cannot make a browser act at a link', async () => {
  const { url } = await h.link();
  for (const form of formsOf(url)) {
    const r = await post(
      form,
      { provider: 'okta', protocol: 'oidc' },
      { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    );
    assert.equal(r.status, 403, form);
    assert.match(await r.text(), /identity\/cross-site/);
  }
  const list = await h.api('GET', `/orgs/${h.acme.org}/idp-setup-links?limit=1`);
  assert.equal((list.body['items'] as { provider: null }[])[0]?.provider, null);
});

test('pages of a link are kept by no cache, named to no other site and found by no search engine', async () => {
  const { url } = await h.link();
  const r = await fetch(url);
  assert.equal(r.headers.get('cache-control'), 'no-store');
  assert.equal(r.headers.get('referrer-policy'), 'same-origin');
  assert.match(await r.text(), /name="robots" content="noindex"/);
});

test('what belongs to another parent is neither shown nor touched through a link, whatever its address says', async () => {
  const theirs = await foundOrg(h.world, {
    parentName: 'Rival',
    orgName: 'Rival HQ',
    owner: { email: 'r@rival.example', displayName: 'Rita Rival' },
  });
  await h.t.super(
    `insert into directory (parent, id, org, name, state, created_at) values ($1, 'dir_00000000000000000000000000000001', $2, 'Rival directory', 'active', now())`,
    theirs.parent,
    theirs.org,
  );
  await h.t.super(
    `insert into scim_token (parent, id, directory, hash, created_at, created_by, expires_at)
     values ($1, 'sct_00000000000000000000000000000001', 'dir_00000000000000000000000000000001', '\\x01', now(), 'x', now() + interval '1 day')`,
    theirs.parent,
  );
  await h.t.super(
    `insert into domain (parent, id, name, shown, token, include_subdomains, added_at, state, since, next_check_at)
     values ($1, 'dom_00000000000000000000000000000001', 'rival.example', 'rival.example', '${'0'.repeat(32)}', false, now(), 'pending', now(), now())`,
    theirs.parent,
  );
  const { browser, url, id } = await h.visit();
  await browser.follow('People and groups');
  await browser.submit('Make address and token');
  const ended = await post(`${url}/directory/tokens/sct_00000000000000000000000000000001/end`);
  assert.equal(ended.status, 404);
  const checked = await post(`${url}/domain/dom_00000000000000000000000000000001/check`);
  assert.equal(checked.status, 404);
  // Even a row that names their things by somebody's mistake shows nothing of them.
  await h.t.super(
    `update idp_setup_link set directory = 'dir_00000000000000000000000000000001', domains = '{dom_00000000000000000000000000000001}' where id = $1`,
    id,
  );
  for (const page of pagesOf(url)) {
    await browser.open(page);
    assert.equal(browser.status, 200, browser.text());
    assert.ok(!/rival/i.test(browser.body), page);
  }
  const [token] = await h.t.super<{ revoked_at: unknown }>(
    `select revoked_at from scim_token where id = 'sct_00000000000000000000000000000001'`,
  );
  assert.equal(token?.revoked_at, null);
  assert.equal((await h.api('GET', `/orgs/${theirs.org}/idp-setup-links`)).status, 404);
});

test('a domain or a token of the same parent that was not made through a link is not touched by it', async () => {
  const first = await h.visit();
  await first.browser.follow('Domain');
  await first.browser.submit('Add the domain', { domain: 'other.lamps.example' });
  const domain = /dom_[0-9a-f]{32}/.exec(first.browser.body)?.[0] ?? '';
  await first.browser.follow('People and groups');
  await first.browser.submit('Make address and token');
  const scim = /sct_[0-9a-f]{32}/.exec(first.browser.body)?.[0] ?? '';
  const second = await h.visit();
  await second.browser.follow('People and groups');
  await second.browser.submit('Make address and token');
  assert.equal((await post(`${second.url}/domain/${domain}/check`)).status, 404);
  assert.equal((await post(`${second.url}/directory/tokens/${scim}/end`)).status, 404);
  assert.equal((await post(`${first.url}/directory/tokens/${scim}/end`)).status, 303);
});

test('another organization’s owner sees no link of ours, and cannot take one back', async () => {
  const { id } = await h.link();
  const sister = await h.t.super<{ id: string }>(
    `insert into org (parent, id, name, surface, created_at) values ($1, 'org_00000000000000000000000000000009', 'Sister', 'workspace', now()) returning id`,
    h.acme.parent,
  );
  const org = sister[0]!.id;
  const { user } = await h.addPerson('Sina', 'owner', org as typeof h.acme.org);
  const sina = await h.browserOf(user);
  const headers = { cookie: sina.cookies(new URL(h.origin)), origin: h.origin, 'sec-fetch-site': 'same-origin' };
  const list = await h.api('GET', `/orgs/${org}/idp-setup-links`, undefined, headers);
  assert.deepEqual([list.status, list.body['items']], [200, []], list.text);
  const r = await h.api('DELETE', `/orgs/${org}/idp-setup-links/${id}`, undefined, headers);
  assert.deepEqual([r.status, r.body['code']], [404, 'identity/no-idp-setup-link']);
});

test('while it is watched the page comes again by itself, a limited number of times', async () => {
  const { url } = await h.link();
  const refresh = async (query: string) => (await fetch(`${url}/seen${query}`)).headers.get('refresh');
  assert.equal(await refresh(''), null);
  assert.match((await refresh('?watch=60')) ?? '', /^5; url=\/idp-setup\/[\w-]{43}\/seen\?watch=59$/);
  assert.match((await refresh('?watch=1')) ?? '', /watch=0$/);
  assert.equal(await refresh('?watch=100000'), null);
});
