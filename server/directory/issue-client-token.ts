import { timingSafeEqual } from 'node:crypto';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import { newId, parseId } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { directoryEvents } from './directory.events.ts';
import { newScimToken, scimTokenHash } from './directory.ts';
import { CLIENT_TOKEN_SECONDS, MAX_CLIENT_TOKENS } from './scim-client.ts';
import { insertClientToken, lockLiveClient, lookupScimClient } from './scim-client.sql.ts';

/** The same words whatever is wrong, so that nobody learns which clients and directories there are. */
const notTheClient = (because: string): Problem =>
  new Problem('unauthenticated', 'directory/client', {
    says: 'the client id or its secret is not one of this directory',
    fix: 'send the id and secret that an administrator made for this directory; they may have been revoked or have ended',
    because,
  });

/** Trades a client's secret for a token of an hour that is used like any other of the directory (RFC 6749 §4.4). */
export async function issueClientToken(
  ctx: Ctx,
  directory: string,
  client: { id: string; secret: string },
): Promise<{ token: string; seconds: number }> {
  const id = parseId('scc', client.id);
  const found = id && (await lookupScimClient(ctx.db, id));
  if (!id || !found) throw notTheClient('no such client');
  if (!timingSafeEqual(found.hash, scimTokenHash(client.secret))) throw notTheClient('another secret');
  if (found.directory !== directory) throw notTheClient('another directory');
  if (found.revoked || found.expires <= ctx.now) throw notTheClient('revoked or expired');
  const token = newScimToken();
  const scoped: Ctx = { ...ctx, parent: found.parent, org: found.org };
  return change(scoped, async (tx) => {
    const live = await lockLiveClient(tx, id, ctx.now);
    if (!live) throw notTheClient('revoked meanwhile');
    if (live.tokens >= MAX_CLIENT_TOKENS)
      throw new Problem('too_many', 'directory/too-many-tokens', {
        says: `this client has ${live.tokens} live tokens`,
        fix: `use each of them for its ${CLIENT_TOKEN_SECONDS} seconds`,
        more: { retryAfter: 60 },
      });
    const made = { id: newId('sct', ctx.now.getTime()), created: ctx.now, hash: scimTokenHash(token) };
    const expires = new Date(Math.min(ctx.now.getTime() + CLIENT_TOKEN_SECONDS * 1000, found.expires.getTime()));
    await insertClientToken(tx, found.directory, id, { ...made, expires });
    return {
      value: { token, seconds: Math.floor((expires.getTime() - ctx.now.getTime()) / 1000) },
      events: [
        event(directoryEvents, 'directory.client_token_issued', {
          directory: found.directory,
          client: id,
          token: made.id,
        }),
      ],
    };
  });
}
