// Messages that we send, and the two ways in which they travel (saml-bindings §3.4 redirect, §3.5 POST).
import { createPrivateKey, randomBytes, sign } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { SignedXml } from 'xml-crypto';
import { escapeXml } from './escape-xml.ts';
import type { Binding } from './connection.ts';
import type { NameId } from './judge-response.ts';
import { SUCCESS } from './status.ts';
import { ns } from './xml.ts';

/** By which we sign: PEM of the private key and base64 of the certificate. */
export type SigningKey = { pem: string; certificate: string };
/** Where a browser is sent: by address, or with a form that its person submits. */
export type Sent = { by: 'redirect'; url: URL } | { by: 'post'; url: URL; fields: Readonly<Record<string, string>> };

const RSA_SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';
const FORMAT: Readonly<Record<string, string>> = {
  emailAddress: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
  unspecified: 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified',
  X509SubjectName: 'urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName',
  persistent: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
};
/** The whole name of a format that `shortFormat` cut. */
export const longFormat = (format: string): string => FORMAT[format] ?? format;

/** An ID of ours: 160 random bits, which nobody guesses, with the letter that XML wants in front. */
export const newMessageId = (): string => `_${randomBytes(20).toString('hex')}`;

const head = (name: string, m: { id: string; at: Date; to: string; issuer: string }, more = ''): string =>
  `<samlp:${name} xmlns:samlp="${ns.samlp}" xmlns:saml="${ns.saml}" ID="${m.id}" Version="2.0" IssueInstant="${m.at.toISOString()}" Destination="${escapeXml(m.to)}"${more}><saml:Issuer>${escapeXml(m.issuer)}</saml:Issuer>`;

/** Asks for a sign-in, to be answered by POST at our address. */
export const authnRequest = (m: {
  id: string;
  at: Date;
  to: string;
  issuer: string;
  acs: string;
  nameIdFormat: string | null;
}): string =>
  `${head('AuthnRequest', m, ` ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" AssertionConsumerServiceURL="${escapeXml(m.acs)}"`)}<samlp:NameIDPolicy${m.nameIdFormat === null ? '' : ` Format="${escapeXml(longFormat(m.nameIdFormat))}"`} AllowCreate="true"/></samlp:AuthnRequest>`;

export const logoutRequest = (m: {
  id: string;
  at: Date;
  to: string;
  issuer: string;
  until: Date;
  nameId: NameId;
  sessionIndex: string | undefined;
}): string => {
  const { value, format, qualifier, spQualifier } = m.nameId;
  const attributes = [
    ['NameQualifier', qualifier],
    ['SPNameQualifier', spQualifier],
    ['Format', longFormat(format)],
  ].map(([k, v]) => (v === undefined ? '' : ` ${k}="${escapeXml(v)}"`));
  return `${head('LogoutRequest', m, ` NotOnOrAfter="${m.until.toISOString()}"`)}<saml:NameID${attributes.join('')}>${escapeXml(value)}</saml:NameID>${m.sessionIndex === undefined ? '' : `<samlp:SessionIndex>${escapeXml(m.sessionIndex)}</samlp:SessionIndex>`}</samlp:LogoutRequest>`;
};

export const logoutResponse = (m: { id: string; at: Date; to: string; issuer: string; inResponseTo: string }): string =>
  `${head('LogoutResponse', m, ` InResponseTo="${escapeXml(m.inResponseTo)}"`)}<samlp:Status><samlp:StatusCode Value="${SUCCESS}"/></samlp:Status></samlp:LogoutResponse>`;

/** Packs a message for its way. `key` undefined: not signed, which only a request for a sign-in may be. */
export function send(
  xml: string,
  how: {
    parameter: 'SAMLRequest' | 'SAMLResponse';
    binding: Binding;
    to: string;
    relayState: string | undefined;
    key: SigningKey | undefined;
  },
): Sent {
  const url = new URL(how.to);
  if (how.binding === 'post')
    return {
      by: 'post',
      url,
      fields: {
        [how.parameter]: Buffer.from(how.key ? signed(xml, how.key) : xml).toString('base64'),
        ...(how.relayState === undefined ? {} : { RelayState: how.relayState }),
      },
    };
  // The signature is over these very bytes, so they are put together by hand (saml-bindings §3.4.4.1).
  const parts = [
    [how.parameter, deflateRawSync(xml).toString('base64')],
    ...(how.relayState === undefined ? [] : [['RelayState', how.relayState]]),
    ...(how.key ? [['SigAlg', RSA_SHA256]] : []),
  ].map(([k = '', v = '']) => `${k}=${encodeURIComponent(v)}`);
  if (how.key) {
    const value = sign('sha256', Buffer.from(parts.join('&')), createPrivateKey(how.key.pem));
    parts.push(`Signature=${encodeURIComponent(value.toString('base64'))}`);
  }
  return { by: 'redirect', url: new URL(`${how.to}${url.search === '' ? '?' : '&'}${parts.join('&')}`) };
}

/** The message with an enveloped signature behind its Issuer, where the schema wants it. */
function signed(xml: string, key: SigningKey): string {
  const signer = new SignedXml({
    privateKey: key.pem,
    signatureAlgorithm: RSA_SHA256,
    canonicalizationAlgorithm: ns.ec,
    getKeyInfoContent: () => `<ds:X509Data><ds:X509Certificate>${key.certificate}</ds:X509Certificate></ds:X509Data>`,
  });
  signer.addReference({
    xpath: '/*',
    transforms: [`${ns.ds}enveloped-signature`, ns.ec],
    digestAlgorithm: `${ns.xenc}sha256`,
  });
  signer.computeSignature(xml, {
    location: { reference: `/*/*[local-name(.)='Issuer']`, action: 'after' },
    prefix: 'ds',
  });
  return signer.getSignedXml();
}
