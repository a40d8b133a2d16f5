import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from '#dev/browser.ts';
import { requestOf, samlHouse, type SamlHouse } from '#dev/saml-house.ts';
import { samlKey } from '#dev/saml-signer.ts';
import { parseId } from '#kernel/id.ts';
import { findUserByAssertedEmail, listUserAttributes } from '../user-attribute.sql.ts';
import { beginTest } from '../enforcement/begin-test.ts';

let h: SamlHouse;
before(async () => {
  h = await samlHouse();
});
after(() => h[Symbol.asyncDispose]());

const sessions = async (): Promise<number> =>
  Number((await h.t.super<{ n: string }>('select count(*) as n from session'))[0]?.n);
const attributesOf = (user: string) =>
  h.t.super<{ name: string; vals: string[] }>(
    'select name, vals from user_attribute where user_id = $1 order by name',
    user,
  );

test('a person signs in over SAML, lands where they wanted to go, and each stage is in the trace', async () => {
  const b = await h.signIn({}, '/?here=1');
  assert.equal(b.url.pathname + b.url.search, '/?here=1', b.text());
  assert.ok(h.signedIn(b));
  const opened = (await h.events('session.opened')).at(-1);
  assert.deepEqual([opened?.data['via'], opened?.data['user'], opened?.data['connection']], ['saml', h.luca, h.saml]);
  const trace = await h.api('GET', `/orgs/${h.acme.org}/sign-ins/${String(opened?.data['trace'])}`);
  assert.deepEqual(
    (trace.body['stages'] as { stage: string; ok: boolean }[]).map((s) => `${s.stage} ${s.ok}`),
    [
      'connection',
      'response',
      'signature',
      'conditions',
      'attributes',
      'domain',
      'redirect',
      'link',
      'provisioning',
      'session',
    ].map((s) => `${s} true`),
  );
});

test('the directory is asked once; from then on the identity is linked, keyed by the format of the name and the name', async () => {
  const links = await h.t.super<{ subject: string; issuer: string }>(
    'select subject, issuer from identity_link where user_id = $1',
    h.luca,
  );
  assert.deepEqual(links, [
    { subject: 'emailAddress:luca@northwind-lamps.example', issuer: 'https://idp.northwind-lamps.example/metadata' },
  ]);
});

test('department, manager and groups are kept, and what is not said any more is forgotten', async () => {
  await h.signIn({
    attributes: {
      email: 'luca@northwind-lamps.example',
      department: 'Sales',
      manager_email: 'bianca@northwind-lamps.example',
      groups: ['Sales', 'All staff'],
    },
  });
  assert.deepEqual(await attributesOf(h.luca), [
    { name: 'department', vals: ['Sales'] },
    { name: 'email', vals: ['luca@northwind-lamps.example'] },
    { name: 'groups', vals: ['Sales', 'All staff'] },
    { name: 'manager_email', vals: ['bianca@northwind-lamps.example'] },
  ]);
  await h.change({ groupsOverage: 'keep' });
  await h.signIn({
    attributes: { email: 'luca@northwind-lamps.example', 'http://schemas.microsoft.com/claims/groups.link': 'x' },
  });
  assert.deepEqual(
    (await attributesOf(h.luca)).map((a) => a.name),
    ['email', 'groups'],
    'too many groups to send are not no groups',
  );
  await h.change({ groupsOverage: 'refuse' });
  await h.signIn();
  const asked = await h.world.db.read({ parent: h.acme.parent }, async (db) => ({
    department: (await listUserAttributes(db, h.luca)).find((a) => a.name === 'department')?.values,
    byEmail: await findUserByAssertedEmail(db, 'LUCA@northwind-lamps.example'),
    stranger: await findUserByAssertedEmail(db, 'nobody@northwind-lamps.example'),
  }));
  assert.deepEqual(asked, { department: ['Sales'], byEmail: h.luca, stranger: undefined });
  assert.deepEqual(
    (await attributesOf(h.luca)).map((a) => a.name),
    ['department', 'email', 'first_name', 'last_name'],
  );
});

