import { change } from '#audit/change.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { KEY_USE_SECONDS } from './api-key.ts';
import { saveKeyUse } from './api-key.sql.ts';

/** Writes down that a key was used, at most once a minute. No event: what the key did has its own; this is for finding keys that nobody uses. */
export async function recordKeyUse(ctx: OrgCtx, id: Id<'key'>, lastUsedAt: Date | null): Promise<void> {
  if (lastUsedAt && ctx.now.getTime() - lastUsedAt.getTime() < KEY_USE_SECONDS * 1000) return;
  await change(ctx, async (tx) => {
    await saveKeyUse(tx, id, ctx.now);
    return { value: undefined, unchanged: true };
  });
}
