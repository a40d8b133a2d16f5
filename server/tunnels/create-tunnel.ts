import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { hashSecret, newSecret, readDestinations, type Tunnel } from './tunnel.ts';
import { insertTunnel } from './tunnel.sql.ts';
import { tunnelEvents } from './tunnels.events.ts';

/** Makes a tunnel. The secret is in this answer and nowhere else: we keep its hash. */
export function createTunnel(
  ctx: OrgCtx,
  wanted: { name: string; destinations: readonly string[] },
): Promise<{ tunnel: Tunnel; secret: string }> {
  const id = newId('tun', ctx.now.getTime());
  const secret = newSecret(id);
  const tunnel: Tunnel = {
    id,
    name: wanted.name,
    destinations: readDestinations(wanted.destinations),
    generation: 1,
    rotated: ctx.now,
    olderUntil: undefined,
    told: 'offline',
    lastSeen: undefined,
    created: ctx.now,
    revoked: undefined,
  };
  return change(ctx, async (tx) => {
    if ((await insertTunnel(tx, tunnel, hashSecret(secret))) === 0) throw nameTaken(wanted.name);
    const { name, destinations } = tunnel;
    return {
      value: { tunnel, secret },
      events: [event(tunnelEvents, 'tunnel.created', { tunnel: id, name, destinations: destinations.length })],
    };
  });
}

/** Two tunnels of one name would be mixed up by whoever starts agents. */
export const nameTaken = (name: string): Problem =>
  new Problem('conflict', 'tunnels/name-taken', {
    says: `there is a tunnel “${name}” in this organization already`,
    fix: 'choose another name; a second agent of the same tunnel is started with the same secret',
  });