test('our request names us and our address, is signed, and carries nothing of where the person goes afterwards', async () => {
  const { at, request, relayState } = await h.begun('/secret-place');
  const xml = requestOf(at);
  assert.match(xml, new RegExp(`<saml:Issuer>${h.audience}</saml:Issuer>`));
  assert.match(xml, new RegExp(`AssertionConsumerServiceURL="${h.acs}"`));
  assert.match(xml, /Destination="https:\/\/idp\.northwind-lamps\.example\/sso"/);
  assert.equal(relayState, request);
  assert.ok(!at.href.includes('secret-place'));
  const { verify, X509Certificate } = await import('node:crypto');
  const key = await fetch(`${h.origin}/saml/${h.acme.org}/metadata`).then((r) => r.text());
  const certificate = new X509Certificate(Buffer.from(/<ds:X509Certificate>([^<]+)/.exec(key)?.[1] ?? '', 'base64'));
  const [signed = '', signature = ''] = at.search.slice(1).split('&Signature=');
  assert.ok(
    verify('sha256', Buffer.from(signed), certificate.publicKey, Buffer.from(decodeURIComponent(signature), 'base64')),
  );
});

test('by POST, the request is in a form that the person submits, signed inside', async () => {
  const other = samlKey();
  const made = await h.connect({
    name: 'Over POST',
    from: {
      kind: 'by_hand',
      issuer: 'https://post.example',
      signInUrl: 'https://post.example/sso',
      signInBinding: 'post',
      certificates: [other.certificatePem],
    },
  });
  const b = await new Browser().open(`${h.origin}/sign-in/start/${String(made.body['id'])}`);
  assert.match(b.body, /<form method="post" action="https:\/\/post\.example\/sso">/);
  assert.match(b.headers.get('content-security-policy') ?? '', /form-action 'self' https: https:\/\/post\.example;/);
  const xml = Buffer.from(/name="SAMLRequest" value="([^"]+)"/.exec(b.body)?.[1] ?? '', 'base64').toString();
  assert.match(xml, /<\/saml:Issuer><ds:Signature /);
});

test('30: a response to a request that was never made is refused, and one without a trace of ours too', async () => {
  const r = await h.post(await h.response('_ffffffffffffffffffffffffffffffffffffffff'));
  assert.equal(h.codeOf(await r.text()), 'identity/saml-in-response-to-unknown');
});

test('32: a response that nobody asked for is refused while the connection does not allow it', async () => {
  const before = await sessions();
  const r = await h.post(await h.response(undefined));
  const text = await r.text();
  assert.equal(h.codeOf(text), 'identity/saml-unsolicited');
  assert.equal((await h.traceOn(text)).stages.at(-1)?.['stage'], 'response');
  assert.equal(await sessions(), before);
});

test('R1: one response, one after the other, signs one browser in', async () => {
  const { browser, request, relayState } = await h.begun();
  const message = await h.response(request);
  await h.arrive(browser, message, relayState);
  assert.ok(h.signedIn(browser));
  const again = await h.post(message, relayState);
  assert.equal(h.codeOf(await again.text()), 'identity/saml-in-response-to-unknown');
});

test('R2, 77: one response posted eight times at once opens exactly one session', async () => {
  const { browser, request, relayState } = await h.begun();
  const message = await h.response(request);
  const before = await sessions();
  const posts = await Promise.all(Array.from({ length: 8 }, () => h.post(message, relayState)));
  const onward = posts.flatMap((r) => r.headers.get('location') ?? []);
  assert.equal(onward.length, 1);
  const cookie = browser.cookies(new URL(h.origin));
  const finished = await Promise.all(
    Array.from({ length: 8 }, () =>
      fetch(new URL(onward[0] ?? '', h.origin), { redirect: 'manual', headers: { cookie } }),
    ),
  );
  assert.equal(
    finished.filter((r) => r.headers.getSetCookie().some((c) => c.startsWith('__Host-gatehouse='))).length,
    1,
  );
  assert.equal(await sessions(), before + 1);
});

