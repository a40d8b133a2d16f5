import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import { detectors } from './detectors.ts';
import { dlpEvents } from './dlp.events.ts';
import type { DlpSetting } from './dlp-policy.ts';
import { saveDlpSetting } from './dlp-policy.sql.ts';

/** Sets what happens, from the next call on, to content in which a detector finds something. */
export async function setDlpPolicy(ctx: Ctx, setting: DlpSetting): Promise<DlpSetting> {
  if (!detectors.some((d) => d.id === setting.detector))
    throw new Problem('missing', 'dlp/no-detector', {
      says: `there is no detector ${setting.detector}; there is: ${detectors.map((d) => d.id).join(', ')}`,
      fix: 'name one of those',
    });
  const by = 'id' in ctx.actor ? ctx.actor.id : ctx.actor.kind;
  return change(ctx, async (tx) =>
    (await saveDlpSetting(tx, setting, by, ctx.now))
      ? { value: setting, events: [event(dlpEvents, 'dlp.policy_set', setting)] }
      : { value: setting, unchanged: true },
  );
}
