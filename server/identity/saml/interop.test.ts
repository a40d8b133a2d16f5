import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { Constants, IdentityProvider, ServiceProvider, setSchemaValidator } from 'samlify';
import { expectationsFor, judged } from '#dev/saml-judge.ts';
import { attributesXml, base64, samlKey, samlResponse, type ResponseFacts } from '#dev/saml-signer.ts';
import type { Expectations } from './judge-response.ts';
import { ourMetadata } from './metadata.ts';

const idp = samlKey();
const sp = samlKey({ name: 'gate.example' });
const facts: ResponseFacts = {
  key: idp,
  idp: 'https://idp.northwind-lamps.example/metadata',
  acs: 'https://gate.example/saml/acs/org_1',
  audience: 'https://gate.example/saml/org_1',
  request: '_0123456789abcdef0123456789abcdef01234567',
};
const x = (over: Partial<Expectations> = {}): Expectations =>
  expectationsFor(facts, [idp], sp, { now: Date.now(), ...over });
const metadata = ourMetadata({
  entityId: facts.audience,
  acs: facts.acs,
  logout: 'https://gate.example/saml/slo/org_1',
  certificates: [sp.certificate.toString('base64')],
  signs: true,
});
const second = '<saml:Audience>https://second.example</saml:Audience>';
const accepts = (message: string, over: Partial<Expectations> = {}): void => {
  const v = judged(message, x(over));
  assert.ok(v.ok, JSON.stringify(v));
  assert.equal(v.claims.nameId.value, 'luca@northwind-lamps.example');
  assert.equal(v.claims.asserted.email, 'luca@northwind-lamps.example');
};

const own: [string, Partial<ResponseFacts>][] = [
  ['a signed assertion', {}],
  ['a signed response', { sign: 'response' }],
  ['both signed', { sign: 'both' }],
  ['a signed assertion, encrypted', { encryptTo: sp }],
  [
    'two audiences',
    { assertion: (xml) => xml.replace('</saml:AudienceRestriction>', `${second}</saml:AudienceRestriction>`) },
  ],
  [
    'RSA-SHA512',
    {
      signing: {
        signature: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
        digest: 'http://www.w3.org/2001/04/xmlenc#sha512',
      },
    },
  ],
  ['RSA-PSS', { signing: { signature: 'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1' } }],
  ['AES-128-GCM', { encryptTo: sp, encryption: { encryptionAlgorithm: 'http://www.w3.org/2009/xmlenc11#aes128-gcm' } }],
  [
    'OAEP with SHA-256',
    {
      encryptTo: sp,
      encryption: {
        keyEncryptionAlgorithm: 'http://www.w3.org/2009/xmlenc11#rsa-oaep',
        keyEncryptionDigest: 'sha256',
        keyEncryptionMgf1: 'sha256',
      },
    },
  ],
  [
    'groups in one attribute each',
    {
      assertion: (xml) =>
        xml.replace(
          '</saml:AttributeStatement>',
          `${attributesXml({ groups: 'Sales' })}${attributesXml({ groups: 'All staff' })}</saml:AttributeStatement>`,
        ),
    },
  ],
];
for (const [shape, more] of own)
  test(`our own signer: ${shape} is accepted`, async () => {
    accepts(base64(await samlResponse({ ...facts, ...more })));
  });

const names: [string, Record<string, string | string[]>][] = [
  [
    'Entra ID and ADFS',
    {
      'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress': 'luca@northwind-lamps.example',
      'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname': 'Luca',
      'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname': 'Lumen',
      'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/department': 'Sales',
      'http://schemas.microsoft.com/ws/2008/06/identity/claims/groups': ['Sales'],
    },
  ],
  [
    'Okta',
    {
      email: 'luca@northwind-lamps.example',
      firstName: 'Luca',
      lastName: 'Lumen',
      department: 'Sales',
      groups: ['Sales'],
    },
  ],
  [
    'Google',
    { mail: 'luca@northwind-lamps.example', givenName: 'Luca', sn: 'Lumen', department: 'Sales', groups: ['Sales'] },
  ],
  [
    'LDAP',
    {
      'urn:oid:0.9.2342.19200300.100.1.3': 'luca@northwind-lamps.example',
      'urn:oid:2.5.4.42': 'Luca',
      'urn:oid:2.5.4.4': 'Lumen',
      department: 'Sales',
      memberOf: ['Sales'],
    },
  ],
];
for (const [who, attributes] of names)
  test(`attributes as ${who} names them mean the same`, async () => {
    const v = judged(base64(await samlResponse({ ...facts, attributes })), x());
    assert.ok(v.ok, JSON.stringify(v));
    const { email, firstName, lastName, department, groups } = v.claims.asserted;
    assert.deepEqual(
      [email, firstName, lastName, department, groups],
      ['luca@northwind-lamps.example', 'Luca', 'Lumen', 'Sales', ['Sales']],
    );
  });

