import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { provisioningEvents } from './provisioning.events.ts';
import { deleteSeatLimit, saveSeatLimit } from './seat.sql.ts';

/**
 * Says how many seats there are, in all (`*`) or of one tier; null: as many as come. Fewer than are taken takes nobody's seat away: it keeps
 * the next one out until enough are free.
 */
export const setSeatLimit = (ctx: OrgCtx, tier: string, seats: number | null): Promise<void> =>
  change(ctx, async (tx) => {
    const by = 'id' in ctx.actor ? ctx.actor.id : ctx.actor.kind;
    const changed =
      seats === null ? await deleteSeatLimit(tx, tier) : await saveSeatLimit(tx, tier, seats, by, ctx.now);
    if (changed === 0) return { value: undefined, unchanged: true };
    const said =
      seats === null
        ? event(provisioningEvents, 'provisioning.seats_unlimited', { tier })
        : event(provisioningEvents, 'provisioning.seats_limited', { tier, seats });
    return { value: undefined, events: [said] };
  });
