import { timingSafeEqual } from 'node:crypto';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { hashSecret } from './cookies.ts';
import { closeTest } from './enforcement/close-test.ts';
import { insertClaims } from './enforcement/kept-claims.sql.ts';
import { sealedClaims } from './enforcement/kept-claims.ts';
import { whomToAsk } from './enforcement/whom-to-ask.ts';
import { identityEvents } from './identity.events.ts';
import { admitIdentity, type Admitted } from './admit-identity.ts';
import type { Browser } from './open-session.ts';
import { openCredential } from './oidc/client-credential.ts';
import { insertOidcSession } from './oidc/oidc-session.sql.ts';
import { redeemCode, type IdClaims } from './relying-party.ts';
import { lookupAttemptParent, takeAttempt, type Attempt } from './sign-in-attempt.sql.ts';
import { idpSaidNo, refusal, SignInRefused } from './sign-in-refusal.ts';
import type { Stage } from './sign-in-trace.ts';
import { insertTrace } from './sign-in-trace.sql.ts';
import { ATTEMPT_MS, verifierPlace } from './start-sign-in.ts';
import type { SsoConnection } from './sso-connection.ts';
import { findConnection } from './sso-connection.sql.ts';

export type CameBack = { query: URLSearchParams; browser: string | undefined } & Browser;
export type Finished = Admitted & { returnTo: string; trace: Id<'sgn'> };

/**
 * Ends a sign-in: the browser is back from the identity provider. Every ending of a known attempt leaves a trace; a refusal is thrown as a
 * Problem that has the trace's number and says nothing of whether another account exists.
 */
export async function finishSignIn(anybody: Ctx, back: CameBack): Promise<Finished> {
  const state = back.query.get('state') ?? '';
  const stateHash = hashSecret(state);
  const parent = state && (await anybody.db.lookup(lookupAttemptParent(stateHash)))?.parent;
  if (!parent) throw unknownAttempt();
  const ctx: Ctx = { ...anybody, parent, org: undefined, actor: { kind: 'nobody' } };
  const attempt = await change(ctx, async (tx) => ({ value: await takeAttempt(tx, stateHash), unchanged: true }));
  if (!attempt) throw unknownAttempt();
  const connection = await ctx.db.read(scopeOf(ctx), (db) => findConnection(db, attempt.connection));
  if (!connection) throw unknownAttempt();

  const trace = newId('sgn', ctx.now.getTime());
  const stages: Stage[] = [attempt.discovery];
  let subject: string | null = null;
  let proved: IdClaims | undefined;
  try {
    refuseOtherBrowser(attempt, back.browser, ctx.now);
    stages.push({ stage: 'redirect', ok: true });
    refuseBadResponse(connection, back.query);
    stages.push({ stage: 'response', ok: true });
    const claims = await redeemCode(
      ctx.egress,
      connection,
      await openCredential(ctx, connection),
      {
        origin: ctx.origin,
        query: back.query,
        now: ctx.now,
        proofSince:
          attempt.maxAge === null || attempt.maxAge === undefined
            ? undefined
            : new Date(attempt.expiresAt.getTime() - ATTEMPT_MS - attempt.maxAge * 1000),
      },
      {
        state,
        nonce: attempt.nonce,
        verifier: (await ctx.seal.open(verifierPlace(parent, stateHash), attempt.verifierSealed)).toString(),
      },
    );
    proved = claims;
    subject = claims.subject;
    stages.push({ stage: 'token', ok: true }, { stage: 'claims', ok: true, found: `sub ${claims.subject}` });
    const admitted = await admitIdentity(ctx, {
      connection,
      claims,
      intent: attempt.intent,
      browser: back,
      trace,
      stages,
      keep: async (tx, { session }) => {
        await insertOidcSession(tx, {
          session,
          connection: connection.id,
          subject: claims.subject,
          sid: claims.sid ?? null,
        });
      },
    });
    return { ...admitted, returnTo: attempt.returnTo, trace };
  } catch (e) {
    if (!(e instanceof SignInRefused)) throw e;
    const { stage, code, says, fix, found, expected } = e.refusal;
    // The code was paid in and an answer came; it is what the answer claims that was refused.
    if (stage === 'claims') stages.push({ stage: 'token', ok: true });
    stages.push({
      stage,
      ok: false,
      code,
      says,
      ...(fix === undefined ? {} : { fix }),
      ...(found === undefined ? {} : { found }),
      ...(expected === undefined ? {} : { expected }),
    });
    if (attempt.intent.kind === 'test') {
      await closeTest(ctx, attempt.intent, { connection, claims: proved, trace, stages, outcome: code });
      return { kind: 'tested', returnTo: attempt.returnTo, trace };
    }
    const keep = proved && (await sealedClaims(ctx, trace, connection.id, proved));
    await change(ctx, async (tx) => {
      await insertTrace(tx, {
        id: trace,
        at: ctx.now,
        method: 'sso',
        connection: connection.id,
        user: null,
        subject,
        outcome: code,
        stages,
      });
      if (keep) await insertClaims(tx, keep);
      return {
        value: undefined,
        events: [event(identityEvents, 'sign_in.refused', { trace, connection: connection.id, code })],
      };
    });
    const ask = proved ? await whomToAsk(ctx, { connection, claims: proved }) : [];
    const more = { trace, stage, ask, at: ctx.now.toISOString(), connection: connection.id };
    throw new Problem('forbidden', code, { says, fix, more, because: e });
  }
}

