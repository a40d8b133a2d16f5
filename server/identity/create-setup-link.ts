import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { hashSecret, newSecret } from './cookies.ts';
import { identityEvents } from './identity.events.ts';
import { insertSetupLink } from './setup-link.sql.ts';

const DAY_MS = 24 * 60 * 60_000;

/** Makes a link that signs this user in once, within 24 hours. For whoever holds the machine, before any identity provider is connected. */
export async function createSetupLink(ctx: Ctx, user: Id<'usr'>): Promise<{ url: string; expiresAt: Date }> {
  const token = newSecret();
  const id = newId('stp', ctx.now.getTime());
  const expiresAt = new Date(ctx.now.getTime() + DAY_MS);
  await change({ ...ctx, org: undefined }, async (tx) => {
    await insertSetupLink(tx, { id, user, expiresAt }, hashSecret(token), ctx.now);
    return { value: undefined, events: [event(identityEvents, 'setup_link.created', { link: id, user })] };
  });
  return { url: `${ctx.origin}/setup/${token}`, expiresAt };
}
