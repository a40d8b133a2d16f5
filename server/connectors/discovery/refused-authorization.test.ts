import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { connectorHouse, type Added, type ConnectorHouse } from '#dev/connector-house.ts';
import { oauthUpstream, type OauthUpstream, type UpstreamModes } from '#dev/oauth-upstream.ts';
import type { Id } from '#kernel/id.ts';

let h: ConnectorHouse;
let u: OauthUpstream;
let plain: UpstreamModes;
before(async () => {
  [h, u] = await Promise.all([connectorHouse(), oauthUpstream()]);
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
    actAs: 'person',
    allowPrivate: true,
    authorizationServer: 'http://localhost',
    ...more,
  });
async function added(): Promise<Added> {
  const r = await add();
  assert.equal(r.status, 201, r.text);
  return { id: r.json['id'] as Id<'con'>, slug: String(r.json['slug']) };
}
const refusal = (text: string): string | undefined => /<code>([a-z]+\/[a-z-]+)<\/code>/.exec(text)?.[1];
const consent = async (c: Added): Promise<string | undefined> => {
  const done = await h.consent(c, h.g.house.ada, 'read_write');
  return done.status === 303 ? 'connected' : refusal(done.text);
};
const start = async (c: Added): Promise<Response> =>
  h.page('POST', `/connections/start/${c.id}`, h.g.house.ada, { access: 'read_write' });
/** Up to our own address, which is not visited yet. */
async function answered(c: Added): Promise<URL> {
  const begun = await start(c);
  const to = /url=(.*)$/.exec(begun.headers.get('refresh') ?? '')?.[1] ?? '';
  const visited = await fetch(to, { redirect: 'manual' });
  return new URL(visited.headers.get('location') ?? '');
}
const back = async (at: URL): Promise<string | undefined> => {
  const r = await h.page('GET', at.pathname + at.search, h.g.house.ada);
  return r.status === 303 ? 'connected' : refusal(await r.text());
};
const tokenRequests = () => u.seen.filter((r) => r.path.endsWith('/token')).length;
const live = async (c: Added): Promise<number> => (await h.connections(c)).filter((x) => x.state !== 'revoked').length;

const document = (path: string, status: number, headers: Record<string, string>, body: string) =>
  ((r, res) => {
    if (!r.path.startsWith(path)) return false;
    res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
    return true;
  }) satisfies UpstreamModes['instead'];
const about = '/.well-known/oauth-protected-resource';
const ofServer = '/.well-known/oauth-authorization-server';
const without =
  (...names: string[]): UpstreamModes['edit'] =>
  (m) =>
    Object.fromEntries(Object.entries(m).filter(([n]) => !names.includes(n)));
const withIt =
  (more: Record<string, unknown>): UpstreamModes['edit'] =>
  (m) => ({ ...m, ...more });

