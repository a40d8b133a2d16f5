// XML-DSig for the one form of signature that SAML allows (saml-core §5.4): enveloped, one reference, to the element that has it. Canonical
// form is xml-crypto's; digest and signature are node's, because xml-crypto lacks SHA-384 and ECDSA and would parse the message again with
// a parser of its own. The tests hold every verdict against xml-crypto's own verifier.
import { createHash, timingSafeEqual, verify, constants, type KeyObject } from 'node:crypto';
import { ExclusiveCanonicalization } from 'xml-crypto';
import { publicKeyOf, weakness } from './certificate.ts';
import { refuse } from './refuse.ts';
import {
  attributeOf,
  attributesOf,
  childNamed,
  childrenOf,
  isDeclaration,
  nameOf,
  ns,
  strictBase64,
  textOf,
  type Element,
} from './xml.ts';

/** A certificate that our configuration names. Plain values, so that it can be handed to a worker. */
export type TrustedCertificate = { fingerprint: string; certificate: string; notBefore: number; notAfter: number };
export type Trust = {
  certificates: readonly TrustedCertificate[];
  /** SHA-1 is taken; the configuration says until when. */
  sha1: boolean;
};
export type Verified = { bytes: string; algorithm: string; by: TrustedCertificate };

type Algorithm = { hash: string; type: 'rsa' | 'ec'; pss?: true };
const MORE = 'http://www.w3.org/2001/04/xmldsig-more#';
const PSS = 'http://www.w3.org/2007/05/xmldsig-more#';
const RSA_SHA1 = `${ns.ds}rsa-sha1`;
const algorithms: Readonly<Record<string, Algorithm>> = {
  [`${MORE}rsa-sha256`]: { hash: 'sha256', type: 'rsa' },
  [`${MORE}rsa-sha384`]: { hash: 'sha384', type: 'rsa' },
  [`${MORE}rsa-sha512`]: { hash: 'sha512', type: 'rsa' },
  [`${PSS}sha256-rsa-MGF1`]: { hash: 'sha256', type: 'rsa', pss: true },
  [`${PSS}sha384-rsa-MGF1`]: { hash: 'sha384', type: 'rsa', pss: true },
  [`${PSS}sha512-rsa-MGF1`]: { hash: 'sha512', type: 'rsa', pss: true },
  [`${MORE}ecdsa-sha256`]: { hash: 'sha256', type: 'ec' },
  [`${MORE}ecdsa-sha384`]: { hash: 'sha384', type: 'ec' },
};
const digests: Readonly<Record<string, string>> = {
  [`${ns.xenc}sha256`]: 'sha256',
  [`${MORE}sha384`]: 'sha384',
  [`${ns.xenc}sha512`]: 'sha512',
};
const ENVELOPED = `${ns.ds}enveloped-signature`;

const algorithmOf = (e: Element | undefined): string => (e && attributeOf(e, 'Algorithm')) ?? '';

/** What the algorithm of a signature is, if we take it. */
export function signatureAlgorithm(uri: string, trust: Trust): Algorithm {
  if (uri === RSA_SHA1) {
    if (trust.sha1) return { hash: 'sha1', type: 'rsa' };
    throw sha1Refused(uri);
  }
  const known = Object.hasOwn(algorithms, uri) ? algorithms[uri] : undefined;
  if (known) return known;
  throw refuse('identity/saml-signature-algorithm', 'the message is signed in a way that we do not take', {
    found: uri,
    expected: 'RSA with SHA-256, SHA-384 or SHA-512, RSA-PSS, or ECDSA with P-256 or P-384',
  });
}

function digestAlgorithm(uri: string, trust: Trust): string {
  if (uri === `${ns.ds}sha1`) {
    if (trust.sha1) return 'sha1';
    throw sha1Refused(uri);
  }
  const known = Object.hasOwn(digests, uri) ? digests[uri] : undefined;
  if (known !== undefined) return known;
  throw refuse('identity/saml-signature-digest-algorithm', 'the message is hashed in a way that we do not take', {
    found: uri,
    expected: 'SHA-256, SHA-384 or SHA-512',
  });
}

