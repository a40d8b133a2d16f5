// The judge of the server in the hand of tests and benchmarks, with xml-crypto's own verifier beside it.
import assert from 'node:assert/strict';
import { SignedXml } from 'xml-crypto';
import { DOMParser, XMLSerializer } from '@xmldom/xmldom';
import { readCertificate } from '#identity/saml/certificate.ts';
import { trusted } from '#identity/saml/connection.ts';
import { judgeResponse, type Expectations, type Verdict } from '#identity/saml/judge-response.ts';
import type { ResponseFacts, SamlKey } from './saml-signer.ts';

/** A strict connection with these certificates, for the request that `facts` answer. */
export const expectationsFor = (
  facts: Pick<ResponseFacts, 'idp' | 'acs' | 'audience' | 'request'> & Partial<ResponseFacts>,
  keys: readonly Pick<SamlKey, 'certificatePem' | 'certificate'>[],
  ours: SamlKey,
  over: Partial<Expectations> = {},
): Expectations => ({
  now: Date.now(),
  skew: 60_000,
  idp: facts.idp,
  acs: facts.acs,
  audience: facts.audience,
  request: facts.request,
  certificates: keys.map((k) => {
    try {
      return trusted(readCertificate(k.certificatePem));
    } catch {
      // A weak one, which configuration would refuse.
      return {
        fingerprint: 'weak',
        certificate: k.certificate.toString('base64'),
        notBefore: 0,
        notAfter: Date.now() + 1e9,
      };
    }
  }),
  sha1: false,
  expiredCertificate: 'warn',
  decryptionKeys: [ours.pem],
  mustEncrypt: false,
  nameIdFormat: undefined,
  attributes: {},
  groupsOverage: 'refuse',
  ...over,
});

/**
 * The verdict, held against xml-crypto: what we accept, its verifier must accept too, and must return bytes that say the same name.
 * (What it refuses and we accept would be a fault of ours; the other way round we are stricter on purpose.)
 */
export function judged(message: string, x: Expectations): Verdict {
  const verdict = judgeResponse(message, x);
  if (!verdict.ok) return verdict;
  const xml = Buffer.from(message, 'base64').toString('utf8');
  if (xml.includes('EncryptedAssertion')) return verdict;
  // White space before the end of a closing tag is lawful (XML 1.0, production 42) and changes nothing; the older parser that xml-crypto
  // brings along stumbles over it.
  if (/<\/[^<>]*\s>/.test(xml)) return verdict;
  const document = new DOMParser().parseFromString(xml, 'text/xml');
  const signatures = document.getElementsByTagNameNS('http://www.w3.org/2000/09/xmldsig#', 'Signature');
  const seen: string[] = [];
  for (let i = 0; i < signatures.length; i++) {
    const node = signatures.item(i);
    const held = x.certificates.some((c) => {
      const verifier = new SignedXml({
        publicCert: `-----BEGIN CERTIFICATE-----\n${c.certificate}\n-----END CERTIFICATE-----`,
        getCertFromKeyInfo: () => null,
      });
      verifier.loadSignature(node ? new XMLSerializer().serializeToString(node) : '');
      try {
        if (!verifier.checkSignature(xml)) return false;
      } catch {
        return false;
      }
      seen.push(...verifier.getSignedReferences());
      return true;
    });
    assert.ok(held, 'xml-crypto refuses a signature that we took');
  }
  assert.ok(
    seen.some((bytes) => bytes.includes(verdict.claims.assertion)),
    'xml-crypto did not sign off the assertion that we read',
  );
  return verdict;
}
