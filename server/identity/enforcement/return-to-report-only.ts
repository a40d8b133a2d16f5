import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { RETURN_AFTER, rank, returnsBecause } from './enforcement.ts';
import { countOutcomes, findEnforcement, listCounting, lockEnforcement, saveEnforcement } from './enforcement.sql.ts';
import { enforcementEvents } from './enforcement.events.ts';

/**
 * Stops enforcing where the identity provider itself fails: its certificate has expired, it cannot be reached, or it does not take our
 * secret any more. One person's failures never count, because anybody can make those. Returns whether it did.
 */
export const returnToReportOnly = (ctx: OrgCtx): Promise<boolean> =>
  change(ctx, async (tx) => {
    await lockEnforcement(tx);
    const e = await findEnforcement(tx);
    if (rank(e.state) < rank('staged')) return { value: false, unchanged: true };
    // Failures of before the last change were known to whoever made it.
    const since = Math.max(ctx.now.getTime() - RETURN_AFTER.windowMs, e.changedAt?.getTime() ?? 0);
    const outcomes = await countOutcomes(tx, await listCounting(tx, e.connections), new Date(since));
    const code = returnsBecause(outcomes);
    if (!code) return { value: false, unchanged: true };
    const next = { state: 'report_only' as const, percent: 0, groups: [], connections: e.connections };
    await saveEnforcement(tx, { ...next, previewHash: null, returnedBecause: code }, 'identity.enforcement', ctx.now);
    const refusals = outcomes.find((o) => o.outcome === code)?.n ?? 0;
    return {
      value: true,
      events: [event(enforcementEvents, 'sso.enforcement_returned', { from: e.state, code, refusals })],
    };
  });
