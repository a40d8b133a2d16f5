import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import type { Reader, Tx } from '#kernel/db.ts';
import { newId, type Id } from '#kernel/id.ts';
import { takesNew } from '#domains/home.ts';
import { findUserIdByExternalId } from '#directory/scim-user.sql.ts';
import { findUserByEmail, insertUser, lockUser } from '#org/user.sql.ts';
import { admitAtSignIn, judgeStranger, noteSignIn } from '#provisioning/admit-at-sign-in.ts';
import { provisioningEvents } from '#provisioning/provisioning.events.ts';
import { doorWords, tracedVerdicts, type SaidAtSignIn, type Verdict } from '#provisioning/sign-in.ts';
import { hashSecret } from './cookies.ts';
import { closeTest } from './enforcement/close-test.ts';
import { meetEnforcement } from './enforcement/meet-enforcement.ts';
import { identityEvents } from './identity.events.ts';
import { findLinkedUser, insertLink, saveLinkUsed, type IdentityKey } from './identity-link.sql.ts';
import { openSession, type Browser } from './open-session.ts';
import type { IdClaims } from './relying-party.ts';
import { stateOfSession } from './session.ts';
import { lookupSession } from './session.sql.ts';
import type { Intent } from './sign-in-attempt.sql.ts';
import { refusal, type SignInRefused } from './sign-in-refusal.ts';
import { cut, type Stage } from './sign-in-trace.ts';
import { insertTrace } from './sign-in-trace.sql.ts';
import type { SsoConnection } from './sso-connection.ts';

/** What came of an identity that its provider vouches for. */
export type Admitted =
  | { kind: 'signed_in'; user: Id<'usr'>; cookie: string }
  | { kind: 'linked'; user: Id<'usr'> }
  /** A dry sign-in: nothing has changed. */
  | { kind: 'tested' };

/** An identity that its provider vouches for. */
export type Proved = { connection: Pick<SsoConnection, 'id' | 'name' | 'matchDirectory'>; claims: IdClaims };

type Arrival = Proved & {
  intent: Intent;
  browser: Browser;
  trace: Id<'sgn'>;
  /** Of the stages before; those of here are added to the trace. */
  stages: readonly Stage[];
  /** How the identity was proved; OpenID Connect unless it says so. */
  via?: 'saml';
  /** The session ends then at the latest. */
  until?: Date | undefined;
  /** What may be done once only, in the transaction that does what the sign-in is for; throws to refuse. */
  once?: (tx: Tx) => Promise<void>;
  /** What belongs to the session, written in its transaction. */
  keep?: (tx: Tx, who: { user: Id<'usr'>; session: Id<'ses'> }) => Promise<void>;
};

