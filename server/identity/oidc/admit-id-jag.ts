import { createHash } from 'node:crypto';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { lockUser } from '#org/user.sql.ts';
import { refuseElsewhere } from '../access/org-access.ts';
import { findAccount, type Proved } from '../admit-identity.ts';
import { meetEnforcement } from '../enforcement/meet-enforcement.ts';
import { identityEvents } from '../identity.events.ts';
import { findLinkedUser, insertLink, type IdentityKey } from '../identity-link.sql.ts';
import { refusal, SignInRefused } from '../sign-in-refusal.ts';
import { cut, type Stage, type StageName } from '../sign-in-trace.ts';
import { countRefusedAssertions, insertTrace } from '../sign-in-trace.sql.ts';
import { findConnection } from '../sso-connection.sql.ts';
import type { IdJagMode, SsoConnection } from '../sso-connection.ts';
import { freshDiscovery } from '../start-sign-in.ts';
import { deleteOldIdJagSeen, insertIdJagSeen, listPlaces, lookupIdJagIssuer } from './id-jag.sql.ts';
import { issuerNamed, readIdJag, type IdJag } from './id-jag.ts';
import { keySetOf } from './key-set.ts';
import { oidcEvents } from './oidc.events.ts';
import { saidOf } from './read-claims.ts';
import { refuseOtherTenant } from './tenant.ts';

/** So many refusals of one connection's assertions in ten minutes leave a trace, the rest a line in our log. */
const MAX_REFUSED = 100;
const WINDOW_MS = 10 * 60_000;

type Shown<T> = {
  assertion: string;
  /** The client that shows it, as the token endpoint knows it. */
  client: string;
  /** Thumbprint of the key that the client has proved to have. */
  jkt: string | undefined;
  /** What the token would be for, from what the assertion says; throws a SignInRefused when that is nothing. */
  terms: (said: IdJag, most: Exclude<IdJagMode, 'off'>) => { value: T; found: string };
};

export type Vouched<T> = {
  trace: Id<'sgn'>;
  connection: Id<'sso'>;
  parent: Id<'par'>;
  org: Id<'org'>;
  member: Id<'mem'>;
  user: Id<'usr'>;
  terms: T;
};

/**
 * Takes an identity provider's word that a client may act for a person (ID-JAG), once. Everything that a sign-in asks is asked: the
 * connection, the account by its identity and never by e-mail, the organization's enforcement and addresses. It makes no account, moves no
 * role and opens no session. Every assertion of a known issuer leaves a trace; a refusal is thrown as a Problem with its number.
 */
export async function admitIdJag<T>(anybody: Ctx, shown: Shown<T>): Promise<Vouched<T>> {
  const c = await connectionOf(anybody, issuerNamed(shown.assertion));
  if (!c) {
    anybody.log.info({ client: cut(shown.client) }, 'an assertion of an unknown issuer was refused');
    throw new Problem('forbidden', 'identity/id-jag-unknown-issuer', {
      says: 'this is no assertion of an identity provider that is connected here',
      fix: 'connect the identity provider and let it give agents tokens (idJag); its issuer must be spelt exactly so',
    });
  }
  const { parent, connection } = c;
  const ctx: Ctx = { ...anybody, parent, org: undefined, actor: { kind: 'nobody' } };
  const trace = newId('sgn', ctx.now.getTime());
  const stages: Stage[] = [];
  const at: { stage: StageName; subject: string | null } = { stage: 'connection', subject: null };
  const held = (next: StageName, found?: string): void => {
    stages.push({ stage: at.stage, ok: true, ...(found === undefined ? {} : { found: cut(found) }) });
    at.stage = next;
  };
  try {
    return await judge({ ctx, connection, shown, trace, stages, at, held });
  } catch (e) {
    const failed = failureOf(e, at.stage);
    if (!failed) throw e;
    // The signature held; it is what the assertion claims that was refused.
    if (failed.stage === 'claims' && at.stage === 'token') stages.push({ stage: 'token', ok: true });
    await keepRefusal(ctx, {
      trace,
      connection: connection.id,
      client: shown.client,
      subject: at.subject,
      stages,
      failed,
    });
    const { code, says, fix } = failed;
    throw new Problem('forbidden', code, { says, fix, more: { trace, stage: failed.stage }, because: e });
  }
}