test('R3: where unasked responses are allowed, each signs in once: posted eight times at once, and again afterwards', async () => {
  await h.change({ idpInitiated: true });
  const message = await h.response(undefined);
  const before = await sessions();
  const posts = await Promise.all(Array.from({ length: 8 }, () => h.post(message)));
  const finished = await Promise.all(
    posts.flatMap((r) => {
      const to = r.headers.get('location');
      return to === null ? [] : [fetch(new URL(to, h.origin), { redirect: 'manual' })];
    }),
  );
  assert.equal(finished.filter((r) => r.status === 303).length, 1);
  assert.equal(await sessions(), before + 1);
  const refused = finished.find((r) => r.status !== 303);
  if (refused) assert.equal(h.codeOf(await refused.text()), 'identity/saml-replay');
  assert.equal(h.codeOf(await (await h.post(message)).text()), 'identity/saml-replay');
  await h.change({ idpInitiated: false });
});

test('75: after an unasked sign-in nobody is sent to another site, and nothing of RelayState becomes markup', async () => {
  await h.change({ idpInitiated: true });
  for (const where of [
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    'javascript:alert(1)',
    `/${'x'.repeat(90)}`,
    '"><script>alert(1)</script>',
  ]) {
    const r = await h.post(await h.response(undefined), where);
    const text = await r.text();
    assert.equal(h.codeOf(text), 'identity/saml-relay-state', where);
    assert.ok(!text.includes('<script'));
  }
  for (const [where, path] of [
    ['/connectors', '/connectors'],
    [`${h.origin}/x?y=1`, '/x?y=1'],
    [undefined, '/'],
  ] as const) {
    const r = await h.post(await h.response(undefined), where);
    const finished = await fetch(new URL(r.headers.get('location') ?? '', h.origin), { redirect: 'manual' });
    assert.equal(finished.headers.get('location'), path);
  }
  await h.change({ idpInitiated: false });
});

test('a RelayState of another sign-in is refused', async () => {
  const one = await h.begun();
  const two = await h.begun();
  const r = await h.post(await h.response(one.request), two.relayState);
  assert.equal(h.codeOf(await r.text()), 'identity/saml-relay-state');
});

test('76: a response is worth nothing in another browser than the one that began (login CSRF)', async () => {
  const mallory = await h.begun();
  const message = await h.response(mallory.request);
  const victim = await h.arrive(new Browser(), message, mallory.relayState);
  assert.ok(!h.signedIn(victim));
  assert.equal((await h.traceOn(victim.body)).outcome, 'identity/other-browser');
  const busy = (await h.begun()).browser;
  const next = await h.begun();
  await h.arrive(busy, await h.response(next.request), next.relayState);
  assert.ok(!h.signedIn(busy), 'a browser with a sign-in of its own under way is another browser, too');
});

test('two tabs of one browser can sign in side by side, and the second ends the session of the first', async () => {
  const browser = new Browser();
  const one = await h.begun('/?tab=1', browser);
  const two = await h.begun('/?tab=2', browser);
  await h.arrive(browser, await h.response(one.request), one.relayState);
  assert.equal(browser.url.search, '?tab=1');
  const first = browser.cookies(new URL(h.origin));
  await h.arrive(browser, await h.response(two.request), two.relayState);
  assert.equal(browser.url.search, '?tab=2');
  const r = await h.api('GET', '/me', undefined, { cookie: first });
  assert.equal(r.body['code'], 'identity/session-ended');
});

test('a sign-in that took more than 15 minutes is refused', async () => {
  const { browser, request, relayState } = await h.begun();
  h.advance(16 * 60_000);
  await h.arrive(browser, await h.response(request), relayState);
  assert.equal((await h.traceOn(browser.body)).outcome, 'identity/attempt-expired');
});

