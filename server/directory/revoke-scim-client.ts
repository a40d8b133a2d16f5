import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { directoryEvents } from './directory.events.ts';
import { findDirectory } from './directory.sql.ts';
import { noDirectory } from './no-directory.ts';
import { listScimClients, revokeScimClientRow } from './scim-client.sql.ts';

/** Ends an OAuth client and every token that it got, at once. Revoking it again changes nothing. */
export async function revokeScimClient(ctx: OrgCtx, directory: Id<'dir'>, client: Id<'scc'>): Promise<void> {
  await change(ctx, async (tx) => {
    if (!(await findDirectory(tx, directory))) throw noDirectory(directory);
    // The gate looks at the client with each of its tokens, so they need no date of their own.
    if ((await revokeScimClientRow(tx, directory, client, ctx.now)) > 0)
      return { value: undefined, events: [event(directoryEvents, 'directory.client_revoked', { directory, client })] };
    if (!(await listScimClients(tx, directory)).some((c) => c.id === client))
      throw new Problem('missing', 'directory/no-client', {
        says: `there is no OAuth client ${client} of this directory`,
      });
    return { value: undefined, unchanged: true };
  });
}
