import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { actorId } from './actor-id.ts';
import { dlpEvents } from './dlp.events.ts';
import type { FailClass, FailMode } from './dlp-policy.ts';
import { saveFailMode } from './dlp-policy.sql.ts';

/** Sets what happens to content of tools of a class when it could not be looked at. Open never means unseen: it leaves an alert. */
export async function setFailMode(ctx: OrgCtx, of: FailClass, mode: FailMode): Promise<void> {
  await change(ctx, async (tx) =>
    (await saveFailMode(tx, of, mode, actorId(ctx.actor), ctx.now))
      ? { value: undefined, events: [event(dlpEvents, 'dlp.fail_mode_set', { class: of, mode })] }
      : { value: undefined, unchanged: true },
  );
}
