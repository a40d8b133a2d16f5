// The judge of responses: pure, no clock, no database, so that it can run in a worker, in a test and again for an explanation.
import { cut, type Stage } from '../sign-in-trace.ts';
import { SignInRefused, type Refusal } from '../sign-in-refusal.ts';
import { mapAttributes, overage, EMAIL, type Asserted, type AttributeMap, type Received } from './attributes.ts';
import {
  checkConditions,
  instant,
  refuseFuture,
  refuseOtherIssuer,
  refuseOtherRequest,
  refuseVersion,
  type Expected,
} from './conditions.ts';
import { decryptAssertion } from './decrypt-assertion.ts';
import { refuse } from './refuse.ts';
import { checkShape } from './shape.ts';
import { refuseStatus } from './status.ts';
import { verifySignature, type Trust, type TrustedCertificate, type Verified } from './verify-signature.ts';
import { attributeOf, childNamed, childrenNamed, decodeMessage, parseXml, textOf, type Element } from './xml.ts';

/** What a connection expects of responses. Plain values: it is handed to workers. */
export type Expectations = Expected &
  Trust & {
    /** An expired certificate is noted, or refuses. */
    expiredCertificate: 'warn' | 'refuse';
    /** PEM of our private keys, the newest first. */
    decryptionKeys: readonly string[];
    mustEncrypt: boolean;
    nameIdFormat: string | undefined;
    attributes: AttributeMap;
    groupsOverage: 'refuse' | 'keep';
  };

export type NameId = { value: string; format: string; qualifier: string | undefined; spQualifier: string | undefined };

/** What a response proves. Everything here was read from bytes that a configured key signed. */
export type Claims = {
  assertion: string;
  issuer: string;
  nameId: NameId;
  sessionIndexes: readonly string[];
  /** Milliseconds: the session must end then. */
  sessionEnds: number | undefined;
  /** Milliseconds: until then the assertion must not be taken again. */
  until: number;
  received: readonly Received[];
  asserted: Asserted;
};

export type Verdict = { stages: Stage[] } & ({ ok: true; claims: Claims } | { ok: false; refusal: Refusal });

/** What a response says of itself, to find whose it is. Nothing of it is believed. */
export type Peeked = { issuer: string | undefined; inResponseTo: string | undefined; encrypted: boolean };

export function peekResponse(message: string): Peeked {
  const root = parseXml(decodeMessage(message));
  checkShape(root, 'samlp:Response');
  const issuer = childNamed(root, 'saml:Issuer');
  const assertion = childNamed(root, 'saml:Assertion');
  const inside = assertion && childNamed(assertion, 'saml:Issuer');
  const named = issuer ?? inside;
  return {
    issuer: named && textOf(named),
    inResponseTo: attributeOf(root, 'InResponseTo'),
    encrypted: childNamed(root, 'saml:EncryptedAssertion') !== undefined,
  };
}

/** Judges a response as it was posted. */
export function judgeResponse(message: string, x: Expectations): Verdict {
  const stages: Stage[] = [];
  try {
    return { ok: true, claims: judge(message, x, stages), stages };
  } catch (e) {
    if (!(e instanceof SignInRefused)) throw e;
    return { ok: false, refusal: e.refusal, stages };
  }
}

