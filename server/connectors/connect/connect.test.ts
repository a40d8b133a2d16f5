import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openConnectHouse, type ConnectHouse } from '#dev/connect-house.ts';
import { sweepEnded } from '#vault/tell-vendor.job.ts';

const open = async (t: TestContext, o?: Parameters<typeof openConnectHouse>[0]): Promise<ConnectHouse> => {
  const h = await openConnectHouse(o);
  t.after(() => h.close());
  return h;
};
/** The code on a page of refusal, or of the API. */
const codeIn = (text: string): string =>
  /(vault|connectors)\/[a-z-]+/.exec(text.replaceAll(/href="[^"]*"/g, ''))?.[0] ?? text;

for (const clientAuth of ['client_secret_post', 'client_secret_basic', 'private_key_jwt', 'none'] as const)
  test(`a person connects their account, uses it, has it renewed and ends it, where the app proves itself by ${clientAuth}`, async (t) => {
    const h = await open(t, {
      clientAuth,
      rotation: 'single_use',
      ...(clientAuth === 'client_secret_basic' ? { json: true } : {}),
    });
    const con = await h.connector();
    const done = await h.consent(con, h.ada);
    assert.equal(done.status, 303, done.text);
    assert.match(done.location, /^\/connections\?done=cnn_/);
    const page = await h.page('GET', done.location, h.ada);
    assert.match(page.text, /Plain is connected as ada@acme\.example/);
    assert.match(page.text, /read and write/);
    const [row] = await h.live(con);
    assert.deepEqual(
      [row!['account_subject'], row!['account_tenant'], row!['access'], row!['scopes']],
      ['id-ada', 'acme', 'read_write', ['me', 'read', 'write', 'offline']],
    );
    const id = row!['id'] as never;
    const first = await h.vault.unlock(h.at, { connection: id });
    h.advance(7200);
    const second = await h.vault.unlock(h.at, { connection: id });
    assert.notEqual(second.token.reveal(), first.token.reveal());
    const ended = await h.page('POST', `/connections/end/${con}`, h.ada);
    assert.equal(ended.location, `/connections?ended=${con}`);
    assert.match((await h.page('GET', ended.location, h.ada)).text, /Plain is disconnected\. It is told so/);
    assert.deepEqual(await h.live(con), []);
    await sweepEnded(h.world, h.siteOf);
    assert.equal(h.vendor.live(), 0, 'the vendor has ended it, too');
    assert.deepEqual(
      (await h.events('connection.ended_at_vendor')).map((e) => e['how']),
      ['confirmed'],
    );
  });

test('nobody goes anywhere by following a link: connecting begins with a button', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  const page = await h.page('GET', `/connections/start/${con}`, h.ada);
  assert.equal(page.status, 200);
  assert.equal(page.location, '');
  assert.match(page.text, /Connect to read and write/);
  assert.match(page.text, /Connect to read</);
  assert.deepEqual(await h.events('connection.consent_started'), []);
  const other = await h.app.request(`/connections/start/${con}`, {
    method: 'POST',
    headers: {
      cookie: h.ada.cookie,
      origin: 'https://evil.example',
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'access=read_write',
  });
  assert.equal(other.status, 403);
});

test('what the vendor is asked for binds the answer: PKCE, state, this connector’s own address, scopes of the level', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  const begun = await h.page('POST', `/connections/start/${con}`, h.ada, { access: 'read_only' });
  const q = new URL(begun.location).searchParams;
  assert.equal(q.get('redirect_uri'), `http://localhost:1/connections/callback/${con}`);
  assert.equal(q.get('code_challenge_method'), 'S256');
  assert.equal(q.get('scope'), 'me read offline');
  assert.match(q.get('state') ?? '', /^cns_[0-9a-f]{32}\.[\w-]{43}$/);
  assert.equal(begun.text.includes('code_verifier'), false);
});

