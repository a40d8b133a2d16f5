import type { Id } from '#kernel/id.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A browser left alone for a night signs in again. */
export const SESSION_IDLE_MS = 12 * HOUR;
/** Once a week the identity provider is asked again, however busy the browser is. */
export const SESSION_MAX_MS = 7 * 24 * HOUR;
/** How often a session's last use is written down; the idle time is exact to this. */
export const SESSION_TOUCH_MS = 5 * MINUTE;

/** A person who is signed in, with everything checked at this moment. */
export type SignedIn = { parent: Id<'par'>; user: Id<'usr'>; session: Id<'ses'> };

/** A session as its owner sees it. */
export type Session = {
  id: Id<'ses'>;
  connection: Id<'sso'> | null;
  userAgent: string;
  createdAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
};

/** What a cookie turned out to be. */
export type FoundSession = SignedIn & {
  userState: 'active' | 'suspended';
  lastSeenAt: Date;
  expiresAt: Date;
  revokedAt: Date | null;
};

export type SessionState = 'live' | 'revoked' | 'expired' | 'idle' | 'suspended';

/** Whether a session still counts. The user's state is the live one, so suspending ends every session at its next request. */
export function stateOfSession(s: FoundSession, now: Date): SessionState {
  if (s.revokedAt) return 'revoked';
  if (s.userState !== 'active') return 'suspended';
  if (s.expiresAt <= now) return 'expired';
  if (now.getTime() - s.lastSeenAt.getTime() >= SESSION_IDLE_MS) return 'idle';
  return 'live';
}

/** Enough to tell one's own browsers apart, and no more than a screen shows. */
export const shortUserAgent = (header: string | undefined): string =>
  // oxlint-disable-next-line no-control-regex -- a header may have had anything in it
  (header ?? '').replace(/[^\u0020-\u007e]/g, '').slice(0, 200);
