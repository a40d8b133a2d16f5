import { Problem } from '@gatehouse/server/kernel/problem.ts';
import type { Egress } from '@gatehouse/server/kernel/egress.ts';
import type { Secret } from '@gatehouse/server/kernel/secret.ts';
import { MiB } from '@gatehouse/server/kernel/limits.ts';
import type { Journal } from './journal.ts';
import { backOff, makeBreaker, makePace, retryAfter, type Timers } from './patience.ts';
import { rfc, type Profile } from './profile.ts';
import { errorText, isJson, type Json } from './wire.ts';

export type Ask = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the base, from its slash on. */
  path: string;
  body?: Json | undefined;
  ifMatch?: string | undefined;
  /** Asking this twice could do it twice. Then a lost answer is thrown as `scim/unsure` at once, and the caller looks before asking again. */
  once?: boolean;
};

/** An answer that means something; what only needs patience never gets here. */
export type Answer = { status: number; ok: boolean; body: Json | undefined; etag: string | undefined; text: string };

/** One SCIM server, its manners, and what we have learnt of them. */
export type Target = {
  base: string;
  profile: Profile;
  /** The form of removal that has been seen to work. */
  learnt: { removeForm: 'rfc' | 'entraLegacy' | undefined; batch: number | undefined };
  ask(a: Ask): Promise<Answer>;
  timers: Timers;
};

export type TargetOptions = {
  url: string;
  token: Secret;
  egress: Egress;
  allowPrivate: readonly string[];
  journal: Journal;
  timers: Timers;
  /** Longest Retry-After that is waited for, in milliseconds. */
  maxWaitMs: number;
  /** Told when a wait is long enough that somebody may wonder. */
  tell(says: string): void;
};

/** A request is asked this often before it has failed. */
const ATTEMPTS = 6;
/** A group of 100,000 members with their names. */
const MAX_ANSWER = 64 * MiB;
/** A large group is slow to read; a lost one must not hold us for ever. */
const TIMEOUT_MS = 120_000;
/** Waits above this are told, in milliseconds. */
const TOLD_WAIT = 2_000;

/** The address that everything is below: no query, no fragment, no credentials, no slash at the end. */
export function baseOf(url: string): string {
  const parsed = URL.parse(url);
  if (
    !parsed ||
    parsed.search ||
    parsed.hash ||
    parsed.username ||
    parsed.password ||
    !/^https?:$/.test(parsed.protocol)
  )
    throw new Problem('invalid', 'scim/url', {
      says: `${url.replace(/\/\/[^/@]*@/, '//…@')} is not the plain https address of a SCIM server`,
      fix: 'give the part before /Users, without a query, a fragment or a credential: https://host/scim/v2',
    });
  return parsed.href.replace(/\/+$/, '');
}

/** Requests to one SCIM server, with the patience that it asks for. Follows no redirect: the token is for this address. */
export function openTarget(o: TargetOptions): Target {
  const base = baseOf(o.url);
  const breaker = makeBreaker();
  let pace = makePace(null);
  let pacedBy = 'null';
  const wait = async (ms: number, why: string): Promise<void> => {
    if (ms >= TOLD_WAIT) o.tell(`waiting ${Math.ceil(ms / 1000)} s: ${why}`);
    if (ms > 0) await o.timers.sleep(ms);
  };

  const target: Target = {
    base,
    profile: rfc,
    learnt: { removeForm: undefined, batch: undefined },
    timers: o.timers,
    async ask(a) {
      for (let attempt = 1; ; attempt++) {
        if (breaker.exhausted()) throw gaveUp(base);
        await wait(breaker.restMs(o.timers.now()), 'the target has failed several times in a row');
        const rate = JSON.stringify(target.profile.rate);
        if (pacedBy !== rate) [pacedBy, pace] = [rate, makePace(target.profile.rate)];
        await wait(pace(o.timers.now()), 'the profile limits the rate of requests');

        const tried = await once(o, base, target.profile, a, attempt);
        if (tried.how === 'answered' && tried.answer.status !== 429 && tried.answer.status < 500) {
          breaker.succeeded();
          refuseStrangers(base, tried.answer);
          return tried.answer;
        }
        // 501 is an answer: the target does not do this, and will not on another day.
        if (tried.how === 'answered' && tried.answer.status === 501) return tried.answer;
        const refused = tried.how === 'answered' && tried.answer.status === 429;
        if (!refused) breaker.failed(o.timers.now());
        const asked = tried.how === 'answered' ? tried.retryAfterMs : undefined;
        const what = tried.how === 'answered' ? errorText(tried.answer.status, tried.answer.body) : tried.error.says;
        if (asked !== undefined && asked > o.maxWaitMs) throw toldToWait(base, asked);
        // A refusal for the rate is no failure, so it is waited for as long as it takes to be let in, within reason.
        const last = attempt >= (refused ? ATTEMPTS * 5 : ATTEMPTS);
        if (a.once !== true && last) throw unanswered(a, what, attempt);
        await wait(asked === undefined ? backOff(attempt, o.timers.random()) : asked + o.timers.random() * 250, what);
        if (a.once === true && (!refused || last)) throw unsure(a, what);
      }
    },
  };
  return target;
}

