import { MiB } from '#kernel/limits.ts';

/** A file as a vendor gave it. `name` and `mimeType` are hints: what a file is, its bytes say. */
export type Content = { bytes: Uint8Array; mimeType?: string | undefined; name?: string | undefined };

/** What we can read; `plain` is every other text. */
export type ContentKind = 'docx' | 'xlsx' | 'pptx' | 'pdf' | 'html' | 'csv' | 'json' | 'markdown' | 'plain';

/** Which part of the text is wanted. Reading on: the same file with `offset` as `next` said, and the same `page`. */
export type ContentPart = {
  /** Characters of text; default 200,000. */
  maxChars?: number | undefined;
  /** Characters of the text that are passed over, counted from `page`. */
  offset?: number | undefined;
  /** The page, sheet or slide to begin with, from 1. Other kinds have one page. */
  page?: number | undefined;
};

export type ContentText = {
  text: string;
  kind: ContentKind;
  /** How many there are in the file. */
  pages?: number;
  sheets?: readonly string[];
  slides?: number;
  /** Whether there is more text than `text`; then `next` is the offset with which reading goes on. */
  truncated: boolean;
  next?: number;
  /** What whoever reads it must know: what was left out, cut or guessed. Sentences. */
  notes: readonly string[];
};

/** Largest file that is read. */
export const MAX_CONTENT_BYTES = 25 * MiB;
/** Characters of one answer: about 50,000 tokens, which is more than a model can use at once. */
export const DEFAULT_MAX_CHARS = 200_000;

/** Why a file has no text for us; the thread says it, `toText` makes a Problem of it. */
export type Unreadable = {
  code:
    | 'connectors/content-unsupported'
    | 'connectors/content-encrypted'
    | 'connectors/content-broken'
    | 'connectors/content-too-hard';
  says: string;
  fix?: string | undefined;
};

/** Ends the reading of a file. `says` goes to the person who asked, so it has nothing of the file in it but short names. */
export class ContentRefused extends Error {
  readonly unreadable: Unreadable;
  constructor(code: Unreadable['code'], says: string, fix?: string) {
    super(says);
    this.name = 'ContentRefused';
    this.unreadable = { code, says, fix };
  }
}

export const broken = (says: string): ContentRefused =>
  new ContentRefused(
    'connectors/content-broken',
    says,
    'open it in the program that made it, save it again, and try once more',
  );
export const tooHard = (says: string): ContentRefused =>
  new ContentRefused('connectors/content-too-hard', says, 'open it in its own program, or share a smaller part of it');
