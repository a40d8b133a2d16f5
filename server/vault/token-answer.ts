import { visible } from '#kernel/visible.ts';
import type { OAuthFacts, RefusedBecause, TokenAnswer } from './oauth-facts.ts';
import type { Expiry } from './connection.ts';
import type { Settings } from './vendor-auth.ts';

type Answer = Readonly<Record<string, unknown>>;

/** What came of asking a token endpoint. */
export type TokenOutcome =
  | { kind: 'granted'; grant: TokenAnswer; facts: Readonly<Record<string, string>> }
  | ({ kind: 'refused' } & TokenRefusal);

export type TokenRefusal = {
  because: RefusedBecause;
  /** The vendor's, or ours for what is no answer: `network`, `broken_answer`, `http_503`. */
  code: string;
  /** For people, in words that have nothing secret. */
  says: string;
  /** Whether the vendor may have acted on it all the same: then a refresh token that is used once may be gone. */
  acted: 'no' | 'perhaps';
  /** Sent again at once, it could do no harm. */
  neverLeft?: true;
  retryAfterMs?: number | undefined;
};

/** Longer than any token; what is above is not one. */
const MAX_TOKEN = 16 * 1024;
/** Goes into a header as it is. */
const tokenForm = /^[\x21-\x7e]+$/;
/** More seconds than anybody means: 50 years. */
const MAX_SECONDS = 50 * 365 * 86_400;
const MAX_SCOPES = 500;
const MAX_SAYS = 300;

/** An answer of a token endpoint, parsed as JSON or not, as what it means. Never throws, whatever came. */
export function readTokenAnswer(
  facts: OAuthFacts,
  status: number,
  body: unknown,
  context: { settings: Settings; secrets: readonly (string | undefined)[] },
): TokenOutcome {
  const answer: Answer | undefined =
    typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...body } : undefined;
  try {
    const classified = answer && facts.classify?.(status, answer);
    const error = answer && typeof answer['error'] === 'string' && answer['error'] !== '' ? answer['error'] : undefined;
    const good = status >= 200 && status < 300;
    if (classified === undefined && good && error === undefined && answer && answer['ok'] !== false)
      return granted(facts, answer);
    const code = codeOf(error, status, good, context.secrets);
    return {
      kind: 'refused',
      because: classified ?? becauseOf(code, status),
      code,
      says: saysOf(facts, answer, code, context),
      // A fault may come after the deed; a no may not.
      acted:
        classified === undefined && (good ? error === undefined : status >= 500 && status !== 503) ? 'perhaps' : 'no',
    };
  } catch {
    // A manifest's function met what it did not expect: the vendor may well have given something.
    return broken();
  }
}

function granted(facts: OAuthFacts, answer: Answer): TokenOutcome {
  const t = facts.readToken ? facts.readToken(answer) : readStandard(facts, answer);
  if (typeof t.accessToken !== 'string' || !isToken(t.accessToken)) return broken();
  const refreshToken = t.refreshToken === '' ? undefined : t.refreshToken;
  if (refreshToken !== undefined && (typeof refreshToken !== 'string' || !isToken(refreshToken))) return broken();
  const scopes = t.scopes?.filter((s) => typeof s === 'string' && s !== '').slice(0, MAX_SCOPES);
  const more = facts.factsOf?.(answer) ?? {};
  return {
    kind: 'granted',
    grant: {
      accessToken: t.accessToken,
      refreshToken,
      expiresIn: seconds(t.expiresIn),
      refreshExpiresIn: seconds(t.refreshExpiresIn),
      scopes: scopes && [...new Set(scopes)],
    },
    facts: Object.fromEntries(
      Object.entries(more).filter(([, v]) => typeof v === 'string' && v !== '' && v.length <= 2000),
    ),
  };
}

