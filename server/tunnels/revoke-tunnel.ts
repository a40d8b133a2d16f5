import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { noTunnel, type Tunnel } from './tunnel.ts';
import { lockTunnel, saveRevoked } from './tunnel.sql.ts';
import { tunnelEvents } from './tunnels.events.ts';

/** Ends a tunnel for good. Every node ends its agents' connections, and what is under way in them, within a second. */
export const revokeTunnel = (ctx: OrgCtx, id: Id<'tun'>): Promise<Tunnel> =>
  change(ctx, async (tx) => {
    const before = await lockTunnel(tx, id);
    if (!before) throw noTunnel(id);
    if (before.revoked) return { value: before, unchanged: true };
    await saveRevoked(tx, id, ctx.now);
    return {
      value: { ...before, told: 'offline', revoked: ctx.now },
      events: [event(tunnelEvents, 'tunnel.revoked', { tunnel: id, name: before.name })],
    };
  });
