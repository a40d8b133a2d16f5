import { readGrowth, type Growth } from '#audit/read-growth.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';

/** Least time between two looks at one organization, so that a busy one tells its listeners four times a second. */
const LOOK_MS = 250;
/** How often an organization is looked at in which nothing is said to happen: calls of tools are in the log and change no version. */
const IDLE_MS = 1000;
/** After a change its events get their positions within this time, if all is well. */
const SETTLES_MS = 2000;

/** Undefined: the log could not be read. */
export type Listener = (growth: Growth | undefined) => void;

type Watch = { listeners: Set<Listener>; begun: Promise<void>; stop(): void };

/**
 * Makes the function that watches logs grow: one loop per organization on this node, however many listen, and none where nobody does.
 * Returns how to stop, once everything after that moment is sure to be told.
 */
export function orgWatches(): (ctx: OrgCtx, listener: Listener) => Promise<() => void> {
  const watches = new Map<string, Watch>();
  return async (ctx, listener) => {
    let watch = watches.get(ctx.org);
    if (!watch) watches.set(ctx.org, (watch = begin(ctx)));
    const mine = watch;
    mine.listeners.add(listener);
    const leave = (): void => {
      mine.listeners.delete(listener);
      if (mine.listeners.size > 0) return;
      mine.stop();
      if (watches.get(ctx.org) === mine) watches.delete(ctx.org);
    };
    try {
      await mine.begun;
    } catch (e) {
      leave();
      throw e;
    }
    return leave;
  };
}

function begin(ctx: OrgCtx): Watch {
  const listeners = new Set<Listener>();
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let sizes: readonly number[] | undefined;
  let changedAt = -Infinity;
  let lookedAt = -Infinity;

  const look = async (): Promise<void> => {
    lookedAt = performance.now();
    const g = await ctx.db.read(scopeOf(ctx), (db) => readGrowth(db, [ctx.org, ctx.parent], sizes));
    const grown = sizes !== undefined && g.sizes.some((s, i) => s !== sizes?.[i]);
    sizes = g.sizes;
    if (grown) for (const l of listeners) l(g);
  };
  const next = (): void => {
    if (stopped) return;
    const now = performance.now();
    const busy = ctx.versions === undefined || now - changedAt < SETTLES_MS;
    clearTimeout(timer);
    timer = setTimeout(() => void turn(), Math.max(0, lookedAt + (busy ? LOOK_MS : IDLE_MS) - now)).unref();
  };
  let turning = false;
  async function turn(): Promise<void> {
    turning = true;
    try {
      await look();
    } catch (err) {
      ctx.log.warn({ err, org: ctx.org }, 'the log could not be watched; whoever listens comes again');
      for (const l of listeners) l(undefined);
    }
    turning = false;
    next();
  }
  const unheard = ctx.versions?.onChange((scope) => {
    if (scope !== undefined && scope !== ctx.org && scope !== ctx.parent) return;
    changedAt = performance.now();
    if (!turning) next();
  });
  // A scope is listened for from its first stamp on.
  for (const scope of [ctx.org, ctx.parent]) ctx.versions?.stamp(scope);
  return {
    listeners,
    begun: look().then(next),
    stop() {
      stopped = true;
      clearTimeout(timer);
      unheard?.();
    },
  };
}
