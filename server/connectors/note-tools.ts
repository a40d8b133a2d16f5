import { change } from '#audit/change.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { lockConnector } from './connector.sql.ts';
import { observeTools } from './observe-tools.ts';
import type { Seen } from './tool.ts';

/**
 * Writes down definitions and instructions that passed by and are not as known: a list that a client asked for is the first to show a change.
 * `instructions` null: the connector was asked what it is, and tells clients nothing.
 */
export async function noteTools(
  ctx: OrgCtx,
  id: Id<'con'>,
  tools: readonly Seen[],
  instructions?: Seen | null,
): Promise<void> {
  await change(ctx, async (tx) => {
    if (!(await lockConnector(tx, id))) return { value: undefined, unchanged: true };
    const said = { tools, complete: false, ...(instructions === undefined ? {} : { instructions }) };
    const observed = await observeTools(tx, id, said, ctx.now);
    return observed ? { value: undefined, events: observed.events } : { value: undefined, unchanged: true };
  });
}
