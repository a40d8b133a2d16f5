// Longer than 300 lines: what people and administrators do with one server, whose house is costly to build.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { connectorHouse, inCatalogue, type Added, type ConnectorHouse } from '#dev/connector-house.ts';
import { oauthUpstream, type OauthUpstream, type UpstreamModes } from '#dev/oauth-upstream.ts';
import type { Id } from '#kernel/id.ts';
import { sweepEnded } from '#vault/tell-vendor.job.ts';
import { siteOf } from '../connect/site-of.ts';
import { discovering } from '../kit/discovering.ts';
import { reviewTools } from '../review-tools.ts';
import { listToolsOf } from '../tool.sql.ts';
import { vendorOf } from '../vendors/all-vendors.ts';
import { scopeOf } from '#kernel/ctx.ts';

const ORIGIN = 'https://gate.example';
let h: ConnectorHouse;
let u: OauthUpstream;
let plain: UpstreamModes;
before(async () => {
  [h, u] = await Promise.all([connectorHouse({ pagesAt: ORIGIN }), oauthUpstream()]);
  plain = { ...u.modes };
});
after(async () => {
  await u.close();
  await h[Symbol.asyncDispose]();
});
beforeEach(() => {
  Object.assign(u.modes, plain);
  u.seen.length = 0;
});

let made = 0;
const add = (more: object = {}) =>
  h.api('POST', '/connectors', {
    slug: `notes-${++made}`,
    name: 'Notes',
    url: u.mcp,
    allowPrivate: true,
    authorizationServer: 'http://localhost',
    ...more,
  });
async function added(more: object = {}): Promise<Added> {
  const r = await add(more);
  assert.equal(r.status, 201, r.text);
  const c = { id: r.json['id'] as Id<'con'>, slug: String(r.json['slug']) };
  await h.g.rule({
    name: `everyone uses ${c.slug}`,
    who: { kind: 'everyone' },
    connector: c.id,
    tools: { classes: ['read', 'write', 'destructive'] },
    effect: 'allow',
    asks: 'never',
  });
  return c;
}
const consent = async (c: Added) => {
  const done = await h.consent(c, h.g.house.ada, 'read_write');
  return { ...done, code: /<code>([a-z]+\/[a-z-]+)<\/code>/.exec(done.text)?.[1] };
};
async function connected(c: Added): Promise<void> {
  const done = await consent(c);
  assert.equal(done.status, 303, done.text);
}
/** An added, connected and reviewed server. */
async function ready(more: object = {}): Promise<Added> {
  const c = await added(more);
  await connected(c);
  await h.tools(c);
  const tools = await h.world.db.read(scopeOf(h.g.ctx), (db) => listToolsOf(db, c.id));
  await reviewTools(
    h.g.ctx,
    c.id,
    tools.map((t) => ({ name: t.name, pin: t.pin, class: t.name === 'read_note' ? 'read' : 'write' })),
  );
  for (let i = 0; i < 400 && (await h.tools(c)).length < 2; i++) await new Promise((r) => setTimeout(r, 50));
  return c;
}
const asked = (path: string) => u.seen.filter((r) => r.path.endsWith(path));
const codeOf = (r: { json: Record<string, unknown> }): unknown => r.json['code'];
const app = async (c: Added) =>
  (await h.g.house.t.super<Record<string, unknown>>('select * from connector_app where connector = $1', c.id))[0];

test('a server that turns strangers away is added with what it says of how to be authorized at, and appears for people to connect', async () => {
  const r = await add();
  assert.equal(r.status, 201, r.text);
  assert.equal(r.json['actAs'], 'person');
  const told = r.json['authorization'] as Record<string, unknown>;
  assert.equal(told['issuer'], u.issuer());
  assert.equal(told['client'], 'registered');
  assert.deepEqual(told['scopes'], ['notes:read', 'notes:write']);
  const page = await (await h.page('GET', '/connections', h.g.house.ada)).text();
  assert.match(page, new RegExp(`/connections/start/${String(r.json['id'])}`));
});

test('a person connects and calls; the request names the resource, S256 and the redirect address of this connector alone', async () => {
  const c = await ready();
  const called = await h.call(c, 'read_note');
  assert.equal(called.says, 'read_note done', called.raw.text);
  const [to] = asked('/authorize');
  assert.equal(to?.query.get('resource'), u.mcp);
  assert.equal(to?.query.get('code_challenge_method'), 'S256');
  assert.equal(to?.query.get('redirect_uri'), `${ORIGIN}/connections/callback/${c.id}`);
  assert.equal(new URLSearchParams(asked('/token')[0]?.body).get('resource'), u.mcp);
});

test('what a client shows to the gateway is never shown to the server or to its authorization server', async () => {
  const c = await ready();
  await h.call(c, 'read_note');
  const token = await h.g.token();
  for (const r of u.seen) {
    assert.ok(!JSON.stringify(r.headers).includes(token) && !r.body.includes(token));
    const [, bearer] = /^Bearer (.+)$/.exec(r.headers.authorization ?? '') ?? [];
    assert.ok(bearer === undefined || !bearer.startsWith('ey'), 'a token of ours');
    assert.ok(r.at === 'mcp' || bearer === undefined, 'a bearer at the authorization server');
  }
});