const sha1Refused = (found: string) =>
  refuse('identity/saml-signature-sha1', 'the message is signed with SHA-1, which can be forged', {
    found,
    expected: 'SHA-256',
    fix: 'switch the identity provider to SHA-256; the connection can allow SHA-1 until a date while that is done',
  });

/**
 * Checks the signature that `parent` has as a direct child, and returns the canonical bytes that it covers.
 * INVARIANT (see what is signed): callers go on with these bytes, parsed anew, and with nothing of the document that they came in.
 * `parent` is altered and must not be read afterwards.
 */
export function verifySignature(parent: Element, signature: Element, trust: Trust): Verified {
  const info = childNamed(signature, 'ds:SignedInfo');
  const reference = info && childNamed(info, 'ds:Reference');
  const method = info && childNamed(info, 'ds:CanonicalizationMethod');
  if (!info || !reference || !method) throw new TypeError('a signature came past checkShape');

  const id = attributeOf(parent, 'ID') ?? '';
  const uri = attributeOf(reference, 'URI') ?? '';
  if (id === '' || uri !== `#${id}`)
    throw refuse('identity/saml-signature-reference', 'the signature is not about the element that it stands in', {
      found: uri === '' ? 'an empty reference' : uri,
      expected: `#${id}`,
    });
  const algorithmUri = algorithmOf(childNamed(info, 'ds:SignatureMethod'));
  const algorithm = signatureAlgorithm(algorithmUri, trust);
  const hash = digestAlgorithm(algorithmOf(childNamed(reference, 'ds:DigestMethod')), trust);
  const infoPrefixes = exclusive(method, 'identity/saml-signature-c14n');
  const prefixes = transforms(reference);
  const value = bytesOf(childNamed(signature, 'ds:SignatureValue'));
  const digest = bytesOf(childNamed(reference, 'ds:DigestValue'));

  const signed = canonical(info, infoPrefixes);
  const by = trust.certificates.find((c) =>
    signedBy(publicKeyOf(c.certificate), algorithm, Buffer.from(signed), value),
  );
  if (!by)
    throw refuse('identity/saml-signature-invalid', 'the message is not signed by a key that this connection knows', {
      found: `${shortAlgorithm(algorithmUri)}, key ${hintOf(signature)}`,
      expected:
        trust.certificates.map((c) => c.fingerprint.slice(0, 16)).join(' or ') || 'a certificate in the configuration',
      fix: 'if the identity provider has a new certificate, whoever manages sign-in adds it to the connection',
    });
  parent.removeChild(signature);
  const bytes = canonical(parent, prefixes);
  const found = createHash(hash).update(bytes).digest();
  if (found.length !== digest.length || !timingSafeEqual(found, digest))
    throw refuse('identity/saml-signature-digest', 'what was signed is not what arrived: it was changed on the way', {
      found: `digest ${found.toString('base64')}`,
      expected: `digest ${digest.toString('base64')}`,
    });
  return { bytes, algorithm: shortAlgorithm(algorithmUri), by };
}

/** Whether `value` is a signature of `bytes` with this key, made in this way. A key is never used with another kind of algorithm than its own. */
export function signedBy(key: KeyObject, algorithm: Algorithm, bytes: Uint8Array, value: Uint8Array): boolean {
  const type =
    key.asymmetricKeyType === 'ec'
      ? 'ec'
      : key.asymmetricKeyType === 'rsa' || (key.asymmetricKeyType === 'rsa-pss' && algorithm.pss)
        ? 'rsa'
        : undefined;
  if (type !== algorithm.type || weakness(key) !== undefined) return false;
  if (algorithm.type === 'ec') return verify(algorithm.hash, bytes, { key, dsaEncoding: 'ieee-p1363' }, value);
  const padding = algorithm.pss
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : { padding: constants.RSA_PKCS1_PADDING };
  return verify(algorithm.hash, bytes, { key, ...padding }, value);
}