test('an answer is taken once, from the person, the session and the address that it was begun with, within its time', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  const second = await h.connector({ slug: 'second' });
  const bob = await h.person('bob@acme.example');
  const here = (u: URL, path = u.pathname): string => path + u.search;

  const back = await h.visit(con, h.ada);
  const replaced = new URL(back);
  replaced.searchParams.set(
    'state',
    replaced.searchParams.get('state')!.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A')),
  );
  for (const [what, path, who, code] of [
    ['altered', here(replaced), h.ada, 'connectors/consent-unknown'],
    ['without a state', `${back.pathname}?code=x`, h.ada, 'connectors/consent-unknown'],
    ["another person's", here(back), bob, 'connectors/consent-unknown'],
    [
      'of another session',
      here(back),
      { ...h.ada, cookie: await h.session(h.ada.user) },
      'connectors/consent-other-session',
    ],
    ['at another address', here(back, `/connections/callback/${second}`), h.ada, 'connectors/consent-other-connector'],
  ] as const) {
    const r = await h.page('GET', path, who);
    assert.deepEqual([r.status, codeIn(r.text)], [403, code], what);
  }
  assert.deepEqual(await h.live(con), []);
  assert.equal((await h.page('GET', here(back), h.ada)).status, 303);
  const again = await h.page('GET', here(back), h.ada);
  assert.equal(codeIn(again.text), 'connectors/consent-used');

  const late = await h.visit(con, h.ada);
  h.advance(601);
  assert.equal(codeIn((await h.page('GET', here(late), h.ada)).text), 'connectors/consent-expired');
  assert.equal((await h.live(con)).length, 1);
});

test('two browsers that bring the same answer at once make one connection', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  const back = await h.visit(con, h.ada);
  const all = await Promise.all([1, 2, 3, 4].map(() => h.page('GET', back.pathname + back.search, h.ada)));
  assert.deepEqual(
    all.map((r) => r.status).toSorted((a, b) => a - b),
    [303, 403, 403, 403],
  );
  assert.equal(h.vendor.live(), 1);
});

test('an answer in the name of another issuer is refused before its code is used', async (t) => {
  const h = await open(t, { iss: true });
  const con = await h.connector();
  const calls = (): number => h.vendor.seen.filter((r) => r.path === '/login/token').length;
  for (const iss of ['https://evil.example', undefined]) {
    const back = await h.visit(con, h.ada);
    if (iss) back.searchParams.set('iss', iss);
    else back.searchParams.delete('iss');
    const r = await h.page('GET', back.pathname + back.search, h.ada);
    assert.equal(codeIn(r.text), 'connectors/consent-other-issuer');
  }
  assert.equal(calls(), 0);
  assert.equal((await h.consent(con, h.ada)).status, 303);
});

test('a vendor that need not name itself is refused when it names another', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  const back = await h.visit(con, h.ada);
  back.searchParams.set('iss', 'https://evil.example/login');
  assert.equal(
    codeIn((await h.page('GET', back.pathname + back.search, h.ada)).text),
    'connectors/consent-other-issuer',
  );
});

for (const [account, code, says] of [
  ['mallory', 'connectors/foreign-account', 'belongs to other'],
  ['pat', 'connectors/foreign-account', 'personal account'],
  ['bob', 'connectors/other-address', 'bob@acme.example'],
] as const)
  test(`the account of ${account} is not connected by Ada, and what the vendor gave is ended there`, async (t) => {
    const h = await open(t);
    const con = await h.connector();
    h.vendor.visitor.account = account;
    const r = await h.consent(con, h.ada);
    assert.deepEqual([r.status, codeIn(r.text)], [403, code]);
    assert.ok(r.text.includes(says), r.text);
    assert.deepEqual(await h.live(con), []);
    assert.equal(h.vendor.live(), 0);
    const [ended] = await h.t.super('select ended_why, vendor_end, sealed from connection where connector = $1', con);
    assert.deepEqual(ended, { ended_why: 'refused', vendor_end: 'confirmed', sealed: null });
    const [told] = await h.events('connection.consent_refused');
    assert.equal(told!['why'], code.slice('connectors/'.length).replaceAll('-', '_'));
  });

test('where an administrator says so, an account may have another address, but never another tenant', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  const { clientId } = h.vendor.app;
  assert.equal(
    (await h.api('PUT', `/connectors/${con}/app`, { clientId, requireSameAddress: false })).json['requireSameAddress'],
    false,
  );
  h.vendor.visitor.account = 'bob';
  assert.equal((await h.consent(con, h.ada)).status, 303);
  h.vendor.visitor.account = 'mallory';
  assert.equal(codeIn((await h.consent(con, h.ada)).text), 'connectors/foreign-account');
  assert.equal((await h.live(con))[0]!['account_subject'], 'id-bob', 'the one before stays');
});