/** Judges who a proved identity is here, and lets them in or links it: one change with its trace and its events. */
export async function admitIdentity(ctx: Ctx, a: Arrival): Promise<Admitted> {
  const key: IdentityKey = { connection: a.connection.id, issuer: a.claims.issuer, subject: a.claims.subject };
  if (a.intent.kind === 'link') return linkToSignedIn(ctx, a, key, a.intent);
  if (a.intent.kind === 'test') {
    await closeTest(ctx, a.intent, { ...a, stages: a.stages });
    return { kind: 'tested' };
  }

  const said: SaidAtSignIn = { ...a.claims.said, connection: a.connection.id };
  // INVARIANT (once): what proves the identity is spent before anything is decided on it, so a copy of it moves no role and makes no account.
  const { once } = a;
  if (once)
    await change(ctx, async (tx) => {
      await once(tx);
      return { value: undefined, unchanged: true };
    });
  const known = await ctx.db.read(scopeOf(ctx), (db) => findAccount(db, a, key));
  // Before anything is decided, because a sign-in that is refused tells administrators what the identity provider sends.
  await noteSignIn(ctx, said, known?.user);
  const { user, fresh } = known ?? (await welcomeStranger(ctx, a, key, said));
  const verdicts = await admitAtSignIn(ctx, user);
  await meetEnforcement(ctx, { user, via: { kind: 'sso', connection: key.connection } });
  const session = newId('ses', ctx.now.getTime());
  return change({ ...ctx, actor: { kind: 'user', id: user, session } }, async (tx) => {
    await refuseWhoMayNotEnter(tx, a, user, verdicts, said);
    const made = fresh && (await insertLink(tx, key, { user, madeBy: 'directory', at: ctx.now })) === 1;
    // Another tab may have made the same link meanwhile; another person may have made another.
    if ((await findLinkedUser(tx, key))?.user !== user) throw noAccount(a);
    await saveLinkUsed(tx, key, ctx.now);
    const opened = await openSession(
      tx,
      ctx,
      { id: session, user },
      { via: { kind: 'sso', connection: key.connection }, browser: a.browser, until: a.until },
    );
    await a.keep?.(tx, { user, session });
    await insertTrace(tx, {
      id: a.trace,
      at: ctx.now,
      method: 'sso',
      connection: key.connection,
      user,
      subject: key.subject,
      outcome: 'signed_in',
      stages: [
        ...a.stages,
        {
          stage: 'link',
          ok: true,
          found: !known
            ? `account made: ${user}`
            : fresh
              ? `directory user with this externalId: ${user}`
              : `link to ${user}`,
        },
        { stage: 'provisioning', ok: true, found: cut(tracedVerdicts(verdicts)) },
        { stage: 'session', ok: true, found: session },
      ],
    });
    return {
      value: { kind: 'signed_in', user, cookie: opened.cookie },
      events: [
        event(identityEvents, 'session.opened', {
          session,
          user,
          via: a.via ?? 'oidc',
          connection: key.connection,
          trace: a.trace,
          replaced: opened.replaced,
        }),
        ...(made
          ? [event(identityEvents, 'identity.linked', { user, connection: key.connection, by: 'directory' })]
          : []),
      ],
    };
  });
}

/** The user of an identity: by its link, else by the directory's externalId. INVARIANT (never by e-mail): see identity-link.sql.ts. */
export async function findAccount(
  db: Reader,
  a: Proved,
  key: IdentityKey,
): Promise<{ user: Id<'usr'>; fresh: boolean } | undefined> {
  const linked = await findLinkedUser(db, key);
  if (linked) return { user: linked.user, fresh: false };
  if (!a.connection.matchDirectory) return undefined;
  for (const externalId of [a.claims.said.subject, a.claims.oid]) {
    const user = externalId === undefined ? undefined : await findUserIdByExternalId(db, externalId);
    if (user) return { user, fresh: true };
  }
  return undefined;
}

const askWithNumber = 'ask whoever manages people in your organization; with the number below they see what happened';

const notHere = (a: Proved): { says: string; fix: string } => ({
  says: `${a.connection.name} let you through, but nobody here has given you access yet`,
  fix: askWithNumber,
});

export function noAccount(a: Proved, verdicts: readonly Verdict[] = [], said?: SaidAtSignIn): SignInRefused {
  const words = said && doorWords(verdicts, said);
  if (words) return refusal('provisioning', words.code, words);
  return refusal('link', 'identity/no-account', {
    ...notHere(a),
    found: `sub ${a.claims.subject}${a.claims.oid ? `, oid ${a.claims.oid}` : ''}`,
    expected: a.connection.matchDirectory
      ? 'a linked identity, or one directory user whose externalId is the sub or the oid'
      : 'a linked identity; this connection does not match directory users',
  });
}

/**
 * Makes an account for somebody whom nobody here knows, if an organization lets sign-ins do that and would let this person in. INVARIANT
 * (never by e-mail) holds: an address that an account has already makes no second account and opens none.
 */
