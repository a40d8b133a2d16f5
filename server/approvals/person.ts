import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Manner } from './judge.ts';

/** Only a person decides: a key or an agent has no judgement to lend, and what the rules say of people could not be checked. */
export function personOf(ctx: OrgCtx): { user: Id<'usr'>; session: Id<'ses'> } {
  if (ctx.actor.kind === 'user') return { user: ctx.actor.id, session: ctx.actor.session };
  throw new Problem('forbidden', 'approvals/not-a-person', {
    says: 'approvals are decided by people who are signed in, not by keys or agents',
    fix: 'sign in to the portal and decide there',
  });
}

/**
 * From where a signed-in person decides. By the kind of his session and by nothing that a browser says of itself: all sessions are the
 * portal's until a desk or a phone has one that it alone can hold.
 */
export const mannerOf = (_ctx: OrgCtx, fresh: boolean): Manner => ({ surface: 'portal', device: 'unknown', fresh });
