import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { directoryEvents } from './directory.events.ts';
import { findDirectory, listScimTokens, revokeScimTokenRow } from './directory.sql.ts';
import { noDirectory } from './no-directory.ts';

/** Ends a token at once. Revoking it again changes nothing. */
export async function revokeScimToken(ctx: OrgCtx, directory: Id<'dir'>, token: Id<'sct'>): Promise<void> {
  await change(ctx, async (tx) => {
    if (!(await findDirectory(tx, directory))) throw noDirectory(directory);
    const revoked = await revokeScimTokenRow(tx, directory, token, ctx.now);
    if (revoked > 0)
      return { value: undefined, events: [event(directoryEvents, 'directory.token_revoked', { directory, token })] };
    if (!(await listScimTokens(tx, directory)).some((t) => t.id === token))
      throw new Problem('missing', 'directory/no-token', { says: `there is no token ${token} of this directory` });
    return { value: undefined, unchanged: true };
  });
}
