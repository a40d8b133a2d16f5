import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import { dlpEvents } from './dlp.events.ts';
import { keptAad, type Kept } from './quarantine.ts';
import { endKept, findSealed } from './quarantine.sql.ts';

/**
 * Takes what was released for exactly this request, once. Of two that try at the same moment, one gets it; the other, undefined. The copy is
 * opened before it is taken, so that what does not open is not lost.
 */
export async function takeReleased(ctx: OrgCtx, kept: Kept, call: string): Promise<string | undefined> {
  const sealed = (await ctx.db.read(scopeOf(ctx), (db) => findSealed(db, kept.id)))?.sealed;
  if (!sealed) return undefined;
  const content = await ctx.seal.open(keptAad(ctx.org, kept.id), sealed);
  return change(ctx, async (tx) => {
    if ((await endKept(tx, kept.id, 'released', 'delivered', ctx.now)) === 0)
      return { value: undefined, unchanged: true };
    const data = { quarantine: kept.id, phase: kept.phase, call };
    return { value: content.toString('utf8'), events: [event(dlpEvents, 'dlp.quarantine_delivered', data)] };
  });
}