type Judging<T> = {
  ctx: Ctx;
  connection: SsoConnection;
  shown: Shown<T>;
  trace: Id<'sgn'>;
  stages: Stage[];
  at: { stage: StageName; subject: string | null };
  held: (next: StageName, found?: string) => void;
};

async function judge<T>({ ctx, connection: known, shown, trace, stages, at, held }: Judging<T>): Promise<Vouched<T>> {
  const { idJag } = known;
  if (idJag === 'off' || known.state !== 'active')
    throw refusal('connection', 'identity/id-jag-off', {
      says: `${known.name} does not give agents tokens here`,
      fix: 'whoever manages sign-in in your organization can switch it on (idJag)',
      found: `state ${known.state}, idJag ${idJag}`,
    });
  const { connection } = await freshDiscovery(ctx, known);
  held('token', connection.name);
  const said = await readIdJag(shown.assertion, keySetOf(ctx, connection), {
    issuer: connection.discovery.issuer,
    audience: ctx.origin,
    client: shown.client,
    now: ctx.now,
  });
  at.subject = said.subject;
  held('claims');
  refuseOtherTenant(connection, said.claims);
  if (said.jkt !== undefined && said.jkt !== shown.jkt)
    throw refusal('claims', 'identity/id-jag-key', {
      says: 'the assertion is bound to a key, and the client has not proved to have it',
      fix: 'send a DPoP proof by that key with the token request',
      found: shown.jkt === undefined ? 'no DPoP proof' : `a proof by ${shown.jkt}`,
      expected: `a proof by ${said.jkt}`,
    });
  held('link', `sub ${said.subject}, client ${shown.client}`);

  const key: IdentityKey = { connection: connection.id, issuer: said.issuer, subject: said.subject };
  const { oid } = said.claims;
  const otherId = typeof oid === 'string' && oid !== '' ? oid : undefined;
  const about = { sub: said.subject, iss: said.issuer, aud: ctx.origin, iat: 0, exp: 0, ...said.claims };
  const proved: Proved = {
    connection,
    claims: { issuer: said.issuer, subject: said.subject, oid: otherId, said: saidOf(about, otherId) },
  };
  const account = await ctx.db.read({ parent: ctx.parent }, (db) => findAccount(db, proved, key));
  if (!account)
    throw refusal('link', 'identity/id-jag-no-account', {
      says: `${connection.name} vouches for somebody who has no account here`,
      fix: 'let the person sign in here once, or have the directory send them',
      found: `sub ${said.subject}`,
      expected: 'a linked identity; never an e-mail',
    });
  const { user, fresh } = account;
  held('access', user);

  const place = await placeFor(ctx, user, said.tenant);
  await ctx.db.read({ parent: ctx.parent, org: place.org }, (db) => refuseElsewhere(db, ctx.address));
  const terms = shown.terms(said, idJag);
  held('enforcement', `${place.org}: ${terms.found}`);
  await meetEnforcement(ctx, { user, via: { kind: 'sso', connection: connection.id } });
  held('session');

  return change({ ...ctx, actor: { kind: 'system', id: 'id-jag' } }, async (tx) => {
    await deleteOldIdJagSeen(tx, ctx.now);
    const hash = createHash('sha256').update(said.jti).digest();
    if ((await insertIdJagSeen(tx, connection.id, hash, said.until)) === 0)
      throw refusal('session', 'identity/id-jag-replayed', {
        says: 'this assertion was taken already; each works once',
        fix: 'ask the identity provider for a new one',
        found: `jti ${said.jti}`,
      });
    if ((await lockUser(tx, user))?.state !== 'active') throw suspended(user);
    const linked = fresh && (await insertLink(tx, key, { user, madeBy: 'directory', at: ctx.now })) === 1;
    // Another person may have linked this identity meanwhile.
    if ((await findLinkedUser(tx, key))?.user !== user)
      throw refusal('session', 'identity/id-jag-no-account', {
        says: 'the identity was linked to another account meanwhile',
      });
    await insertTrace(tx, {
      id: trace,
      at: ctx.now,
      method: 'id_jag',
      connection: connection.id,
      user,
      subject: said.subject,
      outcome: 'vouched',
      stages: [...stages, { stage: 'session', ok: true, found: cut(`a token for ${terms.found}`) }],
    });
    const { member, org } = place;
    const { client } = shown;
    return {
      value: { trace, connection: connection.id, parent: ctx.parent, org, member, user, terms: terms.value },
      events: [
        event(oidcEvents, 'id_jag.accepted', { trace, connection: connection.id, user, member, client }),
        ...(linked
          ? [event(identityEvents, 'identity.linked', { user, connection: connection.id, by: 'directory' })]
          : []),
      ],
    };
  });
}

