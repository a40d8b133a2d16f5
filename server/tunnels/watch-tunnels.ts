import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import { systemCtx, type OrgCtx, type World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { notify } from '#notify/notify.ts';
import { listActiveOfRoles } from '#org/member.sql.ts';
import { rolesWith } from '#org/roles.ts';
import type { Through } from './through.ts';
import { deleteLeftOver, listUntold, saveLastSeen, saveTold } from './tunnel.sql.ts';
import { tunnelEvents } from './tunnels.events.ts';

/** An agent that comes back within this time was never away: it changed its node, or was started again. */
export const QUIET_SECONDS = 30;

/**
 * Brings what the log tells of an organization's tunnels to what is: agents of nodes that are gone are taken away, and a tunnel that came or went
 * for good is told, to administrators too where connectors need it.
 */
export const watchTunnels = (
  world: World,
  through: Through,
  at: { parent: Id<'par'>; org: Id<'org'> },
): Promise<void> => {
  const ctx: OrgCtx = { ...systemCtx(world, 'tunnels.watch', at), org: at.org };
  const { now } = ctx;
  return change(ctx, async (tx) => {
    const events: AuditEvent[] = [];
    for (const { id: agent, tunnel, node, at: lived } of await deleteLeftOver(tx, QUIET_SECONDS)) {
      await saveLastSeen(tx, tunnel, lived ?? now);
      events.push(event(tunnelEvents, 'tunnel.agent_left', { tunnel, agent, node, why: 'node_gone' }));
    }
    for (const { id: tunnel, name, living } of await listUntold(tx, now, QUIET_SECONDS)) {
      if ((await saveTold(tx, tunnel, living ? 'online' : 'offline', now)) === 0) continue;
      if (living) {
        events.push(event(tunnelEvents, 'tunnel.online', { tunnel, name }));
        continue;
      }
      const connectors = (await through.connectors(tx, tunnel)).length;
      events.push(event(tunnelEvents, 'tunnel.offline', { tunnel, name, connectors }));
      if (connectors === 0) continue;
      const admins = await listActiveOfRoles(tx, rolesWith('connector.manage'));
      await notify(tx, ctx, { to: admins.map((a) => a.user), about: { kind: 'tunnel_offline', tunnel } });
    }
    const [first, ...rest] = events;
    return first ? { value: undefined, events: [first, ...rest] } : { value: undefined, unchanged: true };
  });
};