const refusals: [string, Partial<UpstreamModes>, string][] = [
  ['is about somebody else’s resource', { resource: 'https://bank.example/mcp' }, 'connectors/resource-mismatch'],
  ['is about a neighbour below the same host', { resource: 'http://localhost:1/mcp' }, 'connectors/resource-mismatch'],
  ['names no authorization server', { servers: [] }, 'connectors/resource-metadata'],
  ['is no metadata', { instead: document(about, 200, {}, '{"resource":7}') }, 'connectors/resource-metadata'],
  [
    'could be read in two ways',
    { instead: document(about, 200, {}, '{"resource":"a","resource":"b"}') },
    'connectors/no-metadata',
  ],
  ['is a page', { instead: document(about, 200, { 'content-type': 'text/html' }, '<html>') }, 'connectors/no-metadata'],
  [
    'is larger than any',
    { instead: document(about, 200, {}, `{"resource":"${'x'.repeat(70_000)}"}`) },
    'connectors/no-metadata',
  ],
  [
    'leads to the addresses of machines',
    { instead: document(about, 302, { location: 'http://169.254.169.254/latest' }, '') },
    'connectors/no-metadata',
  ],
  ['names an issuer with a query', { servers: ['https://as.example/?a=b'] }, 'connectors/server-metadata'],
  [
    'names the addresses of machines as its authorization server',
    { servers: ['http://169.254.169.254'] },
    'connectors/endpoint-refused',
  ],
  ['names a server inside, by its address', { servers: ['https://10.0.0.7'] }, 'connectors/endpoint-refused'],
  ['names an authorization server that has no metadata', { serverAt: 'nowhere' }, 'connectors/no-metadata'],
  [
    'names one whose metadata leads elsewhere',
    { instead: document(ofServer, 302, { location: 'http://169.254.169.254/' }, '') },
    'connectors/no-metadata',
  ],
  [
    'names one that says it is another',
    { edit: withIt({ issuer: 'https://attacker.example' }) },
    'connectors/issuer-mismatch',
  ],
  [
    'names one that is the same but for a slash',
    { edit: (m) => ({ ...m, issuer: `${String(m['issuer'])}/` }) },
    'connectors/issuer-mismatch',
  ],
  ['names one without a token endpoint', { edit: without('token_endpoint') }, 'connectors/server-metadata'],
  [
    'names one that gives tokens at a machine’s own address',
    { edit: withIt({ token_endpoint: 'https://169.254.169.254/token' }) },
    'connectors/endpoint-refused',
  ],
  [
    'names one that gives tokens inside',
    { edit: withIt({ token_endpoint: 'https://[fd00::7]/token' }) },
    'connectors/endpoint-refused',
  ],
  [
    'names one that gives tokens by plain http elsewhere',
    { edit: withIt({ token_endpoint: 'http://as.example/token' }) },
    'connectors/endpoint-refused',
  ],
  [
    'sends people to a script',
    { edit: withIt({ authorization_endpoint: 'javascript:alert(1)' }) },
    'connectors/endpoint-refused',
  ],
  [
    'sends people to a file',
    { edit: withIt({ authorization_endpoint: 'file:///etc/passwd' }) },
    'connectors/endpoint-refused',
  ],
  [
    'sends people with a password of its own',
    { edit: withIt({ authorization_endpoint: 'https://a:b@as.example/' }) },
    'connectors/endpoint-refused',
  ],
  [
    'has braces in an address',
    { edit: withIt({ token_endpoint: 'https://as.example/{authorize}' }) },
    'connectors/endpoint-refused',
  ],
  ['says nothing of PKCE', { edit: without('code_challenge_methods_supported') }, 'connectors/no-pkce'],
  [
    'knows PKCE without a hash only',
    { edit: withIt({ code_challenge_methods_supported: ['plain'] }) },
    'connectors/no-pkce',
  ],
  ['has no consent of persons', { edit: without('authorization_endpoint') }, 'connectors/no-person-consent'],
];
for (const [what, modes, code] of refusals)
  test(`a server whose metadata ${what} is not added: ${code}`, async () => {
    Object.assign(u.modes, modes);
    const r = await add();
    assert.equal(r.json['code'], code, r.text);
    assert.ok(typeof r.json['fix'] === 'string' && r.json['fix'] !== '');
    assert.ok(u.seen.every((s) => !/authorize|token|register/.test(s.path)));
  });

test('metadata that never comes is waited for and then given up', async () => {
  u.modes.instead = (r) => r.path.startsWith(about);
  const r = await add();
  assert.equal(r.json['code'], 'connectors/no-metadata', r.text);
});

test('an authorization server inside the network is reached only where an administrator named it', async () => {
  const r = await add({ authorizationServer: undefined });
  assert.equal(r.json['code'], 'connectors/endpoint-refused', r.text);
  assert.deepEqual(
    u.seen.filter((s) => s.at === 'as'),
    [],
  );
});

test('a registration that is refused, is none, or is for another address is none: connectors/registration-refused', async () => {
  const c = await added();
  for (const [status, body] of [
    [400, '{"error":"invalid_redirect_uri","error_description":"<b>no</b>"}'],
    [201, '{"client_secret":"x"}'],
    [201, '{"client_id":"x","redirect_uris":["https://evil.example/"]}'],
    [302, ''],
  ] as const) {
    u.modes.instead = document('/register', status, {}, body);
    assert.equal(await consent(c), 'connectors/registration-refused', body);
  }
  Object.assign(u.modes, {
    instead: plain.instead,
    edit: withIt({ token_endpoint_auth_methods_supported: ['tls_client_auth'] }),
  });
  assert.equal(await consent(c), 'connectors/registration-refused');
});

