import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { directoryEvents } from './directory.events.ts';
import { findDirectory, insertScimToken } from './directory.sql.ts';
import { newScimToken, scimTokenHash } from './directory.ts';
import { noDirectory } from './no-directory.ts';

const DAY_MS = 86_400_000;

/** A new token of a directory. Others stay valid, so a client can be moved over. The token is in the answer and nowhere else. */
export async function createScimToken(
  ctx: OrgCtx,
  directory: Id<'dir'>,
  days: number,
): Promise<{ id: Id<'sct'>; token: string; expires: Date }> {
  const token = newScimToken();
  const id = newId('sct', ctx.now.getTime());
  const expires = new Date(ctx.now.getTime() + days * DAY_MS);
  return change(ctx, async (tx) => {
    if (!(await findDirectory(tx, directory))) throw noDirectory(directory);
    const createdBy = 'id' in ctx.actor ? ctx.actor.id : ctx.actor.kind;
    await insertScimToken(tx, directory, { id, created: ctx.now, createdBy, expires, hash: scimTokenHash(token) });
    return {
      value: { id, token, expires },
      events: [
        event(directoryEvents, 'directory.token_created', { directory, token: id, expires: expires.toISOString() }),
      ],
    };
  });
}
