import type { Ctx } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import { signedInAt } from './signed-in-at.ts';

/** A step that a stolen cookie must not take is taken this soon after signing in, or not at all. */
export const FRESH_MS = 15 * 60_000;

/**
 * Refuses a step unless the person signed in a moment ago (step-up). Keys and agents are refused, too: they cannot sign in again.
 * The address in the fix asks the identity provider for a proof of now (`max_age`), not for the one that it remembers.
 */
export async function refuseStaleSignIn(ctx: Ctx, what: string, within: number = FRESH_MS): Promise<void> {
  const at = await signedInAt(ctx);
  if (at && ctx.now.getTime() - at.getTime() <= within) return;
  throw new Problem('forbidden', 'identity/sign-in-again', {
    says: `${what} needs a sign-in of the last ${Math.round(within / 60_000)} minutes`,
    fix: 'sign in again at /sign-in?max_age=0 and come back',
    more: { maxAge: 0 },
  });
}
