import { refuse, type SamlCode } from './refuse.ts';
import { attributeOf, childNamed, textOf, type Element } from './xml.ts';

const STATUS = 'urn:oasis:names:tc:SAML:2.0:status:';
export const SUCCESS = `${STATUS}Success`;

const known: Readonly<Record<string, { code: SamlCode; says: string; fix?: string }>> = {
  AuthnFailed: { code: 'identity/saml-idp-authn-failed', says: 'the identity provider could not sign you in' },
  NoPassive: {
    code: 'identity/saml-idp-no-passive',
    says: 'the identity provider needs you to sign in there first',
    fix: 'begin again at /sign-in',
  },
  RequestDenied: { code: 'identity/saml-idp-denied', says: 'the identity provider did not let you through' },
};

/** Status codes of a response, the top one first, without the common beginning. */
export function statusOf(root: Element): { codes: string[]; message: string | undefined } {
  const status = childNamed(root, 'samlp:Status');
  const codes: string[] = [];
  for (let c = status && childNamed(status, 'samlp:StatusCode'); c; c = childNamed(c, 'samlp:StatusCode'))
    codes.push((attributeOf(c, 'Value') ?? '').replace(STATUS, ''));
  const message = status && childNamed(status, 'samlp:StatusMessage');
  return { codes, message: message && textOf(message) };
}

/** Anything but success is a refusal, whatever assertion stands beside it. */
export function refuseStatus(root: Element): void {
  const { codes, message } = statusOf(root);
  if (codes.length === 1 && codes[0] === 'Success') return;
  const reason = codes.flatMap((c) => (Object.hasOwn(known, c) ? (known[c] ?? []) : []))[0];
  throw refuse(
    reason?.code ?? 'identity/saml-idp-status',
    reason?.says ?? 'the identity provider answered with an error',
    {
      found: [codes.join(' / '), message].filter(Boolean).join(': '),
      expected: 'Success',
      ...(reason?.fix === undefined ? {} : { fix: reason.fix }),
    },
  );
}