test('a vendor that does not say whose account it is gives no connection, and is told to end the grant', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  h.vendor.fault = (r) => (r.path === '/api/me' ? { status: 200, body: { nobody: true } } : undefined);
  const r = await h.consent(con, h.ada);
  assert.equal(codeIn(r.text), 'connectors/unknown-account');
  assert.equal(h.vendor.live(), 0);
});

for (const [what, sql] of [
  ['leaves the organization', 'delete from member where id = $1'],
  ['is suspended', `update app_user set state = 'suspended' where id = (select user_id from member where id = $1)`],
] as const)
  test(`whoever ${what} while the vendor is asked for their token gets no connection, and the vendor is told to end the grant`, async (t) => {
    const h = await open(t);
    const con = await h.connector();
    const bob = await h.person('bob@acme.example');
    h.vendor.visitor.account = 'bob';
    const back = await h.visit(con, bob);
    let asked = false;
    h.vendor.fault = (r) => {
      if (r.path !== '/api/me') return undefined;
      asked = true;
      return { status: 0, delayMs: 500 };
    };
    const answered = h.page('GET', back.pathname + back.search, bob);
    while (!asked) await wait(5);
    await h.t.super(sql, bob.member);
    assert.equal(codeIn((await answered).text), 'connectors/not-here');
    assert.deepEqual(await h.live(con), []);
    assert.equal(h.vendor.live(), 0);
  });

test('scopes that a person left out are named; a level that is not whole is not given', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  h.vendor.visitor.without = ['write'];
  assert.equal((await h.consent(con, h.ada)).status, 303);
  assert.equal((await h.live(con))[0]!['access'], 'read_only');
  h.vendor.visitor.without = ['read'];
  const bob = await h.person('bob@acme.example');
  h.vendor.visitor.account = 'bob';
  const r = await h.consent(con, bob);
  assert.equal(codeIn(r.text), 'connectors/scopes-missing');
  assert.match(r.text, /did not give what was asked for: read\b/);
  assert.equal((await h.live(con)).length, 1);
  assert.equal(h.vendor.live(), 1, 'what Bob gave is ended');
});

test('raising what a connection may do keeps it as it was until the vendor has given more', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  await h.consent(con, h.ada, 'read_only');
  const [before] = await h.live(con);
  assert.equal(before!['access'], 'read_only');
  assert.match((await h.page('GET', '/connections', h.ada)).text, /Let it write, too/);

  h.vendor.visitor.answer = 'deny';
  assert.equal(codeIn((await h.consent(con, h.ada)).text), 'connectors/consent-not-agreed');
  h.vendor.visitor.answer = 'allow';
  h.vendor.visitor.without = ['write'];
  assert.equal(codeIn((await h.consent(con, h.ada)).text), 'connectors/scopes-missing');
  assert.deepEqual(await h.live(con), [before]);
  const { token } = await h.vault.unlock(h.at, { connection: before!['id'] as never });
  const me = await fetch(`${h.vendor.origins['api']}/me`, { headers: { authorization: `Bearer ${token.reveal()}` } });
  assert.equal(me.status, 200, 'the vendor still takes it');

  h.vendor.visitor.without = [];
  assert.equal((await h.consent(con, h.ada)).status, 303);
  const [after] = await h.live(con);
  assert.deepEqual([after!['id'], after!['access'], after!['generation']], [before!['id'], 'read_write', 2]);
  assert.equal((await h.events('connection.replaced'))[0]!['before'], 'read_only');
});

test('another account in the place of one ends the one before, at the vendor too', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  await h.api('PUT', `/connectors/${con}/app`, { clientId: h.vendor.app.clientId, requireSameAddress: false });
  await h.consent(con, h.ada);
  h.vendor.visitor.account = 'bob';
  await h.consent(con, h.ada);
  await sweepEnded(h.world, h.siteOf);
  assert.equal((await h.live(con))[0]!['account_subject'], 'id-bob');
  assert.equal(h.vendor.live(), 1);
});

