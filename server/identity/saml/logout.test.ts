import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import type { Browser } from '#dev/browser.ts';
import { IDP, samlHouse, type SamlHouse } from '#dev/saml-house.ts';
import {
  assertionXml,
  base64,
  logoutXml,
  redirectQuery,
  samlId,
  samlKey,
  signXml,
  type LogoutFacts,
} from '#dev/saml-signer.ts';

let h: SamlHouse;
let slo = '';
before(async () => {
  h = await samlHouse();
  slo = `${h.origin}/saml/slo/${h.acme.org}`;
});
after(() => h[Symbol.asyncDispose]());

const facts = (more: Partial<LogoutFacts> = {}): LogoutFacts => ({ kind: 'LogoutRequest', idp: IDP, to: slo, ...more });
const live = async (b: Browser): Promise<boolean> =>
  (await h.api('GET', '/me', undefined, { cookie: b.cookies(new URL(h.origin)) })).status === 200;
const byRedirect = (
  xml: string,
  o: { key?: typeof h.idpKey | undefined; relayState?: string; parameter?: 'SAMLRequest' | 'SAMLResponse' } = {
    key: h.idpKey,
  },
) =>
  fetch(`${slo}?${redirectQuery(xml, o.parameter ?? 'SAMLRequest', 'key' in o ? o.key : h.idpKey, o.relayState)}`, {
    redirect: 'manual',
  });
const byPost = (xml: string, parameter = 'SAMLRequest') =>
  fetch(slo, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'sec-fetch-site': 'cross-site' },
    body: new URLSearchParams({ [parameter]: base64(xml) }),
  });
const signed = (xml: string, key = h.idpKey): string => signXml(xml, { key, id: / ID="([^"]+)"/.exec(xml)?.[1] ?? '' });

test('a signed request of the identity provider ends the session that it means, at once, and is answered with our signature', async () => {
  const [one, two] = [await h.signIn({ session: 'one' }), await h.signIn({ session: 'two' })];
  const r = await byRedirect(logoutXml(facts({ sessions: ['one'], id: '_lr1' })), { key: h.idpKey, relayState: 'abc' });
  assert.equal(r.status, 303, await r.text());
  assert.deepEqual([await live(one), await live(two)], [false, true]);
  const back = new URL(r.headers.get('location') ?? '');
  assert.equal(back.origin + back.pathname, 'https://idp.northwind-lamps.example/slo');
  assert.equal(back.searchParams.get('RelayState'), 'abc');
  assert.ok(back.searchParams.get('Signature'));
  const xml = inflateRawSync(Buffer.from(back.searchParams.get('SAMLResponse') ?? '', 'base64')).toString();
  assert.match(xml, /InResponseTo="_lr1"/);
  assert.match(xml, /status:Success/);
  const ended = (await h.events('session.ended')).at(-1);
  assert.deepEqual([ended?.data['why'], ended?.data['user']], ['idp_logout', h.luca]);
});

test('78: without a session index, every session of the person is ended; another person’s goes on', async () => {
  const bianca = await h.addPerson('Bianca', 'user');
  await h.inDirectory('bianca@northwind-lamps.example', bianca.user);
  const [one, two] = [await h.signIn({ session: 'a' }), await h.signIn({ session: 'b' })];
  const other = await h.signIn({
    nameId: 'bianca@northwind-lamps.example',
    attributes: { email: 'bianca@northwind-lamps.example' },
  });
  assert.ok(await live(other));
  const r = await byPost(signed(logoutXml(facts())));
  assert.equal(r.status, 303, await r.text());
  assert.deepEqual([await live(one), await live(two), await live(other)], [false, false, true]);
});

