import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import type { Connector } from './connector.ts';
import { connectorEvents } from './connectors.events.ts';
import { lockConnector, saveConnectorState } from './connector.sql.ts';
import { noConnector } from './refresh-tools.ts';

/** Off: nobody lists or calls its tools, calls under way are cut. Reviews and rules stay for when it is on again. */
export async function switchConnector(ctx: OrgCtx, id: Id<'con'>, state: Connector['state']): Promise<Connector> {
  return change(ctx, async (tx) => {
    const connector = await lockConnector(tx, id);
    if (!connector) throw noConnector(id);
    if (connector.state === state) return { value: connector, unchanged: true };
    await saveConnectorState(tx, id, state);
    const what = state === 'on' ? 'connector.enabled' : 'connector.disabled';
    return {
      value: { ...connector, state },
      events: [event(connectorEvents, what, { connector: id, slug: connector.slug })],
    };
  });
}