test('a connection can name an attribute of its own', async () => {
  const attributes = { email: 'luca@northwind-lamps.example', abteilung: 'Vertrieb' };
  const v = judged(
    base64(await samlResponse({ ...facts, attributes })),
    x({ attributes: { department: ['abteilung'] } }),
  );
  assert.equal(v.ok && v.claims.asserted.department, 'Vertrieb');
});

// samlify as identity provider: it fills a template, signs with its own xml-crypto and encrypts with its own xml-encryption.
setSchemaValidator({ validate: async () => 'ok' });
const template = `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{ID}" Version="2.0" IssueInstant="{IssueInstant}" Destination="{Destination}" InResponseTo="{InResponseTo}"><saml:Issuer>{Issuer}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status><saml:Assertion xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{AssertionID}" Version="2.0" IssueInstant="{IssueInstant}"><saml:Issuer>{Issuer}</saml:Issuer><saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">{NameID}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="{Until}" Recipient="{Destination}" InResponseTo="{InResponseTo}"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="{IssueInstant}" NotOnOrAfter="{Until}"><saml:AudienceRestriction><saml:Audience>{Audience}</saml:Audience>{More}</saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="{IssueInstant}" SessionIndex="{AssertionID}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement>{Attributes}</saml:AttributeStatement></saml:Assertion></samlp:Response>`;

async function bySamlify(o: {
  assertion: boolean;
  message: boolean;
  encrypted: boolean;
  more?: string;
}): Promise<string> {
  const settings = {
    entityID: facts.idp,
    privateKey: idp.pem,
    signingCert: idp.certificatePem,
    isAssertionEncrypted: o.encrypted,
    dataEncryptionAlgorithm: 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
    keyEncryptionAlgorithm: 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
    singleLogoutService: [
      { Binding: Constants.namespace.binding.redirect, Location: 'https://idp.northwind-lamps.example/slo' },
    ],
    singleSignOnService: [
      { Binding: Constants.namespace.binding.redirect, Location: 'https://idp.northwind-lamps.example/sso' },
    ],
    nameIDFormat: ['urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress'],
    requestSignatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    loginResponseTemplate: { context: template, attributes: [] },
  };
  const provider = IdentityProvider(settings);
  const us = ServiceProvider({
    metadata: metadata.replace('WantAssertionsSigned="true"', `WantAssertionsSigned="${o.assertion}"`),
    wantMessageSigned: o.message,
  });
  const made = await provider.createLoginResponse(
    us,
    { extract: { request: { id: facts.request ?? '' } } },
    'post',
    { email: 'luca@northwind-lamps.example' },
    (t: string) => {
      const now = new Date();
      const values: Record<string, string> = {
        ID: '_r1',
        AssertionID: '_a1',
        IssueInstant: now.toISOString(),
        Until: new Date(now.getTime() + 300_000).toISOString(),
        Destination: facts.acs,
        InResponseTo: facts.request ?? '',
        Issuer: facts.idp,
        NameID: 'luca@northwind-lamps.example',
        Audience: facts.audience,
        More: o.more ?? '',
        Attributes: attributesXml({ email: 'luca@northwind-lamps.example', department: 'Sales' }),
      };
      return { id: '_r1', context: t.replaceAll(/\{(\w+)\}/g, (_, k: string) => values[k] ?? '') };
    },
  );
  return made.context;
}
const samlify: [string, Parameters<typeof bySamlify>[0]][] = [
  ['a signed assertion', { assertion: true, message: false, encrypted: false }],
  ['a signed response', { assertion: false, message: true, encrypted: false }],
  ['both signed', { assertion: true, message: true, encrypted: false }],
  ['a signed assertion, encrypted', { assertion: true, message: false, encrypted: true }],
  ['two audiences', { assertion: true, message: false, encrypted: false, more: second }],
];
for (const [shape, o] of samlify)
  test(`samlify as identity provider: ${shape} is accepted`, async () => {
    accepts(await bySamlify(o));
  });

