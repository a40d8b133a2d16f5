import { change } from '#audit/change.ts';
import { systemCtx, type World } from '#kernel/ctx.ts';
import { hashSecret, readCookie, SESSION_COOKIE } from './cookies.ts';
import { SESSION_TOUCH_MS, stateOfSession, type FoundSession, type SessionState, type SignedIn } from './session.ts';
import { lookupSession, saveSessionSeen } from './session.sql.ts';

/** What stands behind a Cookie header: nothing of ours, or a session in some state. */
export async function sessionOf(
  world: World,
  cookieHeader: string | undefined,
): Promise<(FoundSession & { state: SessionState }) | undefined> {
  const cookie = readCookie(cookieHeader, SESSION_COOKIE);
  const found = cookie && (await world.db.lookup(lookupSession(hashSecret(cookie))));
  return found ? { ...found, state: stateOfSession(found, world.now()) } : undefined;
}

/** Writes down that a session is in use, at most every five minutes. No event: what the person did has its own. */
export async function touchSession(world: World, s: FoundSession): Promise<void> {
  const now = world.now();
  if (now.getTime() - s.lastSeenAt.getTime() < SESSION_TOUCH_MS) return;
  await change(systemCtx(world, 'touch session', { parent: s.parent }), async (tx) => {
    await saveSessionSeen(tx, s.session, now);
    return { value: undefined, unchanged: true };
  });
}

/** Who is signed in with this Cookie header, checked live (session, expiry, idle time, the user's state); undefined: nobody. */
export async function currentUser(world: World, cookieHeader: string | undefined): Promise<SignedIn | undefined> {
  const s = await sessionOf(world, cookieHeader);
  if (s?.state !== 'live') return undefined;
  await touchSession(world, s);
  return { parent: s.parent, user: s.user, session: s.session };
}
