import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { connectorEvents } from './connectors.events.ts';
import { reviewer } from './review-tools.ts';
import { acceptsCosmetic, saveAcceptsCosmetic } from './tool.sql.ts';

export type ReviewSettings = { acceptCosmetic: boolean };

/** Whether another title or picture alone keeps its review from now on. What waits already goes on waiting. */
export async function setReviewSettings(ctx: OrgCtx, s: ReviewSettings): Promise<ReviewSettings> {
  return change(ctx, async (tx) => {
    if ((await acceptsCosmetic(tx)) === s.acceptCosmetic) return { value: s, unchanged: true };
    await saveAcceptsCosmetic(tx, s.acceptCosmetic, reviewer(ctx), ctx.now);
    return { value: s, events: [event(connectorEvents, 'tool_review.settings_changed', s)] };
  });
}
