import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client';
import type { Problem } from '#kernel/problem.ts';
import { cut, type StageName } from './sign-in-trace.ts';

/** Why a sign-in stopped: for the person (`says`, `fix`), and for the trace (`found`, `expected`). */
export type Refusal = {
  stage: StageName;
  code: string;
  says: string;
  fix?: string | undefined;
  found?: string | undefined;
  expected?: string | undefined;
};

/** Thrown by the stages of a sign-in; finish-sign-in.ts turns it into a trace and a Problem. */
export class SignInRefused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal, because?: unknown) {
    super(`${refusal.code}: ${refusal.says}`, { cause: because });
    this.name = 'SignInRefused';
    this.refusal = refusal;
  }
}

/** A refusal at a stage. What comes from outside is cut. */
export const refusal = (
  stage: StageName,
  code: string,
  r: Omit<Refusal, 'stage' | 'code'>,
  because?: unknown,
): SignInRefused =>
  new SignInRefused(
    {
      stage,
      code,
      ...r,
      ...(r.found === undefined ? {} : { found: cut(r.found) }),
      ...(r.expected === undefined ? {} : { expected: cut(r.expected) }),
    },
    because,
  );

const again = 'begin again at /sign-in';
const askAdmin = 'whoever manages sign-in in your organization can see with the number below what was found';

const claimCodes: Record<string, { code: string; says: string }> = {
  iss: { code: 'identity/wrong-issuer', says: 'the ID token comes from another issuer' },
  aud: { code: 'identity/wrong-audience', says: 'the ID token was made for another application' },
  azp: { code: 'identity/wrong-party', says: 'the ID token was made for another application' },
  nonce: { code: 'identity/wrong-nonce', says: 'the ID token belongs to another sign-in' },
  exp: { code: 'identity/token-expired', says: 'the ID token has expired' },
  nbf: { code: 'identity/token-not-yet-valid', says: 'the ID token is not valid yet' },
};

const record = (x: unknown): Record<string, unknown> =>
  typeof x === 'object' && x !== null ? Object.fromEntries(Object.entries(x)) : {};

/** What openid-client threw, in our words. `ours` is the Problem of our own egress inside it, if any. */
export function asRefusal(e: unknown, ours: Problem | undefined): unknown {
  if (ours)
    return refusal(
      'token',
      'identity/idp-unreachable',
      {
        says: 'the identity provider could not be asked',
        fix: 'try again in a minute',
        found: `${ours.code}: ${ours.says}`,
      },
      e,
    );
  if (e instanceof AuthorizationResponseError) return idpSaidNo(e.error, e.error_description ?? undefined);
  if (e instanceof ResponseBodyError)
    return e.error === 'invalid_client' || e.error === 'unauthorized_client'
      ? clientRefused(e.status, e.error, e)
      : codeRefused(e);
  if (e instanceof WWWAuthenticateChallengeError) return clientRefused(e.status, 'WWW-Authenticate', e);
  if (e instanceof ClientError) return idTokenRefused(e);
  return e;
}

/** The identity provider sent the person back with an error. */
export const idpSaidNo = (error: string, description: string | undefined): SignInRefused =>
  refusal('response', error === 'access_denied' ? 'identity/idp-denied' : 'identity/idp-refused', {
    says:
      error === 'access_denied'
        ? 'the identity provider did not let you through'
        : 'the identity provider answered with an error',
    fix: askAdmin,
    found: [error, description].filter(Boolean).join(': '),
    expected: 'a code',
  });

const codeRefused = (e: ResponseBodyError): SignInRefused =>
  refusal(
    'token',
    'identity/code-refused',
    {
      says: 'the identity provider did not take its own code back',
      fix: again,
      found: `${e.status} ${[e.error, e.error_description].filter(Boolean).join(': ')}`,
      expected: 'tokens',
    },
    e,
  );

const clientRefused = (status: number, error: string, because: unknown): SignInRefused =>
  refusal(
    'token',
    'identity/client-refused',
    {
      says: 'the identity provider does not accept this server’s client id or secret',
      fix: askAdmin,
      found: `${status} ${error}`,
      expected: 'tokens; compare client id, secret and authentication method with what is registered there',
    },
    because,
  );

function idTokenRefused(e: ClientError): SignInRefused {
  const inner = e.cause instanceof Error ? e.cause : e;
  const facts = record(inner.cause);
  const named = typeof facts['claim'] === 'string' ? facts['claim'] : /JWT "(\w+)"/.exec(inner.message)?.[1];
  const known = named === undefined ? undefined : claimCodes[named];
  if (named !== undefined && known) {
    const value = record(facts['claims'])[named];
    const wanted = facts['expected'];
    return refusal(
      'claims',
      known.code,
      {
        says: known.says,
        fix: again,
        found: `${named} ${value === undefined ? 'missing' : JSON.stringify(value)}`,
        ...(wanted === undefined ? {} : { expected: `${named} ${JSON.stringify(wanted)}` }),
      },
      e,
    );
  }
  if (named === 'alg')
    return refusal(
      'token',
      'identity/bad-algorithm',
      {
        says: 'the ID token is signed in a way that we do not take',
        fix: askAdmin,
        found: `alg ${JSON.stringify(record(facts['header'])['alg'])}`,
        expected: `one of ${JSON.stringify(facts['expected'] ?? 'the algorithms of the discovery document')}`,
      },
      e,
    );
  if (
    e.code === 'OAUTH_KEY_SELECTION_FAILED' ||
    e.code === 'OAUTH_UNSUPPORTED_OPERATION' ||
    /signature/i.test(inner.message)
  )
    return refusal(
      'token',
      'identity/bad-signature',
      {
        says: 'the ID token is not signed by a key of the identity provider',
        fix: askAdmin,
        found: inner.message,
        expected: 'a signature by a key of its key set',
      },
      e,
    );
  return refusal(
    'token',
    'identity/token-unreadable',
    {
      says: 'the identity provider answered with something that is not a proper token',
      fix: askAdmin,
      found: inner.message,
      expected: 'an ID token as OpenID Connect Core 1.0 §2 describes it',
    },
    e,
  );
}