export const shortAlgorithm = (uri: string): string => uri.slice(uri.indexOf('#') + 1);

/** Which certificate the message itself names. A hint for the trace; it is never trusted. */
function hintOf(signature: Element): string {
  const info = childNamed(signature, 'ds:KeyInfo');
  const data = info && childNamed(info, 'ds:X509Data');
  const bytes = data && strictBase64(textOf(childNamed(data, 'ds:X509Certificate') ?? data));
  return bytes && bytes.length > 0 ? createHash('sha256').update(bytes).digest('hex').slice(0, 16) : 'unnamed';
}

function bytesOf(e: Element | undefined): Buffer {
  const bytes = e && strictBase64(textOf(e));
  if (!bytes || bytes.length === 0)
    throw refuse('identity/saml-signature-structure', 'a value of the signature is not base64', {
      found: e ? nameOf(e) : 'nothing',
    });
  return bytes;
}

/** Exclusive canonical form without comments, and nothing else; inclusive form would let the surroundings into what is signed. */
function exclusive(e: Element, code: 'identity/saml-signature-c14n' | 'identity/saml-signature-transforms'): string[] {
  if (algorithmOf(e) !== ns.ec)
    throw refuse(code, 'the signature uses a canonical form that we do not take', {
      found: algorithmOf(e),
      expected: ns.ec,
    });
  const list = childNamed(e, 'ec:InclusiveNamespaces');
  const prefixes = ((list && attributeOf(list, 'PrefixList')) ?? '').split(/[\t\n\r ]+/).filter((p) => p !== '');
  // `#default` and prefixes of the protocol itself would only serve tricks; identity providers list xs.
  if (
    prefixes.length > 10 ||
    prefixes.some((p) => !/^[A-Za-z_][\w.-]{0,40}$/.test(p)) ||
    new Set(prefixes).size < prefixes.length
  )
    throw refuse(code, 'the signature lists namespaces in a way that we do not take', { found: prefixes.join(' ') });
  return prefixes;
}

function transforms(reference: Element): string[] {
  const all = childrenOf(childNamed(reference, 'ds:Transforms') ?? reference);
  const [first, second] = all;
  if (all.length !== 2 || !first || !second || algorithmOf(first) !== ENVELOPED || childrenOf(first).length > 0)
    throw refuse(
      'identity/saml-signature-transforms',
      'the signature transforms what it covers in a way that we do not take',
      {
        found: all.map(algorithmOf).join(', '),
        expected: `${ENVELOPED}, ${ns.ec}`,
      },
    );
  return exclusive(second, 'identity/saml-signature-transforms');
}

/** Canonical bytes of an element (Exclusive XML Canonicalization 1.0), with the listed prefixes treated inclusively. */
export function canonical(e: Element, prefixes: readonly string[] = []): string {
  const ancestorNamespaces = prefixes.length === 0 ? [] : inScope(e).filter((n) => prefixes.includes(n.prefix));
  const options = { inclusiveNamespacesPrefixList: [...prefixes], ancestorNamespaces };
  // Its types name the browser's DOM; it uses no more of it than our parser has.
  return new ExclusiveCanonicalization().process(
    e as unknown as Parameters<ExclusiveCanonicalization['process']>[0],
    options,
  );
}

/** Prefixes declared above `e`, the nearest first; those that `e` declares itself are there already. */
function inScope(e: Element): { prefix: string; namespaceURI: string }[] {
  const found = new Map<string, string>();
  const own = new Set(
    attributesOf(e)
      .filter(isDeclaration)
      .map((a) => a.localName),
  );
  for (let above = e.parentElement; above; above = above.parentElement)
    for (const a of attributesOf(above))
      if (isDeclaration(a) && a.prefix !== null && !own.has(a.localName) && !found.has(a.localName ?? ''))
        found.set(a.localName ?? '', a.value);
  return [...found].map(([prefix, namespaceURI]) => ({ prefix, namespaceURI }));
}
