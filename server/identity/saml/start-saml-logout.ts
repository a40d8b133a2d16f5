import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx, OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { entityId } from './connection.ts';
import { findSamlConnection } from './connection.sql.ts';
import { logoutRequest, newMessageId, send, type Sent } from './message.ts';
import { signingKey } from './our-keys.ts';
import { samlEvents } from './saml.events.ts';
import { findSamlSession, insertLogout } from './state.sql.ts';

/** Time for an identity provider to sign somebody out everywhere. */
const ANSWER_MS = 10 * 60_000;

/**
 * Where a browser goes to be signed out at the identity provider, too, if that takes such requests. Ends no session here: the caller has done
 * that, and it stays done whatever the identity provider answers.
 */
export async function startSamlLogout(anybody: Ctx, session: Id<'ses'>): Promise<Sent | undefined> {
  const found = await anybody.db.read({ parent: anybody.parent }, async (db) => {
    const s = await findSamlSession(db, session);
    const c = s && (await findSamlConnection(db, s.connection));
    return s && c && { s, c };
  });
  if (!found?.c.logout || found.c.state !== 'active') return undefined;
  const { s, c } = found;
  const ctx: OrgCtx = { ...anybody, org: c.org };
  const { url, binding } = found.c.logout;
  const id = newMessageId();
  const xml = logoutRequest({
    id,
    at: ctx.now,
    to: url,
    issuer: entityId(ctx.origin, c.org),
    until: new Date(ctx.now.getTime() + ANSWER_MS),
    nameId: {
      value: s.value,
      format: s.format,
      qualifier: s.qualifier ?? undefined,
      spQualifier: s.spQualifier ?? undefined,
    },
    sessionIndex: s.index ?? undefined,
  });
  const sent = send(xml, {
    parameter: 'SAMLRequest',
    binding,
    to: url,
    relayState: undefined,
    key: await signingKey(ctx),
  });
  await change({ ...ctx, org: undefined }, async (tx) => {
    await insertLogout(tx, {
      request: id,
      connection: c.id,
      session,
      at: ctx.now,
      expiresAt: new Date(ctx.now.getTime() + ANSWER_MS),
    });
    return {
      value: undefined,
      events: [event(samlEvents, 'sso.saml_logout_requested', { connection: c.id, session })],
    };
  });
  return sent;
}