function judge(message: string, x: Expectations, stages: Stage[]): Claims {
  const pass = (stage: Stage['stage'], found: string): void => void stages.push({ stage, ok: true, found: cut(found) });
  const root = parseXml(decodeMessage(message));
  checkShape(root, 'samlp:Response');
  refuseVersion(root, 'identity/saml-response-version');
  refuseFuture(root, x);
  const issuer = childNamed(root, 'saml:Issuer');
  if (issuer) refuseOtherIssuer(root, x.idp, 'identity/saml-response-issuer');
  refuseOtherDestination(root, x);
  refuseStatus(root);
  refuseOtherRequest(attributeOf(root, 'InResponseTo'), x);
  if (!childNamed(root, 'saml:Assertion') && !childNamed(root, 'saml:EncryptedAssertion'))
    throw refuse('identity/saml-assertion-count', 'the response has no assertion', { found: '0', expected: '1' });
  pass('response', `${attributeOf(root, 'ID') ?? ''}, issued ${attributeOf(root, 'IssueInstant') ?? ''}`);

  const { assertion, how, by } = verifiedAssertion(root, x);
  refuseExpiredCertificate(by, x);
  const late = by.find((c) => c.notAfter <= x.now);
  pass(
    'signature',
    `${how}${late ? `; the certificate ${late.fingerprint.slice(0, 16)} expired ${day(late.notAfter)}` : ''}`,
  );

  const { until } = checkConditions(assertion, x);
  pass('conditions', `for ${x.audience} until ${new Date(until).toISOString()}`);

  const nameId = nameIdOf(assertion, x);
  const received = receivedOf(assertion);
  const byName = nameId.format === 'emailAddress' || EMAIL.test(nameId.value) ? nameId.value : undefined;
  const asserted = mapAttributes(received, x.attributes, byName);
  if (asserted.groups === 'overage' && x.groupsOverage === 'refuse') throw overage();
  pass('attributes', `${nameId.format} ${nameId.value}; ${received.map((r) => r.name).join(', ') || 'no attributes'}`);

  const statements = childrenNamed(assertion, 'saml:AuthnStatement');
  const ends = statements.flatMap((s) => attributeOf(s, 'SessionNotOnOrAfter') ?? []).map(instant);
  return {
    assertion: attributeOf(assertion, 'ID') ?? '',
    issuer: x.idp,
    nameId,
    sessionIndexes: statements.flatMap((s) => attributeOf(s, 'SessionIndex') ?? []),
    sessionEnds: ends.length > 0 ? Math.min(...ends) : undefined,
    until,
    received,
    asserted,
  };
}

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** Our address, where the response names one; a signed response must (saml-bindings §3.5.5.2). */
function refuseOtherDestination(root: Element, x: Expected): void {
  const destination = attributeOf(root, 'Destination');
  const fine = destination === undefined ? childNamed(root, 'ds:Signature') === undefined : destination === x.acs;
  if (!fine)
    throw refuse('identity/saml-destination', 'the response was sent to another address', {
      found: destination ?? 'none',
      expected: x.acs,
      fix: 'enter our address for responses (ACS) at the identity provider exactly so',
    });
}

/** The assertion out of bytes that were verified, whichever of response and assertion is signed; all signatures that there are must hold. */
function verifiedAssertion(
  root: Element,
  x: Expectations,
): { assertion: Element; how: string; by: readonly TrustedCertificate[] } {
  const done: { what: string; v: Verified }[] = [];
  let response = root;
  const outer = childNamed(root, 'ds:Signature');
  if (outer) {
    const v = verifySignature(root, outer, x);
    response = parseXml(v.bytes);
    checkShape(response, 'samlp:Response');
    done.push({ what: 'response', v });
  }
  let assertion = childNamed(response, 'saml:Assertion');
  const encrypted = childNamed(response, 'saml:EncryptedAssertion');
  if (encrypted) {
    assertion = parseXml(decryptAssertion(encrypted, x.decryptionKeys, outer !== undefined));
    checkShape(assertion, 'saml:Assertion');
  } else if (x.mustEncrypt)
    throw refuse('identity/saml-not-encrypted', 'the assertion is not encrypted, which this connection requires', {
      fix: 'let the identity provider encrypt with the certificate in our metadata',
    });
  if (!assertion) throw new TypeError('the response lost its assertion');
  const inner = childNamed(assertion, 'ds:Signature');
  if (inner) {
    const v = verifySignature(assertion, inner, x);
    assertion = parseXml(v.bytes);
    checkShape(assertion, 'saml:Assertion');
    done.push({ what: 'assertion', v });
  }
  // INVARIANT (signed): without a signature that holds, nothing below is read.
  if (done.length === 0)
    throw refuse('identity/saml-assertion-unsigned', 'neither the response nor its assertion is signed', {
      fix: 'let the identity provider sign assertions, or responses, or both',
    });
  const how = done
    .map(({ what, v }) => `${what} signed by ${v.by.fingerprint.slice(0, 16)} with ${v.algorithm}`)
    .join(', ');
  return { assertion, how: encrypted ? `${how}, encrypted` : how, by: done.map((d) => d.v.by) };
}

