import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { saveUserState } from '#org/user.sql.ts';
import { nothingHeld } from './nothing-held.ts';
import type { Happening } from './mode.ts';
import { provisioningEvents } from './provisioning.events.ts';
import { lockHeld, ownsElsewhere, saveDecided, saveEntrySuspended, type Held } from './removal.sql.ts';
import { rulesOf, settlePeople } from './settle-people.ts';
import { findSettings } from './settings.sql.ts';

/** Lets held removals happen: what the identity provider said, as of now. Who is spared meanwhile stays. */
export const applyHeld = (ctx: OrgCtx, which: readonly Id<'rem'>[] | 'all'): Promise<{ count: number }> =>
  change(ctx, async (tx) => {
    const held = await lockHeld(tx, which);
    if (held.length === 0) throw nothingHeld();
    const by = 'id' in ctx.actor ? ctx.actor.id : ctx.actor.kind;
    await saveDecided(
      tx,
      held.map((h) => h.id),
      'applied',
      by,
      ctx.now,
    );
    const rules = await rulesOf(tx, await findSettings(tx));
    const events: AuditEvent[] = [];
    const suspended: Id<'scu'>[] = [];
    for (const h of held) {
      const { decisions, events: done } = await settlePeople(tx, ctx, rules, {
        event: happened[h.kind],
        users: [h.user],
        exempt: (await ownsElsewhere(tx, h.user)) ? 'owns_elsewhere' : 'no',
        brake: 'off',
      });
      events.push(...done);
      if (!decisions.get(h.user)?.effects.some((e) => e.do === 'suspend_account')) continue;
      await saveUserState(tx, h.user, 'suspended', h.directory ?? by, ctx.now);
      if (h.entry) suspended.push(h.entry);
      events.push(event(provisioningEvents, 'provisioning.account_suspended', { user: h.user, removal: h.id }));
    }
    await saveEntrySuspended(tx, suspended);
    return {
      value: { count: held.length },
      events: [event(provisioningEvents, 'provisioning.held_applied', { count: held.length }), ...events],
    };
  });

const happened: Record<Held['kind'], Happening> = {
  disabled: 'scim_disable',
  deleted: 'scim_delete',
  unmapped: 'group_remove',
  lowered: 'group_remove',
};
