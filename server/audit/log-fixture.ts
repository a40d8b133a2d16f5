import type { Actor, Ctx, OrgCtx, World } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { change } from './change.ts';
import { auditEvents, event, type AuditEvent } from './events.ts';

/** What the tests and the benchmark of this room write with: a ctx of an organization that needs no rows of its own, and an event of ours. */
export function orgCtx(world: World, over: { parent?: Id<'par'>; org?: Id<'org'>; actor?: Actor } = {}): OrgCtx {
  const { now, ...rest } = world;
  const actor: Actor = over.actor ?? { kind: 'user', id: newId('usr'), session: newId('ses') };
  return {
    ...rest,
    actor,
    parent: over.parent ?? newId('par'),
    org: over.org ?? newId('org'),
    now: now(),
    request: newId('req'),
  };
}

export const sampleEvent = (n: number, filter: string | null = null): AuditEvent =>
  event(auditEvents, 'audit.read', { log: 'sample', from: n, to: null, filter });

/** Writes `count` events in one transaction through `change`. */
export async function writeEvents(ctx: Ctx, count: number, first = 0): Promise<void> {
  const rest = Array.from({ length: count - 1 }, (_, i) => sampleEvent(first + 1 + i));
  await change(ctx, async () => ({ value: undefined, events: [sampleEvent(first), ...rest] }));
}
