import { change } from '#audit/change.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { reviewedBy } from './add-vendor-connector.ts';
import { acceptBuiltin, catalogueReviewer, sightedOf } from './builtin-tools.ts';
import { lockConnector } from './connector.sql.ts';
import { observeTools, type Difference } from './observe-tools.ts';
import { vendorOf } from './vendors/all-vendors.ts';

/**
 * Writes down the tools that this version of Gatehouse has, where it has others than the version before. What did not widen goes on with its
 * review; what did, and what is new, waits for one (docs/decisions/0010).
 */
export async function settleBuiltin(ctx: OrgCtx, id: Id<'con'>): Promise<Difference | undefined> {
  return change(ctx, async (tx) => {
    const c = await lockConnector(tx, id);
    const builtin = c && vendorOf(c.type)?.builtin;
    if (!c || !builtin || c.mode !== 'builtin') return { value: undefined, unchanged: true };
    const observed = await observeTools(tx, id, sightedOf(builtin, c.access), ctx.now);
    if (!observed) return { value: undefined, unchanged: true };
    const accepted = await acceptBuiltin(tx, id, { type: c.type, builtin, access: c.access }, false, ctx.now);
    return {
      value: observed.difference,
      events: [...observed.events, ...reviewedBy(c, catalogueReviewer(c.type, builtin), accepted)],
    };
  });
}