const refusals: [string, string, () => Promise<Response>][] = [
  ['unsigned, by redirect', 'identity/saml-logout-unsigned', () => byRedirect(logoutXml(facts()), { key: undefined })],
  ['unsigned, by POST', 'identity/saml-logout-unsigned', () => byPost(logoutXml(facts()))],
  [
    'signed by a stranger, by redirect',
    'identity/saml-logout-signature',
    () => byRedirect(logoutXml(facts()), { key: samlKey() }),
  ],
  [
    'signed by a stranger, by POST',
    'identity/saml-signature-invalid',
    () => byPost(signed(logoutXml(facts()), samlKey())),
  ],
  [
    'altered after it was signed',
    'identity/saml-signature-digest',
    () =>
      byPost(signed(logoutXml(facts({ nameId: 'somebody@northwind-lamps.example' }))).replace('somebody@', 'luca@')),
  ],
  [
    'whose signed query was given another message',
    'identity/saml-logout-signature',
    () => {
      const [ours, theirs] = [
        redirectQuery(logoutXml(facts()), 'SAMLRequest', h.idpKey),
        redirectQuery(logoutXml(facts({ nameId: 'x@y.example' })), 'SAMLRequest', h.idpKey),
      ];
      return fetch(`${slo}?${ours.split('&')[0]}&${theirs.split('&').slice(1).join('&')}`, { redirect: 'manual' });
    },
  ],
  [
    'wrapped around a genuine signed assertion',
    'identity/saml-assertion-nested',
    async () => {
      const id = samlId();
      const genuine = signXml(assertionXml({ key: h.idpKey, idp: IDP, acs: h.acs, audience: h.audience, id }), {
        key: h.idpKey,
        id,
      });
      return byPost(
        logoutXml(facts()).replace('<saml:NameID', `<samlp:Extensions>${genuine}</samlp:Extensions><saml:NameID`),
      );
    },
  ],
  [
    'that has expired',
    'identity/saml-logout-expired',
    () => byRedirect(logoutXml(facts({ until: new Date(Date.now() - 300_000) }))),
  ],
  [
    'without an end, and old',
    'identity/saml-logout-expired',
    () => byRedirect(logoutXml(facts({ now: new Date(Date.now() - 600_000) }))),
  ],
  [
    'of another identity provider',
    'identity/saml-logout-issuer',
    () => byRedirect(logoutXml(facts({ idp: 'https://other.example' }))),
  ],
  [
    'for another address',
    'identity/saml-logout-destination',
    () => byRedirect(logoutXml(facts({ to: 'https://other.example/slo' }))),
  ],
  [
    'that names nobody',
    'identity/saml-response-structure',
    () => byRedirect(logoutXml(facts()).replace(/<saml:NameID.*<\/saml:NameID>/, '')),
  ],
  [
    'by redirect and signed inside as well',
    'identity/saml-logout-structure',
    () => byRedirect(signed(logoutXml(facts()))),
  ],
  ['that is not there', 'identity/saml-logout-structure', () => fetch(slo)],
  ['and an answer at once', 'identity/saml-logout-structure', () => fetch(`${slo}?SAMLRequest=a&SAMLResponse=b`)],
  [
    'that is a response in the place of a request',
    'identity/saml-response-structure',
    () => byRedirect(logoutXml(facts({ kind: 'LogoutResponse', inResponseTo: '_x' }))),
  ],
];
for (const [what, code, ask] of refusals)
  test(`78: a logout message ${what} signs nobody out: ${code}`, async () => {
    const b = await h.signIn();
    const r = await ask();
    assert.equal(h.codeOf(await r.text()), code);
    assert.ok(await live(b));
  });

test('78: a logout request works once', async () => {
  const xml = logoutXml(facts({ sessions: ['nothing'] }));
  assert.equal((await byRedirect(xml)).status, 303);
  assert.equal(h.codeOf(await (await byRedirect(xml)).text()), 'identity/saml-logout-replay');
});

test('79: an answer to a request that we never made is refused, and so is the second answer to one', async () => {
  const response = (inResponseTo: string) =>
    byRedirect(logoutXml(facts({ kind: 'LogoutResponse', inResponseTo })), {
      key: h.idpKey,
      parameter: 'SAMLResponse',
    });
  assert.equal(
    h.codeOf(await (await response('_ffffffffffffffffffffffffffffffffffffffff')).text()),
    'identity/saml-logout-unknown-request',
  );
  const b = await h.signIn({ session: 'mine' });
  await b.open(`${h.origin}/`);
  const before = b.cookies(new URL(h.origin));
  await b.submit(/Sign out/);
  assert.match(b.text(), /signed out here/i);
  assert.equal(
    (await h.api('GET', '/me', undefined, { cookie: before })).status,
    401,
    'the session has ended whether or not the person goes on',
  );
  const to = new URL((/href="(https:\/\/idp\.[^"]+)"/.exec(b.body)?.[1] ?? '').replaceAll('&amp;', '&'));
  const xml = inflateRawSync(Buffer.from(to.searchParams.get('SAMLRequest') ?? '', 'base64')).toString();
  assert.match(
    xml,
    /<saml:NameID Format="[^"]+emailAddress">luca@northwind-lamps\.example<\/saml:NameID><samlp:SessionIndex>mine</,
  );
  assert.ok(to.searchParams.get('Signature'));
  const id = /ID="(_[0-9a-f]{40})"/.exec(xml)?.[1] ?? '';
  const done = await response(id);
  assert.match(await done.text(), /signed out here and at your identity provider/);
  assert.equal((await h.events('sso.saml_logout_answered')).at(-1)?.data['status'], 'Success');
  assert.equal(h.codeOf(await (await response(id)).text()), 'identity/saml-logout-unknown-request');
});

test('who did not come by SAML, or whose identity provider takes no logout, is simply signed out', async () => {
  const b = await h.browserOf(h.acme.owner);
  await b.open(`${h.origin}/`);
  await b.submit(/Sign out/);
  assert.equal(b.url.pathname, '/sign-in');
});
