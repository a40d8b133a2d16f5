// Logout messages from an identity provider (saml-profiles §4.4). Signed, by redirect or by POST, or not read.
import { Problem } from '#kernel/problem.ts';
import { SignInRefused } from '../sign-in-refusal.ts';
import { publicKeyOf } from './certificate.ts';
import { instant, isPast, refuseFuture, refuseOtherIssuer, refuseVersion } from './conditions.ts';
import { shortFormat, type NameId } from './judge-response.ts';
import { checkShape } from './shape.ts';
import { statusOf } from './status.ts';
import { signatureAlgorithm, signedBy, verifySignature, type Trust } from './verify-signature.ts';
import {
  attributeOf,
  childNamed,
  childrenNamed,
  decodeMessage,
  inflateMessage,
  nameOf,
  parseXml,
  strictBase64,
  textOf,
  type Element,
} from './xml.ts';

/** A message as it came. `signed`: the very bytes of the query that a redirect's signature is over. */
export type Came =
  | { by: 'post'; parameter: Parameter; message: string; relayState: string | undefined }
  | {
      by: 'redirect';
      parameter: Parameter;
      message: string;
      relayState: string | undefined;
      signed: string;
      algorithm: string | undefined;
      signature: string | undefined;
    };
type Parameter = 'SAMLRequest' | 'SAMLResponse';

export type LogoutMessage =
  | { kind: 'request'; id: string; nameId: NameId; indexes: readonly string[]; until: number }
  | { kind: 'response'; id: string; inResponseTo: string | undefined; status: string };

export type LogoutExpected = { now: number; skew: number; idp: string; at: string; audience: string };

/** A request without an end of its own is old after this. */
const MAX_AGE_MS = 5 * 60_000;

export const refuseLogout = (code: string, says: string, fix?: string, because?: unknown): Problem =>
  new Problem('forbidden', code, { says, fix, because });

/** Reads a query by the letter: the signature of the redirect binding is over the parameters as they are spelt (saml-bindings §3.4.4.1). */
export function cameByRedirect(search: string): Came | undefined {
  const raw = new Map<string, string>();
  for (const part of search.replace(/^\?/, '').split('&')) {
    const at = part.indexOf('=');
    if (at > 0) raw.set(part.slice(0, at), part.slice(at + 1));
  }
  const parameter = raw.has('SAMLRequest') ? 'SAMLRequest' : raw.has('SAMLResponse') ? 'SAMLResponse' : undefined;
  if (!parameter || (raw.has('SAMLRequest') && raw.has('SAMLResponse'))) return undefined;
  const signed = [parameter, 'RelayState', 'SigAlg']
    .flatMap((k) => (raw.has(k) ? [`${k}=${raw.get(k) ?? ''}`] : []))
    .join('&');
  return {
    by: 'redirect',
    parameter,
    message: plain(raw.get(parameter)) ?? '',
    relayState: plain(raw.get('RelayState')),
    signed,
    algorithm: plain(raw.get('SigAlg')),
    signature: plain(raw.get('Signature')),
  };
}

function plain(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

/** Who a message says that it is from, to find the connection. Nothing of it is believed. */
export function peekLogout(m: Came): string | undefined {
  const root = opened(m);
  const issuer = childNamed(root, 'saml:Issuer');
  return issuer && textOf(issuer);
}

function opened(m: Came): Element {
  const root = parseXml(m.by === 'post' ? decodeMessage(m.message) : inflateMessage(m.message.replaceAll(' ', '+')));
  checkShape(root, m.parameter === 'SAMLRequest' ? 'samlp:LogoutRequest' : 'samlp:LogoutResponse');
  return root;
}

/** Judges a logout message; what it returns was read from signed bytes. */
export function judgeLogout(m: Came, x: LogoutExpected, trust: Trust): LogoutMessage {
  const root = verified(m, trust);
  refuseVersion(root, 'identity/saml-response-version');
  refuseFuture(root, x);
  refuseOtherIssuer(root, x.idp, 'identity/saml-response-issuer');
  const destination = attributeOf(root, 'Destination');
  if (destination !== x.at)
    throw refuseLogout(
      'identity/saml-logout-destination',
      `this message was made for ${destination ?? 'no address'}, and this is ${x.at}`,
      'enter our logout address at the identity provider exactly so',
    );
  const id = attributeOf(root, 'ID') ?? '';
  if (nameOf(root) === 'samlp:LogoutResponse')
    return {
      kind: 'response',
      id,
      inResponseTo: attributeOf(root, 'InResponseTo'),
      status: statusOf(root).codes.join(' / ').slice(0, 60),
    };
  const end = attributeOf(root, 'NotOnOrAfter');
  const made = instant(attributeOf(root, 'IssueInstant') ?? '');
  const until = end === undefined ? made + MAX_AGE_MS : instant(end);
  if (isPast(until, x))
    throw refuseLogout(
      'identity/saml-logout-expired',
      `this request to sign out was good until ${new Date(until).toISOString()}`,
      'sign out again',
    );
  const name = childNamed(root, 'saml:NameID');
  return {
    kind: 'request',
    id,
    nameId: {
      value: name ? textOf(name) : '',
      format: shortFormat(name && attributeOf(name, 'Format')),
      qualifier: name && attributeOf(name, 'NameQualifier'),
      spQualifier: name && attributeOf(name, 'SPNameQualifier'),
    },
    indexes: childrenNamed(root, 'samlp:SessionIndex').map(textOf),
    until: until + x.skew,
  };
}

/** INVARIANT (signed only): a message that would sign people out, or says that it did, is read from bytes that a configured key signed. */
function verified(m: Came, trust: Trust): Element {
  const root = opened(m);
  const inside = childNamed(root, 'ds:Signature');
  if (m.by === 'post') {
    if (!inside) throw unsigned();
    const again = parseXml(verifySignature(root, inside, trust).bytes);
    checkShape(again, nameOf(root));
    return again;
  }
  if (m.signature === undefined || m.algorithm === undefined) throw unsigned();
  // By redirect the query is signed and the message must not be (saml-bindings §3.4.4.1).
  if (inside)
    throw refuseLogout(
      'identity/saml-logout-structure',
      'this message is signed inside, which one in an address must not be',
    );
  const value = strictBase64(m.signature.replaceAll(' ', '+'));
  const algorithm = signatureAlgorithm(m.algorithm, trust);
  const fine =
    value &&
    trust.certificates.some((c) => signedBy(publicKeyOf(c.certificate), algorithm, Buffer.from(m.signed), value));
  if (!fine)
    throw refuseLogout(
      'identity/saml-logout-signature',
      'this message is not signed by a key that the connection knows',
      'compare the certificate of the identity provider with the connection',
    );
  return root;
}

const unsigned = (): Problem =>
  refuseLogout(
    'identity/saml-logout-unsigned',
    'this message about signing out is not signed, and anybody could have made it',
    'let the identity provider sign its logout messages',
  );

/** What the reading of a message refused, for a page. */
export const asLogoutProblem = (e: unknown): unknown =>
  e instanceof SignInRefused ? refuseLogout(e.refusal.code, e.refusal.says, e.refusal.fix, e) : e;
