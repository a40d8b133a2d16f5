import { timingSafeEqual } from 'node:crypto';
import type { Ctx } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import { lookupFounded } from '#org/org.sql.ts';

/**
 * The secret in the link that an empty deployment prints at each start. It follows from the root key, so every node knows it and nothing is
 * stored; it opens something only while nobody is here, which makes it a link for one time.
 */
export const foundingToken = (ctx: Pick<Ctx, 'seal'>): string =>
  ctx.seal.derive('founding link', 24).toString('base64url');

/** Whether the deployment is empty and `token` is the one that was printed. Throws what to say otherwise. */
export async function admitFounding(ctx: Pick<Ctx, 'seal' | 'db'>, token: string): Promise<void> {
  const [given, wanted] = [Buffer.from(token), Buffer.from(foundingToken(ctx))];
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
    throw new Problem('missing', 'identity/no-founding-link', {
      says: 'there is no such link',
      fix: 'take the one that the server printed when it last started',
    });
  if ((await ctx.db.lookup(lookupFounded()))?.founded)
    throw new Problem('conflict', 'identity/founding-link-used', {
      says: 'this link was for the first owner, and the deployment has one',
      fix: 'sign in at /sign-in; whoever runs this deployment can make a set-up link on its machine',
    });
}