type Tried = { how: 'answered'; answer: Answer; retryAfterMs: number | undefined } | { how: 'lost'; error: Problem };

async function once(o: TargetOptions, base: string, profile: Profile, a: Ask, attempt: number): Promise<Tried> {
  const began = o.timers.now();
  const entry = { method: a.method, url: `${base}${a.path}`, attempt, sent: a.body };
  try {
    const response = await o.egress.fetch(
      `${base}${a.path}`,
      {
        method: a.method,
        headers: {
          authorization: `Bearer ${o.token.reveal()}`,
          accept:
            profile.mediaType === 'application/json'
              ? 'application/json'
              : 'application/scim+json, application/json;q=0.9',
          'user-agent': 'gatehouse-scim',
          ...(a.body === undefined ? {} : { 'content-type': profile.mediaType }),
          ...(a.ifMatch === undefined ? {} : { 'if-match': a.ifMatch }),
        },
        ...(a.body === undefined ? {} : { body: JSON.stringify(a.body) }),
      },
      { allowPrivate: o.allowPrivate, maxBytes: MAX_ANSWER, timeoutMs: TIMEOUT_MS },
    );
    // A target that repeats our token must not have us print it.
    const text = (await response.text()).replaceAll(o.token.reveal(), '[redacted]');
    const body = parsed(text);
    const { status } = response;
    o.journal.write({
      ...entry,
      ms: o.timers.now() - began,
      status,
      answered: body ?? (text.slice(0, 200) || undefined),
    });
    return {
      how: 'answered',
      answer: {
        status,
        ok: response.ok,
        body,
        etag: response.headers.get('etag') ?? undefined,
        text: text.slice(0, 200),
      },
      retryAfterMs: retryAfter(response.headers.get('retry-after'), o.timers.now()),
    };
  } catch (e) {
    const error =
      e instanceof Problem ? e : new Problem('upstream', 'scim/lost', { says: 'the answer was lost', because: e });
    o.journal.write({ ...entry, ms: o.timers.now() - began, status: undefined, error: error.message });
    // Asking again would not help: our own configuration forbids the address, or the certificate is wrong.
    if (error.kind === 'invalid') throw withFlag(error);
    if (error.code === 'egress/certificate' || error.code === 'egress/too-large') throw error;
    return { how: 'lost', error };
  }
}

function parsed(text: string): Json | undefined {
  try {
    const v: unknown = JSON.parse(text);
    return isJson(v) ? v : undefined;
  } catch {
    return undefined;
  }
}

/** Answers after which nothing else will go better. */
function refuseStrangers(base: string, a: Answer): void {
  const host = new URL(base).host;
  if (a.status === 401)
    throw new Problem('unauthenticated', 'scim/token-refused', {
      says: `${host} does not take the token: ${errorText(401, a.body)}`,
      fix: 'make a new token there and put it where --token-file or --token-env points',
    });
  if (a.status >= 300 && a.status < 400 && a.status !== 304)
    throw new Problem('upstream', 'scim/redirect', {
      says: `${host} answers with a redirect, which would carry the token to another address`,
      fix: 'give the address that it redirects to, if you trust it',
    });
  if (a.ok && a.status !== 204 && a.body === undefined && a.text !== '')
    throw new Problem('upstream', 'scim/odd-answer', {
      says: `${host} answers ${a.status} with something that is not a JSON object`,
      fix: 'check that the address is the SCIM server and not its web page; the journal shows its answers',
    });
}

/** The server's words speak of connectors; here a flag does it. */
const withFlag = (p: Problem): Problem =>
  p.code === 'egress/private-address' || p.code === 'egress/plain-http'
    ? new Problem(p.kind, p.code, {
        says: p.says,
        fix: 'if it is a system of yours, name it: --allow-private HOST or HOST:PORT',
        because: p,
      })
    : p;

const gaveUp = (base: string): Problem =>
  new Problem('unavailable', 'scim/circuit-open', {
    says: `${new URL(base).host} has failed again and again, so nothing more is sent to it`,
    fix: 'find out how it is; then run the same command again, which goes on where this one stopped',
  });

const toldToWait = (base: string, ms: number): Problem =>
  new Problem('unavailable', 'scim/told-to-wait', {
    says: `${new URL(base).host} asks us to come back in ${Math.ceil(ms / 1000)} s`,
    fix: 'run the same command again then, or let it wait with --max-wait SECONDS',
  });

const unanswered = (a: Ask, what: string, attempts: number): Problem =>
  new Problem('upstream', 'scim/unanswered', {
    says: `${a.method} ${a.path.split('?')[0]} was not answered in ${attempts} attempts: ${what}`,
    fix: 'run the same command again; what is done is not done twice',
  });

const unsure = (a: Ask, what: string): Problem =>
  new Problem('upstream', 'scim/unsure', {
    says: `we do not know whether ${a.method} ${a.path.split('?')[0]} was done: ${what}`,
    fix: 'run the same command again; it looks first',
  });
