import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { hashSecret } from './cookies.ts';
import { identityEvents } from './identity.events.ts';
import { openCredential } from './oidc/client-credential.ts';
import { authorizationUrl, discover, newOutward, pushes } from './relying-party.ts';
import { deleteOldAttempts, insertAttempt, type Intent } from './sign-in-attempt.sql.ts';
import type { Stage } from './sign-in-trace.ts';
import { DISCOVERY_MAX_AGE_MS, noSuchConnection, type SsoConnection } from './sso-connection.ts';
import { findConnection, saveDiscovery } from './sso-connection.sql.ts';

/** Time to sign in at the identity provider, with a second factor that must be looked for. */
export const ATTEMPT_MS = 15 * 60_000;

/** Where the PKCE verifier of an attempt is bound to. */
export const verifierPlace = (parent: Id<'par'>, stateHash: Buffer) => ({
  table: 'sign_in_attempt',
  scope: parent,
  row: stateHash.toString('hex'),
  generation: 1,
});

/** Begins a sign-in for the browser that has the secret `browser`, and returns the address to send it to. */
export async function startSignIn(
  ctx: Ctx,
  id: Id<'sso'>,
  a: { browser: string; returnTo: string; intent: Intent; maxAge?: number | null; loginHint?: string | undefined },
): Promise<URL> {
  const known = await ctx.db.read(scopeOf(ctx), (db) => findConnection(db, id));
  if (!known) throw noSuchConnection();
  // A connection is tested before it is switched on.
  if (known.state !== 'active' && a.intent.kind !== 'test')
    throw new Problem('forbidden', 'identity/connection-disabled', {
      says: `signing in through ${known.name} is switched off`,
      fix: 'whoever manages sign-in in your organization can switch it on again',
    });
  const { connection, stage } = await freshDiscovery(ctx, known);
  const out = newOutward();
  const state = hashSecret(out.state);
  const maxAge = a.maxAge ?? null;
  const credential = pushes(connection) ? await openCredential(ctx, connection) : undefined;
  const { url, said } = await authorizationUrl(ctx.egress, connection, ctx.origin, out, {
    credential,
    maxAge,
    loginHint: a.loginHint,
  });
  const verifierSealed = await ctx.seal.seal(verifierPlace(ctx.parent, state), Buffer.from(out.verifier));
  await change({ ...ctx, org: undefined }, async (tx) => {
    await deleteOldAttempts(tx, ctx.now);
    await insertAttempt(
      tx,
      state,
      {
        connection: id,
        nonce: out.nonce,
        verifierSealed,
        browserHash: hashSecret(a.browser),
        returnTo: a.returnTo,
        intent: a.intent,
        discovery: said === undefined ? stage : { ...stage, found: [stage.found, said].filter(Boolean).join('; ') },
        maxAge,
        expiresAt: new Date(ctx.now.getTime() + ATTEMPT_MS),
      },
      ctx.now,
    );
    // No event: anybody may begin, and nothing has happened yet. How it ends is told (session.opened, identity.linked, sign_in.refused).
    return { value: undefined, unchanged: true };
  });
  return url;
}

/** The connection with a discovery document of today. An identity provider that does not answer is tried with the one we have, and the trace says so. */
export async function freshDiscovery(ctx: Ctx, c: SsoConnection): Promise<{ connection: SsoConnection; stage: Stage }> {
  const of = (at: Date): string => `discovery document of ${at.toISOString()}`;
  if (ctx.now.getTime() - c.discoveredAt.getTime() < DISCOVERY_MAX_AGE_MS)
    return { connection: c, stage: { stage: 'discovery', ok: true, found: of(c.discoveredAt) } };
  try {
    const discovery = await discover(ctx.egress, c);
    const keys = [...new Set([...Object.keys(c.discovery), ...Object.keys(discovery)])];
    const before = new Map<string, unknown>(Object.entries(c.discovery));
    const after = new Map<string, unknown>(Object.entries(discovery));
    const changed = keys.filter((k) => JSON.stringify(before.get(k)) !== JSON.stringify(after.get(k)));
    await change({ ...ctx, org: undefined }, async (tx) => {
      await saveDiscovery(tx, c.id, discovery, ctx.now);
      return changed.length > 0
        ? { value: undefined, events: [event(identityEvents, 'sso.discovery_changed', { connection: c.id, changed })] }
        : { value: undefined, unchanged: true };
    });
    return { connection: { ...c, discovery }, stage: { stage: 'discovery', ok: true, found: of(ctx.now) } };
  } catch (e) {
    if (!(e instanceof Problem)) throw e;
    ctx.log.warn({ connection: c.id, code: e.code }, 'a discovery document could not be renewed');
    return {
      connection: c,
      stage: { stage: 'discovery', ok: true, found: `${of(c.discoveredAt)}; renewing failed: ${e.says}` },
    };
  }
}
