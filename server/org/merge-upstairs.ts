import type { Ctx, OrgCtx } from '#kernel/ctx.ts';
import type { Reader, Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { MergeDomain } from './merge-preview.ts';

/** What there is to tell about a merge. */
export type MergeNews = 'sent' | 'approved' | 'changed' | 'applied' | 'undone' | 'rejected' | 'expired';

/** Tells members of the ctx's organization, within the change. The transaction stands in that organization when it is called. */
export type Herald = (
  tx: Tx,
  ctx: OrgCtx,
  news: { what: MergeNews; merge: Id<'mrg'>; to: readonly Id<'usr'>[] },
) => Promise<void>;

/** What a merge needs of rooms above this one; `doors.ts` and the job put it in. */
export type MergeUpstairs = {
  herald: Herald;
  /** When the one who acts proved last who they are; undefined: no person, or no session. */
  signedInAt(ctx: Ctx): Promise<Date | undefined>;
  /** The domains of the parent that the transaction stands in. */
  domains(db: Reader): Promise<readonly Omit<MergeDomain, 'side'>[]>;
};
