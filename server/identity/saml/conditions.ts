// For whom an assertion was made, for when, and for which request (saml-core §2, saml-profiles §4.1.4.3). All of it is read from verified bytes.
import type { SignInRefused } from '../sign-in-refusal.ts';
import { refuse, type SamlCode } from './refuse.ts';
import { attributeOf, childNamed, childrenNamed, textOf, type Element } from './xml.ts';

/** What must be true of a response. Plain values, so that it can be handed to a worker. */
export type Expected = {
  /** Milliseconds since 1970. */
  now: number;
  /** How far clocks may be apart. */
  skew: number;
  /** Entity ID of the identity provider. */
  idp: string;
  /** Our address for responses, and the name we go by. */
  acs: string;
  audience: string;
  /** The ID of our request that this answers; undefined: an unsolicited response, which the connection allows. */
  request: string | undefined;
};

/** How far apart clocks may be at most; more is somebody's mistake, and lengthens the life of a stolen assertion. */
export const MAX_SKEW_MS = 120_000;
const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';

/** SAML times are UTC (saml-core §1.3.3). */
export function instant(text: string): number {
  const ok = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|\+00:00)$/.test(text);
  const at = ok ? Date.parse(text.replace(/(\.\d{3})\d+/, '$1')) : NaN;
  if (Number.isNaN(at))
    throw refuse('identity/saml-time-form', 'a time in the message is not one', {
      found: text,
      expected: 'UTC like 2026-01-31T12:00:00Z',
    });
  return at;
}

const timeOf = (e: Element, name: string): number | undefined => {
  const text = attributeOf(e, name);
  return text === undefined ? undefined : instant(text);
};
const shown = (at: number): string => new Date(at).toISOString();

export function refuseVersion(
  e: Element,
  code: 'identity/saml-response-version' | 'identity/saml-assertion-version',
): void {
  const version = attributeOf(e, 'Version');
  if (version !== '2.0')
    throw refuse(code, 'the message is not of SAML 2.0', { found: version ?? 'nothing', expected: '2.0' });
}

/** Not from the future; age is what NotOnOrAfter limits. */
export function refuseFuture(e: Element, x: Pick<Expected, 'now' | 'skew'>): void {
  const at = timeOf(e, 'IssueInstant');
  if (at !== undefined && at > x.now + x.skew)
    throw refuse('identity/saml-issued-in-future', 'the message was made in the future', {
      found: shown(at),
      expected: `at most ${shown(x.now)} and ${x.skew / 1000} s`,
      fix: 'compare the clocks of the identity provider and of this server',
    });
}

export const isPast = (at: number, x: Pick<Expected, 'now' | 'skew'>): boolean => at <= x.now - x.skew;

/** Refuses what was made for others or for another time; returns until when it must not be taken twice. */
export function checkConditions(assertion: Element, x: Expected): { until: number } {
  refuseVersion(assertion, 'identity/saml-assertion-version');
  refuseFuture(assertion, x);
  refuseOtherIssuer(assertion, x.idp, 'identity/saml-assertion-issuer');
  const conditions = childNamed(assertion, 'saml:Conditions');
  const audiences = conditions ? childrenNamed(conditions, 'saml:AudienceRestriction') : [];
  if (conditions) {
    refuseWindow(conditions, x);
  }
  if (audiences.length === 0)
    throw refuse('identity/saml-audience-missing', 'the assertion does not say for whom it was made', {
      expected: x.audience,
    });
  // Each restriction must hold; within one, any of its audiences (saml-core §2.5.1.4).
  for (const restriction of audiences) {
    const named = childrenNamed(restriction, 'saml:Audience').map(textOf);
    if (!named.includes(x.audience))
      throw refuse('identity/saml-audience', 'the assertion was made for another application', {
        found: named.join(', ') || 'nobody',
        expected: x.audience,
        fix: 'enter our entity ID at the identity provider exactly so',
      });
  }
  const confirmed = checkConfirmation(assertion, x);
  refuseEndedSession(assertion, x);
  const ends = [confirmed, conditions && timeOf(conditions, 'NotOnOrAfter')].filter((t) => t !== undefined);
  return { until: Math.max(...ends) + x.skew };
}