test('a person who says no at the vendor is told what that means, and a vendor’s reason is shown as text', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  h.vendor.visitor.answer = 'deny';
  const r = await h.consent(con, h.ada);
  assert.equal(codeIn(r.text), 'connectors/consent-not-agreed');
  h.vendor.visitor.answer = 'allow';
  const back = await h.visit(con, h.ada);
  const error = new URLSearchParams({
    state: back.searchParams.get('state')!,
    error: 'server_error',
    error_description: '<script>x</script>\u202e',
  });
  const told = await h.page('GET', `${back.pathname}?${error.toString()}`, h.ada);
  assert.doesNotMatch(told.text, /<script>x|\u202e/);
  assert.match(told.text, /&lt;script&gt;x/);
  const none = await h.visit(con, h.ada);
  none.searchParams.delete('code');
  assert.equal(codeIn((await h.page('GET', none.pathname + none.search, h.ada)).text), 'connectors/consent-no-code');
});

test('a code that the vendor does not take gives no connection and is not in the answer', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  const back = await h.visit(con, h.ada);
  back.searchParams.set('code', 'code_of_somebody_else');
  const r = await h.page('GET', back.pathname + back.search, h.ada);
  assert.equal(codeIn(r.text), 'connectors/consent-no-token');
  assert.doesNotMatch(r.text, /code_of_somebody_else/);
});

test('what a connector does not allow is refused before anybody goes to the vendor', async (t) => {
  const h = await open(t);
  const start = (con: string, access = 'read_write') => h.page('POST', `/connections/start/${con}`, h.ada, { access });
  const readOnly = await h.connector({ slug: 'ro', access: 'read_only' });
  assert.equal(codeIn((await start(readOnly)).text), 'connectors/access-above');
  const org = await h.connector({ slug: 'org', actAs: 'organization' });
  assert.equal(codeIn((await start(org)).text), 'connectors/not-by-person');
  const off = await h.connector({ slug: 'off' });
  await h.t.super(`update connector set state = 'off' where id = $1`, off);
  assert.equal(codeIn((await start(off)).text), 'connectors/switched-off');
  const bare = await h.connector({ slug: 'bare' });
  await h.api('DELETE', `/connectors/${bare}/app`);
  assert.equal(codeIn((await start(bare)).text), 'connectors/no-app');
  const { text } = await h.page('GET', '/connections', h.ada);
  assert.match(text, /Not ready yet/);
  assert.ok(!text.includes(`/connections/start/${bare}`), 'nobody is led to what cannot be done');
  const own = await h.connector({ slug: 'own' });
  await h.t.super(`update connector set type = 'mcp' where id = $1`, own);
  assert.equal(codeIn((await start(own)).text), 'connectors/no-vendor');
  assert.equal((await start('con_00000000000000000000000000000000')).status, 404);
});

test('where a vendor cannot be told of an end, the person is told what to do there', async (t) => {
  const { plainManifest } = await import('#dev/vendors/plain-manifest.ts');
  const { revoke: _, ...oauth } = plainManifest().oauth!;
  const h = await open(t, { manifest: { oauth } });
  const con = await h.connector();
  await h.consent(con, h.ada);
  const ended = await h.page('POST', `/connections/end/${con}`, h.ada);
  assert.match(
    (await h.page('GET', ended.location, h.ada)).text,
    /remove what you agreed to in the settings of your account there/,
  );
  await sweepEnded(h.world, h.siteOf);
  assert.deepEqual(
    (await h.events('connection.ended_at_vendor')).map((e) => e['how']),
    ['impossible'],
  );
});

test('a type of systems that is off for somebody is refused when they begin and when they come back', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  const back = await h.visit(con, h.ada);
  await h.t.super(
    `insert into policy_type_control (org, id, type, state, access, set_by, set_at, since) values ($1, 'ctl_00000000000000000000000000000001', 'plain', 'off', 'off', 'test', now(), 1)`,
    h.at.org,
  );
  assert.equal(codeIn((await h.page('GET', back.pathname + back.search, h.ada)).text), 'connectors/type-barred');
  const begun = await h.page('POST', `/connections/start/${con}`, h.ada, { access: 'read_only' });
  assert.equal(codeIn(begun.text), 'connectors/type-barred');
});

test('a vendor without consent of persons takes no app, and says so', async (t) => {
  const { plainManifest } = await import('#dev/vendors/plain-manifest.ts');
  const { oauth: _, ...rest } = plainManifest();
  const h = await open(t, { manifest: { ...rest, oauth: undefined } as never });
  const con = await h.connector({ actAs: 'organization' });
  const r = await h.api('PUT', `/connectors/${con}/app`, { clientId: 'c', clientSecret: 's' });
  assert.equal(r.json['code'], 'vault/no-consent');
});

