import type { Ctx } from '#kernel/ctx.ts';
import { change } from './change.ts';
import { auditEvents, event } from './events.ts';
import type { LogId } from './inbox.sql.ts';

const MINUTE = 60_000;
const MAX_REMEMBERED = 10_000;

export type Reading = { log: LogId; from: number | null; to: number | null; filter: string | null };

/**
 * Makes the function that records reading, once per actor, log and filter in a period, so that a page that refreshes itself does not fill
 * the log with its own traces. It resolves when the event is durable: nothing is shown before.
 */
export function readingRecorder(period = MINUTE): (ctx: Ctx, reading: Reading) => Promise<void> {
  const recent = new Map<string, { at: number; done: Promise<void> }>();
  return async (ctx, reading) => {
    const key = JSON.stringify([ctx.actor, ctx.org ?? ctx.parent, reading.log, reading.filter]);
    const now = ctx.now.getTime();
    const last = recent.get(key);
    if (last && Math.abs(now - last.at) < period) return last.done;
    const done = change(ctx, async () => ({ value: undefined, events: [event(auditEvents, 'audit.read', reading)] }));
    recent.delete(key);
    recent.set(key, { at: now, done });
    done.catch(() => recent.delete(key)); // what is not durable does not count
    for (const [old, { at }] of recent) {
      if (recent.size <= MAX_REMEMBERED && Math.abs(now - at) < period) break;
      recent.delete(old);
    }
    return done;
  };
}
