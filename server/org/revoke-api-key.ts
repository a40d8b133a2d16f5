import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { lockApiKey, saveKeyRevoked } from './api-key.sql.ts';
import { orgEvents } from './org.events.ts';

/** Ends a key at once and for good. Anyone who may manage keys may end any key: ending one is never an escalation. */
export const revokeApiKey = (ctx: OrgCtx, id: Id<'key'>): Promise<void> =>
  change(ctx, async (tx) => {
    if (!(await lockApiKey(tx, id)))
      throw new Problem('missing', 'org/no-such-key', { says: 'there is no such API key in this organization' });
    if ((await saveKeyRevoked(tx, id, ctx.now)) === 0) return { value: undefined, unchanged: true };
    return { value: undefined, events: [event(orgEvents, 'api_key.revoked', { key: id })] };
  });