test('64: an assertion for one organization is refused at the address of another of the same parent', async () => {
  const { request } = await h.begun();
  const message = await h.response(request);
  const elsewhere = `org_${'0'.repeat(31)}1`;
  await h.t.super(
    `insert into org (parent, id, name, surface, created_at) values ($1, $2, 'Console', 'console', now())`,
    h.acme.parent,
    elsewhere,
  );
  const r = await fetch(`${h.origin}/saml/acs/${elsewhere}`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ SAMLResponse: message }),
  });
  assert.equal(h.codeOf(await r.text()), 'identity/saml-unknown-issuer');
  const none = await fetch(`${h.origin}/saml/acs/org_${'0'.repeat(32)}`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ SAMLResponse: message }),
  });
  assert.equal(h.codeOf(await none.text()), 'identity/no-such-connection');
});

test('65: an address of a domain that the connection does not list, or that another parent has verified, is refused', async () => {
  await h.change({ emailDomains: ['other.example'] });
  const b = await h.signIn();
  const trace = await h.traceOn(b.body);
  assert.deepEqual(
    [trace.outcome, trace.stages.at(-1)?.['stage'], trace.stages.at(-1)?.['found']],
    ['identity/saml-domain', 'domain', 'northwind-lamps.example'],
  );
  await h.change({ emailDomains: [] });
  const verified = (parent: string, n: number, name: string) =>
    h.t.super(
      `insert into domain (parent, id, name, shown, token, include_subdomains, added_at, state, since, next_check_at, last_success_at, verified_at)
       values ($1, $2, $3, $3, repeat('0', 32), false, now(), 'verified', now(), now(), now(), now())`,
      parent,
      `dom_${'0'.repeat(31)}${n}`,
      name,
    );
  await verified(h.acme.parent, 1, 'acme.example');
  assert.equal(
    (await h.traceOn((await h.signIn()).body)).outcome,
    'identity/saml-domain',
    'a parent with verified domains is held to them',
  );
  await h.change({ emailDomains: ['northwind-lamps.example'] });
  assert.ok(h.signedIn(await h.signIn()));
  const stranger = `par_${'0'.repeat(31)}9`;
  await h.t.super(`insert into parent (id, name, created_at) values ($1, 'Stranger', now())`, stranger);
  await verified(stranger, 2, 'northwind-lamps.example');
  assert.equal(
    (await h.traceOn((await h.signIn()).body)).outcome,
    'identity/saml-domain',
    'a domain of another parent is refused even if it is listed',
  );
  await h.t.super(`delete from domain`);
  await h.change({ emailDomains: [] });
});

test('70: another name for the same e-mail address opens nobody’s account', async () => {
  const b = await h.signIn({
    nameId: '00u-other',
    nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
  });
  assert.ok(!h.signedIn(b));
  assert.equal((await h.traceOn(b.body)).outcome, 'identity/no-account');
});

test('a further identity is linked only to who is signed in and comes back from their identity provider', async () => {
  const b = await h.browserOf(h.acme.owner);
  await b.open(`${h.origin}/`);
  await b.submit(/Link Northwind SAML/);
  const to = new URL((/href="(https:\/\/idp\.[^"]+)"/.exec(b.body)?.[1] ?? '').replaceAll('&amp;', '&'));
  const request = /ID="(_[0-9a-f]{40})"/.exec(requestOf(to))?.[1] ?? '';
  await h.arrive(
    b,
    await h.response(request, { nameId: 'ada@acme.example', attributes: { email: 'ada@acme.example' } }),
    request,
  );
  const links = await h.t.super(
    'select from identity_link where user_id = $1 and subject = $2',
    h.acme.owner,
    'emailAddress:ada@acme.example',
  );
  assert.equal(links.length, 1, b.text());
});