function refuseExpiredCertificate(by: readonly TrustedCertificate[], x: Expectations): void {
  const late = by.find((c) => c.notAfter <= x.now);
  if (!late || x.expiredCertificate === 'warn') return;
  throw refuse(
    'identity/saml-certificate-expired',
    'the certificate that your identity provider signs with has expired',
    {
      found: `${late.fingerprint.slice(0, 16)}, until ${new Date(late.notAfter).toISOString()}`,
      expected: `a certificate that is valid on ${new Date(x.now).toISOString()}`,
      fix: 'whoever manages sign-in adds the identity provider’s new certificate to the connection',
    },
  );
}

const FORMATS = ['urn:oasis:names:tc:SAML:1.1:nameid-format:', 'urn:oasis:names:tc:SAML:2.0:nameid-format:'];
/** `emailAddress`, `persistent`, …; a format of somebody's own stays whole. */
export function shortFormat(format: string | undefined): string {
  const base = FORMATS.find((f) => format?.startsWith(f));
  return format === undefined ? 'unspecified' : base === undefined ? format : format.slice(base.length);
}

/** Who the assertion is about. It becomes part of the key of an identity, so it must have one spelling and last. */
function nameIdOf(assertion: Element, x: Expectations): NameId {
  const subject = childNamed(assertion, 'saml:Subject');
  const e = subject && childNamed(subject, 'saml:NameID');
  const value = e ? textOf(e) : '';
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (
    !e ||
    value === '' ||
    value.length > 256 ||
    value !== value.trim() ||
    /[\u0000-\u001f\u007f-\u00a0\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/.test(value)
  )
    throw refuse(
      'identity/saml-name-id-form',
      'the identity provider’s name for you is missing or has characters that cannot be seen',
      {
        found: e ? JSON.stringify(value) : 'no NameID',
        expected: '1 to 256 characters without white space around',
      },
    );
  const format = shortFormat(attributeOf(e, 'Format'));
  if (format === 'transient')
    throw refuse('identity/saml-name-id-transient', 'the identity provider’s name for you is another one each time', {
      found: 'transient',
      expected: 'emailAddress or persistent',
      fix: 'whoever manages sign-in lets the identity provider send a NameID that lasts',
    });
  if (x.nameIdFormat !== undefined && format !== x.nameIdFormat && format !== 'unspecified')
    throw refuse(
      'identity/saml-name-id-format',
      'the identity provider’s name for you has another format than agreed',
      {
        found: format,
        expected: x.nameIdFormat,
      },
    );
  const qualifier = attributeOf(e, 'NameQualifier');
  const spQualifier = attributeOf(e, 'SPNameQualifier');
  if ((qualifier !== undefined && qualifier !== x.idp) || (spQualifier !== undefined && spQualifier !== x.audience))
    throw refuse('identity/saml-name-qualifier', 'the identity provider’s name for you is one for elsewhere', {
      found: `NameQualifier ${qualifier ?? 'none'}, SPNameQualifier ${spQualifier ?? 'none'}`,
      expected: `${x.idp}, ${x.audience}`,
    });
  return { value, format, qualifier, spQualifier };
}

const receivedOf = (assertion: Element): Received[] =>
  childrenNamed(assertion, 'saml:AttributeStatement')
    .flatMap((s) => childrenNamed(s, 'saml:Attribute'))
    .map((a) => ({ name: attributeOf(a, 'Name') ?? '', values: childrenNamed(a, 'saml:AttributeValue').map(textOf) }));
