import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { ToolClass } from '#policy/schema.ts';
import { connectorEvents } from './connectors.events.ts';
import { lockConnector } from './connector.sql.ts';
import { noConnector } from './refresh-tools.ts';
import { listToolsOf, saveReview } from './tool.sql.ts';
import type { Tool } from './tool.ts';

/** What a reviewer says about one definition: the pin is the one that he was shown. */
export type Review = { name: string; pin: string; class: ToolClass };

/** Makes tools usable, each in the class that the reviewer gave. All or none: one stale pin refuses the whole review. */
export async function reviewTools(ctx: OrgCtx, id: Id<'con'>, reviews: readonly Review[]): Promise<Tool[]> {
  const by = ctx.actor.kind === 'nobody' ? 'nobody' : ctx.actor.id;
  return change(ctx, async (tx) => {
    if (!(await lockConnector(tx, id))) throw noConnector(id);
    const stale: string[] = [];
    for (const r of reviews) if ((await saveReview(tx, id, r, by, ctx.now)) === 0) stale.push(r.name);
    const tools = await listToolsOf(tx, id);
    if (stale.length > 0) throw stalePin(stale, tools);
    return {
      value: tools,
      events: [event(connectorEvents, 'tools.reviewed', { connector: id, tools: [...reviews] })],
    };
  });
}

function stalePin(stale: readonly string[], tools: readonly Tool[]): Problem {
  const known = new Set(tools.filter((t) => t.state !== 'removed').map((t) => t.name));
  const gone = stale.filter((n) => !known.has(n));
  if (gone.length > 0)
    return new Problem('missing', 'connectors/no-tool', {
      says: `the connector has no tool ${gone.join(', ')}`,
      fix: 'ask for the list of tools again',
    });
  return new Problem('stale', 'connectors/stale-pin', {
    says: `${stale.join(', ')} changed since it was shown to you; nothing was reviewed`,
    fix: 'look at the definitions as they are now, and review those',
  });
}
