import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/**
 * A browser left alone for a night signs in again, and once a week everybody: where no organization of a person says otherwise. The database
 * has the same numbers (session_limits in 0017-sessions.sql), because it is asked before anything is known of the person.
 */
export const SESSION_IDLE_MS = 12 * HOUR;
export const SESSION_MAX_MS = 7 * 24 * HOUR;
/** What an organization may choose. Below, people would sign in all day long; above, a forgotten browser is a way in for too long. */
export const SESSION_IDLE_S = { least: 15 * 60, most: 7 * 24 * 3600 } as const;
export const SESSION_MAX_S = { least: 3600, most: 30 * 24 * 3600 } as const;
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
  createdAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
  revokedAt: Date | null;
  limits: SessionLimits;
};

/** How long a session of a person lasts now: the strictest of their organizations. */
export type SessionLimits = { idleMs: number; maxMs: number };

export type SessionState = 'live' | 'revoked' | 'expired' | 'idle' | 'suspended';

/** Whether a session still counts. The user's state is the live one, so suspending ends every session at its next request. */
export function stateOfSession(s: FoundSession, now: Date): SessionState {
  if (s.revokedAt) return 'revoked';
  if (s.userState !== 'active') return 'suspended';
  // The limits are those of now, so a stricter one ends what began before; a milder one does not prolong it.
  if (s.expiresAt <= now || now.getTime() - s.createdAt.getTime() >= s.limits.maxMs) return 'expired';
  if (now.getTime() - s.lastSeenAt.getTime() >= s.limits.idleMs) return 'idle';
  return 'live';
}

/** Enough to tell one's own browsers apart, and no more than a screen shows. */
export const shortUserAgent = (header: string | undefined): string =>
  // oxlint-disable-next-line no-control-regex -- a header may have had anything in it
  (header ?? '').replace(/[^\u0020-\u007e]/g, '').slice(0, 200);

/** Somebody who proved who they are, and whose account is switched off. */
export const suspended = (): Problem =>
  new Problem('forbidden', 'identity/suspended', {
    says: 'this account is suspended',
    fix: 'whoever manages people in your organization can say why and let you back in',
  });

export const noMemberSession = (): Problem =>
  new Problem('missing', 'identity/no-member-session', {
    says: 'no member of this organization has such a session',
    fix: 'list the sessions of the organization',
  });
