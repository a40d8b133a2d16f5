import type { PlainText } from './plain-text.ts';

/** How much a finding should weigh with a reviewer. None decides anything: an attacker can word around any list. */
export const severities = ['high', 'medium', 'low'] as const;
export type Severity = (typeof severities)[number];

/** Something in a definition that a reviewer should look at before he believes it. */
export type Finding = {
  /** The scanner's; fixed for ever. */
  id: string;
  severity: Severity;
  /** JSON Pointer into the definition; what deceives in it is shown by its code point. */
  at: string;
  /** What was found with some text around it, every character visible. */
  excerpt: string;
  says: string;
  why: string;
  /** How often in this place. */
  count: number;
};

/** What a piece of text is in the definition: what a thing is called, prose, a pattern, an address. */
export type Role = 'name' | 'prose' | 'pattern' | 'address';

/** A piece of text as it came and as it reads. */
export type Piece = { raw: string; role: Role; plain: PlainText };

/** Where in `text` something stands; `what` is said instead of the scanner's words. */
export type Hit = { text: string; from: number; to: number; what?: string };

/** Looks at one text after the other. Declared with its proof: scan.test.ts runs `catches` and `spares` of every scanner. */
export type TextScanner = {
  /** Fixed for ever. */
  id: string;
  severity: Severity;
  /** A few words: what was found. */
  says: string;
  /** One sentence: what it can be used for. */
  why: string;
  /** In time linear in the text. */
  find(piece: Piece): Iterable<Hit>;
  /** Texts with it; as a name or an address where `role` says so. */
  catches: readonly Sample[];
  /** Texts that look alike and are honest. */
  spares: readonly Sample[];
};
export type Sample = string | { role: Role; text: string };

/** Declares a scanner. */
export const scanner = (id: string, s: Omit<TextScanner, 'id'>): TextScanner => ({ id, ...s });

/** Hits of a pattern in a text. */
export function* matches(text: string, pattern: RegExp): Generator<Hit> {
  for (const m of text.matchAll(pattern)) yield { text, from: m.index, to: m.index + m[0].length };
}
