// The other side of SAML in the hand of tests, benchmarks and the stand-in: makes responses as an honest identity provider would, and lets the
// caller change any of it before or after it is signed. It signs with xml-crypto's own signer, which the server does not use to verify.
import { createSign, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { deflateRawSync } from 'node:zlib';
import { SignedXml } from 'xml-crypto';
import { encrypt } from 'xml-encryption';
import { pemOf, selfSigned } from '#kernel/self-signed.ts';

export type SamlKey = { privateKey: KeyObject; pem: string; certificate: Buffer; certificatePem: string };

/** A key pair with a certificate of its own. */
export function samlKey(
  o: { name?: string; bits?: number; exponent?: number; curve?: string; notBefore?: Date; notAfter?: Date } = {},
): SamlKey {
  const { privateKey } =
    o.curve === undefined
      ? generateKeyPairSync('rsa', { modulusLength: o.bits ?? 2048, publicExponent: o.exponent ?? 65537 })
      : generateKeyPairSync('ec', { namedCurve: o.curve });
  const certificate = selfSigned(privateKey, {
    name: o.name ?? 'idp.northwind-lamps.example',
    notBefore: o.notBefore ?? new Date(Date.now() - 86_400_000),
    notAfter: o.notAfter ?? new Date(Date.now() + 365 * 86_400_000),
  });
  return {
    privateKey,
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate,
    certificatePem: pemOf(certificate),
  };
}

const uri = {
  saml: 'urn:oasis:names:tc:SAML:2.0:assertion',
  samlp: 'urn:oasis:names:tc:SAML:2.0:protocol',
  ds: 'http://www.w3.org/2000/09/xmldsig#',
  c14n: 'http://www.w3.org/2001/10/xml-exc-c14n#',
};
export const samlId = (): string => `_${randomBytes(20).toString('hex')}`;
export const xmlText = (s: string): string =>
  s.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);

export type Sign = {
  key: SamlKey;
  /** ID of the element. */
  id: string;
  signature?: string;
  digest?: string;
  transforms?: string[];
  prefixes?: string[];
  c14n?: string;
  /** Without KeyInfo. */
  bare?: true;
  /** The signature is the first child, as in metadata. */
  first?: true;
};

/** Puts an enveloped signature behind the Issuer of the element with this ID. */
export function signXml(xml: string, s: Sign): string {
  const signer = new SignedXml({
    privateKey: s.key.pem,
    ...(s.bare ? {} : { publicCert: s.key.certificatePem }),
    signatureAlgorithm: s.signature ?? 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    canonicalizationAlgorithm: s.c14n ?? uri.c14n,
    ...(s.prefixes ? { inclusiveNamespacesPrefixList: s.prefixes } : {}),
  });
  signer.addReference({
    xpath: `//*[@ID='${s.id}']`,
    transforms: s.transforms ?? [`${uri.ds}enveloped-signature`, uri.c14n],
    digestAlgorithm: s.digest ?? 'http://www.w3.org/2001/04/xmlenc#sha256',
    ...(s.prefixes ? { inclusiveNamespacesPrefixList: s.prefixes } : {}),
  });
  signer.computeSignature(xml, {
    location: s.first
      ? { reference: `//*[@ID='${s.id}']`, action: 'prepend' }
      : { reference: `//*[@ID='${s.id}']/*[local-name(.)='Issuer']`, action: 'after' },
    prefix: 'ds',
  });
  return signer.getSignedXml();
}

export type ResponseFacts = {
  key: SamlKey;
  idp: string;
  acs: string;
  audience: string;
  now?: Date;
  request?: string | undefined;
  nameId?: string;
  nameIdFormat?: string;
  attributes?: Record<string, string | readonly string[]>;
  sign?: 'assertion' | 'response' | 'both' | 'none';
  /** Certificate to encrypt to. */
  encryptTo?: { certificatePem: string };
  encryption?: Record<string, unknown>;
  session?: string;
  /** How the signature is made, where it is not as usual. */
  signing?: Partial<Sign>;
  /** Changes the assertion before it is signed. */
  assertion?: (xml: string) => string;
  /** Changes the assertion after it was signed. */
  signed?: (xml: string) => string;
  /** Changes the response before it is signed; `@@` stands for the assertion in it. */
  response?: (xml: string) => string;
  ids?: { response?: string; assertion?: string };
};

const iso = (ms: number): string => new Date(ms).toISOString();
const XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';

export const attributesXml = (attributes: Record<string, string | readonly string[]>): string =>
  Object.entries(attributes)
    .map(([name, v]) => {
      const values = (typeof v === 'string' ? [v] : v).map(
        (x) => `<saml:AttributeValue ${XS} xsi:type="xs:string">${xmlText(x)}</saml:AttributeValue>`,
      );
      return `<saml:Attribute Name="${xmlText(name)}">${values.join('')}</saml:Attribute>`;
    })
    .join('');

