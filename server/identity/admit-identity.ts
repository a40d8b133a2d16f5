import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import type { Reader, Tx } from '#kernel/db.ts';
import { newId, type Id } from '#kernel/id.ts';
import { findUserIdByExternalId } from '#directory/scim-user.sql.ts';
import { listOrgsOfUser } from '#org/org.sql.ts';
import { lockUser } from '#org/user.sql.ts';
import { hashSecret } from './cookies.ts';
import { identityEvents } from './identity.events.ts';
import { findLinkedUser, insertLink, saveLinkUsed, type IdentityKey } from './identity-link.sql.ts';
import { openSession, type Browser } from './open-session.ts';
import type { IdClaims } from './relying-party.ts';
import { stateOfSession } from './session.ts';
import { lookupSession } from './session.sql.ts';
import type { Intent } from './sign-in-attempt.sql.ts';
import { refusal, type SignInRefused } from './sign-in-refusal.ts';
import type { Stage } from './sign-in-trace.ts';
import { insertTrace } from './sign-in-trace.sql.ts';
import type { SsoConnection } from './sso-connection.ts';

/** What came of an identity that its provider vouches for. */
export type Admitted = { kind: 'signed_in'; user: Id<'usr'>; cookie: string } | { kind: 'linked'; user: Id<'usr'> };

type Arrival = {
  connection: SsoConnection;
  claims: IdClaims;
  intent: Intent;
  browser: Browser;
  trace: Id<'sgn'>;
  /** Of the stages before; those of here are added to the trace. */
  stages: readonly Stage[];
};

/** Judges who a proved identity is here, and lets them in or links it: one change with its trace and its events. */
export async function admitIdentity(ctx: Ctx, a: Arrival): Promise<Admitted> {
  const key: IdentityKey = { connection: a.connection.id, issuer: a.claims.issuer, subject: a.claims.subject };
  if (a.intent.kind === 'link') return linkToSignedIn(ctx, a, key, a.intent);

  const who = await ctx.db.read(scopeOf(ctx), (db) => findAccount(db, a, key));
  if (!who) throw noAccount(a);
  const { user, fresh } = who;
  const session = newId('ses', ctx.now.getTime());
  return change({ ...ctx, actor: { kind: 'user', id: user, session } }, async (tx) => {
    await refuseWhoMayNotEnter(tx, a, user);
    const made = fresh && (await insertLink(tx, key, { user, madeBy: 'directory', at: ctx.now })) === 1;
    // Another tab may have made the same link meanwhile; another person may have made another.
    if ((await findLinkedUser(tx, key))?.user !== user) throw noAccount(a);
    await saveLinkUsed(tx, key, ctx.now);
    const opened = await openSession(
      tx,
      ctx,
      { id: session, user },
      { connection: key.connection, browser: a.browser },
    );
    await insertTrace(tx, {
      id: a.trace,
      at: ctx.now,
      connection: key.connection,
      user,
      subject: key.subject,
      outcome: 'signed_in',
      stages: [
        ...a.stages,
        { stage: 'link', ok: true, found: fresh ? `directory user with this externalId: ${user}` : `link to ${user}` },
        { stage: 'session', ok: true, found: session },
      ],
    });
    return {
      value: { kind: 'signed_in', user, cookie: opened.cookie },
      events: [
        event(identityEvents, 'session.opened', {
          session,
          user,
          via: 'oidc',
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
async function findAccount(
  db: Reader,
  a: Arrival,
  key: IdentityKey,
): Promise<{ user: Id<'usr'>; fresh: boolean } | undefined> {
  const linked = await findLinkedUser(db, key);
  if (linked) return { user: linked.user, fresh: false };
  if (!a.connection.matchDirectory) return undefined;
  for (const externalId of [a.claims.subject, a.claims.oid]) {
    const user = externalId === undefined ? undefined : await findUserIdByExternalId(db, externalId);
    if (user) return { user, fresh: true };
  }
  return undefined;
}

const askWithNumber = 'ask whoever manages people in your organization; with the number below they see what happened';

const noAccount = (a: Arrival): SignInRefused =>
  refusal('link', 'identity/no-account', {
    says: `${a.connection.name} let you through, but nobody here has given you access yet`,
    fix: askWithNumber,
    found: `sub ${a.claims.subject}${a.claims.oid ? `, oid ${a.claims.oid}` : ''}`,
    expected: a.connection.matchDirectory
      ? 'a linked identity, or one directory user whose externalId is the sub or the oid'
      : 'a linked identity; this connection does not match directory users',
  });

async function refuseWhoMayNotEnter(tx: Tx, a: Arrival, user: Id<'usr'>): Promise<void> {
  const state = (await lockUser(tx, user))?.state;
  if (state !== 'active')
    throw refusal('link', 'identity/suspended', {
      says: 'your account is suspended',
      fix: askWithNumber,
      found: `${user} is ${state ?? 'missing'}`,
      expected: 'an active user',
    });
  if ((await listOrgsOfUser(tx, user)).length === 0)
    throw refusal('link', 'identity/no-organization', {
      says: `${a.connection.name} let you through, but no organization here has given you access yet`,
      fix: askWithNumber,
      found: `${user} is a member of no organization`,
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
