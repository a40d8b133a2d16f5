import { findSessionBrowser } from '#identity/signed-in-at.sql.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
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
 * From where a signed-in person decides: by the browser that his session was opened in, and by nothing that the present request says of itself.
 * A phone's browser is the phone, whatever page it is on. What a browser calls itself is its owner's word: it keeps a rule from being
 * forgotten, not from being broken on purpose, and for that there is the passkey. Nothing is the desk until a desk has a session of its own.
 */
export async function mannerOf(db: Reader, ctx: OrgCtx, fresh: boolean): Promise<Manner> {
  const { user, session } = personOf(ctx);
  const browser = await findSessionBrowser(db, user, session);
  return { surface: onPhone(browser?.userAgent ?? '') ? 'dispatch' : 'portal', device: 'unknown', fresh };
}

/** Phones and tablets say so in their own words; a desktop that a page is asked to be shown as one does not. */
export const onPhone = (userAgent: string): boolean => /\b(?:Mobile|Android|iPhone|iPad|iPod)\b/i.test(userAgent);
