import { z } from 'zod';
import type { Reader } from '#kernel/db.ts';
import type { Catalogue } from './catalogue.ts';
import type { PolicyContent } from './content.ts';
import { WishForm } from './forms.ts';
import { resolveWish } from './resolve-wish.ts';
import type { Wish } from './wish.ts';

/** Changes of the policies that nobody has made yet, in the order in which they would be made. */
export type Draft = { changes: readonly Wish[] };

/** A draft as it comes in: the same changes that can be previewed and made one by one. */
export const DraftForm = z.strictObject({ changes: z.array(WishForm).max(100) });

/** The policies as they would be after a draft. Refuses what could not be made either; writes nothing. */
export async function applyDraft(
  db: Reader,
  content: PolicyContent,
  draft: Draft,
  now: Date,
  catalogue: Pick<Catalogue, 'hasConnector' | 'types'>,
): Promise<PolicyContent> {
  let after = content;
  for (const wish of draft.changes) ({ after } = await resolveWish(db, after, wish, now, catalogue));
  return after;
}
