import type { Ctx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { hashSecret, newSecret } from './cookies.ts';
import { shortUserAgent, SESSION_MAX_MS } from './session.ts';
import { findSessionByHash, insertSession, saveSessionRevoked } from './session.sql.ts';

/** What is known of the browser that signs in. */
export type Browser = {
  userAgent: string | undefined;
  /** The session cookie that it came with, if any. */
  session: string | undefined;
};

export type OpenedSession = { cookie: string; replaced: Id<'ses'> | null };

/**
 * Begins a session within the caller's change. INVARIANT (no fixation): the cookie is always new and random, whatever the browser came
 * with; the session that it had ends here, so that signing in never leaves an older way in behind.
 */
export async function openSession(
  tx: Tx,
  ctx: Pick<Ctx, 'now'>,
  { id, user }: { id: Id<'ses'>; user: Id<'usr'> },
  via: { connection: Id<'sso'> | null; browser: Browser },
): Promise<OpenedSession> {
  const { now } = ctx;
  const before = via.browser.session ? await findSessionByHash(tx, hashSecret(via.browser.session)) : undefined;
  if (before) await saveSessionRevoked(tx, before.user, before.id, now);
  const cookie = newSecret();
  await insertSession(
    tx,
    {
      id,
      user,
      connection: via.connection,
      userAgent: shortUserAgent(via.browser.userAgent),
      createdAt: now,
      lastSeenAt: now,
      expiresAt: new Date(now.getTime() + SESSION_MAX_MS),
    },
    hashSecret(cookie),
  );
  return { cookie, replaced: before?.id ?? null };
}
