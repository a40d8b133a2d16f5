import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx, OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { lookupOrgParent } from '#org/org.sql.ts';
import { identityEvents } from '../identity.events.ts';
import { saveSessionRevoked } from '../session.sql.ts';
import { noSuchConnection } from '../sso-connection.ts';
import { MAX_SKEW_MS } from './conditions.ts';
import { entityId, logoutUrl, trusted, type SamlConnection } from './connection.ts';
import { findSamlConnectionByIssuer, listCertificates } from './connection.sql.ts';
import {
  asLogoutProblem,
  judgeLogout,
  peekLogout,
  refuseLogout,
  type Came,
  type LogoutMessage,
} from './logout-message.ts';
import { logoutResponse, newMessageId, send, type Sent } from './message.ts';
import { signingKey } from './our-keys.ts';
import { samlEvents } from './saml.events.ts';
import { insertSeen, listSamlSessions, takeLogout } from './state.sql.ts';

/** What came of a logout message: an answer to carry back, or the end of our own request. */
export type LoggedOut = { kind: 'answer'; sent: Sent | undefined; sessions: number } | { kind: 'done'; status: string };

/** Takes a logout message of an identity provider: ends the sessions that it means, or notes how ours went. */
export async function receiveLogout(anybody: Ctx, org: Id<'org'>, m: Came): Promise<LoggedOut> {
  const parent = (await anybody.db.lookup(lookupOrgParent(org)))?.parent;
  if (!parent) throw noSuchConnection();
  const ctx: OrgCtx = { ...anybody, parent, org, actor: { kind: 'system', id: 'saml-logout' } };
  try {
    const issuer = peekLogout(m);
    const found = await ctx.db.read({ parent }, async (db) => {
      const c = issuer === undefined ? undefined : await findSamlConnectionByIssuer(db, org, issuer);
      return c && { connection: c, certificates: await listCertificates(db, c.id) };
    });
    if (!found)
      throw refuseLogout(
        'identity/saml-logout-issuer',
        'no connection of this organization is with the sender of this message',
      );
    const { connection: c, certificates } = found;
    const message = judgeLogout(
      m,
      {
        now: ctx.now.getTime(),
        skew: Math.min(c.clockSkewSeconds * 1000, MAX_SKEW_MS),
        idp: c.issuer,
        at: logoutUrl(ctx.origin, org),
        audience: entityId(ctx.origin, org),
      },
      { certificates: certificates.map(trusted), sha1: c.sha1Until !== null && ctx.now < c.sha1Until },
    );
    return message.kind === 'request'
      ? await endSessions(ctx, c, message, m.relayState)
      : await noteAnswer(ctx, c, message);
  } catch (e) {
    throw asLogoutProblem(e);
  }
}

type Request = Extract<LogoutMessage, { kind: 'request' }>;

async function endSessions(
  ctx: OrgCtx,
  c: SamlConnection,
  m: Request,
  relayState: string | undefined,
): Promise<LoggedOut> {
  const sessions = await change({ ...ctx, org: undefined }, async (tx) => {
    if ((await insertSeen(tx, c.id, 'logout_request', m.id, new Date(m.until))) === 0)
      throw refuseLogout('identity/saml-logout-replay', 'this request to sign out was carried out already');
    const meant = await listSamlSessions(tx, c.id, {
      nameId: m.nameId.value,
      format: m.nameId.format,
      indexes: m.indexes,
    });
    for (const s of meant) await saveSessionRevoked(tx, s.user, s.session, ctx.now);
    const [first, ...rest] = meant.map((s) =>
      event(identityEvents, 'session.ended', { session: s.session, user: s.user, why: 'idp_logout' }),
    );
    return first ? { value: meant.length, events: [first, ...rest] } : { value: 0, unchanged: true };
  });
  if (!c.logout) return { kind: 'answer', sent: undefined, sessions };
  const to = c.logout.responseUrl ?? c.logout.url;
  const answer = logoutResponse({
    id: newMessageId(),
    at: ctx.now,
    to,
    issuer: entityId(ctx.origin, c.org),
    inResponseTo: m.id,
  });
  const sent = send(answer, {
    parameter: 'SAMLResponse',
    binding: c.logout.binding,
    to,
    relayState: relayState !== undefined && Buffer.byteLength(relayState) <= 80 ? relayState : undefined,
    key: await signingKey(ctx),
  });
  return { kind: 'answer', sent, sessions };
}

const noteAnswer = (
  ctx: OrgCtx,
  c: SamlConnection,
  m: Extract<LogoutMessage, { kind: 'response' }>,
): Promise<LoggedOut> =>
  change({ ...ctx, org: undefined }, async (tx) => {
    const asked = m.inResponseTo === undefined ? undefined : await takeLogout(tx, m.inResponseTo);
    if (!asked || asked.connection !== c.id || asked.expiresAt <= ctx.now)
      throw refuseLogout(
        'identity/saml-logout-unknown-request',
        'this answers a request to sign out that was not made here, or was answered already',
      );
    return {
      value: { kind: 'done', status: m.status },
      events: [event(samlEvents, 'sso.saml_logout_answered', { connection: c.id, status: m.status })],
    };
  });