test('a refused person sees a plain sentence and a number; found and expected are for administrators only', async () => {
  const { browser, request, relayState } = await h.begun();
  await h.arrive(browser, await h.response(request, { audience: 'https://other.example' }), relayState);
  assert.match(browser.text(), /made for another application/);
  assert.ok(!browser.body.includes('other.example'));
  const trace = await h.traceOn(browser.body);
  assert.equal(trace.outcome, 'identity/saml-audience');
  assert.equal(trace.stages.at(-1)?.['found'], 'https://other.example');
  assert.equal(trace.stages.at(-1)?.['expected'], h.audience);
  const told = (await h.events('sign_in.refused')).at(-1);
  assert.equal(told?.data['code'], 'identity/saml-audience');
  assert.equal(JSON.stringify(told).includes('northwind'), false, 'an event has no content');
});

test('a refused response can be judged again with the configuration of today, and nobody is signed in by it', async () => {
  const next = samlKey();
  const { browser, request, relayState } = await h.begun();
  await h.arrive(browser, await h.response(request, { key: next }), relayState);
  const id = /sgn_[0-9a-f]{32}/.exec(browser.body)?.[0] ?? '';
  const again = () => h.api('POST', `/orgs/${h.acme.org}/sign-ins/${id}/judge-again`);
  const before = await sessions();
  assert.equal((await again()).body['outcome'], 'identity/saml-signature-invalid');
  const added = await h.api('POST', `/orgs/${h.acme.org}/saml-connections/${h.saml}/certificates`, {
    certificate: next.certificatePem,
  });
  assert.equal(added.status, 201, added.text);
  h.advance(3600_000);
  const r = await again();
  assert.equal(r.body['outcome'], 'passed', r.text);
  assert.ok((r.body['received'] as unknown[]).length > 0);
  assert.equal(await sessions(), before);
  assert.equal((await h.events('sso.saml_response_judged_again')).length, 2);
  h.advance(8 * 86_400_000);
  const { body } = await h.api('POST', `/orgs/${h.acme.org}/sign-ins/${id}/judge-again`);
  assert.equal(body['code'], 'identity/saml-no-message');
  h.advance(-8 * 86_400_000 - 3600_000 - 16 * 60_000);
});

test('an expired certificate lets people in with a note, or refuses them with the day it ended, as the connection says', async () => {
  const old = samlKey({ notAfter: new Date(Date.now() - 86_400_000) });
  await h.api('POST', `/orgs/${h.acme.org}/saml-connections/${h.saml}/certificates`, {
    certificate: old.certificatePem,
  });
  assert.ok(h.signedIn(await h.signIn({ key: old })));
  await h.change({ expiredCertificate: 'refuse' });
  const b = await h.signIn({ key: old });
  const trace = await h.traceOn(b.body);
  assert.equal(trace.outcome, 'identity/saml-certificate-expired');
  assert.match(trace.stages.at(-1)?.['found'] ?? '', /until \d{4}-/);
  await h.change({ expiredCertificate: 'warn' });
});

test('an assertion encrypted to the key in our metadata signs in; after the key is changed, the old one still reads', async () => {
  const key = async () => {
    const xml = await fetch(`${h.origin}/saml/${h.acme.org}/metadata`).then((r) => r.text());
    const c = /use="encryption".*?<ds:X509Certificate>([^<]+)/.exec(xml)?.[1] ?? '';
    return {
      certificatePem: `-----BEGIN CERTIFICATE-----\n${(c.match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`,
    };
  };
  const first = await key();
  assert.ok(h.signedIn(await h.signIn({ encryptTo: first })));
  const rotated = await h.api('POST', `/orgs/${h.acme.org}/saml/rotate-key`);
  assert.equal((rotated.body['keys'] as unknown[]).length, 2);
  assert.notDeepEqual(await key(), first);
  assert.ok(h.signedIn(await h.signIn({ encryptTo: first })), 'who has not fetched our metadata yet');
  assert.ok(h.signedIn(await h.signIn({ encryptTo: await key() })));
  await h.api('POST', `/orgs/${h.acme.org}/saml/rotate-key`);
  assert.equal(
    (await h.traceOn((await h.signIn({ encryptTo: first })).body)).outcome,
    'identity/saml-decryption-failed',
  );
});