test('two consents of one person that end at the same moment leave one connection that opens', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  const visits = [await h.visit(con, h.ada), await h.visit(con, h.ada), await h.visit(con, h.ada)];
  const all = await Promise.all(visits.map((v) => h.page('GET', v.pathname + v.search, h.ada)));
  for (const r of all) assert.ok(r.status === 303 || codeIn(r.text) === 'vault/connected-meanwhile', r.text);
  const [row, ...more] = await h.live(con);
  assert.deepEqual(more, []);
  assert.match((await h.vault.unlock(h.at, { connection: row!['id'] as never })).token.reveal(), /^at_/);
});

test('a connector whose settings make no address does not hide the others of its organization', async (t) => {
  const h = await open(t);
  await h.connector();
  const broken = await h.connector({ slug: 'broken' });
  await h.t.super(`update connector set name = 'Broken', origins = '{"login": "nonsense"}' where id = $1`, broken);
  const { text } = await h.page('GET', '/connections', h.ada);
  assert.match(text, /Connect Plain/);
  assert.doesNotMatch(text, /Broken/);
});

test('a connector that an administrator changes while somebody is at the vendor is judged as it is when they are back', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  const back = await h.visit(con, h.ada);
  await h.t.super(`update connector set access = 'read_only' where id = $1`, con);
  assert.equal(codeIn((await h.page('GET', back.pathname + back.search, h.ada)).text), 'connectors/access-above');
});

test('people of another organization find no connector of ours', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  const { foundOrg } = await import('#org/found-org.ts');
  const theirs = await foundOrg(h.world, {
    parentName: 'T',
    orgName: 'T',
    owner: { email: 't@t.example', displayName: 'T' },
  });
  const secret = 'A'.repeat(43);
  const { createHash } = await import('node:crypto');
  await h.t.super(
    `insert into session (parent, id, user_id, hash, method, user_agent, created_at, last_seen_at, expires_at) values ($1, 'ses_00000000000000000000000000000001', $2, $3, 'setup_link', 'test', now(), now(), now() + interval '1 day')`,
    theirs.parent,
    theirs.owner,
    createHash('sha256').update(secret).digest(),
  );
  const stranger = { user: theirs.owner, member: theirs.member, cookie: `__Host-gatehouse=${secret}` };
  for (const path of [`/connections/start/${con}`, `/connections/callback/${con}?state=x`]) {
    const [theirs, nobodys] = [path, path.replace(con, `con_${'0'.repeat(32)}`)];
    const [a, b] = [await h.page('GET', theirs, stranger), await h.page('GET', nobodys, stranger)];
    assert.deepEqual([a.status, codeIn(a.text)], [404, codeIn(b.text)], path);
  }
  assert.doesNotMatch((await h.page('GET', '/connections', stranger)).text, /Plain/);
});

test('a key consents to nothing; a program that a person uses gets the address to open in their browser', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  const r = await h.api('POST', `/connectors/${con}/consent`, { access: 'read_only' });
  assert.equal(r.status, 201, r.text);
  const visited = await fetch(String(r.json['url']), { redirect: 'manual' });
  const back = new URL(visited.headers.get('location')!);
  assert.equal((await h.page('GET', back.pathname + back.search, h.ada)).status, 303);
  assert.equal((await h.api('DELETE', `/connectors/${con}/connection`)).status, 204);
  assert.deepEqual(await h.live(con), []);
  const key = `ghk_${'k'.repeat(43)}`;
  const { createHash } = await import('node:crypto');
  await h.t.super(
    `insert into api_key (org, id, name, hash, permissions, created_by, created_at, expires_at) values ($1, 'key_00000000000000000000000000000001', 'k', $2, '{connector.read,connector.manage}', $3, now(), now() + interval '1 day')`,
    h.at.org,
    createHash('sha256').update(key).digest(),
    h.ada.user,
  );
  const asKey = await h.app.request(`/api/orgs/${h.at.org}/connectors/${con}/consent`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: '{"access":"read_only"}',
  });
  assert.equal(codeIn(await asKey.text()), 'connectors/persons-only');
});

