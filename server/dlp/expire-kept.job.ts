import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { systemCtx, type World } from '#kernel/ctx.ts';
import type { Job } from '#kernel/job.ts';
import { dlpEvents } from './dlp.events.ts';
import { expireKept, lookupExpiredKept } from './quarantine.sql.ts';

/** Erases kept content whose time is over. It counts as over from its time on, whether this has run or not. */
export const expireKeptJob = (world: World): Job => ({
  name: 'dlp.expire_quarantine',
  cron: '* * * * *',
  async run() {
    const due = await world.db.lookup(lookupExpiredKept(world.now()));
    for (const scope of due?.scopes ?? []) {
      const ctx = systemCtx(world, 'dlp.expire_quarantine', scope);
      await change(ctx, async (tx) => {
        const [first, ...rest] = (await expireKept(tx, ctx.now, 500, undefined)).map((o) =>
          event(dlpEvents, 'dlp.quarantine_expired', { quarantine: o.id, was: o.was }),
        );
        return first ? { value: undefined, events: [first, ...rest] } : { value: undefined, unchanged: true };
      });
    }
  },
});
