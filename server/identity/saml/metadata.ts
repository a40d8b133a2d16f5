// What an identity provider says of itself (saml-metadata §2.3, §2.4). Read from canonical bytes, as everything else.
import { checkedUrl } from '#kernel/egress.ts';
import { MiB } from '#kernel/limits.ts';
import { Problem } from '#kernel/problem.ts';
import { SignInRefused } from '../sign-in-refusal.ts';
import { readCertificate, type Certificate } from './certificate.ts';
import { instant } from './conditions.ts';
import { trusted, type Binding, type IdpFacts } from './connection.ts';
import { shortFormat } from './judge-response.ts';
import { checkSignatureShape } from './shape.ts';
import { verifySignature, type TrustedCertificate } from './verify-signature.ts';
import { attributeOf, childrenNamed, everyElement, nameOf, ns, parseXml, textOf, type Element } from './xml.ts';

/** Entra's has 60 KiB, a large ADFS farm's 300; a federation's has megabytes, and is not one identity provider. */
export const MAX_METADATA_BYTES = 2 * MiB;
const BINDING = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-';
const MAX_CERTIFICATES = 8;

export type IdpMetadata = IdpFacts & {
  issuer: string;
  certificates: Certificate[];
  wantsSignedRequests: boolean;
  nameIdFormats: string[];
  validUntil: Date | null;
  /** Which certificate signed it; null: it is not signed. */
  signedBy: string | null;
};

export type MetadataTrust = {
  now: Date;
  allowPrivate: readonly string[];
  /** A certificate that must have signed it. */
  pinned: Certificate | undefined;
  /** Certificates that the connection trusts already. */
  known: readonly Certificate[];
};

const bad = (code: string, says: string, fix?: string, because?: unknown): Problem =>
  new Problem('invalid', code, { says, fix, because });

/** Reads metadata of one identity provider, or says what is wrong with it. */
export function readMetadata(xml: string, t: MetadataTrust): IdpMetadata {
  try {
    return read(xml, t);
  } catch (e) {
    if (!(e instanceof SignInRefused)) throw e;
    const { code, says, found, expected } = e.refusal;
    throw bad(
      code,
      `the metadata cannot be read: ${says.replace('the message', 'it')}${found === undefined ? '' : ` (${found})`}`,
      expected === undefined ? undefined : `expected: ${expected}`,
      e,
    );
  }
}

function read(xml: string, t: MetadataTrust): IdpMetadata {
  const document = parseXml(xml, { comments: true, maxChars: MAX_METADATA_BYTES });
  if (nameOf(document) === 'md:EntitiesDescriptor')
    throw bad(
      'identity/saml-metadata-several',
      'this is the metadata of a federation, not of one identity provider',
      'give the address of your identity provider’s own metadata',
    );
  if (nameOf(document) !== 'md:EntityDescriptor')
    throw bad(
      'identity/saml-metadata-form',
      `this is not SAML metadata: it begins with <${document.nodeName.slice(0, 60)}>`,
      'paste the whole EntityDescriptor, or give its address',
    );
  const { root, signedBy } = verified(document, t);
  const until = attributeOf(root, 'validUntil');
  const validUntil = until === undefined ? null : new Date(instant(until));
  if (validUntil && validUntil <= t.now)
    throw bad(
      'identity/saml-metadata-expired',
      `this metadata was valid until ${validUntil.toISOString()}`,
      'fetch it anew from the identity provider',
    );
  const roles = childrenNamed(root, 'md:IDPSSODescriptor');
  const [role] = roles;
  if (!role || roles.length > 1)
    throw bad(
      'identity/saml-metadata-form',
      `this metadata describes ${roles.length === 0 ? 'no identity provider (perhaps it is ours, or another application’s)' : 'several identity providers'}`,
      'give the metadata of the identity provider',
    );
  const issuer = attributeOf(root, 'entityID') ?? '';
  if (issuer === '' || issuer.length > 1024) throw bad('identity/saml-metadata-form', 'this metadata has no entityID');
  const certificates = certificatesOf(role);
  if (certificates.length === 0)
    throw bad(
      'identity/saml-metadata-no-key',
      'this metadata has no certificate to check signatures with',
      'let the identity provider put its signing certificate into its metadata',
    );
  return {
    issuer,
    ...endpointsOf(role, t.allowPrivate),
    certificates,
    wantsSignedRequests: ['true', '1'].includes(attributeOf(role, 'WantAuthnRequestsSigned') ?? ''),
    nameIdFormats: childrenNamed(role, 'md:NameIDFormat').map((f) => shortFormat(textOf(f).trim())),
    validUntil,
    signedBy,
  };
}

