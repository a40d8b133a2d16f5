import { createHash } from 'node:crypto';
import { createLocalJWKSet, errors, jwtVerify, type JWTPayload } from 'jose';
import { parseId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { isScope, type Scope } from './resource.ts';
import type { PublicJwk } from './signing-key.sql.ts';

/** What an access token of ours says, once it is proved. */
export type AccessToken = {
  member: Id<'mem'>;
  org: Id<'org'>;
  client: string;
  /** The consent it stands on; ask `grantIsLive` before anything else. */
  grant: string;
  scopes: readonly Scope[];
  audience: string;
  /** Seconds since 1970. */
  exp: number;
  /** Thumbprint of the key that must sign a DPoP proof beside the token; without the proof such a token is nothing. */
  jkt: string | undefined;
};

/** Tokens kept verified. One is about 1 KiB; above this the ones unused longest go. */
const MAX_VERIFIED = 20_000;

/** The keys that tokens are checked with, and the tokens that were. One per process, made by `openVerifier`. */
export class TokenKeys {
  readonly verified = new Map<string, AccessToken>();
  readonly #load: () => Promise<readonly PublicJwk[]>;
  readonly #now: () => Date;
  #set: ReturnType<typeof createLocalJWKSet> | undefined;
  #kids = new Set<string>();
  #loadedAt = Number.NEGATIVE_INFINITY;

  constructor(load: () => Promise<readonly PublicJwk[]>, now: () => Date) {
    this.#load = load;
    this.#now = now;
  }

  get now(): Date {
    return this.#now();
  }

  /** The set that has this key, if any does: a key id that is not known is looked for at most every five seconds. */
  async setFor(kid: string): Promise<ReturnType<typeof createLocalJWKSet>> {
    const at = this.#now().getTime();
    if (!this.#set || (!this.#kids.has(kid) && at - this.#loadedAt >= 5000)) {
      this.#loadedAt = at;
      const keys = await this.#load();
      this.#kids = new Set(keys.map((k) => k.kid));
      this.#set = createLocalJWKSet({ keys: [...keys] });
    }
    return this.#set;
  }
}

export type Expected = {
  issuer: string;
  /** Any one of them will do; see `audiencesOf`. */
  audiences: readonly string[];
  keys: TokenKeys;
};

const refuse = (code: string, says: string, fix: string, because?: unknown): Problem =>
  new Problem('unauthenticated', code, { says, fix, because });

const renew = 'refresh the token, or sign in again';

/**
 * Proves an access token: signature by a key of ours, type `at+jwt`, issuer, audience, time. It says nothing about whether the consent
 * still lives: `grantIsLive` does, and both must be asked. The second time a token is seen it costs a hash.
 */
export async function verifyAccessToken(token: string, expect: Expected): Promise<AccessToken> {
  const { keys } = expect;
  const hash = createHash('sha256').update(token).digest('base64');
  const known = keys.verified.get(hash);
  if (known) {
    if (known.exp * 1000 <= keys.now.getTime()) {
      keys.verified.delete(hash);
      throw expired();
    }
    if (!expect.audiences.includes(known.audience)) throw wrongAudience(known.audience, expect.audiences);
    return known;
  }
  let payload: JWTPayload;
  try {
    ({ payload } = await jwtVerify(token, async (header, jws) => (await keys.setFor(header.kid ?? ''))(header, jws), {
      issuer: expect.issuer,
      audience: [...expect.audiences],
      algorithms: ['ES256'],
      typ: 'at+jwt',
      currentDate: keys.now,
      requiredClaims: ['exp', 'sub'],
    }));
  } catch (e) {
    throw asRefusal(e, expect);
  }
  const proved = claimsOf(payload);
  if (keys.verified.size >= MAX_VERIFIED)
    for (const oldest of keys.verified.keys().take(MAX_VERIFIED / 10)) keys.verified.delete(oldest);
  keys.verified.set(hash, proved);
  return proved;
}

const text = (v: unknown): string => (typeof v === 'string' ? v : '');

function claimsOf(p: JWTPayload): AccessToken {
  const member = parseId('mem', text(p.sub));
  const org = parseId('org', text(p['org']));
  const grant = text(p['gid']);
  const client = text(p['client_id']);
  const audience = text(p.aud);
  const cnf = p['cnf'];
  const jkt = typeof cnf === 'object' && cnf !== null && 'jkt' in cnf ? text(cnf.jkt) : undefined;
  if (
    !member ||
    !org ||
    grant === '' ||
    client === '' ||
    audience === '' ||
    p.exp === undefined ||
    (cnf !== undefined && !jkt)
  )
    throw refuse('authorization/token-malformed', 'the access token lacks what every token of ours has', renew);
  return { member, org, client, grant, scopes: text(p['scope']).split(' ').filter(isScope), audience, exp: p.exp, jkt };
}

const expired = (): Problem => refuse('authorization/token-expired', 'the access token has expired', 'refresh it');

const wrongAudience = (found: string, expected: readonly string[]): Problem =>
  refuse(
    'authorization/token-audience',
    `the access token is for ${found || 'nowhere'}, and this is ${expected.join(' or ')}`,
    'ask for a token with this place as its resource',
  );

function asRefusal(e: unknown, expect: Expected): unknown {
  if (e instanceof errors.JWTExpired) return expired();
  if (e instanceof errors.JWTClaimValidationFailed) {
    switch (e.claim) {
      case 'aud':
        return wrongAudience([e.payload.aud ?? []].flat().join(', ').slice(0, 300), expect.audiences);
      case 'iss':
        return refuse(
          'authorization/token-issuer',
          `the access token was not issued by ${expect.issuer}`,
          'sign in at this server',
          e,
        );
      case 'typ':
        return refuse(
          'authorization/token-type',
          'this is a JSON web token of ours, but not an access token',
          renew,
          e,
        );
      default:
        return refuse(
          'authorization/token-malformed',
          `the claim ${e.claim} of the access token is missing or wrong`,
          renew,
          e,
        );
    }
  }
  if (e instanceof errors.JOSEAlgNotAllowed)
    return refuse('authorization/token-alg', 'the access token is not signed with ES256', 'sign in at this server', e);
  if (e instanceof errors.JWSSignatureVerificationFailed || e instanceof errors.JWKSNoMatchingKey)
    return refuse(
      'authorization/token-signature',
      'the access token was not signed by this server, or long ago',
      renew,
      e,
    );
  if (e instanceof errors.JOSEError)
    return refuse(
      'authorization/token-malformed',
      'this is not an access token of this server',
      'send the token as it was issued',
      e,
    );
  return e;
}
