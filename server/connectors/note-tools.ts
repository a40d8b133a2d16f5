import { change } from '#audit/change.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { lockConnector } from './connector.sql.ts';
import { observeTools } from './observe-tools.ts';
import type { Seen } from './tool.ts';

/** Writes down definitions that passed by and are not as known: a list that a client asked for is the first to show a change. */
export async function noteTools(ctx: OrgCtx, id: Id<'con'>, tools: readonly Seen[]): Promise<void> {
  await change(ctx, async (tx) => {
    if (!(await lockConnector(tx, id))) return { value: undefined, unchanged: true };
    const observed = await observeTools(tx, id, tools, false, ctx.now);
    return observed ? { value: undefined, events: [observed.event] } : { value: undefined, unchanged: true };
  });
}
