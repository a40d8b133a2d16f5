import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { authorizationEvents } from './authorization.events.ts';
import { endGrant } from './grant.sql.ts';

/** Ends a consent: its refresh tokens are gone at once, its access tokens are refused within a second. `of`: only if it is this member's own. */
export async function revokeGrant(ctx: OrgCtx, id: string, of: Id<'mem'> | undefined): Promise<void> {
  await change(ctx, async (tx) => {
    const ended = await endGrant(tx, id, of);
    if (!ended)
      throw new Problem('missing', 'authorization/no-grant', {
        says: 'there is no such consent in this organization; it may have ended already',
        fix: 'list the consents again',
      });
    return {
      value: undefined,
      events: [
        event(authorizationEvents, 'authorization.grant_revoked', {
          ...ended,
          grant: id,
          by: of === undefined ? 'admin' : 'member',
        }),
      ],
    };
  });
}
