import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { nameTaken } from './create-tunnel.ts';
import { isRevoked, noTunnel, reaches, readDestinations, type Tunnel } from './tunnel.ts';
import { lockTunnel, saveTunnel } from './tunnel.sql.ts';
import { tunnelEvents } from './tunnels.events.ts';
import type { Through } from './through.ts';

/**
 * Changes a tunnel's name or destinations; bound at every node at once, because each request looks. A destination that a connector stands on
 * is not taken from under it.
 */
export const editTunnel = (
  ctx: OrgCtx,
  id: Id<'tun'>,
  edit: { name?: string | undefined; destinations?: readonly string[] | undefined },
  through: Through,
): Promise<Tunnel> =>
  change(ctx, async (tx) => {
    const before = await lockTunnel(tx, id);
    if (!before) throw noTunnel(id);
    if (before.revoked) throw isRevoked(before);
    const destinations = edit.destinations ? readDestinations(edit.destinations) : before.destinations;
    const after = { ...before, name: edit.name ?? before.name, destinations };
    const added = destinations.filter((d) => !before.destinations.includes(d)).length;
    const removed = before.destinations.filter((d) => !destinations.includes(d)).length;
    const renamed = after.name !== before.name;
    if (added === 0 && removed === 0 && !renamed) return { value: before, unchanged: true };
    const cut = (await through.connectors(tx, id)).filter((c) => !reaches(destinations, new URL(c.url)));
    if (cut.length > 0)
      throw new Problem('conflict', 'tunnels/destination-in-use', {
        says: `${cut.map((c) => `${c.slug} (${c.url})`).join(', ')} would not be reached any more`,
        fix: 'move these connectors to another tunnel first, or keep the destinations that they need',
        more: { connectors: cut.map((c) => c.id) },
      });
    if ((await saveTunnel(tx, after)) === 0) throw nameTaken(after.name);
    return {
      value: after,
      events: [event(tunnelEvents, 'tunnel.changed', { tunnel: id, name: after.name, added, removed, renamed })],
    };
  });
