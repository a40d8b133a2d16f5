import { change } from '#audit/change.ts';
import type { Ctx, OrgCtx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { lookupOrgParent } from '#org/org.sql.ts';
import { hashSecret } from '../cookies.ts';
import { closeTest } from '../enforcement/close-test.ts';
import { returnPath } from '../return-path.ts';
import { insertAttempt, takeAttempt, type Attempt } from '../sign-in-attempt.sql.ts';
import { refusal, SignInRefused } from '../sign-in-refusal.ts';
import type { Stage } from '../sign-in-trace.ts';
import { noSuchConnection } from '../sso-connection.ts';
import type { SamlConnection } from './connection.ts';
import { findSamlConnection, findSamlConnectionByIssuer } from './connection.sql.ts';
import { domainStage, expectationsOf } from './expectations.ts';
import type { Claims, Peeked } from './judge-response.ts';
import { judge, peek } from './judges.ts';
import { newMessageId } from './message.ts';
import { failedStage, recordRefusal } from './record-refusal.ts';
import { refuse } from './refuse.ts';
import { connectionDisabled } from './start-saml-sign-in.ts';
import { findAttempt, findSeen, lockUnanswered, saveArrived, type HeldAgainst } from './state.sql.ts';

/** Time for the browser to follow one redirect. */
const FETCH_MS = 2 * 60_000;
const MESSAGE_ID = /^_[0-9a-f]{40}$/;

/** What waits, sealed, for the browser to fetch it. */
export type Arrived = {
  claims: Claims;
  stages: readonly Stage[];
  message: string;
  expected: HeldAgainst;
};

export const arrivedPlace = (parent: Id<'par'>, state: Buffer) => ({
  table: 'sign_in_attempt',
  scope: parent,
  row: state.toString('hex'),
  generation: 2,
});

/**
 * Takes a response that an identity provider had a browser post to us, judges it, and keeps what it proves for the same browser's next
 * request. A post from another site comes without our cookies, so nobody is signed in here: the redirect that follows brings them, and
 * `finishSamlSignIn` compares.
 * @returns the path by which to go on
 */
export async function receiveResponse(
  anybody: Ctx,
  org: Id<'org'>,
  m: { message: string; relayState: string | undefined },
): Promise<string> {
  const parent = (await anybody.db.lookup(lookupOrgParent(org)))?.parent;
  if (!parent) throw noSuchConnection();
  const ctx: OrgCtx = { ...anybody, parent, org, actor: { kind: 'nobody' } };

  let peeked: Peeked | undefined;
  let unreadable: SignInRefused | undefined;
  try {
    peeked = await peek(m.message);
  } catch (e) {
    if (!(e instanceof SignInRefused)) throw e;
    unreadable = e;
  }
  const asked = peeked?.inResponseTo ?? (unreadable ? m.relayState : undefined);
  const { connection, attempt, state } = await whose(ctx, asked, peeked);
  if (!connection) throw unreadable ? stranger(unreadable) : unknownIssuer(peeked?.issuer);
  const request = peeked?.inResponseTo;
  const expected: HeldAgainst = { now: ctx.now.getTime(), request: request ?? null };
  const stages: Stage[] = [];
  try {
    if (unreadable) throw unreadable;
    // A connection is tested before it is switched on.
    if (connection.state !== 'active' && !attempt?.test) throw connectionDisabled(connection.name);
    refuseUnasked(connection, request, attempt, ctx.now);
    const returnTo = relayed(m.relayState, request, ctx.origin);
    const x = await expectationsOf(ctx, connection, { now: ctx.now, request, encrypted: peeked?.encrypted === true });
    const verdict = await judge(m.message, x);
    stages.push(...verdict.stages);
    if (!verdict.ok) throw new SignInRefused(verdict.refusal);
    stages.push(await domainStage(ctx, connection, verdict.claims.asserted.email));
    const used = verdict.claims.assertion;
    if (await ctx.db.read({ parent: ctx.parent }, (db) => findSeen(db, connection.id, 'assertion', used)))
      throw replayed(used);
    const id = await keep(
      ctx,
      connection,
      { claims: verdict.claims, stages, message: m.message, expected },
      { request, returnTo },
    );
    return `/saml/finish/${id}`;
  } catch (e) {
    if (!(e instanceof SignInRefused)) throw e;
    const ended =
      state &&
      (await change({ ...ctx, org: undefined }, async (tx) => ({
        value: await takeUnanswered(tx, state),
        unchanged: true,
      })));
    if (ended?.intent.kind === 'test') {
      const trace = newId('sgn', ctx.now.getTime());
      const all = [ended.discovery, ...stages, failedStage(e)];
      await closeTest(ctx, ended.intent, {
        connection,
        claims: undefined,
        trace,
        stages: all,
        outcome: e.refusal.code,
      });
      return ended.returnTo;
    }
    const before = ended ? [ended.discovery] : [];
    throw await recordRefusal(
      ctx,
      { connection, loose: !ended, stages: [...before, ...stages], subject: null, message: m.message, expected },
      e,
    );
  }
}

/** Ends an attempt that waits for its answer. One that was answered belongs to its browser: a second post must not take it away. */
const takeUnanswered = async (tx: Tx, state: Buffer): Promise<Attempt | undefined> =>
  (await lockUnanswered(tx, state)) && takeAttempt(tx, state);

export const replayed = (assertion: string): SignInRefused =>
  refuse('identity/saml-replay', 'this assertion was used already', { found: assertion, expected: 'one that was not' });

type Waiting = Awaited<ReturnType<typeof findAttempt>>;

/** The connection that a response can only be of: that of the request it answers, else of the issuer it names. */
async function whose(
  ctx: OrgCtx,
  asked: string | undefined,
  peeked: Peeked | undefined,
): Promise<{ connection: SamlConnection | undefined; attempt: Waiting; state: Buffer | undefined }> {
  const state = asked !== undefined && MESSAGE_ID.test(asked) ? hashSecret(asked) : undefined;
  return ctx.db.read({ parent: ctx.parent }, async (db) => {
    const attempt = state && (await findAttempt(db, state));
    const ofRequest = attempt && (await findSamlConnection(db, attempt.connection));
    if (ofRequest && ofRequest.org === ctx.org) return { connection: ofRequest, attempt, state };
    const issuer = peeked?.issuer;
    const ofIssuer = issuer === undefined ? undefined : await findSamlConnectionByIssuer(db, ctx.org, issuer);
    return { connection: ofIssuer, attempt: undefined, state: undefined };
  });
}

function refuseUnasked(c: SamlConnection, request: string | undefined, attempt: Waiting, now: Date): void {
  if (request === undefined) {
    if (c.idpInitiated) return;
    throw refuse(
      'identity/saml-unsolicited',
      'the identity provider sent you here without being asked, which this connection does not allow',
      {
        found: 'a response without InResponseTo',
        expected: 'an answer to a request of ours',
        fix: 'begin at /sign-in; whoever manages sign-in can allow this for the connection',
      },
    );
  }
  if (!attempt || attempt.answered)
    throw refuse(
      'identity/saml-in-response-to-unknown',
      'this answers a sign-in that was finished already, took too long, or was not begun here',
      {
        found: request,
        expected: 'a request of ours that waits for its answer',
        fix: 'begin again at /sign-in',
      },
    );
  if (attempt.expiresAt <= now)
    throw refusal('redirect', 'identity/attempt-expired', {
      says: 'this sign-in took longer than 15 minutes',
      fix: 'begin again at /sign-in',
      found: `ended ${attempt.expiresAt.toISOString()}`,
    });
}

/** Where to go afterwards. Of our own requests it is kept here; an unsolicited response may name a path of ours, never another site. */
function relayed(relayState: string | undefined, request: string | undefined, origin: string): string {
  const foreign = (found: string) =>
    refuse('identity/saml-relay-state', 'the identity provider sent along another place to go than we gave it', {
      found,
      expected: request === undefined ? `nothing, or an address below ${origin}` : 'what we sent',
      fix: 'begin again at /sign-in',
    });
  if (relayState === undefined || relayState === '') return '/';
  if (request !== undefined) {
    if (relayState === request) return '/';
    throw foreign(relayState);
  }
  if (Buffer.byteLength(relayState) > 80) throw foreign(`${Buffer.byteLength(relayState)} bytes; 80 are the most`);
  try {
    return returnPath(relayState.startsWith(`${origin}/`) ? relayState.slice(origin.length) : relayState);
  } catch (e) {
    if (e instanceof Problem) throw foreign(relayState);
    throw e;
  }
}

/** Puts what was proved where only the holder of the id finds it. For our own request that is its attempt, which can be answered once. */
async function keep(
  ctx: OrgCtx,
  c: SamlConnection,
  arrived: Arrived,
  to: { request: string | undefined; returnTo: string },
): Promise<string> {
  const id = to.request ?? newMessageId();
  const state = hashSecret(id);
  const sealed = await ctx.seal.seal(arrivedPlace(ctx.parent, state), Buffer.from(JSON.stringify(arrived)));
  await change({ ...ctx, org: undefined }, async (tx) => {
    if (to.request === undefined)
      await insertAttempt(
        tx,
        state,
        {
          connection: c.id,
          // No request of ours: nobody's browser is bound to it.
          nonce: '',
          verifierSealed: Buffer.alloc(0),
          browserHash: Buffer.alloc(0),
          returnTo: to.returnTo,
          intent: { kind: 'sign_in' },
          discovery: { stage: 'connection', ok: true, found: `${c.issuer.slice(0, 200)}, unasked` },
          expiresAt: new Date(ctx.now.getTime() + FETCH_MS),
        },
        ctx.now,
      );
    if ((await saveArrived(tx, state, sealed)) === 0)
      throw refuse('identity/saml-in-response-to-unknown', 'this sign-in was answered a moment ago', {
        found: id,
        fix: 'begin again at /sign-in',
      });
    // No event: nobody is signed in yet. How it ends is told (session.opened, identity.linked, sign_in.refused).
    return { value: undefined, unchanged: true };
  });
  return id;
}

const unknownIssuer = (issuer: string | undefined): Problem =>
  new Problem('forbidden', 'identity/saml-unknown-issuer', {
    says:
      issuer === undefined
        ? 'this response does not say which identity provider it is from'
        : `no connection of this organization is with ${issuer.slice(0, 200)}`,
    fix: 'compare the entity ID at the identity provider with the connection, and our address there with the organization',
  });

/** What nobody can say whose it is, is refused without a trace: there is no connection that it could be shown under. */
const stranger = (e: SignInRefused): Problem => {
  const { code, says, fix } = e.refusal;
  return new Problem('invalid', code, { says, fix, because: e });
};