export function refuseOtherIssuer(e: Element, idp: string, code: SamlCode): void {
  const issuer = childNamed(e, 'saml:Issuer');
  const format = issuer && attributeOf(issuer, 'Format');
  const named = issuer && textOf(issuer);
  const entity = format === undefined || format === 'urn:oasis:names:tc:SAML:2.0:nameid-format:entity';
  if (!issuer || named !== idp || !entity)
    throw refuse(code, 'the message comes from another identity provider than the one that was asked', {
      found: named ?? 'nobody',
      expected: idp,
      fix: 'compare the entity ID in the connection with the one that the identity provider has now',
    });
}

function refuseWindow(e: Element, x: Expected): void {
  const from = timeOf(e, 'NotBefore');
  const to = timeOf(e, 'NotOnOrAfter');
  if (to !== undefined && isPast(to, x)) throw tooLate('identity/saml-expired', to, x);
  if (from !== undefined && from > x.now + x.skew)
    throw refuse('identity/saml-not-yet-valid', 'the assertion is not valid yet', {
      found: `from ${shown(from)}`,
      expected: `at most ${shown(x.now)} and ${x.skew / 1000} s`,
      fix: 'compare the clocks of the identity provider and of this server',
    });
}

const tooLate = (code: SamlCode, to: number, x: Expected): SignInRefused =>
  refuse(code, 'the assertion has expired', {
    found: `until ${shown(to)}`,
    expected: `after ${shown(x.now)} less ${x.skew / 1000} s`,
  });

/** The subject is confirmed for whoever brings it here, now, for this request. Returns until when. */
function checkConfirmation(assertion: Element, x: Expected): number {
  const subject = childNamed(assertion, 'saml:Subject');
  if (!subject) throw refuse('identity/saml-subject-missing', 'the assertion is about nobody');
  const all = childrenNamed(subject, 'saml:SubjectConfirmation');
  if (all.length === 0)
    throw refuse('identity/saml-subject-confirmation-missing', 'the assertion does not say who may bring it');
  const bearers = all.filter((c) => attributeOf(c, 'Method') === BEARER);
  if (bearers.length === 0)
    throw refuse('identity/saml-subject-confirmation-method', 'the assertion is not for whoever brings it', {
      found: all.map((c) => attributeOf(c, 'Method')).join(', '),
      expected: BEARER,
    });
  let first: unknown;
  for (const bearer of bearers)
    try {
      return checkBearer(bearer, x);
    } catch (e) {
      first ??= e;
    }
  throw first;
}

function checkBearer(bearer: Element, x: Expected): number {
  const data = childNamed(bearer, 'saml:SubjectConfirmationData');
  const to = data && timeOf(data, 'NotOnOrAfter');
  if (!data || to === undefined)
    throw refuse(
      'identity/saml-subject-confirmation-missing',
      'the assertion does not say until when it may be brought',
      {
        expected: 'SubjectConfirmationData with NotOnOrAfter',
      },
    );
  if (attributeOf(data, 'NotBefore') !== undefined)
    throw refuse('identity/saml-subject-confirmation-not-before', 'a bearer assertion must not have NotBefore there');
  if (isPast(to, x)) throw tooLate('identity/saml-subject-confirmation-expired', to, x);
  const recipient = attributeOf(data, 'Recipient');
  if (recipient !== x.acs)
    throw refuse('identity/saml-recipient', 'the assertion was made for another address', {
      found: recipient ?? 'none',
      expected: x.acs,
    });
  refuseOtherRequest(attributeOf(data, 'InResponseTo'), x);
  return to;
}

/** An answer to our request says so wherever it can; an unsolicited one says it nowhere. */
export function refuseOtherRequest(found: string | undefined, x: Pick<Expected, 'request'>): void {
  if (found === x.request) return;
  throw refuse(
    'identity/saml-in-response-to-mismatch',
    'the message answers another request than the one it came for',
    {
      found: found ?? 'none',
      expected: x.request ?? 'none: it came unasked',
    },
  );
}

function refuseEndedSession(assertion: Element, x: Expected): void {
  const statements = childrenNamed(assertion, 'saml:AuthnStatement');
  if (statements.length === 0)
    throw refuse('identity/saml-authn-statement-missing', 'the assertion does not say that anybody signed in');
  for (const s of statements) {
    const ends = timeOf(s, 'SessionNotOnOrAfter');
    if (ends !== undefined && isPast(ends, x)) throw tooLate('identity/saml-session-expired', ends, x);
    const began = timeOf(s, 'AuthnInstant');
    if (began !== undefined && began > x.now + x.skew)
      throw refuse('identity/saml-issued-in-future', 'the person signed in in the future', { found: shown(began) });
  }
}
