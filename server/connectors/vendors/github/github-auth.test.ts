import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import { githubHouse } from '#dev/github-house.ts';
import { Problem } from '#kernel/problem.ts';
import { GrantRefused } from '#vault/organization-grant.ts';
import { VendorRefusal } from '../../kit/vendor-client.ts';
import { githubOAuth } from './github-auth.ts';
import { github } from './manifest.ts';
import { remoteRefuses } from './settings.ts';

const site = 'acme/website';
const code = (wanted: string) => (e: unknown) => e instanceof Problem && e.code === wanted;
const refusal = (status: number, says: RegExp) => (e: unknown) =>
  e instanceof VendorRefusal && e.status === status && says.test(e.says);
const installed = { actAs: 'organization' } as const;

test('a token of the installation reaches the repository of the call and the permission of the call, and no more', async (t) => {
  const h = await githubHouse(t);
  const asked: { repositories?: string[]; permissions: object }[] = [];
  const mints = (): void => {
    asked.length = 0;
    for (const r of h.hub.seen)
      if (r.path.endsWith('/access_tokens')) asked.push(JSON.parse(r.body.toString()) as (typeof asked)[number]);
  };
  await h.call('list_issues', { repository: site }, installed);
  mints();
  assert.deepEqual(asked.at(-1), { repositories: ['website'], permissions: { metadata: 'read', issues: 'read' } });
  await h.call('create_issue', { repository: site, title: 'x' }, installed);
  mints();
  assert.deepEqual(asked.at(-1), { repositories: ['website'], permissions: { metadata: 'read', issues: 'write' } });
  await h.call('search_code', { repositories: [site, 'acme/handbook'], query: 'earns' }, installed);
  mints();
  assert.deepEqual(asked.at(-1), {
    repositories: ['handbook', 'website'],
    permissions: { metadata: 'read', contents: 'read' },
  });
  // The vendor keeps to it: with the token for the website, the handbook is not there.
  const { client } = await h.as(installed);
  const narrow = client.narrowed({
    owner: 'acme',
    repositories: ['website'],
    permissions: { metadata: 'read', issues: 'read' },
  });
  await assert.rejects(narrow.send({ method: 'GET', path: '/repos/acme/handbook' }), refusal(404, /nothing there/));
  await assert.rejects(
    narrow.send({ method: 'GET', path: '/repos/acme/website/git/trees/main' }),
    refusal(403, /not accessible by integration/),
  );
  await assert.rejects(
    narrow.send({ method: 'POST', path: '/repos/acme/website/issues', json: { title: 'x' } }),
    refusal(403, /not accessible by integration/),
  );
});

test('of a connector that only reads, no token can write, whatever a call would ask for', async (t) => {
  const h = await githubHouse(t);
  const { client } = await h.as({ ...installed, access: 'read_only' });
  const wide = client.narrowed({
    owner: 'acme',
    repositories: ['website'],
    permissions: { metadata: 'read', contents: 'write', issues: 'write', workflows: 'write' },
  });
  await assert.rejects(
    wide.send({ method: 'POST', path: '/repos/acme/website/issues', json: { title: 'x' } }),
    refusal(403, /integration/),
  );
  await assert.rejects(
    client.send({ method: 'POST', path: '/repos/acme/website/issues', json: { title: 'x' } }),
    refusal(403, /integration/),
  );
});

test('an installation of one organization is not used for what is public in another', async (t) => {
  const h = await githubHouse(t);
  await assert.rejects(
    h.call(
      'list_tree',
      { repository: 'evilcorp/toolbox' },
      { ...installed, settings: { repositories: ['evilcorp/*'] } },
    ),
    code('connectors/github-other-owner'),
  );
});

test('members of the organizations may connect, others and personal accounts may not, and managed names are told apart', async (t) => {
  const h = await githubHouse(t);
  const judged = async (account: string, settings = {}): Promise<string | undefined> => {
    h.hub.visitor.account = account;
    const { client } = await h.as({ settings });
    return github.foreign?.(await github.whoami(client), client.settings, undefined);
  };
  assert.equal(await judged('ada'), undefined);
  assert.equal(await judged('ada', { organizations: ['nobody-here', 'ACME'] }), undefined);
  assert.match((await judged('mallory')) ?? '', /mallory is no member of acme/);
  assert.match((await judged('pat')) ?? '', /pat is no member/);
  assert.match((await judged('ada', { account_suffix: 'acme' })) ?? '', /personal account/);
  h.hub.world.users.push({ id: 5, login: 'eve_acme', email: null, orgs: ['acme'] });
  assert.equal(await judged('eve_acme', { account_suffix: 'acme' }), undefined);
  h.hub.world.users[0]!.orgs = [];
  assert.match((await judged('ada')) ?? '', /no member/);
});