export const unknownAttempt = (): Problem =>
  new Problem('invalid', 'identity/unknown-attempt', {
    says: 'this sign-in was finished already, took longer than 15 minutes, or was not begun here',
    fix: 'begin again at /sign-in',
  });

/** INVARIANT (same browser): who finishes a sign-in began it. Else a stranger could sign you in as themselves, and read what you do there. */
export function refuseOtherBrowser(
  attempt: Pick<Attempt, 'expiresAt' | 'browserHash'>,
  browser: string | undefined,
  now: Date,
): void {
  if (attempt.expiresAt <= now)
    throw refusal('redirect', 'identity/attempt-expired', {
      says: 'this sign-in took longer than 15 minutes',
      fix: 'begin again at /sign-in',
      found: `ended ${attempt.expiresAt.toISOString()}`,
    });
  if (browser === undefined || !timingSafeEqual(hashSecret(browser), attempt.browserHash))
    throw refusal('redirect', 'identity/other-browser', {
      says: 'this sign-in was begun in another browser, or this browser keeps no cookies',
      fix: 'begin again at /sign-in in this browser',
      found: browser === undefined ? 'no cookie of a sign-in' : 'the cookie of another browser',
      expected: 'the cookie of the browser that began',
    });
}

/** What can be seen in the address alone, before anything is asked of the identity provider. */
function refuseBadResponse(c: SsoConnection, query: URLSearchParams): void {
  // RFC 9207: with it, an answer of one identity provider is never taken to another.
  const iss = query.get('iss');
  const required = c.discovery.authorization_response_iss_parameter_supported === true;
  if (iss === null ? required : iss !== c.discovery.issuer)
    throw refusal('response', 'identity/wrong-response-issuer', {
      says: 'the answer comes from another identity provider than the one that was asked',
      fix: 'begin again at /sign-in',
      found: `iss ${iss ?? 'missing'}`,
      expected: `iss ${c.discovery.issuer}`,
    });
  const error = query.get('error');
  if (error !== null) throw idpSaidNo(error, query.get('error_description') ?? undefined);
  if (!query.get('code'))
    throw refusal('response', 'identity/no-code', {
      says: 'the identity provider sent you back without a code',
      fix: 'begin again at /sign-in',
      found: [...query.keys()].join(', '),
      expected: 'code, state',
    });
}
