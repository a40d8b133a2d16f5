import { z } from 'zod';
import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { Merge } from '#org/merge.ts';
import { findMerge } from '#org/merge.sql.ts';
import type { Letter } from '../letter.ts';

/** What every message about a merge holds. */
export const aboutMerge = z.object({ merge: z.custom<Id<'mrg'>>() });

/** The merge as the recipient's side sees it: who the others are, and which way things move. */
export async function mergeOf(
  db: Reader,
  id: Id<'mrg'>,
): Promise<{ merge: Merge; joining: string; receiving: string } | undefined> {
  const merge = await findMerge(db, id);
  return merge && { merge, joining: `“${merge.orgName}”`, receiving: `“${merge.intoName}”` };
}

/** Where a merge is looked at. */
export const lookAt = (org: string, id: Id<'mrg'>, label: string): Letter['look'] => ({
  label,
  path: `/api/orgs/${org}/merges/${id}`,
});

/** A day as a clerk writes it: `2 Dec 2026`. */
export const day = (d: Date): string =>
  d.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
