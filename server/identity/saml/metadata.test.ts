import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { samlHouse, type SamlHouse } from '#dev/saml-house.ts';
import { idpMetadata } from '#dev/saml-metadata.ts';
import { samlKey } from '#dev/saml-signer.ts';
import { Problem } from '#kernel/problem.ts';
import { readCertificate } from './certificate.ts';
import { dueWarning } from './connection.ts';
import { readMetadata, type MetadataTrust } from './metadata.ts';
import { samlJob } from './saml.job.ts';
import { warnCertificates, type EndingNews } from './warn-certificates.ts';

const key = samlKey();
const other = samlKey();
const base = {
  entityId: 'https://idp.example',
  sso: 'https://idp.example/sso',
  slo: 'https://idp.example/slo',
  keys: [key],
};
const trust: MetadataTrust = { now: new Date(), allowPrivate: [], pinned: undefined, known: [] };
const codeOf = (xml: string, t: Partial<MetadataTrust> = {}): string => {
  try {
    readMetadata(xml, { ...trust, ...t });
    return 'taken';
  } catch (e) {
    assert.ok(e instanceof Problem, String(e));
    return e.code;
  }
};

test('metadata gives name, addresses and certificates, with comments and an XML declaration around them', () => {
  const m = readMetadata(
    `<?xml version="1.0" encoding="UTF-8"?>\n<!-- made <by> a wizard "here -->${idpMetadata(base)}`,
    trust,
  );
  assert.equal(m.issuer, 'https://idp.example');
  assert.equal(m.signInUrl, 'https://idp.example/sso');
  assert.equal(m.signInBinding, 'redirect');
  assert.deepEqual(m.logout, { url: 'https://idp.example/slo', responseUrl: undefined, binding: 'redirect' });
  assert.deepEqual(
    m.certificates.map((c) => c.fingerprint),
    [readCertificate(key.certificatePem).fingerprint],
  );
  assert.equal(m.signedBy, null);
  assert.equal(readMetadata(idpMetadata({ ...base, binding: 'POST' }), trust).signInBinding, 'post');
});

test('signed metadata is taken if the signature holds, and says by which certificate', () => {
  const xml = idpMetadata({ ...base, sign: key });
  assert.equal(readMetadata(xml, trust).signedBy, readCertificate(key.certificatePem).fingerprint);
  assert.equal(codeOf(xml, { pinned: readCertificate(key.certificatePem) }), 'taken');
  assert.equal(
    codeOf(idpMetadata({ ...base, keys: [other], sign: key }), { known: [readCertificate(key.certificatePem)] }),
    'taken',
    'the old key announces the new one',
  );
});

const refusals: [string, string, string, Partial<MetadataTrust>?][] = [
  [
    '72: altered after it was signed',
    idpMetadata({ ...base, sign: key }).replace('https://idp.example/sso', 'https://evil.example/sso'),
    'identity/saml-metadata-signature',
  ],
  ['72: signed by a stranger', idpMetadata({ ...base, sign: other }), 'identity/saml-metadata-signature'],
  [
    '72: signed by another key than the required one',
    idpMetadata({ ...base, sign: key }),
    'identity/saml-metadata-signature',
    { pinned: readCertificate(other.certificatePem) },
  ],
  [
    '72: not signed where that is required',
    idpMetadata(base),
    'identity/saml-metadata-unsigned',
    { pinned: readCertificate(key.certificatePem) },
  ],
  [
    '72: with an external entity',
    `<!DOCTYPE x SYSTEM "file:///etc/passwd">${idpMetadata(base)}`,
    'identity/saml-xml-doctype',
  ],
  [
    '72: that ended yesterday',
    idpMetadata({ ...base, validUntil: new Date(Date.now() - 86_400_000).toISOString() }),
    'identity/saml-metadata-expired',
  ],
  [
    'of a federation',
    `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">${idpMetadata(base)}</md:EntitiesDescriptor>`,
    'identity/saml-metadata-several',
  ],
  ['that is a web page', '<html><body/></html>', 'identity/saml-metadata-form'],
  [
    'of a service provider',
    idpMetadata(base).replaceAll('IDPSSODescriptor', 'SPSSODescriptor'),
    'identity/saml-metadata-form',
  ],
  ['without a certificate', idpMetadata({ ...base, keys: [] }), 'identity/saml-metadata-no-key'],
  ['with a weak key', idpMetadata({ ...base, keys: [samlKey({ bits: 1024 })] }), 'identity/saml-certificate-weak'],
  [
    'without an address that we can use',
    idpMetadata(base).replace(
      'HTTP-Redirect" Location="https://idp.example/sso',
      'SOAP" Location="https://idp.example/sso',
    ),
    'identity/saml-metadata-no-endpoint',
  ],
  ['that sends people over plain http', idpMetadata({ ...base, sso: 'http://idp.example/sso' }), 'egress/plain-http'],
  ['that sends people to a script', idpMetadata({ ...base, sso: 'javascript:alert(1)' }), 'egress/scheme'],
];
for (const [what, xml, code, t] of refusals)
  test(`metadata ${what} is refused: ${code}`, () => {
    assert.equal(codeOf(xml, t), code);
  });

