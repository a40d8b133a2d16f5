import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { hashOf, type Action, type Asker } from './approval.ts';
import { approvalEvents } from './approvals.events.ts';
import { takeGrant } from './approval.sql.ts';

/** Uses the grant for exactly this action of exactly this member, if there is one. Of two calls that try at once, one gets it. */
export async function useGrant(
  ctx: OrgCtx,
  asker: Asker,
  action: Action,
  call: Id<'tcl'>,
): Promise<Id<'apr'> | undefined> {
  const hash = hashOf(action);
  return change(ctx, async (tx) => {
    const grant = await takeGrant(tx, asker.member, hash, call, ctx.now);
    if (!grant) return { value: undefined, unchanged: true };
    return {
      value: grant.id,
      events: [
        event(approvalEvents, 'approval.used', {
          approval: grant.id,
          connector: action.connector,
          tool: action.tool,
          hash,
          call,
        }),
      ],
    };
  });
}
