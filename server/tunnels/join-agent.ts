import type { Reason } from '@gatehouse/contract/tunnel/frame.ts';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { MAX_AGENTS, staysUntil, type TunnelAgent } from './tunnel.ts';
import { insertAgent, listAgents, lockTunnel } from './tunnel.sql.ts';
import { tunnelEvents } from './tunnels.events.ts';

/** Writes down that an agent is connected, so that every node finds it; or says why it may not be. */
export const joinAgent = (ctx: OrgCtx, a: TunnelAgent): Promise<Reason | undefined> =>
  change(ctx, async (tx) => {
    const t = await lockTunnel(tx, a.tunnel);
    if (!t || staysUntil(t, a.generation, ctx.now) === false)
      return { value: { code: 'secret', says: 'the secret was good a moment ago and is no more' }, unchanged: true };
    if ((await listAgents(tx, [a.tunnel])).length >= MAX_AGENTS)
      return {
        value: { code: 'too_many', says: `the tunnel “${t.name}” has ${MAX_AGENTS} agents, which is the most` },
        unchanged: true,
      };
    await insertAgent(tx, a);
    const { id: agent, tunnel, node, generation } = a;
    return {
      value: undefined,
      events: [event(tunnelEvents, 'tunnel.agent_joined', { tunnel, agent, node, generation })],
    };
  });