/** The connection that an issuer belongs to. One that takes no assertions is named only where no second parent has the same issuer. */
async function connectionOf(
  anybody: Ctx,
  issuer: string | undefined,
): Promise<{ parent: Id<'par'>; connection: SsoConnection } | undefined> {
  const found = issuer === undefined ? undefined : await anybody.db.lookup(lookupIdJagIssuer(issuer));
  if (!found) return undefined;
  const { parent, shared } = found;
  const connection = await anybody.db.read({ parent }, (db) => findConnection(db, found.connection));
  return connection && !(connection.idJag === 'off' && shared) ? { parent, connection } : undefined;
}

const suspended = (user: Id<'usr'>): SignInRefused =>
  refusal('access', 'identity/id-jag-suspended', {
    says: 'the account is suspended',
    fix: 'ask whoever manages people in your organization',
    found: `${user} is not active`,
  });

/** In which organization the agent will act: the one that the assertion names, else the only one. */
async function placeFor(
  ctx: Ctx,
  user: Id<'usr'>,
  tenant: string | undefined,
): Promise<{ org: Id<'org'>; member: Id<'mem'> }> {
  const places = await ctx.db.read({ parent: ctx.parent }, (db) => listPlaces(db, user));
  if (places.some((p) => p.state !== 'active')) throw suspended(user);
  const [place, ...others] = places.filter((p) => tenant === undefined || p.org === tenant);
  if (!place)
    throw refusal('access', 'identity/id-jag-no-organization', {
      says:
        tenant === undefined
          ? 'the person belongs to no organization'
          : 'the person does not belong to that organization',
      fix: 'give the person access, or name another organization in aud_tenant',
      found: tenant === undefined ? `${user}: no membership` : `aud_tenant ${tenant}`,
    });
  if (others.length > 0)
    throw refusal('access', 'identity/id-jag-which-organization', {
      says: 'the person belongs to several organizations, and the assertion does not say which one is meant',
      fix: 'have the identity provider put the id of one into aud_tenant',
      found: `${places.length} memberships`,
      expected: `aud_tenant: ${places.map((p) => p.org).join(' or ')}`,
    });
  return place;
}

type Failed = Extract<Stage, { ok: false }>;

function failureOf(e: unknown, stage: StageName): Failed | undefined {
  if (e instanceof SignInRefused) {
    const { code, says, fix, found, expected, stage: where } = e.refusal;
    return {
      stage: where,
      ok: false,
      code,
      says,
      ...(found === undefined ? {} : { found }),
      ...(expected === undefined ? {} : { expected }),
      ...(fix === undefined ? {} : { fix }),
    };
  }
  if (!(e instanceof Problem) || e.kind === 'bug' || e.kind === 'unavailable') return undefined;
  return { stage, ok: false, code: e.code, says: e.says, ...(e.fix === undefined ? {} : { fix: e.fix }) };
}

const keepRefusal = (
  ctx: Ctx,
  r: {
    trace: Id<'sgn'>;
    connection: Id<'sso'>;
    client: string;
    subject: string | null;
    stages: Stage[];
    failed: Failed;
  },
): Promise<void> =>
  change(ctx, async (tx) => {
    const { connection, trace, client } = r;
    const { code } = r.failed;
    const since = newId('sgn', ctx.now.getTime() - WINDOW_MS);
    if ((await countRefusedAssertions(tx, { connection, since, most: MAX_REFUSED })).n >= MAX_REFUSED) {
      ctx.log.info({ trace, connection, code }, 'an assertion was refused and left no trace');
      return { value: undefined, unchanged: true };
    }
    await insertTrace(tx, {
      id: trace,
      at: ctx.now,
      method: 'id_jag',
      connection,
      user: null,
      subject: r.subject,
      outcome: code,
      stages: [...r.stages, r.failed],
    });
    return { value: undefined, events: [event(oidcEvents, 'id_jag.refused', { trace, connection, client, code })] };
  });