test('an installation is its organization, and one elsewhere is foreign', async (t) => {
  const h = await githubHouse(t);
  const { client } = await h.as(installed);
  const account = await github.whoami(client);
  assert.deepEqual(account, { subject: 'installation:55001001', label: 'the app in acme', tenant: 'acme' });
  assert.equal(github.foreign?.(account, client.settings, undefined), undefined);
  const other = await h.as({ ...installed, settings: { organizations: ['other'] } });
  assert.match(
    github.foreign?.(await github.whoami(other.client), other.client.settings, undefined) ?? '',
    /belongs to acme/,
  );
});

test('the app signs for itself with RS256, for less than ten minutes, and from a minute ago', async (t) => {
  const h = await githubHouse(t);
  await h.as(installed);
  const jwt = String(h.hub.seen.find((r) => r.path.endsWith('/access_tokens'))?.headers.authorization).slice(7);
  const { iat = 0, exp = 0, iss } = decodeJwt(jwt);
  assert.ok(exp - iat <= 600);
  assert.equal(iss, h.hub.app.clientId);
});

for (const [what, edit, because, says] of [
  [
    'a key of another app',
    (f: Record<string, unknown>) =>
      void (f['private_key'] = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
        type: 'pkcs8',
        format: 'pem',
      })),
    'app',
    /does not accept the private key/,
  ],
  [
    'another app',
    (f: Record<string, unknown>) => void (f['client_id'] = 'Iv1.other'),
    'app',
    /does not accept the private key/,
  ],
  [
    'an installation that is gone',
    (f: Record<string, unknown>) => void (f['installation_id'] = '1'),
    'app',
    /no such installation/,
  ],
] as const)
  test(`with ${what} there is no token, and an administrator is told why`, async (t) => {
    const h = await githubHouse(t);
    edit(h.hub.accounts['app_installation'] as Record<string, unknown>);
    await assert.rejects(
      h.as(installed),
      (e) => e instanceof GrantRefused && e.because === because && says.test(e.says) && !/PRIVATE KEY/.test(e.says),
    );
  });

test('an installation that is suspended, or was not given the repository, gives no token', async (t) => {
  const h = await githubHouse(t);
  h.hub.world.installation.repositories = ['handbook'];
  await assert.rejects(
    h.call('list_tree', { repository: site }, installed),
    (e) => e instanceof GrantRefused && e.because === 'later' && /repository it was not given/.test(e.says),
  );
  h.hub.world.installation.suspended = true;
  await assert.rejects(
    h.as({ ...installed, access: 'read_only' }),
    (e) => e instanceof GrantRefused && e.because === 'app' && /suspended/.test(e.says),
  );
});

test('what is no RSA key in PEM is not taken as the key of an app', () => {
  const { fields } = github.organization[0]!;
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pub = ec.publicKey.export({ type: 'spki', format: 'pem' });
  for (const private_key of ['x', ec.privateKey.export({ type: 'pkcs8', format: 'pem' }), pub])
    assert.equal(fields.safeParse({ client_id: 'Iv1.a', installation_id: '1', private_key }).success, false);
});

test('a token that ends is renewed on its 401, once for each refresh token; the old pair is dead', async (t) => {
  const h = await githubHouse(t);
  const hand = await h.as();
  assert.match(await hand.say('list_tree', { repository: site }), /README/);
  h.hub.advance(8 * 3600 + 1);
  const again = await h.as();
  assert.match(await again.say('list_tree', { repository: site }), /README/);
  const refreshes = h.hub.seen.filter(
    (r) => r.path.endsWith('/access_token') && r.body.toString().includes('grant_type=refresh_token'),
  );
  assert.equal(refreshes.length, 1);
  const replay = await fetch(`${h.hub.origins['login']}/login/oauth/access_token`, {
    method: 'POST',
    headers: { accept: 'application/json' },
    body: new URLSearchParams(refreshes[0]!.body.toString()),
  });
  const said = (await replay.json()) as Record<string, unknown>;
  assert.equal(replay.status, 200);
  assert.equal(said['error'], 'bad_refresh_token');
  assert.equal(githubOAuth.classify?.(200, said), 'reconnect');
});

