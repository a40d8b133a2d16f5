import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { systemCtx, type World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { lookupOrgParent } from '#org/org.sql.ts';
import { keyEvents } from './keys.events.ts';
import type { OwnKeyState } from './own-key.ts';
import { lockOwnKey, saveOwnKeyState } from './own-key.sql.ts';

/** Keeps what an org's key service said last, and tells of it when it is something else than before. */
export async function noteOwnKey(world: World, org: Id<'org'>, state: OwnKeyState): Promise<void> {
  const parent = (await world.db.lookup(lookupOrgParent(org)))?.parent;
  if (!parent) return;
  const ctx = systemCtx(world, 'keys.own', { parent, org });
  await change(ctx, async (tx) => {
    const own = await lockOwnKey(tx);
    if (!own || own.state === state) return { value: undefined, unchanged: true };
    await saveOwnKeyState(tx, state, ctx.now);
    return {
      value: undefined,
      events: [event(keyEvents, 'key.own_state_changed', { scope: org, key: own.id, state, was: own.state })],
    };
  });
}