test('a token that has ended is renewed once for all who wait, with the resource named', async () => {
  const c = await ready();
  u.endTokens();
  u.seen.length = 0;
  const all = await Promise.all([1, 2, 3].map(() => h.call(c, 'read_note')));
  for (const a of all) assert.equal(a.says, 'read_note done', a.raw.text);
  const renewals = asked('/token').map((r) => new URLSearchParams(r.body));
  assert.deepEqual(
    renewals.map((f) => [f.get('grant_type'), f.get('resource')]),
    [['refresh_token', u.mcp]],
  );
});

test('what a person disconnects is ended at the authorization server', async () => {
  const c = await ready();
  const before = u.live();
  await h.disconnect(c, h.g.house.ada);
  assert.equal(u.live(), before - 1);
});

for (const [what, modes] of [
  ['metadata at the root only', { resourceAt: 'root' }],
  ['metadata that its 401 does not name', { challenge: 'bare' }],
  ['metadata at the root that its 401 does not name', { challenge: 'bare', resourceAt: 'root' }],
  ['an authorization server below a path, by RFC 8414', { tenant: '/tenant1' }],
  ['an authorization server below a path, by OpenID Connect', { tenant: '/tenant1', serverAt: 'oidc-inserted' }],
  ['an authorization server that appends its document to its path', { tenant: '/tenant1', serverAt: 'oidc-appended' }],
  ['OpenID Connect at the root', { serverAt: 'oidc-inserted' }],
  ['public clients only', { method: 'none' }],
  ['secrets in the body', { method: 'client_secret_post' }],
  ['answers that do not name their issuer', { iss: 'absent' }],
] satisfies [string, Partial<UpstreamModes>][])
  test(`people connect to a server with ${what}`, async () => {
    Object.assign(u.modes, modes);
    await connected(await added());
  });

test('what its 401 asks for is asked for, and nothing else', async () => {
  u.modes.challenge = 'scope';
  await connected(await added());
  assert.equal(asked('/authorize')[0]?.query.get('scope'), 'notes:read');
});

test('an authorization server that reads documents of clients gets ours, of this connector alone', async () => {
  u.modes.documents = true;
  const seen: string[] = [];
  u.fetchDocument = async (url) => {
    seen.push(url);
    const r = await h.page('GET', new URL(url).pathname, h.g.house.ada);
    assert.match(r.headers.get('content-type') ?? '', /^application\/json/);
    return (await r.json()) as Record<string, unknown>;
  };
  const c = await added();
  await connected(c);
  assert.deepEqual([...new Set(seen)], [`${ORIGIN}/connections/client/${c.id}`]);
  assert.equal(asked('/register').length, 0);
  const r = await h.page('GET', '/connections/client/nobody', h.g.house.ada);
  assert.match(await r.text(), /connectors\/no-client-document/);
});

test('an administrator’s own app goes before all others, and is named before anybody needs it', async () => {
  u.modes.registers = false;
  const c = await added();
  const none = await consent(c);
  assert.equal(none.code, 'connectors/no-app', none.text);
  const page = await (await h.page('GET', '/connections', h.g.house.ada)).text();
  assert.doesNotMatch(page, new RegExp(`/connections/start/${c.id}`));
  u.client('typed', 's3cret', `${ORIGIN}/connections/callback/${c.id}`);
  const set = await h.api('PUT', `/connectors/${c.id}/app`, { clientId: 'typed', clientSecret: 's3cret' });
  assert.deepEqual([set.status, set.json['way']], [200, 'given'], set.text);
  u.modes.registers = true;
  await connected(c);
  assert.equal(asked('/register').length, 0);
});

test('an authorization server that forgot our registration is told of us anew: connectors/client-forgotten', async () => {
  const c = await added();
  await connected(c);
  const before = await app(c);
  // Between the consent and the code, so that the person comes back.
  u.modes.instead = (r) => {
    if (r.path === '/token') u.forgetClients();
    return false;
  };
  const forgotten = await consent(c);
  assert.equal(forgotten.code, 'connectors/client-forgotten', forgotten.text);
  u.modes.instead = plain.instead;
  await connected(c);
  assert.notEqual((await app(c))?.['client_id'], before?.['client_id']);
});

test('a renewal that an authorization server refuses because it forgot us asks the person, and registers anew', async () => {
  const c = await ready();
  u.forgetClients();
  u.endTokens();
  const r = await h.call(c, 'read_note');
  assert.equal(r.why, 'reconnect', r.says);
  assert.equal(await app(c), undefined);
  await connected(c);
  assert.equal((await h.call(c, 'read_note')).says, 'read_note done');
});