/** The assertion, not signed. */
export function assertionXml(f: ResponseFacts & { id: string }): string {
  const now = (f.now ?? new Date()).getTime();
  const inResponseTo = f.request === undefined ? '' : ` InResponseTo="${f.request}"`;
  const format = f.nameIdFormat ?? 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress';
  return `<saml:Assertion xmlns:saml="${uri.saml}" ID="${f.id}" Version="2.0" IssueInstant="${iso(now)}"><saml:Issuer>${f.idp}</saml:Issuer><saml:Subject><saml:NameID Format="${format}">${xmlText(f.nameId ?? 'luca@northwind-lamps.example')}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="${iso(now + 300_000)}" Recipient="${f.acs}"${inResponseTo}/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="${iso(now - 60_000)}" NotOnOrAfter="${iso(now + 300_000)}"><saml:AudienceRestriction><saml:Audience>${f.audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="${iso(now)}" SessionIndex="${f.session ?? 's-1'}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement>${attributesXml(f.attributes ?? { email: 'luca@northwind-lamps.example', first_name: 'Luca', last_name: 'Lumen', department: 'Sales' })}</saml:AttributeStatement></saml:Assertion>`;
}

const encryptXml = promisify(encrypt);

/** An EncryptedAssertion for whoever has the key of this certificate. */
export async function encryptAssertion(
  xml: string,
  to: { certificatePem: string },
  more: Record<string, unknown> = {},
): Promise<string> {
  const data = await encryptXml(xml, {
    rsa_pub: to.certificatePem,
    pem: to.certificatePem,
    encryptionAlgorithm: 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
    keyEncryptionAlgorithm: 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
    disallowEncryptionWithInsecureAlgorithm: false,
    warnInsecureAlgorithm: false,
    ...more,
  });
  return `<saml:EncryptedAssertion xmlns:saml="${uri.saml}">${data}</saml:EncryptedAssertion>`;
}

/** A whole response as XML. */
export async function samlResponse(f: ResponseFacts): Promise<string> {
  const now = (f.now ?? new Date()).getTime();
  const assertionId = f.ids?.assertion ?? samlId();
  const responseId = f.ids?.response ?? samlId();
  const sign = f.sign ?? 'assertion';
  let assertion = assertionXml({ ...f, id: assertionId });
  assertion = f.assertion?.(assertion) ?? assertion;
  if (sign === 'assertion' || sign === 'both')
    assertion = signXml(assertion, { key: f.key, id: assertionId, ...f.signing });
  assertion = f.signed?.(assertion) ?? assertion;
  if (f.encryptTo) assertion = await encryptAssertion(assertion, f.encryptTo, f.encryption);
  const inResponseTo = f.request === undefined ? '' : ` InResponseTo="${f.request}"`;
  let response = `<samlp:Response xmlns:samlp="${uri.samlp}" xmlns:saml="${uri.saml}" ID="${responseId}" Version="2.0" IssueInstant="${iso(now)}" Destination="${f.acs}"${inResponseTo}><saml:Issuer>${f.idp}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>@@</samlp:Response>`;
  response = (f.response?.(response) ?? response).replace('@@', () => assertion);
  return sign === 'response' || sign === 'both'
    ? signXml(response, { key: f.key, id: responseId, ...f.signing })
    : response;
}

export const base64 = (xml: string): string => Buffer.from(xml).toString('base64');

export type LogoutFacts = {
  kind: 'LogoutRequest' | 'LogoutResponse';
  idp: string;
  to: string;
  now?: Date;
  id?: string;
  nameId?: string;
  sessions?: readonly string[];
  inResponseTo?: string;
  until?: Date;
  status?: string;
};

/** A logout message, not signed. */
export function logoutXml(f: LogoutFacts): string {
  const now = f.now ?? new Date();
  const head = `<samlp:${f.kind} xmlns:samlp="${uri.samlp}" xmlns:saml="${uri.saml}" ID="${f.id ?? samlId()}" Version="2.0" IssueInstant="${now.toISOString()}" Destination="${f.to}"`;
  const issuer = `<saml:Issuer>${f.idp}</saml:Issuer>`;
  if (f.kind === 'LogoutResponse')
    return `${head} InResponseTo="${f.inResponseTo ?? ''}">${issuer}<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:${f.status ?? 'Success'}"/></samlp:Status></samlp:LogoutResponse>`;
  const until = f.until === undefined ? '' : ` NotOnOrAfter="${f.until.toISOString()}"`;
  return `${head}${until}>${issuer}<saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">${xmlText(f.nameId ?? 'luca@northwind-lamps.example')}</saml:NameID>${(f.sessions ?? []).map((s) => `<samlp:SessionIndex>${s}</samlp:SessionIndex>`).join('')}</samlp:LogoutRequest>`;
}

/** A message as the redirect binding carries it, signed if there is a key. */
export function redirectQuery(
  xml: string,
  parameter: 'SAMLRequest' | 'SAMLResponse',
  key: SamlKey | undefined,
  relayState?: string,
): string {
  const parts = [`${parameter}=${encodeURIComponent(deflateRawSync(xml).toString('base64'))}`];
  if (relayState !== undefined) parts.push(`RelayState=${encodeURIComponent(relayState)}`);
  if (!key) return parts.join('&');
  parts.push(`SigAlg=${encodeURIComponent('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256')}`);
  const value = createSign('sha256').update(parts.join('&')).sign(key.privateKey, 'base64');
  return `${parts.join('&')}&Signature=${encodeURIComponent(value)}`;
}