test('an authorization server that stops advertising PKCE gets nobody any more', async () => {
  const c = await added();
  u.modes.edit = without('code_challenge_methods_supported');
  assert.equal(refusal(await (await start(c)).text()), 'connectors/no-pkce');
  assert.ok(u.seen.every((s) => s.path !== '/authorize'));
});

test('an answer that names another issuer is not used, nor what it says', async () => {
  const c = await added();
  u.modes.iss = 'wrong';
  assert.equal(await consent(c), 'connectors/consent-other-issuer');
  u.modes.answer = 'deny';
  assert.equal(await consent(c), 'connectors/consent-other-issuer');
  assert.equal(tokenRequests(), 0);
});

test('an answer that does not name its issuer is refused where the authorization server says that each does', async () => {
  const c = await added();
  const at = await answered(c);
  at.searchParams.delete('iss');
  assert.equal(await back(at), 'connectors/consent-other-issuer');
  assert.equal(tokenRequests(), 0);
});

test('a code that came for one connector is not used for another, whose authorization server would see it', async () => {
  const evil = await oauthUpstream();
  try {
    const [mine, theirs] = [await added(), await add({ url: evil.mcp })];
    const at = await answered(mine);
    at.pathname = `/connections/callback/${String(theirs.json['id'])}`;
    assert.equal(await back(at), 'connectors/consent-other-connector');
    assert.ok(evil.seen.every((s) => s.path !== '/token'));
  } finally {
    await evil.close();
  }
});

test('a code is used once, and never by a person who did not begin', async () => {
  const c = await added();
  const at = await answered(c);
  const eve = await h.g.house.addPerson('Eve');
  const stolen = await h.page('GET', at.pathname + at.search, eve);
  assert.equal(refusal(await stolen.text()), 'connectors/consent-unknown');
  assert.equal(await back(at), 'connected');
  assert.equal(await back(at), 'connectors/consent-used');
  assert.equal(tokenRequests(), 1);
});

test('nobody is sent to an authorization server without having said so on a page of ours', async () => {
  const c = await added();
  const r = await h.page('GET', `/connections/start/${c.id}`, h.g.house.ada);
  assert.equal(r.status, 200);
  assert.equal(r.headers.get('refresh'), null);
  assert.match(r.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/);
  assert.ok(u.seen.every((s) => s.path !== '/authorize' && s.path !== '/register'));
});

test('a server that names another authorization server while a person consents does not get the code there', async () => {
  // Neither names itself, so that nothing in the answer tells.
  u.modes.iss = 'absent';
  const other = await oauthUpstream({ iss: 'absent' });
  try {
    const c = await added();
    const at = await answered(c);
    u.modes.servers = [other.issuer()];
    // Somebody else begins meanwhile, so that the new one is known here.
    await start(c);
    assert.equal(await back(at), 'connectors/consent-other-issuer');
    assert.ok(other.seen.every((s) => s.path !== '/token'));
    assert.equal(await live(c), 0);
  } finally {
    await other.close();
  }
});

test('an app that an administrator entered for one authorization server is not shown to another: connectors/app-other-issuer', async () => {
  const other = await oauthUpstream();
  try {
    const c = await added();
    const set = await h.api('PUT', `/connectors/${c.id}/app`, { clientId: 'typed', clientSecret: 's3cret' });
    assert.equal(set.status, 200, set.text);
    u.modes.servers = [other.issuer()];
    assert.equal(refusal(await (await start(c)).text()), 'connectors/app-other-issuer');
    assert.ok(other.seen.every((s) => s.path.startsWith('/.well-known/')));
  } finally {
    await other.close();
  }
});

test('an authorization server’s words are shown as words', async () => {
  const c = await added();
  u.modes.instead = document('/register', 400, {}, '{"error":"no","error_description":"<script>x</script>"}');
  const r = await start(c);
  const text = await r.text();
  assert.ok(!text.includes('<script>x'), text);
});
