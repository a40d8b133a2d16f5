import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { directoryEvents } from './directory.events.ts';
import { findDirectory } from './directory.sql.ts';
import { scimTokenHash } from './directory.ts';
import { noDirectory } from './no-directory.ts';
import { newScimSecret } from './scim-client.ts';
import { insertScimClient } from './scim-client.sql.ts';

const DAY_MS = 86_400_000;

/** A new OAuth client of a directory. The secret is in the answer and nowhere else. */
export async function createScimClient(
  ctx: OrgCtx,
  directory: Id<'dir'>,
  days: number,
): Promise<{ id: Id<'scc'>; secret: string; expires: Date }> {
  const secret = newScimSecret();
  const id = newId('scc', ctx.now.getTime());
  const expires = new Date(ctx.now.getTime() + days * DAY_MS);
  return change(ctx, async (tx) => {
    if (!(await findDirectory(tx, directory))) throw noDirectory(directory);
    const createdBy = 'id' in ctx.actor ? ctx.actor.id : ctx.actor.kind;
    await insertScimClient(tx, directory, { id, created: ctx.now, createdBy, expires, hash: scimTokenHash(secret) });
    return {
      value: { id, secret, expires },
      events: [
        event(directoryEvents, 'directory.client_created', { directory, client: id, expires: expires.toISOString() }),
      ],
    };
  });
}
