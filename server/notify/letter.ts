import type { z } from 'zod';
import type { Ctx } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import type { Words } from './words.ts';

/**
 * What a mail says: facts, and one place to go. Never a decision: whoever has the mail has nothing, the page asks who they are. Text from
 * others (names of organizations) is only ever put in as text.
 */
export type Letter = {
  subject: string;
  /** Paragraphs, facts first. */
  says: readonly string[];
  /** The one link: what is there, and its path on our origin. */
  look: { label: string; path: string };
  /** Said at the end instead of the usual, where the link is more than a place to look. */
  foot?: string;
};

/** A kind of message: what its row holds (ids and counts only), and how the words are made from it when it is sent. */
export type Kind<K extends string = string, D extends z.ZodType = z.ZodType> = {
  kind: K;
  data: D;
  /** Reads as the recipient's organization. Undefined: what it would tell of is over, so nothing is sent. */
  write(
    db: Reader,
    data: z.infer<D>,
    org: string,
    words: Words,
    ctx: Pick<Ctx, 'seal' | 'now'>,
  ): Promise<Letter | undefined>;
};

/** Keeps the types of each declaration; see any file of `messages/`. */
export const letter = <K extends string, D extends z.ZodType>(k: Kind<K, D>): Kind<K, D> => k;