test('a call that needs more is told where to agree to it; the consent asks for all there was and for that', async () => {
  u.modes.challenge = 'scope';
  u.modes.needs = (tool) => (tool === 'write_note' ? ['notes:write'] : []);
  const c = await ready();
  const small = await h.call(c, 'write_note');
  assert.equal(small.why, 'reconnect', small.says);
  assert.match(small.says, /notes:write/);
  assert.match(small.says, new RegExp(`/connections/start/${c.id}`));
  const page = await (await h.page('GET', `/connections/start/${c.id}`, h.g.house.ada)).text();
  assert.match(page, /will ask you for: notes:read notes:write/);
  await connected(c);
  assert.deepEqual(asked('/authorize').at(-1)?.query.get('scope')?.split(' ').sort(), ['notes:read', 'notes:write']);
  assert.equal((await h.call(c, 'write_note')).says, 'write_note done');
});

test('a server that is never content with what it was given does not send people in circles', async () => {
  u.modes.challenge = 'scope';
  u.modes.needs = (tool) => (tool === 'write_note' ? ['notes:admin'] : []);
  u.modes.grants = (all) => all.filter((s) => s !== 'notes:admin');
  const c = await ready();
  const whys: unknown[] = [];
  for (let i = 0; i < 5; i++) {
    const r = await h.call(c, 'write_note');
    whys.push(r.why);
    if (r.why === 'reconnect') await connected(c);
  }
  assert.deepEqual(whys, ['reconnect', 'reconnect', 'reconnect', 'credential_refused', 'credential_refused']);
});

test('an organization’s own account is a client of its own, and its token names the resource', async () => {
  const c = await added({ actAs: 'organization' });
  u.client('robot', 'hush-hush', 'https://nowhere.example');
  await h.give(c, 'client_secret', { clientId: 'robot', clientSecret: 'hush-hush' });
  await h.tools(c);
  const form = new URLSearchParams(asked('/token')[0]?.body);
  assert.deepEqual([form.get('grant_type'), form.get('resource')], ['client_credentials', u.mcp]);
  assert.equal((await h.tools(c)).length, 0);
  const shown = await h.api('GET', `/connectors/${c.id}/account`);
  assert.ok(!shown.text.includes('hush-hush'));
  const wrong = await h.api('PUT', `/connectors/${c.id}/account`, {
    kind: 'client_secret',
    fields: { clientId: 'robot', clientSecret: 'not-it' },
  });
  assert.equal(codeOf(wrong), 'connectors/account-refused', wrong.text);
});

test('a vendor of the catalogue whose server says itself how to be authorized at is added, connected and used without an app', async () => {
  const base = discovering({
    type: 'jotter',
    name: 'Jotter',
    says: 'Notes.',
    at: 'https://mcp.jotter.example',
    path: '/mcp',
    note: '',
  });
  const out = inCatalogue({ ...base, origins: { ...base.origins, login: 'https://jotter.example' } });
  try {
    const origins = { mcp: new URL(u.mcp).origin, login: 'http://localhost' };
    const wish = { type: 'jotter', access: 'read_write', origins, originsPrivate: true };
    const r = await h.api('POST', '/connectors', wish);
    assert.equal(r.status, 201, r.text);
    const c = { id: r.json['id'] as Id<'con'>, slug: 'jotter' };
    await connected(c);
    const checked = await h.api('POST', `/connectors/${c.id}/check`);
    assert.equal(checked.json['wrong'], null, checked.text);
    assert.match(String(checked.json['account']), /your account at localhost/);
    u.modes.servers = [];
    assert.equal(
      codeOf(await h.api('POST', '/connectors', { ...wish, slug: 'again' })),
      'connectors/resource-metadata',
    );
  } finally {
    out();
  }
});

test('a check says in words what was found, before anybody has connected', async () => {
  const c = await added();
  const r = await h.api('POST', `/connectors/${c.id}/check`);
  assert.equal(r.status, 200, r.text);
  const told = r.json['authorization'] as { says: string[]; client: string };
  assert.equal(told.client, 'registered');
  assert.match(told.says.join(' '), /People consent with PKCE/);
  assert.match(String(r.json['wrong']), /you have not connected/);
});

test('a server takes a bearer for everyone or accounts, not both: connectors/bearer-and-account', async () => {
  assert.equal(codeOf(await add({ actAs: 'person', bearer: 'x' })), 'connectors/bearer-and-account');
});

test('what was ended is told to who gave it, also after the server went elsewhere, and to nobody else', async () => {
  const other = await oauthUpstream();
  try {
    const c = await ready();
    u.modes.servers = [other.issuer()];
    const begun = await h.page('POST', `/connections/start/${c.id}`, h.g.house.ada, { access: 'read_write' });
    assert.equal(begun.status, 200, await begun.text());
    const before = other.seen.length;
    const r = await h.call(c, 'read_note');
    assert.equal(r.why, 'reconnect', r.says);
    await h.page('POST', `/connections/end/${c.id}`, h.g.house.ada, {});
    await sweepEnded(h.world, siteOf(vendorOf));
    assert.deepEqual(other.seen.slice(before), []);
    assert.deepEqual(
      (await h.connections(c)).map((x) => x.vendor_end),
      ['impossible'],
    );
    assert.ok(other.seen.every((s) => s.path !== '/token'));
  } finally {
    await other.close();
  }
});
