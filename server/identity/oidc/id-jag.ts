import { decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { CLOCK_TOLERANCE_S } from '../relying-party.ts';
import { refusal, type SignInRefused } from '../sign-in-refusal.ts';
import { SAFE_ALGS } from '../sso-connection.ts';
import { NoKeySet } from './key-set.ts';
import { textOf } from './read-claims.ts';

/** Identity providers give five minutes. What lives longer, or is older, was made to be kept. */
export const ID_JAG_MAX_AGE_S = 10 * 60;
/** A few claims and a signature. */
export const MAX_ASSERTION = 16 * 1024;
const TYPE = 'oauth-id-jag+jwt';

/** What an identity provider says with an ID-JAG: this client may act for this person, here. */
export type IdJag = {
  issuer: string;
  subject: string;
  jti: string;
  /** After that it is refused for its age. */
  until: Date;
  /** As the provider wrote them; undefined: it says nothing. */
  resource: string | undefined;
  scope: string | undefined;
  /** The organization here that it means (`aud_tenant`). */
  tenant: string | undefined;
  /** Thumbprint of the key that the client must prove to have. */
  jkt: string | undefined;
  claims: JWTPayload;
};

const askIdp =
  'ask whoever runs the identity provider; the claims are those of the Identity Assertion JWT Authorization Grant';

const no = (
  stage: 'token' | 'claims',
  code: string,
  says: string,
  more: object = {},
  because?: unknown,
): SignInRefused => refusal(stage, `identity/id-jag-${code}`, { says, fix: askIdp, ...more }, because);

/** The issuer that an assertion names, before anything of it is proved: only good for finding the keys. */
export function issuerNamed(assertion: string): string | undefined {
  if (assertion.length > MAX_ASSERTION) return undefined;
  try {
    return textOf(decodeJwt(assertion).iss);
  } catch {
    return undefined;
  }
}

/** Refusals of the library, in our words. */
function refused(e: unknown): unknown {
  if (e instanceof NoKeySet)
    return refusal(
      'token',
      'identity/id-jag-no-keys',
      {
        says: 'the key set of the identity provider could not be asked for, so the assertion could not be checked',
        fix: 'try again with a new assertion',
      },
      e,
    );
  if (e instanceof errors.JWTExpired)
    return no('token', 'expired', 'the assertion has expired', { fix: 'ask for a new one' }, e);
  if (e instanceof errors.JWTClaimValidationFailed) {
    if (e.claim === 'typ')
      return no(
        'token',
        'type',
        `the assertion is not of the type ${TYPE}: an ID token or an access token is no ID-JAG`,
        { expected: TYPE },
        e,
      );
    if (e.claim === 'nbf')
      return no('token', 'not-yet-valid', 'the assertion is not valid yet', { fix: 'compare the clocks' }, e);
    return no('claims', 'claims', `the assertion has a wrong or no claim ${e.claim}`, {}, e);
  }
  if (e instanceof errors.JOSEAlgNotAllowed)
    return no(
      'token',
      'alg',
      'the assertion is signed in a way that proves nothing: not at all, or with a shared secret',
      {
        expected: SAFE_ALGS.join(', '),
      },
      e,
    );
  if (
    e instanceof errors.JWSSignatureVerificationFailed ||
    e instanceof errors.JWKSNoMatchingKey ||
    e instanceof errors.JWKSMultipleMatchingKeys
  )
    return no('token', 'signature', 'the assertion is not signed by a key of the identity provider', {}, e);
  if (e instanceof errors.JOSEError) return no('token', 'unreadable', 'this is not an assertion', {}, e);
  return e;
}

/**
 * Reads an ID-JAG (draft-ietf-oauth-identity-assertion-authz-grant §4.4.1). INVARIANT (no other token): an ID token and an access token of the
 * same provider are signed by the same keys; the type tells them apart, and the audience is us alone.
 */
export async function readIdJag(
  assertion: string,
  keys: JWTVerifyGetKey,
  expected: { issuer: string; audience: string; client: string; now: Date },
): Promise<IdJag> {
  let payload: JWTPayload;
  try {
    ({ payload } = await jwtVerify(assertion, keys, {
      typ: TYPE,
      issuer: expected.issuer,
      algorithms: [...SAFE_ALGS],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: expected.now,
      requiredClaims: ['iss', 'sub', 'aud', 'jti', 'exp', 'iat', 'client_id'],
    }));
  } catch (e) {
    throw refused(e);
  }
  const { sub, aud, jti, exp = 0, iat = 0, cnf, client_id: client, resource, scope, aud_tenant: tenant } = payload;
  // One audience: an assertion that is good at several places can be carried from one to the other. Our issuer is an origin, and libraries
  // write an origin with a slash behind it; nothing else is the same.
  const [audience, ...others] = Array.isArray(aud) ? aud : [aud];
  if ((audience !== expected.audience && audience !== `${expected.audience}/`) || others.length > 0)
    throw no('claims', 'audience', 'the assertion was made for another server', {
      found: `aud ${JSON.stringify(aud)}`,
      expected: `aud ${expected.audience}`,
    });
  if (client !== expected.client)
    throw no('claims', 'client', 'the assertion was made for another client than the one that shows it', {
      fix: 'name this client with the id that it has here; see the guide',
      found: `client_id ${JSON.stringify(client)}`,
      expected: `client_id ${expected.client}`,
    });
  const now = expected.now.getTime() / 1000;
  if (iat > now + CLOCK_TOLERANCE_S)
    throw no('claims', 'not-yet-valid', 'the assertion was issued in the future, as our clock sees it', {
      fix: 'compare the clocks',
    });
  if (exp - iat > ID_JAG_MAX_AGE_S || iat + ID_JAG_MAX_AGE_S + CLOCK_TOLERANCE_S < now)
    throw no('claims', 'too-old', 'the assertion is older than ten minutes, or is meant to live longer', {
      found: `iat ${iat}, exp ${exp}`,
      expected: `at most ${ID_JAG_MAX_AGE_S} s`,
    });
  if (typeof sub !== 'string' || !/^[\u0020-\u007e]{1,255}$/.test(sub))
    throw no('claims', 'claims', 'the assertion has a subject that is empty or too long');
  if (typeof jti !== 'string' || jti === '' || jti.length > 500)
    throw no('claims', 'claims', 'the assertion has no usable jti');
  const named = Array.isArray(resource) && resource.length === 1 ? resource[0] : resource;
  for (const [name, value] of Object.entries({ resource: named, scope, aud_tenant: tenant }))
    if (value !== undefined && textOf(value) === undefined)
      throw no('claims', 'claims', `the claim ${name} of the assertion is not one text`);
  const key = cnf === undefined ? undefined : textOf(new Map(Object.entries(Object(cnf))).get('jkt'));
  if (cnf !== undefined && key === undefined)
    throw no('claims', 'key', 'the assertion is bound to a key in a way that we do not know', {
      expected: 'cnf with jkt',
    });
  return {
    issuer: expected.issuer,
    subject: sub,
    jti,
    until: new Date(Math.ceil(exp + CLOCK_TOLERANCE_S) * 1000),
    resource: textOf(named),
    scope: textOf(scope),
    tenant: textOf(tenant),
    jkt: key,
    claims: payload,
  };
}
