import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Id } from '#kernel/id.ts';
import { createDirectory } from '#directory/create-directory.ts';
import { createScimToken } from '#directory/create-scim-token.ts';
import { listScimTokens } from '#directory/directory.sql.ts';
import { MAX_TOKEN_DAYS, type ScimToken } from '#directory/directory.ts';
import { idpSetupEvents } from './idp-setup.events.ts';
import { badField, noSuchLink } from './link.ts';
import { lockLink, saveDirectoryOfLink } from './link.sql.ts';
import type { Visit } from './open-idp-setup-link.ts';
import { findProvider } from './providers.ts';

/** The one in use and the next one. */
export const MAX_LIVE_TOKENS = 2;

export const liveTokens = (all: readonly ScimToken[], now: Date): ScimToken[] =>
  all.filter((t) => !t.revoked && t.expires > now);

/** Makes a SCIM token for the link's directory, and the directory if there is none yet. The token is in this answer and nowhere else. */
export async function makeSetupToken(visit: Visit): Promise<{ directory: Id<'dir'>; token: string; expires: Date }> {
  const { ctx, link } = visit;
  const directory = link.directory ?? (await makeDirectory(visit));
  const tokens = await ctx.db.read({ parent: ctx.parent, org: ctx.org }, (db) => listScimTokens(db, directory));
  if (liveTokens(tokens, ctx.now).length >= MAX_LIVE_TOKENS)
    throw badField(
      `the directory has ${MAX_LIVE_TOKENS} tokens that work already`,
      'end the one that the identity provider does not use, then make another',
    );
  const { token, expires } = await createScimToken(ctx, directory, MAX_TOKEN_DAYS);
  return { directory, token, expires };
}

async function makeDirectory({ ctx, link }: Visit): Promise<Id<'dir'>> {
  const made = await createDirectory(ctx, findProvider(link.provider)?.name ?? link.name);
  return change({ ...ctx, org: undefined }, async (tx) => {
    const now = await lockLink(tx, link.org, link.id);
    if (!now) throw noSuchLink();
    // Two presses of the button: the second directory stays empty, and nobody is told its address.
    if (now.directory) return { value: now.directory, unchanged: true };
    await saveDirectoryOfLink(tx, link.id, made.id);
    return {
      value: made.id,
      events: [event(idpSetupEvents, 'idp_setup.directory_made', { link: link.id, directory: made.id })],
    };
  });
}
