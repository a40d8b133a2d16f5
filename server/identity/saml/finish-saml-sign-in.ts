import { change } from '#audit/change.ts';
import type { Ctx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import { newId, type Id } from '#kernel/id.ts';
import { admitIdentity } from '../admit-identity.ts';
import { hashSecret } from '../cookies.ts';
import { closeTest } from '../enforcement/close-test.ts';
import { refuseOtherBrowser, unknownAttempt, type Finished } from '../finish-sign-in.ts';
import type { Browser } from '../open-session.ts';
import type { IdClaims } from '../relying-party.ts';
import { lookupAttemptParent, takeAttempt, type Attempt } from '../sign-in-attempt.sql.ts';
import { SignInRefused } from '../sign-in-refusal.ts';
import type { Stage } from '../sign-in-trace.ts';
import { replaceUserAttributes, type AttributeName } from '../user-attribute.sql.ts';
import type { Asserted } from './attributes.ts';
import { findSamlConnection } from './connection.sql.ts';
import type { Claims } from './judge-response.ts';
import { arrivedPlace, replayed, type Arrived } from './receive-response.ts';
import { failedStage, recordRefusal } from './record-refusal.ts';
import { findArrived, insertSamlSession, insertSeen } from './state.sql.ts';

/**
 * Ends a sign-in over SAML: the browser comes, with its cookies, for what its identity provider posted. INVARIANT (once): the session is
 * opened in the transaction that writes down the assertion as used, so that of any number of browsers, nodes and posts with one assertion,
 * one is signed in.
 */
export async function finishSamlSignIn(
  anybody: Ctx,
  m: { id: string; browser: string | undefined } & Browser,
): Promise<Finished> {
  const state = hashSecret(m.id);
  const parent = (await anybody.db.lookup(lookupAttemptParent(state)))?.parent;
  if (!parent) throw unknownAttempt();
  const ctx: Ctx = { ...anybody, parent, org: undefined, actor: { kind: 'nobody' } };
  const found = await change(ctx, async (tx) => ({ value: await take(tx, state), unchanged: true }));
  if (!found) throw unknownAttempt();
  const connection = await ctx.db.read({ parent }, (db) => findSamlConnection(db, found.attempt.connection));
  if (!connection) throw unknownAttempt();
  // Sealed by us a moment ago, so its form is ours.
  const {
    claims,
    stages: before,
    message,
    expected,
  }: Arrived = JSON.parse((await ctx.seal.open(arrivedPlace(parent, state), found.arrived)).toString());

  const stages: Stage[] = [found.attempt.discovery, ...before];
  const trace = newId('sgn', ctx.now.getTime());
  const proved = idClaimsOf(claims);
  try {
    // An unsolicited response is nobody's request, so there is no browser to compare with.
    if (found.attempt.nonce !== '') {
      refuseOtherBrowser(found.attempt, m.browser, ctx.now);
      stages.push({ stage: 'redirect', ok: true });
    }
    const admitted = await admitIdentity(ctx, {
      connection,
      claims: proved,
      intent: found.attempt.intent,
      browser: m,
      trace,
      stages,
      via: 'saml',
      until: claims.sessionEnds === undefined ? undefined : new Date(claims.sessionEnds),
      once: async (tx) => {
        if ((await insertSeen(tx, connection.id, 'assertion', claims.assertion, new Date(claims.until))) === 0)
          throw replayed(claims.assertion);
      },
      keep: async (tx, { user, session }) => {
        await insertSamlSession(tx, {
          session,
          connection: connection.id,
          nameId: claims.nameId,
          index: claims.sessionIndexes[0],
        });
        await keepAttributes(tx, user, connection.id, claims.asserted, ctx.now);
      },
    });
    return { ...admitted, returnTo: found.attempt.returnTo, trace };
  } catch (e) {
    if (!(e instanceof SignInRefused)) throw e;
    const { intent, returnTo } = found.attempt;
    if (intent.kind === 'test') {
      const outcome = e.refusal.code;
      await closeTest(ctx, intent, { connection, claims: proved, trace, stages: [...stages, failedStage(e)], outcome });
      return { kind: 'tested', returnTo, trace };
    }
    throw await recordRefusal(
      ctx,
      { connection, loose: false, claims: proved, stages, subject: proved.subject, message, expected },
      e,
    );
  }
}

/** Of two browsers that come for the same, one gets it. What was begun and not answered stays where it is. */
async function take(tx: Tx, state: Buffer): Promise<{ attempt: Attempt; arrived: Buffer } | undefined> {
  const found = await findArrived(tx, state);
  const attempt = found && (await takeAttempt(tx, state));
  return found && attempt && { attempt, arrived: found.arrived };
}

/** What a response proved, in the words that all kinds of identity providers share. The format of a name is part of the key. */
export function idClaimsOf({ issuer, nameId, asserted: a, received }: Claims): IdClaims {
  const full = [a.firstName, a.lastName].filter((p) => p !== undefined).join(' ');
  return {
    issuer,
    subject: `${nameId.format}:${nameId.value}`,
    oid: a.objectId,
    said: {
      // As directories know it.
      subject: nameId.value,
      otherId: a.objectId,
      email: a.email,
      displayName: full === '' ? undefined : full,
      groups: a.groups === 'overage' ? 'too_many' : (a.groups ?? []),
      department: a.department,
    },
    received,
  };
}

function keepAttributes(tx: Tx, user: Id<'usr'>, connection: Id<'sso'>, a: Asserted, at: Date): Promise<void> {
  const all: [AttributeName, readonly string[] | undefined][] = [
    ['email', [a.email]],
    ['first_name', a.firstName === undefined ? undefined : [a.firstName]],
    ['last_name', a.lastName === undefined ? undefined : [a.lastName]],
    ['department', a.department === undefined ? undefined : [a.department]],
    ['manager_email', a.managerEmail === undefined ? undefined : [a.managerEmail]],
    ['groups', a.groups === 'overage' ? undefined : a.groups],
  ];
  const said = new Map(all.flatMap(([name, values]) => (values === undefined ? [] : [[name, values] as const])));
  // Too many groups to send is not the same as none: what was known stays.
  return replaceUserAttributes(tx, user, connection, said, at, a.groups === 'overage' ? ['groups'] : []);
}
