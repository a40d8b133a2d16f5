import { createHash } from 'node:crypto';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { noSuchConnection } from '../sso-connection.ts';
import { findConnection, lookupConnectionParent } from '../sso-connection.sql.ts';
import { keySetOf, NoKeySet } from './key-set.ts';
import { readLogoutToken } from './logout-token.ts';
import { oidcEvents } from './oidc.events.ts';
import { deleteOldLogoutSeen, endOidcSessions, insertLogoutSeen } from './oidc-session.sql.ts';

/** Where identity providers tell us that a person signed out there; to be registered at the provider. */
export const logoutUri = (origin: string, connection: Id<'sso'>): string =>
  `${origin}/api/oidc/${connection}/back-channel-logout`;

/**
 * Takes a back-channel logout: ends the sessions that the provider names. A session is judged at each request, so every node refuses it from
 * the moment of the commit. What agents hold stands on a consent of its own and goes on: it is not a session of the provider's.
 */
export async function receiveLogout(anybody: Ctx, id: Id<'sso'>, token: string): Promise<{ ended: number }> {
  const parent = (await anybody.db.lookup(lookupConnectionParent(id)))?.parent;
  if (!parent) throw noSuchConnection();
  const ctx: Ctx = { ...anybody, parent, org: undefined, actor: { kind: 'system', id: 'back-channel logout' } };
  const c = await ctx.db.read({ parent }, (db) => findConnection(db, id));
  if (!c) throw noSuchConnection();
  const named = await readLogoutToken(token, keySetOf(ctx, c), {
    issuer: c.discovery.issuer,
    clientId: c.clientId,
    algs: c.discovery.id_token_signing_alg_values_supported,
    now: ctx.now,
  }).catch((e: unknown) => {
    throw e instanceof NoKeySet ? unreachable(e) : e;
  });
  return change(ctx, async (tx) => {
    await deleteOldLogoutSeen(tx, ctx.now);
    if ((await insertLogoutSeen(tx, id, createHash('sha256').update(named.jti).digest(), named.until)) === 0)
      throw new Problem('invalid', 'identity/logout-replayed', {
        says: 'this logout token was taken already; each works once',
        fix: 'make a new one',
      });
    const ended = await endOidcSessions(tx, id, named, ctx.now);
    if (ended.length === 0) return { value: { ended: 0 }, unchanged: true };
    const users = [...new Set(ended.map((s) => s.user))];
    return {
      value: { ended: ended.length },
      events: [event(oidcEvents, 'sso.logged_out', { connection: id, sessions: ended.map((s) => s.session), users })],
    };
  });
}

const unreachable = (because: unknown): Problem =>
  new Problem('upstream', 'identity/logout-no-keys', {
    says: 'the key set of the identity provider could not be asked for, so the logout token could not be checked',
    fix: 'send it again',
    because,
  });
