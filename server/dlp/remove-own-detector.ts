import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { actorId } from './actor-id.ts';
import { dlpEvents } from './dlp.events.ts';
import { saveOwnDetectorRemoved } from './own-detector.sql.ts';

/** Takes a detector of the organization's own out of force, and forgets what it knew. */
export async function removeOwnDetector(ctx: OrgCtx, id: Id<'ddt'>): Promise<void> {
  await change(ctx, async (tx) => {
    if ((await saveOwnDetectorRemoved(tx, id, actorId(ctx.actor), ctx.now)) === 0) throw noDetector(id);
    return { value: undefined, events: [event(dlpEvents, 'dlp.detector_removed', { detector: id })] };
  });
}

export const noDetector = (id: string): Problem =>
  new Problem('missing', 'dlp/no-detector', {
    says: `there is no detector ${id.slice(0, 60)} of this organization's own`,
  });
