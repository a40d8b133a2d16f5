import { createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import { Problem } from '#kernel/problem.ts';

/** A certificate of an identity provider. We trust its key because our configuration names it; who issued it does not matter. */
export type Certificate = {
  /** SHA-256 of the DER, in hex: what identity providers show, too. */
  fingerprint: string;
  der: Buffer;
  subject: string;
  notBefore: Date;
  notAfter: Date;
};

const unreadable = (because: unknown): Problem =>
  new Problem('invalid', 'identity/saml-certificate-unreadable', {
    says: 'this is not an X.509 certificate',
    fix: 'paste it as the identity provider gives it: PEM, or base64 without the BEGIN and END lines',
    because,
  });

/** Reads PEM, or the base64 that metadata has, and refuses keys that anybody could forge signatures of. */
export function readCertificate(text: string): Certificate {
  const inside = /-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/.exec(text)?.[1] ?? text;
  const packed = inside.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(packed) || packed.length > 20_000) throw unreadable('not base64');
  let x509: X509Certificate;
  try {
    x509 = new X509Certificate(Buffer.from(packed, 'base64'));
  } catch (e) {
    throw unreadable(e);
  }
  refuseWeakKey(x509.publicKey);
  return {
    fingerprint: x509.fingerprint256.replaceAll(':', '').toLowerCase(),
    der: x509.raw,
    subject: x509.subject.replaceAll('\n', ', ').slice(0, 200),
    notBefore: new Date(x509.validFrom),
    notAfter: new Date(x509.validTo),
  };
}

/** Smallest RSA modulus that NIST SP 800-131A still takes. */
export const MIN_RSA_BITS = 2048;
const curves: readonly string[] = ['prime256v1', 'secp384r1'];

/** Why nobody should trust signatures of this key, or undefined. */
export function weakness(key: KeyObject): string | undefined {
  const d = key.asymmetricKeyDetails ?? {};
  const type = key.asymmetricKeyType;
  if (type === 'ec') return curves.includes(d.namedCurve ?? '') ? undefined : `the curve ${d.namedCurve}`;
  if (type !== 'rsa' && type !== 'rsa-pss') return String(type).toUpperCase();
  if ((d.modulusLength ?? 0) < MIN_RSA_BITS) return `RSA with ${d.modulusLength} bits`;
  return (d.publicExponent ?? 0n) < 65537n ? `RSA with the exponent ${d.publicExponent}` : undefined;
}

function refuseWeakKey(key: KeyObject): void {
  const why = weakness(key);
  if (why !== undefined)
    throw new Problem('invalid', 'identity/saml-certificate-weak', {
      says: `the certificate has a key that we do not trust: ${why}`,
      fix: `let the identity provider sign with RSA of at least ${MIN_RSA_BITS} bits and the exponent 65537, or with P-256 or P-384`,
    });
}

/** Public keys by certificate, kept because reading one takes longer than using it. */
const keys = new Map<string, KeyObject>();
const MAX_KEYS = 500;

/** The public key of a certificate in base64. */
export function publicKeyOf(certificate: string): KeyObject {
  const known = keys.get(certificate);
  if (known) return known;
  if (keys.size >= MAX_KEYS) keys.clear();
  const key = createPublicKey(
    new X509Certificate(Buffer.from(certificate, 'base64')).publicKey.export({ type: 'spki', format: 'pem' }),
  );
  keys.set(certificate, key);
  return key;
}
