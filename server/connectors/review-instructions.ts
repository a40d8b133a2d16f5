import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { connectorEvents } from './connectors.events.ts';
import { lockConnector } from './connector.sql.ts';
import { noConnector } from './refresh-tools.ts';
import { noTool, reviewer, stalePin } from './review-tools.ts';
import { findDefinition, findTool, saveAcceptance, saveClosing } from './tool.sql.ts';
import { INSTRUCTIONS, type Tool } from './tool.ts';

/** Lets clients read what a connector tells them of itself, or keeps it from them. Bound to the text that was shown, as a tool's review is. */
export async function reviewInstructions(
  ctx: OrgCtx,
  id: Id<'con'>,
  pin: string,
  verdict: 'accepted' | 'closed',
): Promise<Tool> {
  const by = reviewer(ctx);
  return change(ctx, async (tx) => {
    if (!(await lockConnector(tx, id))) throw noConnector(id);
    const tool = await findTool(tx, id, INSTRUCTIONS);
    if (!tool) throw noTool(['instructions']);
    const about = { name: INSTRUCTIONS, pin };
    const saved =
      verdict === 'closed'
        ? await saveClosing(tx, id, about, by, ctx.now)
        : await saveAcceptance(
            tx,
            id,
            { ...about, class: undefined, projection: [], stricter: undefined },
            by,
            ctx.now,
          );
    if (saved === 0) {
      if (tool.state === 'removed') throw noTool(['instructions']);
      const was = await findDefinition(tx, id, INSTRUCTIONS, pin);
      throw stalePin([{ name: 'the instructions', shown: pin, tool, definition: was?.definition }]);
    }
    return {
      value: (await findTool(tx, id, INSTRUCTIONS)) ?? tool,
      events: [event(connectorEvents, 'instructions.reviewed', { connector: id, pin, verdict })],
    };
  });
}
