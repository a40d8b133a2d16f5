import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { nothingHeld } from './nothing-held.ts';
import { provisioningEvents } from './provisioning.events.ts';
import { lockHeld, restoreMemberships, saveDecided, saveEntryActive } from './removal.sql.ts';

/**
 * Says that held removals were a mistake of the identity provider, and puts back what it took: entries are active again, people are in the
 * emptied group again, so that it reads here what is so and no sync removes them once more. An entry that was deleted cannot come back;
 * its person stays, and is nobody's but the administrators'.
 */
export const discardHeld = (
  ctx: OrgCtx,
  which: readonly Id<'rem'>[] | 'all',
): Promise<{ count: number; entries: number; memberships: number }> =>
  change(ctx, async (tx) => {
    const held = await lockHeld(tx, which);
    if (held.length === 0) throw nothingHeld();
    const by = 'id' in ctx.actor ? ctx.actor.id : ctx.actor.kind;
    await saveDecided(
      tx,
      held.map((h) => h.id),
      'discarded',
      by,
      ctx.now,
    );
    const disabled = held.flatMap((h) => (h.kind === 'disabled' && h.entry ? [h.entry] : []));
    const entries = await saveEntryActive(tx, disabled, ctx.now);
    const memberships = await restoreMemberships(
      tx,
      held.flatMap((h) => (h.group ? [{ group: h.group, user: h.user }] : [])),
      ctx.now,
    );
    const value = { count: held.length, entries, memberships };
    return { value, events: [event(provisioningEvents, 'provisioning.held_discarded', value)] };
  });
