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
  via: { connection: Id<'sso'> | null; browser: Browser; until?: Date | undefined },
): Promise<OpenedSession> {
  const { now } = ctx;
  const proof: Via = via.connection ? { kind: 'sso', connection: via.connection } : { kind: 'setup_link' };
  const judged = await enforce(tx, { user, via: proof });
  if (judged.kind === 'refused') throw notThisWay(judged.by, proof);
  const { maxMs } = await findSessionLimits(tx, user);
  const ends = Math.min(now.getTime() + maxMs, via.until?.getTime() ?? Infinity);
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
      expiresAt: new Date(ends),
    },
    hashSecret(cookie),
  );
  return { cookie, replaced: before?.id ?? null };
}
