import { errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { Problem } from '#kernel/problem.ts';
import { CLOCK_TOLERANCE_S } from '../relying-party.ts';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** Providers give minutes (Back-Channel Logout 1.0 §4 recommends two). What is older was kept by somebody. */
export const LOGOUT_MAX_AGE_S = 10 * 60;

/** What a valid logout token names: a session, or all of a subject. `until`: after that it is refused for its age. */
export type LogoutToken = { subject: string | null; sid: string | null; jti: string; until: Date };

const no = (code: string, says: string, because?: unknown): Problem =>
  new Problem('invalid', `identity/${code}`, {
    says,
    fix: 'send a logout token as OpenID Connect Back-Channel Logout 1.0 §2.4 describes it',
    because,
  });

/** Every refusal of the library, in our words. */
function codeOf(e: unknown): Problem {
  if (e instanceof Problem) return e;
  if (e instanceof errors.JWTExpired) return no('logout-expired', 'the logout token has expired', e);
  if (e instanceof errors.JWTClaimValidationFailed)
    return no('logout-claims', `the logout token has a wrong or no claim ${e.claim}`, e);
  if (e instanceof errors.JWSSignatureVerificationFailed || e instanceof errors.JWKSNoMatchingKey)
    return no('logout-signature', 'the logout token is not signed by a key of the identity provider', e);
  if (e instanceof errors.JOSEAlgNotAllowed)
    return no('logout-signature', 'the logout token is signed in a way that we do not take', e);
  if (e instanceof errors.JOSEError) return no('logout-unreadable', 'this is not a logout token', e);
  throw e;
}

/**
 * Reads a logout token (§2.6). INVARIANT (no ID token): an ID token of the same provider is signed by the same key for the same audience; what
 * tells them apart is the event, and that a logout token has no nonce, so both are insisted on.
 */
export async function readLogoutToken(
  text: string,
  keys: JWTVerifyGetKey,
  expected: { issuer: string; clientId: string; algs: readonly string[]; now: Date },
): Promise<LogoutToken> {
  try {
    const { payload, protectedHeader } = await jwtVerify(text, keys, {
      issuer: expected.issuer,
      audience: expected.clientId,
      algorithms: [...expected.algs],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: expected.now,
      requiredClaims: ['iss', 'aud', 'iat', 'jti', 'events'],
    });
    const { sub, sid, jti, iat = 0, exp } = payload;
    const type = protectedHeader.typ?.toLowerCase().replace(/^application\//, '');
    if (type !== undefined && type !== 'logout+jwt' && type !== 'jwt')
      throw no('logout-claims', `the token is of type ${type}, not logout+jwt`);
    if ('nonce' in payload) throw no('logout-nonce', 'the token has a nonce, so it is an ID token or made of one');
    const events: unknown = payload['events'];
    const told = typeof events === 'object' && events !== null ? new Map(Object.entries(events)).get(EVENT) : undefined;
    if (typeof told !== 'object' || told === null) throw no('logout-claims', 'the token does not tell of a logout');
    if (typeof jti !== 'string' || jti === '') throw no('logout-claims', 'the logout token has no jti');
    const now = expected.now.getTime() / 1000;
    if (iat > now + CLOCK_TOLERANCE_S) throw no('logout-claims', 'the logout token was issued in the future');
    // With or without exp, which the first version of the specification did not have.
    if (iat + LOGOUT_MAX_AGE_S < now) throw no('logout-expired', 'the logout token is older than ten minutes');
    const named = { subject: typeof sub === 'string' ? sub : null, sid: typeof sid === 'string' ? sid : null };
    if (named.subject === null && named.sid === null)
      throw no('logout-claims', 'the logout token names neither a session nor a subject');
    const end = Math.min(iat + LOGOUT_MAX_AGE_S, exp ?? Infinity) + CLOCK_TOLERANCE_S;
    return { ...named, jti, until: new Date(Math.ceil(end) * 1000) };
  } catch (e) {
    throw codeOf(e);
  }
}