test('a session ends when the identity provider says that it ends', async () => {
  const ends = new Date(h.world.now().getTime() + 3600_000).toISOString();
  await h.signIn({ assertion: (xml) => xml.replace('SessionIndex=', `SessionNotOnOrAfter="${ends}" SessionIndex=`) });
  const session = (await h.events('session.opened')).at(-1)?.data['session'];
  const [row] = await h.t.super<{ expires_at: Date }>('select expires_at from session where id = $1', session);
  assert.equal(row?.expires_at.toISOString(), ends);
});

test('a connection that is switched off signs nobody in, not even with a response that is on its way', async () => {
  const { browser, request, relayState } = await h.begun();
  assert.equal(
    (await h.api('POST', `/orgs/${h.acme.org}/saml-connections/${h.saml}/disable`)).body['state'],
    'disabled',
  );
  await h.arrive(browser, await h.response(request), relayState);
  assert.equal(h.codeOf(browser.body), 'identity/connection-disabled');
  assert.equal((await h.api('POST', `/orgs/${h.acme.org}/saml-connections/${h.saml}/enable`)).body['state'], 'active');
});

test('strangers cannot fill the trace: of refusals that nobody here asked for, so many are kept and the rest is logged', async () => {
  const count = async () => Number((await h.t.super<{ n: string }>('select count(*) as n from sign_in_trace'))[0]?.n);
  const message = await h.response(undefined, { sign: 'none' });
  const before = await count();
  for (let i = 0; i < 40; i++) await (await h.post(message)).text();
  const grown = (await count()) - before;
  assert.ok(grown <= 30, `${grown}`);
});

test('a message that is not even XML names no connection and leaves no trace', async () => {
  const r = await h.post(Buffer.from('hello').toString('base64'));
  const text = await r.text();
  assert.equal(h.codeOf(text), 'identity/saml-xml-malformed');
  assert.ok(!/sgn_/.test(text));
});

test('what waits for a browser is sealed: the database has no claim in the clear', async () => {
  const { request, relayState } = await h.begun();
  await h.post(await h.response(request), relayState);
  const rows = await h.t.super<{ arrived: Buffer }>('select arrived from sign_in_attempt where arrived is not null');
  assert.ok(rows.length > 0);
  for (const r of rows) assert.ok(!r.arrived.toString('latin1').includes('luca'));
  const messages = await h.t.super<{ sealed: Buffer }>('select sealed from saml_message');
  assert.ok(messages.length > 0);
  for (const m of messages) assert.ok(!m.sealed.toString('latin1').includes('PHNhbWxw'));
});

test('a dry sign-in over SAML shows what was received, mapped and refused, before the connection is switched on, and signs nobody in', async () => {
  await h.api('POST', `/orgs/${h.acme.org}/saml-connections/${h.saml}/disable`);
  const before = await sessions();
  const dry = async (more: Parameters<SamlHouse['response']>[1]): Promise<Browser> => {
    const { url } = await beginTest({ ...h.ctx, now: h.world.now() }, parseId('sso', h.saml)!);
    const b = await new Browser().open(url);
    await b.submit(/Begin the test/);
    const to = new URL((/href="(https:\/\/idp\.[^"]+)"/.exec(b.body)?.[1] ?? '').replaceAll('&amp;', '&'));
    const request = /ID="(_[0-9a-f]{40})"/.exec(requestOf(to))?.[1] ?? '';
    return h.arrive(b, await h.response(request, more), request);
  };
  const fine = await dry({});
  assert.match(fine.text(), /A real sign-in would succeed/);
  assert.match(fine.text(), /luca@northwind-lamps\.example/);
  const refused = await dry({ audience: 'https://other.example' });
  assert.match(refused.text(), /made for another application/);
  assert.match(refused.text(), /found https:\/\/other\.example/);
  const nobody = await dry({ nameId: 'x@northwind-lamps.example' });
  assert.match(nobody.text(), /nobody here has given you access/);
  assert.equal(await sessions(), before);
  await h.api('POST', `/orgs/${h.acme.org}/saml-connections/${h.saml}/enable`);
});
