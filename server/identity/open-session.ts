import type { Ctx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { hashSecret, newSecret } from './cookies.ts';
import { enforce } from './enforcement/enforce.ts';
import { notThisWay, type Via } from './enforcement/enforcement.ts';
import { shortUserAgent } from './session.ts';
import { findSessionByHash, findSessionLimits, insertSession, saveSessionRevoked } from './session.sql.ts';

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
 * INVARIANT (enforced): whatever way in is built, what an organization insists on is asked here once more (see enforcement/).
 */
export async function openSession(
  tx: Tx,
  ctx: Pick<Ctx, 'now'>,
  { id, user }: { id: Id<'ses'>; user: Id<'usr'> },
  how: { via: Via; browser: Browser; until?: Date | undefined },
): Promise<OpenedSession> {
  const { now } = ctx;
  const { via } = how;
  const judged = await enforce(tx, { user, via });
  if (judged.kind === 'refused') throw notThisWay(judged.by, via);
  const { maxMs } = await findSessionLimits(tx, user);
  const ends = Math.min(now.getTime() + maxMs, how.until?.getTime() ?? Infinity);
  const before = how.browser.session ? await findSessionByHash(tx, hashSecret(how.browser.session)) : undefined;
  if (before) await saveSessionRevoked(tx, before.user, before.id, now);
  const cookie = newSecret();
  await insertSession(
    tx,
    {
      id,
      user,
      connection: via.kind === 'sso' ? via.connection : null,
      userAgent: shortUserAgent(how.browser.userAgent),
      createdAt: now,
      lastSeenAt: now,
      expiresAt: new Date(ends),
    },
    via.kind,
    hashSecret(cookie),
  );
  return { cookie, replaced: before?.id ?? null };
}
