import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { hashSecret, isRevoked, newSecret, noTunnel, type Tunnel } from './tunnel.ts';
import { lockTunnel, saveSecret } from './tunnel.sql.ts';
import { tunnelEvents } from './tunnels.events.ts';

/**
 * Gives a tunnel a new secret. The one before stays good for `overlapMs`, so that agents can be given the new one in turn; one before that
 * ends now: two at most are good at any time.
 */
export const rotateSecret = (
  ctx: OrgCtx,
  id: Id<'tun'>,
  overlapMs: number,
): Promise<{ tunnel: Tunnel; secret: string }> =>
  change(ctx, async (tx) => {
    const before = await lockTunnel(tx, id);
    if (!before) throw noTunnel(id);
    if (before.revoked) throw isRevoked(before);
    const secret = newSecret(id);
    const olderUntil = new Date(ctx.now.getTime() + overlapMs);
    await saveSecret(tx, id, hashSecret(secret), olderUntil, ctx.now);
    const generation = before.generation + 1;
    return {
      value: { tunnel: { ...before, generation, olderUntil, rotated: ctx.now }, secret },
      events: [
        event(tunnelEvents, 'tunnel.secret_rotated', {
          tunnel: id,
          generation,
          olderUntil: olderUntil.toISOString(),
        }),
      ],
    };
  });