test('a certificate is told of 30, 14, 7 and 1 days ahead and at its end, each time once', () => {
  const now = new Date('2026-06-01T00:00:00Z');
  const days = (d: number): Date => new Date(now.getTime() + d * 86_400_000);
  const told: (number | undefined)[] = [];
  let warnedDays: number | null = null;
  for (let left = 40; left >= -3; left--) {
    const due = dueWarning({ notAfter: days(left), warnedDays }, now);
    if (due !== undefined) {
      told.push(due);
      warnedDays = due;
    }
  }
  assert.deepEqual(told, [30, 14, 7, 1, 0]);
});

let h: SamlHouse;
let server: Server;
let url = '';
let serve: (req: IncomingMessage, res: ServerResponse) => void = (_req, res) => res.end();
let asked = 0;
before(async () => {
  h = await samlHouse();
  server = createServer((req, res) => {
    asked++;
    serve(req, res);
  });
  await new Promise<void>((r) => server.listen(0, '127.0.0.1', r));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metadata`;
});
after(async () => {
  server.close();
  server.closeAllConnections();
  await h[Symbol.asyncDispose]();
});
const publish = (xml: string): void => {
  serve = (_req, res) => res.writeHead(200, { 'content-type': 'application/samlmetadata+xml' }).end(xml);
};
const connections = `/orgs/:org/saml-connections`;
const api = (method: string, path: string, body?: unknown) => h.api(method, path.replace(':org', h.acme.org), body);
const create = (from: object, more: object = {}) =>
  api('POST', connections, { name: 'From metadata', from, allowPrivate: true, ...more });

test('a connection by metadata address signs people in with the keys of the metadata', async () => {
  publish(idpMetadata({ ...base, entityId: 'https://by-url.example', sign: key }));
  const r = await create({ kind: 'metadata_url', url });
  assert.equal(r.status, 201, r.text);
  assert.equal(r.body['issuer'], 'https://by-url.example');
  assert.equal((r.body['metadata'] as { url: string }).url, url);
  assert.equal((r.body['certificates'] as unknown[]).length, 1);
  assert.equal(r.body['entityId'], `${h.origin}/saml/${h.acme.org}`);
  assert.equal(r.body['acsUrl'], `${h.origin}/saml/acs/${h.acme.org}`);
  const message = await h.response(undefined, { key, idp: 'https://by-url.example' });
  await api('PATCH', `${connections}/${String(r.body['id'])}`, { idpInitiated: true });
  assert.equal((await h.post(message)).status, 303);
});

test('74: a refresh takes up the next key beside the old one, and drops the old one when the metadata does; what was added by hand stays', async () => {
  publish(idpMetadata({ ...base, entityId: 'https://rollover.example' }));
  const r = await create({ kind: 'metadata_url', url });
  const id = String(r.body['id']);
  const by = (k: { certificatePem: string }) => readCertificate(k.certificatePem).fingerprint;
  const prints = async () =>
    ((await api('GET', `${connections}/${id}`)).body['certificates'] as { fingerprint: string }[])
      .map((c) => c.fingerprint)
      .sort();
  const next = samlKey();
  publish(idpMetadata({ ...base, entityId: 'https://rollover.example', keys: [key, next] }));
  assert.equal((await api('POST', `${connections}/${id}/refresh`)).status, 200);
  assert.deepEqual(await prints(), [by(key), by(next)].sort());
  await api('POST', `${connections}/${id}/certificates`, { certificate: other.certificatePem });
  publish(idpMetadata({ ...base, entityId: 'https://rollover.example', keys: [next], sso: 'https://idp.example/new' }));
  const refreshed = await api('POST', `${connections}/${id}/refresh`);
  assert.equal(refreshed.body['signInUrl'], 'https://idp.example/new');
  assert.deepEqual(await prints(), [by(next), by(other)].sort());
  assert.deepEqual((await h.events('sso.saml_metadata_changed')).at(-1)?.data['changed'], ['signInUrl']);
});

test('a refresh that goes wrong changes nothing but a note, and is told once', async () => {
  publish(idpMetadata({ ...base, entityId: 'https://stays.example' }));
  const id = String((await create({ kind: 'metadata_url', url })).body['id']);
  const before = (await h.events('sso.saml_metadata_failed')).length;
  const refresh = async () => (await api('POST', `${connections}/${id}/refresh`)).body['code'];
  publish(idpMetadata({ ...base, entityId: 'https://renamed.example' }));
  assert.equal(await refresh(), 'identity/saml-metadata-entity');
  serve = (_req, res) => res.writeHead(500).end();
  assert.equal(await refresh(), 'identity/saml-metadata-unreachable');
  assert.equal(await refresh(), 'identity/saml-metadata-unreachable');
  const shown = await api('GET', `${connections}/${id}`);
  assert.equal((shown.body['metadata'] as { problem: string }).problem, 'identity/saml-metadata-unreachable');
  assert.equal((shown.body['certificates'] as unknown[]).length, 1);
  assert.equal((await h.events('sso.saml_metadata_failed')).length, before + 2);
  publish(idpMetadata({ ...base, entityId: 'https://stays.example' }));
  await refresh();
  assert.equal(((await api('GET', `${connections}/${id}`)).body['metadata'] as { problem: null }).problem, null);
});

test('73: a metadata address inside a private network, a redirect, and an endless answer are refused', async () => {
  publish(idpMetadata(base));
  const before = asked;
  const inside = await create({ kind: 'metadata_url', url }, { allowPrivate: false });
  assert.match(String(inside.body['code']), /^egress\//);
  assert.equal(asked, before, 'nothing was asked');
  serve = (_req, res) => res.writeHead(302, { location: 'http://169.254.169.254/latest' }).end();
  const moved = await create({ kind: 'metadata_url', url });
  assert.equal(moved.body['code'], 'identity/saml-metadata-unreachable');
  assert.match(String(moved.body['detail']), /169\.254\.169\.254/);
  serve = (_req, res) => res.writeHead(200).end('<a>'.repeat(1_000_000));
  assert.equal((await create({ kind: 'metadata_url', url })).body['code'], 'egress/too-large');
});

test('a connection by pasted metadata and by hand; the same identity provider twice is refused', async () => {
  const xml = idpMetadata({ ...base, entityId: 'https://pasted.example' });
  const r = await create({ kind: 'metadata_xml', xml });
  assert.equal(r.status, 201, r.text);
  assert.equal((await create({ kind: 'metadata_xml', xml })).body['code'], 'identity/saml-connected-already');
  const id = String(r.body['id']);
  assert.equal((await api('POST', `${connections}/${id}/refresh`)).body['code'], 'identity/saml-no-metadata-url');
  const by = { kind: 'by_hand', issuer: 'https://hand.example', signInUrl: 'https://hand.example/sso' };
  assert.equal(
    (await create({ ...by, certificates: ['x'.repeat(200)] })).body['code'],
    'identity/saml-certificate-unreadable',
  );
  assert.equal(
    (
      await create(
        { ...by, certificates: [key.certificatePem] },
        { sha1Until: new Date(Date.now() + 100 * 86_400_000).toISOString() },
      )
    ).body['code'],
    'identity/saml-sha1-too-long',
  );
  assert.equal((await create({ ...by, certificates: [] })).body['code'], 'identity/saml-no-certificate');
  const fine = await create(
    { ...by, certificates: [key.certificatePem, other.certificatePem] },
    { sha1Until: new Date(Date.now() + 30 * 86_400_000).toISOString() },
  );
  assert.equal(fine.status, 201, fine.text);
});

test('the last certificate of a connection cannot be removed; there are never more than eight', async () => {
  const r = await create({ kind: 'metadata_xml', xml: idpMetadata({ ...base, entityId: 'https://many.example' }) });
  const at = `${connections}/${String(r.body['id'])}/certificates`;
  const first = readCertificate(key.certificatePem).fingerprint;
  assert.equal((await api('DELETE', `${at}/${first}`)).body['code'], 'identity/saml-last-certificate');
  assert.equal((await api('DELETE', `${at}/${'0'.repeat(64)}`)).body['code'], 'identity/saml-no-such-certificate');
  const made = samlKey({ curve: 'prime256v1' });
  assert.equal((await api('POST', at, { certificate: made.certificatePem })).status, 201);
  assert.equal(
    (await api('POST', at, { certificate: made.certificatePem })).status,
    201,
    'the same again changes nothing',
  );
  for (let i = 0; i < 6; i++) await api('POST', at, { certificate: samlKey({ curve: 'prime256v1' }).certificatePem });
  assert.equal(
    (await api('POST', at, { certificate: samlKey({ curve: 'prime256v1' }).certificatePem })).body['code'],
    'identity/saml-too-many-certificates',
  );
  assert.equal((await api('DELETE', `${at}/${first}`)).status, 204);
  const events = await h.events('sso.saml_certificate_removed');
  assert.equal(events.at(-1)?.data['fingerprint'], first);
});

test('a certificate that ends soon is in the list and is told of once per step, with the connection and whether another takes over', async () => {
  const soon = samlKey({ notAfter: new Date(Date.now() + 6.5 * 86_400_000) });
  const r = await create({
    kind: 'by_hand',
    issuer: 'https://ending.example',
    signInUrl: 'https://ending.example/sso',
    certificates: [soon.certificatePem],
  });
  const list = await api('GET', '/orgs/:org/saml-certificates/ending?days=10');
  assert.deepEqual(
    (list.body['items'] as { connection: string; daysLeft: number; replaced: boolean }[]).map((i) => [
      i.connection,
      i.daysLeft,
      i.replaced,
    ]),
    [[r.body['id'], 6, false]],
  );
  const news: EndingNews[] = [];
  const tell = async (_tx: unknown, n: EndingNews): Promise<void> => void news.push(n);
  await warnCertificates(h.world, tell);
  await warnCertificates(h.world, tell);
  assert.deepEqual(
    news.map((n) => [n.connection, n.days, n.last]),
    [[r.body['id'], 7, true]],
  );
  h.advance(7 * 86_400_000);
  await samlJob(h.world, tell).run({});
  assert.deepEqual(
    news.map((n) => n.days),
    [7, 0],
  );
  assert.deepEqual(
    (await h.events('sso.saml_certificate_ending')).map((e) => e.data['days']),
    [7, 0],
  );
  h.advance(-7 * 86_400_000);
});

test('the job asks again for metadata that is older than six hours, and forgets what has run out', async () => {
  const xml = idpMetadata({ ...base, entityId: 'https://hourly.example' });
  publish(xml);
  await create({ kind: 'metadata_url', url });
  const quiet = async (): Promise<void> => undefined;
  const before = asked;
  await samlJob(h.world, quiet).run({});
  assert.equal(asked, before, 'it is fresh');
  await h.t.super(
    `insert into saml_seen (parent, connection, what, hash, until) values ($1, $2, 'assertion', '\\x00', now() + interval '1 hour')`,
    h.acme.parent,
    h.saml,
  );
  h.advance(7 * 3600_000);
  await samlJob(h.world, quiet).run({});
  assert.ok(asked > before);
  assert.equal((await h.t.super('select from saml_seen where hash = $1', '\\x00')).length, 0);
});

test('the values to enter at an identity provider are on one page, and our metadata says the same', async () => {
  const r = await api('GET', '/orgs/:org/saml');
  assert.equal(r.body['entityId'], `${h.origin}/saml/${h.acme.org}`);
  const xml = await fetch(String(r.body['metadataUrl'])).then((m) => m.text());
  for (const v of [r.body['entityId'], r.body['acsUrl'], r.body['logoutUrl'], 'manager_email', 'groups'])
    assert.ok(xml.includes(String(v)), String(v));
  const none = await fetch(`${h.origin}/saml/org_${'0'.repeat(32)}/metadata`);
  assert.equal(none.status, 404);
});

test('only who may manage sign-in sees or changes a SAML connection', async () => {
  const { user } = await h.addPerson('Mia', 'admin');
  const cookie = (await h.browserOf(user)).cookies(new URL(h.origin));
  for (const path of [
    connections,
    `${connections}/${h.saml}`,
    '/orgs/:org/saml',
    '/orgs/:org/saml-certificates/ending',
  ])
    assert.equal(
      (await h.api('GET', path.replace(':org', h.acme.org), undefined, { cookie })).body['code'],
      'org/not-permitted',
    );
  assert.equal((await api('GET', `${connections}/sso_${'0'.repeat(32)}`)).body['code'], 'identity/no-such-connection');
});
