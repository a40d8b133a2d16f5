import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { findConnector } from '#connectors/connector.sql.ts';
import { noConnector } from '#connectors/refresh-tools.ts';
import { reviewer } from '#connectors/review-tools.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { gatewayEvents } from '../gateway.events.ts';
import { listCallLimits, saveCallLimits } from './call-limit.sql.ts';
import { limitNames, type LimitsSet } from './call-limits.ts';

/** Says what holds in place of the defaults, for all or for one connector, in place of what was said before. Calls under way go on. */
export async function setCallLimits(ctx: OrgCtx, connector: Id<'con'> | undefined, s: LimitsSet): Promise<void> {
  await change(ctx, async (tx) => {
    if (connector !== undefined && !(await findConnector(tx, connector))) throw noConnector(connector);
    const about = connector ?? 'all';
    const before: LimitsSet = (await listCallLimits(tx)).find((r) => r.about === about) ?? {};
    const changed = limitNames.filter((n) => s[n] !== before[n]);
    if (changed.length === 0) return { value: undefined, unchanged: true };
    await saveCallLimits(tx, about, s, reviewer(ctx), ctx.now);
    const limits = Object.fromEntries(limitNames.flatMap((n) => (s[n] === undefined ? [] : [[n, s[n]]])));
    return {
      value: undefined,
      events: [event(gatewayEvents, 'call_limits.changed', { connector: connector ?? null, limits })],
    };
  });
}