/** INVARIANT (signed if it says so): a signature that is there must hold, by the pinned key, or by one that is known or that the metadata itself names. */
function verified(document: Element, t: MetadataTrust): { root: Element; signedBy: string | null } {
  const all = [...everyElement(document)].filter((e) => nameOf(e) === 'ds:Signature');
  const [signature] = all;
  if (!signature) {
    if (!t.pinned) return { root: document, signedBy: null };
    throw bad(
      'identity/saml-metadata-unsigned',
      'this metadata is not signed, and the connection requires that it is',
      'let the identity provider sign it, or give up the required certificate',
    );
  }
  if (all.length > 1 || signature.parentElement !== document)
    throw bad('identity/saml-metadata-signature', 'this metadata has a signature where none belongs');
  try {
    checkSignatureShape(signature);
    // Keys that it names itself prove that it arrived whole, no more; which is all that TLS to the configured address leaves open.
    const own = childrenNamed(document, 'md:IDPSSODescriptor').flatMap(certificatesOf);
    const candidates: TrustedCertificate[] = (t.pinned ? [t.pinned] : [...t.known, ...own]).map(trusted);
    const v = verifySignature(document, signature, { certificates: candidates, sha1: false });
    return { root: parseXml(v.bytes, { maxChars: MAX_METADATA_BYTES }), signedBy: v.by.fingerprint };
  } catch (e) {
    if (!(e instanceof SignInRefused)) throw e;
    throw bad(
      'identity/saml-metadata-signature',
      `the signature of this metadata does not hold: ${e.refusal.says}${e.refusal.found === undefined ? '' : ` (${e.refusal.found})`}`,
      t.pinned
        ? 'compare the required certificate with the one that the identity provider signs its metadata with'
        : 'fetch it anew; if it stays so, give the certificate that signs it',
      e,
    );
  }
}

function certificatesOf(role: Element): Certificate[] {
  const found = new Map<string, Certificate>();
  for (const key of childrenNamed(role, 'md:KeyDescriptor')) {
    if (attributeOf(key, 'use') === 'encryption') continue;
    for (const e of everyElement(key))
      if (e.namespaceURI === ns.ds && e.localName === 'X509Certificate') {
        const c = readCertificate(textOf(e));
        found.set(c.fingerprint, c);
      }
  }
  if (found.size > MAX_CERTIFICATES)
    throw bad(
      'identity/saml-metadata-form',
      `this metadata names ${found.size} signing certificates; ${MAX_CERTIFICATES} are the most`,
    );
  return [...found.values()];
}

/** Addresses that people's browsers are sent to: encrypted, or of hosts that the connection names as private. */
export const browserUrl = (url: string, allowPrivate: readonly string[]): string =>
  checkedUrl(url, { allowPrivate }).href;

function endpointsOf(role: Element, allowPrivate: readonly string[]): IdpFacts {
  const at = (name: string): { binding: Binding; url: string; response: string | undefined }[] =>
    childrenNamed(role, name).flatMap((e) => {
      const kind = attributeOf(e, 'Binding');
      const binding = kind === `${BINDING}Redirect` ? 'redirect' : kind === `${BINDING}POST` ? 'post' : undefined;
      const url = attributeOf(e, 'Location');
      return binding && url !== undefined ? [{ binding, url, response: attributeOf(e, 'ResponseLocation') }] : [];
    });
  const signIn = at('md:SingleSignOnService');
  const best = signIn.find((s) => s.binding === 'redirect') ?? signIn[0];
  if (!best)
    throw bad(
      'identity/saml-metadata-no-endpoint',
      'this metadata has no address to sign in at by redirect or POST',
      'switch one of these bindings on at the identity provider',
    );
  const out = at('md:SingleLogoutService');
  const logout = out.find((s) => s.binding === 'redirect') ?? out[0];
  return {
    signInUrl: browserUrl(best.url, allowPrivate),
    signInBinding: best.binding,
    logout: logout && {
      url: browserUrl(logout.url, allowPrivate),
      responseUrl: logout.response === undefined ? undefined : browserUrl(logout.response, allowPrivate),
      binding: logout.binding,
    },
  };
}

/** Our own metadata, as identity providers import it. Certificates in base64, the newest first. */
export function ourMetadata(o: {
  entityId: string;
  acs: string;
  logout: string;
  certificates: readonly string[];
  signs: boolean;
}): string {
  const key = (use: string, certificate: string): string =>
    `<md:KeyDescriptor use="${use}"><ds:KeyInfo xmlns:ds="${ns.ds}"><ds:X509Data><ds:X509Certificate>${certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>${
      use === 'encryption'
        ? `<md:EncryptionMethod Algorithm="${ns.xenc11}aes256-gcm"/><md:EncryptionMethod Algorithm="${ns.xenc11}aes128-gcm"/><md:EncryptionMethod Algorithm="${ns.xenc}rsa-oaep-mgf1p"/>`
        : ''
    }</md:KeyDescriptor>`;
  const [newest] = o.certificates;
  // Old keys stay for checking and are no longer encrypted to.
  const keys = [
    ...o.certificates.map((c) => key('signing', c)),
    ...(newest === undefined ? [] : [key('encryption', newest)]),
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="${ns.md}" entityID="${o.entityId}"><md:SPSSODescriptor AuthnRequestsSigned="${o.signs}" WantAssertionsSigned="true" protocolSupportEnumeration="${ns.samlp}">${keys.join('')}<md:SingleLogoutService Binding="${BINDING}Redirect" Location="${o.logout}"/><md:SingleLogoutService Binding="${BINDING}POST" Location="${o.logout}"/><md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat><md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat><md:AssertionConsumerService Binding="${BINDING}POST" Location="${o.acs}" index="0" isDefault="true"/><md:AttributeConsumingService index="0"><md:ServiceName xml:lang="en">Gatehouse</md:ServiceName>${attributes.map(([name, needed]) => `<md:RequestedAttribute Name="${name}" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic" isRequired="${needed}"/>`).join('')}</md:AttributeConsumingService></md:SPSSODescriptor></md:EntityDescriptor>
`;
}

const attributes = [
  ['email', true],
  ['first_name', false],
  ['last_name', false],
  ['department', false],
  ['manager_email', false],
  ['groups', false],
] as const;
