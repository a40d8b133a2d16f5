import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { identityEvents } from './identity.events.ts';
import { findSession, saveSessionRevoked } from './session.sql.ts';

/** Ends one of a person's own sessions; ending an ended one changes nothing. */
export const endSession = (
  ctx: Ctx,
  user: Id<'usr'>,
  session: Id<'ses'>,
  why: 'signed_out' | 'revoked',
): Promise<void> =>
  change({ ...ctx, org: undefined }, async (tx) => {
    if (!(await findSession(tx, user, session)))
      throw new Problem('missing', 'identity/no-such-session', { says: 'you have no such session' });
    if ((await saveSessionRevoked(tx, user, session, ctx.now)) === 0) return { value: undefined, unchanged: true };
    return { value: undefined, events: [event(identityEvents, 'session.ended', { session, user, why })] };
  });