// pysaml2 and xmlsec1 come from Debian (.ci/run installs them).
const xmlsec1 = ['/usr/bin/xmlsec1', '/usr/local/bin/xmlsec1', '/opt/homebrew/bin/xmlsec1'].find((p) => existsSync(p));
const python = ['/usr/bin/python3', '/usr/local/bin/python3'].find(
  (p) => existsSync(p) && spawnSync(p, ['-c', 'import saml2']).status === 0,
);
const missing = [python ? [] : 'pysaml2 (python3-pysaml2)', xmlsec1 ? [] : 'xmlsec1'].flat();
const skip = missing.length > 0 && `${missing.join(' and ')} is not installed here`;

test(
  'pysaml2 as identity provider: five shapes, signed and encrypted by xmlsec1, are accepted',
  { skip },
  async (t) => {
    const made = spawnSync(python ?? '', [new URL('../../dev/pysaml2-idp.py', import.meta.url).pathname], {
      input: JSON.stringify({ ...facts, key: idp.pem, certificate: idp.certificatePem, metadata, xmlsec1 }),
      encoding: 'utf8',
      maxBuffer: 10_000_000,
    });
    assert.equal(made.status, 0, made.stderr);
    const all = JSON.parse(made.stdout) as { shape: string; message: string }[];
    assert.equal(all.length, 5);
    for (const { shape, message } of all) await t.test(`pysaml2: ${shape}`, () => accepts(message));
  },
);

test(
  'xmlsec1 signs with ECDSA and with namespaces listed as inclusive, as Shibboleth does; both are accepted',
  { skip: !xmlsec1 && 'xmlsec1 is not installed here' },
  async (t) => {
    const { mkdtempSync, rmSync, writeFileSync } = await import('node:fs');
    const { tmpdir } = await import('node:os');
    const { join } = await import('node:path');
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-saml-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const ec = samlKey({ curve: 'prime256v1' });
    const rounds = [
      {
        what: 'inclusive namespaces',
        key: idp,
        method: 'rsa-sha256',
        list: '<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="xs"/>',
      },
      { what: 'ECDSA', key: ec, method: 'ecdsa-sha256', list: '' },
      { what: 'RSA-SHA384', key: idp, method: 'rsa-sha384', list: '' },
    ];
    for (const { what, key, method, list } of rounds) {
      const id = '_shib';
      const signature = `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#${method}"/><ds:Reference URI="#${id}"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#">${list}</ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/></ds:Signature>`;
      const unsigned = (await samlResponse({ ...facts, sign: 'none', ids: { assertion: id } }))
        .replaceAll(/ xmlns:xs="[^"]+"/g, '')
        .replace('<samlp:Response ', '<samlp:Response xmlns:xs="http://www.w3.org/2001/XMLSchema" ')
        .replace(/(<saml:Assertion [^]*?<\/saml:Issuer>)/, `$1${signature}`);
      writeFileSync(join(folder, 'in.xml'), unsigned);
      writeFileSync(join(folder, 'key.pem'), key.pem);
      const made = spawnSync(
        xmlsec1 ?? '',
        [
          '--sign',
          '--privkey-pem',
          join(folder, 'key.pem'),
          '--id-attr:ID',
          'urn:oasis:names:tc:SAML:2.0:assertion:Assertion',
          join(folder, 'in.xml'),
        ],
        { encoding: 'utf8' },
      );
      assert.equal(made.status, 0, made.stderr);
      const v = (await import('./judge-response.ts')).judgeResponse(
        base64(made.stdout),
        expectationsFor(facts, [key], sp),
      );
      assert.ok(v.ok, `${what}: ${JSON.stringify(v)}`);
    }
  },
);
