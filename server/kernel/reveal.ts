import { codePoint } from './visible.ts';

/** Why a character is not shown as what it looks like. */
export type Deceit =
  /** Nobody can see it: zero-width, variation selector, tag, filler, soft hyphen. */
  | 'invisible'
  /** It turns the direction of what stands around it. */
  | 'direction'
  | 'control'
  /** A space that is not U+0020, or one at an end. */
  | 'space'
  /** A letter of another script than the rest of its word. */
  | 'other_script'
  /** It stands for a plain character that it is not: full-width, mathematical, circled. */
  | 'lookalike'
  /** Means something only where a font or a program says so: private use, unassigned, half of a pair. */
  | 'unknown';

/** A character printed by its code point; `char` is given only where it can be seen. */
export type Revealed = { code: string; char: string | undefined; why: Deceit };
export type Piece = string | Revealed;

/** Everything beyond plain ASCII text, a line's end and a tab. A text without any is shown as it is. */
const notPlain = /[^\t\n\u0020-\u007e]/u;

// Default_Ignorable_Code_Point has them all: ZWSP, word joiner, BOM, variation selectors, tags, Hangul fillers, soft hyphen.
const invisible = /^[\p{Default_Ignorable_Code_Point}\u2800\uFFF9-\uFFFB]$/u;
const direction = /^[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]$/u;
const control = /^[\p{Cc}\u2028\u2029]$/u;
const unknown = /^[\p{Co}\p{Cn}\p{Cs}\uFFFD]$/u;
const letter = /^\p{L}$/u;
const mark = /^\p{M}$/u;
/** ª º ² ³ ¹: in everyday use, and seen to be raised. */
const raised = /^[\u00AA\u00BA\u00B2\u00B3\u00B9]$/u;
/** More marks than any language stacks on one letter. */
const MAX_MARKS = 3;

const scripts: readonly [string, RegExp][] = [
  'Latin', 'Cyrillic', 'Greek', 'Armenian', 'Cherokee', 'Coptic', 'Hebrew', 'Arabic', 'Georgian', 'Devanagari', 'Thai', 'Lisu',
  'Han', 'Hiragana', 'Katakana', 'Hangul', 'Bopomofo',
].map((name) => [name, new RegExp(`^\\p{Script_Extensions=${name}}$`, 'u')]); // prettier-ignore

/** Written together, as Japanese, Korean and Chinese are (UTS #39, highly restrictive). */
const together = new Set(['Han', 'Hiragana', 'Katakana', 'Hangul', 'Bopomofo']);

/** `Common` for what belongs to no script, e.g. digits. */
function scriptOf(char: string): string {
  if (char < '\u0080') return /[A-Za-z]/.test(char) ? 'Latin' : 'Common';
  for (const [name, is] of scripts) if (is.test(char)) return together.has(name) ? 'East Asian' : name;
  return letter.test(char) ? 'Other' : 'Common';
}

const shown = (char: string, why: Deceit): Revealed => ({
  code: codePoint(char),
  char: why === 'other_script' || why === 'lookalike' ? char : undefined,
  why,
});

function deceitOf(char: string): Deceit | undefined {
  if (direction.test(char)) return 'direction';
  if (control.test(char)) return char === '\n' || char === '\t' ? undefined : 'control';
  if (invisible.test(char)) return 'invisible';
  if (/^\p{Zs}$/u.test(char)) return char === ' ' ? undefined : 'space';
  if (unknown.test(char)) return 'unknown';
  if (char > '\u007f' && !raised.test(char) && /^[\u0021-\u007e]$/.test(char.normalize('NFKC'))) return 'lookalike';
  return undefined;
}

/** The script that most letters of a word are of; of equals the Latin one, because that is what the others are taken for. */
function scriptOfWord(word: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const c of word) {
    const script = scriptOf(c);
    if (script !== 'Common') counts.set(script, (counts.get(script) ?? 0) + 1);
  }
  let most: string | undefined;
  for (const [script, n] of counts) {
    const best = most === undefined ? 0 : (counts.get(most) ?? 0);
    if (n > best || (n === best && script === 'Latin')) most = script;
  }
  return counts.size > 1 ? most : undefined;
}

/**
 * Text of others in pieces: what a person sees is what is there. Characters that hide, turn, or pass for others come as their code point
 * (design language §6). Plain text comes back as one piece; joining what the pieces stand for gives the text again. Linear in its length.
 */
export function reveal(text: string): Piece[] {
  if (!notPlain.test(text)) return text === '' ? [] : [text];
  const chars = Array.from(text);
  const pieces: Piece[] = [];
  let plain = '';
  const put = (r: Revealed): void => {
    if (plain !== '') pieces.push(plain);
    plain = '';
    pieces.push(r);
  };
  let marks = 0;
  let wordEnd = 0;
  let wordScript: string | undefined;
  chars.forEach((char, i) => {
    if (i >= wordEnd) {
      let end = i;
      while (end < chars.length && (letter.test(chars[end] ?? '') || mark.test(chars[end] ?? ''))) end++;
      wordScript = end > i ? scriptOfWord(chars.slice(i, end)) : undefined;
      wordEnd = Math.max(end, i + 1);
    }
    marks = mark.test(char) ? marks + 1 : 0;
    const why =
      marks > MAX_MARKS
        ? 'invisible'
        : (deceitOf(char) ??
          (wordScript !== undefined && scriptOf(char) !== 'Common' && scriptOf(char) !== wordScript
            ? 'other_script'
            : undefined));
    if (why === undefined) plain += char;
    else put(shown(char, why));
  });
  if (plain !== '') pieces.push(plain);
  return pieces;
}