test('the page says how each connection stands, in words, and what to do', async (t) => {
  const h = await open(t, { refreshExpiresIn: 30 * 86_400, rotation: 'replaced' });
  const con = await h.connector();
  const look = async (): Promise<string> => (await h.page('GET', '/connections', h.ada)).text;
  assert.match(await look(), /Not connected/);
  await h.consent(con, h.ada);
  let text = await look();
  assert.match(text, /Connected/);
  assert.match(text, /unless it is renewed before/);
  assert.match(text, /not yet/);
  const id = (await h.live(con))[0]!['id'] as never;
  await h.vault.unlock(h.at, { connection: id });
  assert.doesNotMatch(await look(), /not yet/);
  h.vendor.fault = (r) => (r.path === '/login/token' ? { status: 503 } : undefined);
  h.advance(7300);
  await assert.rejects(h.vault.unlock(h.at, { connection: id }));
  assert.match(await look(), /Not renewed/);
  h.vendor.fault = undefined;
  h.vendor.endGrants('ada');
  h.advance(4000);
  await assert.rejects(h.vault.unlock(h.at, { connection: id }));
  text = await look();
  assert.match(text, /Connect again/);
  assert.match(text, /invalid_grant/);
  assert.equal((await h.consent(con, h.ada)).status, 303);
  assert.doesNotMatch(await look(), /Connect again/);
  await h.t.super(`update connector set state = 'off' where id = $1`, con);
  assert.match(await look(), /Switched off/);
});

test('the app’s secret goes in and never comes out; a key is made here and only its certificate leaves', async (t) => {
  const h = await open(t);
  const con = await h.connector({ actAs: 'organization' });
  const at = `/connectors/${con}/app`;
  const none = await h.api('GET', at);
  assert.deepEqual([none.status, none.json['code']], [404, 'connectors/no-app-yet']);
  assert.match(none.text, /connections\/callback\/con_/);
  assert.equal((await h.api('PUT', at, { clientId: 'c' })).json['code'], 'connectors/app-secret');
  assert.equal((await h.api('PUT', at, { clientId: 'c', key: true })).json['code'], 'connectors/app-key');
  assert.equal((await h.api('PUT', at, { clientId: 'c', clientSecret: 's', key: true })).status, 400);
  const put = await h.api('PUT', at, { clientId: 'c', clientSecret: 'a-secret-0001', endsAt: '2030-01-02T03:04:05Z' });
  assert.deepEqual([put.status, put.json['kind'], put.json['endsAt']], [200, 'secret', '2030-01-02T03:04:05.000Z']);
  const kept = await h.api('PUT', at, { clientId: 'd' });
  assert.deepEqual([kept.json['clientId'], kept.json['endsAt']], ['d', '2030-01-02T03:04:05.000Z']);
  const got = await h.api('GET', at);
  for (const r of [put, kept, got]) assert.doesNotMatch(r.text, /a-secret-0001/);
  const [row] = await h.t.super('select sealed from connector_app where connector = $1', con);
  assert.equal((row!['sealed'] as Buffer).includes('a-secret-0001'), false);
  assert.equal((await h.api('DELETE', at)).status, 204);
  assert.equal((await h.api('DELETE', at)).status, 204);
  assert.equal((await h.events('connector_app.removed')).length, 1);

  const keyed = await open(t, { clientAuth: 'private_key_jwt' });
  const k = await keyed.connector();
  const shown = await keyed.api('GET', `/connectors/${k}/app`);
  assert.match(String(shown.json['certificate']), /^-----BEGIN CERTIFICATE-----/);
  assert.doesNotMatch(shown.text, /PRIVATE|"d":/);
  const jwks = shown.json['jwks'] as { keys: { kid: string; 'x5t#S256': string }[] };
  assert.equal(jwks.keys[0]!.kid, jwks.keys[0]!['x5t#S256']);
});

test('two administrators who change an app at once do not undo each other unseen', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  const all = await Promise.all(
    [1, 2, 3].map((i) => h.api('PUT', `/connectors/${con}/app`, { clientId: 'c', clientSecret: `secret-${i}` })),
  );
  const codes = all.map((r) => r.json['code'] ?? 'saved');
  assert.ok(codes.includes('saved'));
  assert.ok(
    codes.every((c) => c === 'saved' || c === 'connectors/app-changed'),
    codes.map(String).join(),
  );
});