/** RFC 6749 §5.1, with numbers as text where a vendor writes them so. */
function readStandard(facts: OAuthFacts, answer: Answer): TokenAnswer {
  const type = answer['token_type'];
  // A token that is bound to a key or signs requests is of no use as a bearer.
  if (typeof type === 'string' && type.toLowerCase() !== 'bearer') return { accessToken: '' };
  const text = (name: string): string | undefined => {
    const v = answer[name];
    return typeof v === 'string' ? v : undefined;
  };
  const scope = text('scope');
  return {
    accessToken: text('access_token') ?? '',
    refreshToken: text('refresh_token'),
    expiresIn: number(answer['expires_in']),
    refreshExpiresIn: number(answer['refresh_token_expires_in'] ?? answer['refresh_expires_in']),
    scopes: scope === undefined ? undefined : scope.split(facts.scopeSeparator === ',' ? /[,\s]+/ : /\s+/),
  };
}

const isToken = (t: string): boolean => t.length <= MAX_TOKEN && tokenForm.test(t);
const number = (v: unknown): number | undefined =>
  typeof v === 'number' ? v : typeof v === 'string' && /^\d{1,10}$/.test(v) ? Number(v) : undefined;
/** Less than one says nothing: the next 401 will. */
const seconds = (v: number | undefined): number | undefined =>
  v === undefined || !Number.isFinite(v) || v < 1 ? undefined : Math.min(Math.floor(v), MAX_SECONDS);

/** Fit for the log: fixed words of the vendor's or ours. */
function codeOf(
  error: string | undefined,
  status: number,
  good: boolean,
  secrets: readonly (string | undefined)[],
): string {
  const ours = secrets.some((s) => s !== undefined && s !== '' && error?.includes(s));
  if (error !== undefined && !ours && /^[A-Za-z0-9_.-]{1,60}$/.test(error)) return error;
  if (error !== undefined) return 'unknown_error';
  return good ? 'broken_answer' : `http_${status}`;
}

/** RFC 6749 §5.2. What nobody foresaw is tried again. */
function becauseOf(code: string, status: number): RefusedBecause {
  switch (code) {
    case 'invalid_grant':
    case 'invalid_scope':
    case 'access_denied':
    case 'interaction_required':
    case 'consent_required':
    case 'login_required':
      return 'reconnect';
    case 'invalid_client':
    case 'unauthorized_client':
    case 'unsupported_grant_type':
    case 'invalid_request':
      return 'app';
    default:
      return status === 401 ? 'app' : 'later';
  }
}

function saysOf(
  facts: OAuthFacts,
  answer: Answer | undefined,
  code: string,
  { settings, secrets }: { settings: Settings; secrets: readonly (string | undefined)[] },
): string {
  const description = answer?.['error_description'];
  const text =
    (answer && facts.explain?.(answer, settings)) ??
    (typeof description === 'string' && description !== '' ? `${code}: ${description}` : code);
  return cleaned(text, secrets);
}

/** A vendor's words as people may see them. INVARIANT (no secret in an error): what it echoes of ours is taken out before it is cut. */
export function cleaned(text: string, secrets: readonly (string | undefined)[]): string {
  let out = text;
  for (const s of secrets) if (s !== undefined && s.length >= 4) out = out.replaceAll(s, '[secret]');
  return visible(out).replaceAll(/\s+/g, ' ').trim().slice(0, MAX_SAYS);
}

const broken = (): TokenOutcome => ({
  kind: 'refused',
  because: 'later',
  code: 'broken_answer',
  says: 'the answer is not one that a token endpoint gives',
  acted: 'perhaps',
});

/** When what of a grant ends. `before`: what it renews. */
export function expiryOf(
  facts: OAuthFacts,
  t: TokenAnswer,
  now: Date,
  before: Pick<Expiry, 'refresh'> | undefined,
): Expiry {
  const after = (s: number | undefined): Date | undefined =>
    s === undefined ? undefined : new Date(now.getTime() + s * 1000);
  const { lifetimes } = facts;
  const fresh = t.refreshToken !== undefined && (before === undefined || lifetimes.rotation !== 'same');
  return {
    access: after(t.expiresIn ?? lifetimes.access),
    refresh:
      after(t.refreshExpiresIn ?? (fresh ? lifetimes.refresh : undefined)) ?? (fresh ? undefined : before?.refresh),
    idle: after(lifetimes.idle),
    given: undefined,
  };
}
