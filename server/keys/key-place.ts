import { change } from '#audit/change.ts';
import type { AuditEvent } from '#audit/events.ts';
import { scopeOf, systemCtx, type Ctx, type World } from '#kernel/ctx.ts';
import type { Reader, Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { rlsOf } from '#kernel/seal-parts.ts';

/** A scope of keys, and as whom its rows are read and changed. */
export type KeyPlace = {
  scope: string;
  read<T>(work: (db: Reader) => Promise<T>): Promise<T>;
  /** Without events only where nothing changed. */
  change<T>(work: (tx: Tx) => Promise<{ value: T; events: readonly AuditEvent[] }>): Promise<T>;
};

/** The keys of the operation's own org, or of its parent. */
export function placeOf(ctx: Ctx, of: 'org' | 'parent'): KeyPlace {
  const scope = of === 'org' ? ctx.org : ctx.parent;
  if (scope === undefined) throw new Problem('bug', 'org/no-org', { says: 'this needs an organization' });
  return {
    scope,
    read: (work) => ctx.db.read(scopeOf(ctx), work),
    change: (work) =>
      change(ctx, async (tx) => {
        const { value, events } = await work(tx);
        const [first, ...rest] = events;
        return first ? { value, events: [first, ...rest] } : { value, unchanged: true };
      }),
  };
}

/** The same for whoever runs the deployment, and for jobs. */
export function placeFor(
  world: World,
  by: string,
  of: { scope: string; parent: Id<'par'> | null; org: Id<'org'> | null },
): KeyPlace {
  const { scope, parent, org } = of;
  if (parent === null) return silentPlace(world, scope);
  return placeOf(systemCtx(world, by, { parent, org: org ?? undefined }), org === null ? 'parent' : 'org');
}

/**
 * The deployment's own keys, and those of an org or parent that is not there any more, belong to no log: their rows say when they were made
 * and wrapped, and whoever moves them is told.
 */
function silentPlace(world: World, scope: string): KeyPlace {
  const rls = rlsOf(scope);
  return {
    scope,
    read: (work) => world.db.read(rls, work),
    change: (work) => world.db.transact(rls, async (tx) => (await work(tx)).value),
  };
}