test('an account of the organization is tried before it is kept; each wrong field is named and no value is', async (t) => {
  const h = await open(t);
  const con = await h.connector({ actAs: 'organization' });
  const at = `/connectors/${con}/account`;
  const put = (body: object) => h.api('PUT', at, body);
  const fields = h.vendor.accounts['service_account']!;
  assert.equal((await h.api('GET', at)).json['code'], 'connectors/no-account');
  assert.equal((await put({ kind: 'nonsense', fields })).json['code'], 'connectors/account-kind');
  const wrong = await put({
    kind: 'service_account',
    fields: { client_id: 5, client_secret: '', extra: 'hidden-value' },
  });
  assert.equal(wrong.json['code'], 'connectors/account-fields');
  assert.match(wrong.text, /fields\.client_id/);
  assert.match(wrong.text, /fields\.client_secret/);
  assert.doesNotMatch(wrong.text, /hidden-value/);
  const refused = await put({ kind: 'service_account', fields: { ...fields, client_secret: 'wrong-secret-0009' } });
  assert.equal(refused.json['code'], 'connectors/account-refused');
  assert.doesNotMatch(refused.text, /wrong-secret-0009/);
  h.vendor.fault = (r) => (r.path === '/api/me' ? { status: 200, body: { id: 'x', tenant: 'other' } } : undefined);
  assert.equal((await put({ kind: 'service_account', fields })).json['code'], 'connectors/account-unfit');
  h.vendor.fault = undefined;
  assert.deepEqual(await h.live(con), []);

  const given = await put({ kind: 'service_account', fields, endsAt: '2031-01-01T00:00:00Z' });
  assert.deepEqual(
    [given.status, given.json['shown'], given.json['endsAt'], given.json['account']],
    [200, { client_id: 'service' }, '2031-01-01T00:00:00.000Z', 'id-service'],
  );
  const id = given.json['connection'] as never;
  assert.match((await h.vault.unlock(h.at, { connection: id })).token.reveal(), /^org_/);
  const unchecked = await put({
    kind: 'service_account',
    fields: { ...fields, client_secret: 'later-secret' },
    unchecked: true,
  });
  assert.deepEqual(
    [unchecked.json['connection'], unchecked.json['account']],
    [id, null],
    'the same connection, replaced',
  );
  await assert.rejects(h.vault.unlock(h.at, { connection: id }), /vault\/app/);
  assert.equal((await h.api('DELETE', at)).status, 204);
  await assert.rejects(h.vault.unlock(h.at, { connection: id }), /vault\/no-connection/);
  const [row] = await h.t.super('select sealed, vendor_end from connection where id = $1', id);
  assert.deepEqual(row, { sealed: null, vendor_end: 'impossible' });
  for (const r of [given, unchecked]) assert.doesNotMatch(r.text, /service-secret-0001|later-secret/);
});

test('an account that cannot act as the connector does is refused', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  const r = await h.api('PUT', `/connectors/${con}/account`, {
    kind: 'service_account',
    fields: h.vendor.accounts['service_account'],
  });
  assert.equal(r.json['code'], 'connectors/account-acts-as');
});

test('an account that speaks for persons is tried as the administrator who gives it', async (t) => {
  const h = await open(t);
  const con = await h.connector({ actAs: 'organization_as_person' });
  h.vendor.fault = undefined;
  const r = await h.api('PUT', `/connectors/${con}/account`, {
    kind: 'service_account',
    fields: h.vendor.accounts['service_account'],
  });
  assert.equal(r.status, 200, r.text);
  const asked = h.vendor.seen.filter((s) => s.path === '/login/token').at(-1)!;
  assert.equal(new URLSearchParams(asked.body.toString()).get('subject'), 'ada@acme.example');
});

test('members may connect, and only those who manage connectors see or change apps and accounts', async (t) => {
  const h = await open(t);
  const con = await h.connector();
  const bob = await h.person('bob@acme.example');
  for (const [method, path] of [
    ['GET', `/connectors/${con}/app`],
    ['PUT', `/connectors/${con}/app`],
    ['DELETE', `/connectors/${con}/app`],
    ['GET', `/connectors/${con}/account`],
    ['PUT', `/connectors/${con}/account`],
    ['DELETE', `/connectors/${con}/account`],
  ] as const)
    assert.equal((await h.api(method, path, method === 'PUT' ? {} : undefined, bob)).status, 403, `${method} ${path}`);
  h.vendor.visitor.account = 'bob';
  assert.equal((await h.consent(con, bob)).status, 303);
});
