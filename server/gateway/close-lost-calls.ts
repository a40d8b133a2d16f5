import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { systemCtx, type World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { loseCalls } from './call.sql.ts';
import { gatewayEvents } from './gateway.events.ts';

const AT_ONCE = 500;

/**
 * Ends the open calls of dead nodes in one org. Before the call was sent nothing had happened; after it, we cannot know: both are `lost`,
 * and the log does not pretend to know more.
 */
export async function closeLostCalls(world: World, place: { parent: Id<'par'>; org: Id<'org'> }): Promise<number> {
  const ctx = systemCtx(world, 'gateway.close_lost_calls', place);
  return change(ctx, async (tx) => {
    const lost = await loseCalls(tx, AT_ONCE);
    const [first, ...rest] = lost.map((c) =>
      event(gatewayEvents, 'tool.finished', {
        call: c.id,
        connector: c.connector,
        tool: c.tool,
        outcome: 'lost',
        why: 'node_died',
        policies: [],
        policyVersion: null,
        approval: null,
        findings: [],
        bytes: null,
        error: false,
        ms: null,
      }),
    );
    return first ? { value: lost.length, events: [first, ...rest] } : { value: 0, unchanged: true };
  });
}