async function welcomeStranger(
  ctx: Ctx,
  a: Arrival,
  key: IdentityKey,
  said: SaidAtSignIn,
): Promise<{ user: Id<'usr'>; fresh: boolean }> {
  const { email } = said;
  const verified = await ctx.db.read(scopeOf(ctx), (db) => takesNew(db, ctx.parent, email));
  const verdicts = await judgeStranger(ctx, said, verified);
  if (email === undefined || !verdicts.some((v) => v.decision.admit)) throw noAccount(a, verdicts, said);
  const user = newId('usr', ctx.now.getTime());
  await change({ ...ctx, org: undefined, actor: { kind: 'system', id: 'sign-in' } }, async (tx) => {
    if (await findUserByEmail(tx, email))
      throw refusal('provisioning', 'identity/no-account', {
        ...notHere(a),
        found: `sub ${key.subject}; an account here has the address ${email}, and is linked to no identity of this connection`,
        expected: 'an address that no account has; or let the person link the identity from a session of that account',
      });
    await insertUser(
      tx,
      { id: user, email, displayName: said.displayName ?? email, state: 'active', origin: 'sign_in' },
      ctx.now,
    );
    await insertLink(tx, key, { user, madeBy: 'sign_in', at: ctx.now });
    return {
      value: undefined,
      events: [
        event(provisioningEvents, 'provisioning.account_created', { user, connection: key.connection }),
        event(identityEvents, 'identity.linked', { user, connection: key.connection, by: 'sign_in' }),
      ],
    };
  });
  await noteSignIn(ctx, said, user);
  return { user, fresh: false };
}

async function refuseWhoMayNotEnter(
  tx: Tx,
  a: Arrival,
  user: Id<'usr'>,
  verdicts: readonly Verdict[],
  said: SaidAtSignIn,
): Promise<void> {
  const state = (await lockUser(tx, user))?.state;
  if (state !== 'active')
    throw refusal('link', 'identity/suspended', {
      says: 'your account is suspended',
      fix: askWithNumber,
      found: `${user} is ${state ?? 'missing'}`,
      expected: 'an active user',
    });
  if (verdicts.some((v) => v.decision.admit)) return;
  const words = doorWords(verdicts, said);
  if (words) throw refusal('provisioning', words.code, words);
  throw refusal('provisioning', 'identity/no-organization', {
    says: `${a.connection.name} let you through, but no organization here has given you access yet`,
    fix: askWithNumber,
    found: `${user}: ${tracedVerdicts(verdicts)}`,
    expected: 'a membership, by hand or through a mapped group',
  });
}

/** Linking takes two proofs: the identity, by its provider, and the user, by a session of the same browser that is live now. */
async function linkToSignedIn(
  ctx: Ctx,
  a: Arrival,
  key: IdentityKey,
  intent: Extract<Intent, { kind: 'link' }>,
): Promise<Admitted> {
  const found = a.browser.session ? await ctx.db.lookup(lookupSession(hashSecret(a.browser.session))) : undefined;
  if (
    !found ||
    found.session !== intent.session ||
    found.user !== intent.user ||
    stateOfSession(found, ctx.now) !== 'live'
  )
    throw refusal('session', 'identity/link-without-session', {
      says: 'you are not signed in any more as the person who began to link this identity',
      fix: 'sign in again and begin again',
      found: found ? 'another or an ended session' : 'no session',
      expected: 'the session that began',
    });
  const { user, session } = intent;
  return change({ ...ctx, actor: { kind: 'user', id: user, session } }, async (tx) => {
    await a.once?.(tx);
    const owner = await findLinkedUser(tx, key);
    if (owner && owner.user !== user)
      throw refusal('link', 'identity/linked-to-other', {
        says: 'this identity is linked already, and not to you',
        fix: 'sign in at the identity provider as yourself and begin again',
        found: `link to ${owner.user}`,
        expected: `no link, or one to ${user}`,
      });
    if (!owner) await insertLink(tx, key, { user, madeBy: 'person', at: ctx.now });
    await insertTrace(tx, {
      id: a.trace,
      at: ctx.now,
      method: 'sso',
      connection: key.connection,
      user,
      subject: key.subject,
      outcome: 'linked',
      stages: [...a.stages, { stage: 'link', ok: true, found: owner ? 'was linked already' : `linked to ${user}` }],
    });
    return owner
      ? { value: { kind: 'linked', user }, unchanged: true }
      : {
          value: { kind: 'linked', user },
          events: [event(identityEvents, 'identity.linked', { user, connection: key.connection, by: 'person' })],
        };
  });
}
