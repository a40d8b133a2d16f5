import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { actorId } from '#policy/rule.ts';
import { approvalEvents } from './approvals.events.ts';
import { usualSettings, type ApprovalSettings } from './settings.ts';
import { findSettings, saveSettings } from './settings.sql.ts';

/** Sets how approvals work here. Grants that were given before stay as they were given. */
export const changeSettings = (
  ctx: OrgCtx,
  wanted: { [K in keyof ApprovalSettings]?: ApprovalSettings[K] | undefined },
): Promise<ApprovalSettings> =>
  change(ctx, async (tx) => {
    const before = (await findSettings(tx)) ?? usualSettings;
    const next = {
      runGrants: wanted.runGrants ?? before.runGrants,
      runMost: wanted.runMost ?? before.runMost,
      runMinutes: wanted.runMinutes ?? before.runMinutes,
      noticesAnHour: wanted.noticesAnHour ?? before.noticesAnHour,
    };
    if ((await saveSettings(tx, next, actorId(ctx.actor), ctx.now)) === 0) return { value: next, unchanged: true };
    return { value: next, events: [event(approvalEvents, 'approval.settings_changed', next)] };
  });
