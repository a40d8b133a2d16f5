import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { TunnelAgent } from './tunnel.ts';
import { deleteAgent, saveLastSeen } from './tunnel.sql.ts';
import { tunnelEvents } from './tunnels.events.ts';

/** Writes down that an agent's connection ended. Once: a job may have taken its node for dead meanwhile. */
export const leaveAgent = (
  ctx: OrgCtx,
  { id, tunnel, node }: Pick<TunnelAgent, 'id' | 'tunnel' | 'node'>,
  why: string,
): Promise<void> =>
  change(ctx, async (tx) => {
    if ((await deleteAgent(tx, id)) === 0) return { value: undefined, unchanged: true };
    await saveLastSeen(tx, tunnel, ctx.now);
    return {
      value: undefined,
      events: [event(tunnelEvents, 'tunnel.agent_left', { tunnel, agent: id, node, why })],
    };
  });