test('tokens of an app that opted out of expiry, and of an OAuth App, have no end and no refresh token', async (t) => {
  const h = await githubHouse(t);
  h.hub.world.app.expiringTokens = false;
  assert.match(await (await h.as()).say('list_tree', { repository: site }), /README/);
  h.hub.world.app.kind = 'oauth_app';
  h.hub.visitor.account = 'bob';
  const hand = await h.as();
  assert.match(await hand.say('list_tree', { repository: site }), /README/);
  assert.deepEqual(hand.client.scopes, ['read:org', 'repo']);
  assert.deepEqual(githubOAuth.readToken?.({ access_token: 'gho_x', scope: 'repo,read:org', token_type: 'bearer' }), {
    accessToken: 'gho_x',
    refreshToken: undefined,
    expiresIn: undefined,
    refreshExpiresIn: undefined,
    scopes: ['repo', 'read:org'],
  });
  assert.equal(
    githubOAuth.readToken?.({ access_token: 'ghu_x', scope: '', token_type: 'bearer', expires_in: '28800' })?.scopes,
    undefined,
  );
});

for (const [error, because] of [
  ['bad_refresh_token', 'reconnect'],
  ['bad_verification_code', 'reconnect'],
  ['unverified_user_email', 'reconnect'],
  ['incorrect_client_credentials', 'app'],
  ['redirect_uri_mismatch', 'app'],
  ['application_suspended', 'app'],
  ['something_new', undefined],
] as const)
  test(`GitHub's ${error} with status 200 means ${because ?? 'what nobody foresaw'}`, () => {
    assert.equal(githubOAuth.classify?.(200, { error }), because);
    assert.equal(githubOAuth.explain?.({ error }, {}) !== undefined, because !== undefined);
  });

test('a grant whose access token has ended already is ended all the same, by its refresh token', async (t) => {
  const h = await githubHouse(t);
  const hand = await h.as();
  h.hub.advance(8 * 3600 + 1);
  await hand.revoke();
  const given = h.hub.seen.at(-1);
  assert.equal(given?.path, '/credentials/revoke');
  assert.equal(given?.headers.authorization, undefined);
  await assert.rejects(hand.run('list_tree', { repository: site }), /reconnect: bad_refresh_token/);
  h.hub.fault = (r) => (r.path === '/credentials/revoke' ? { status: 403, body: { message: 'Forbidden' } } : undefined);
  await assert.rejects(hand.revoke(), code('connectors/github-not-revoked'));
});

test('a grant is ended at GitHub for the whole app, and ending it twice is no fault', async (t) => {
  const h = await githubHouse(t);
  const hand = await h.as();
  await hand.say('list_tree', { repository: site });
  await hand.revoke();
  await hand.revoke();
  await assert.rejects(hand.run('list_tree', { repository: site }));
  h.hub.fault = (r) => (r.path.endsWith('/grant') ? { status: 500, body: {} } : undefined);
  await assert.rejects(hand.revoke(), code('connectors/github-not-revoked'));
});

test('the remote mode is refused as long as there is something to keep that only our tools can keep', () => {
  const open = { organizations: ['acme'], standard_path_rules: false };
  assert.equal(remoteRefuses(open), undefined);
  assert.match(remoteRefuses({ organizations: ['acme'] }) ?? '', /path rules/);
  assert.match(remoteRefuses({ ...open, repositories: ['acme/*'] }) ?? '', /list of repositories/);
  assert.match(remoteRefuses({ ...open, deny_paths: ['x'] }) ?? '', /path rules/);
  assert.match(remoteRefuses({ ...open, only_paths: ['x'] }) ?? '', /path rules/);
  assert.equal(github.remote?.readOnlyUrl, '{mcp}/mcp/readonly');
});

for (const [what, settings] of [
  ['no organization', { organizations: [] }],
  ['a star for the owner', { organizations: ['acme'], repositories: ['*/x'] }],
  ['two stars', { organizations: ['acme'], repositories: ['acme/**'] }],
  ['a repository without owner', { organizations: ['acme'], repositories: ['website'] }],
  ['a path rule of another language', { organizations: ['acme'], deny_paths: ['[ab].txt'] }],
  ['what we do not know', { organizations: ['acme'], pathrules: [] }],
] as const)
  test(`settings with ${what} are refused`, () => assert.equal(github.settings.safeParse(settings).success, false));
