import type { Finds, Span } from '../detector.ts';

/** Words that may stand between the one that says what a number is and the number. */
const MAX_WORDS = 5;
/** Characters that those words may take. */
export const WINDOW = 96;
/** Numbers in a row ("SSNs: …, …, …") that one word is good for. */
const MAX_ROW = 16;

const wordIn = /[A-Za-z0-9]+/g;
const wordsBetween = (text: string): number => text.match(wordIn)?.length ?? 0;

/**
 * Looks for `shape` behind one of the words, at most five words away. For what proves too little by itself: one number in ten has a fitting
 * check digit by chance. `normal` gives what was found its normal form, or undefined if it is not that.
 */
export function behindWords(
  words: readonly string[],
  shape: RegExp,
  normal: (found: string) => string | undefined,
  most = MAX_WORDS,
): Finds {
  const pattern = new RegExp(shape.source, `g${shape.flags.replace('g', '')}`);
  return {
    among: 'keywords',
    keywords: words,
    whole: true,
    find(text, _from, to) {
      const found: Span[] = [];
      let at = to;
      for (let i = 0; i < MAX_ROW; i++) {
        // One more character, so that a number is not taken for complete where the window ends.
        const s = nearest(text.slice(Math.max(0, at - 1), at + WINDOW + 32), pattern, normal, at > 0 ? 1 : 0, most);
        if (!s) break;
        found.push({ ...s, start: s.start + at - (at > 0 ? 1 : 0), end: s.end + at - (at > 0 ? 1 : 0) });
        at = found.at(-1)?.end ?? at;
      }
      return found;
    },
  };
}

function nearest(
  near: string,
  pattern: RegExp,
  normal: (found: string) => string | undefined,
  from: number,
  most: number,
): Span | undefined {
  pattern.lastIndex = from;
  for (let m = pattern.exec(near); m; m = pattern.exec(near)) {
    if (m.index > WINDOW || wordsBetween(near.slice(from, m.index)) > most) return undefined;
    const text = normal(m[0]);
    if (text !== undefined) return { start: m.index, end: m.index + m[0].length, text };
    // What did not fit may begin one character further: `1 123-45-6789`.
    pattern.lastIndex = m.index + 1;
  }
  return undefined;
}

/** Words that mean something else in some language ("sin" is Spanish for "without") count in capitals, or as part of a name (`customer_sin`). */
export function inCapitals(finds: Finds): Finds {
  if (finds.among !== 'keywords') return finds;
  return {
    ...finds,
    find(text, from, to) {
      const word = text.slice(from, to);
      const named = /["'_:=]/.test(text.charAt(from - 1)) || /["'_:=]/.test(text.charAt(to));
      return word === word.toUpperCase() || named ? finds.find(text, from, to) : [];
    },
  };
}

/** From a to b. */
export const upTo = (a: number, b: number): number[] => Array.from({ length: b - a + 1 }, (_, i) => a + i);

/** So many digits with at most one sign between any two, not part of a longer number, a fraction or a word. */
export const digits = (least: number, most = least): RegExp =>
  new RegExp(
    `(?<![A-Za-z0-9])(?<!\\d[.,\\-])\\d(?:[ .\\-/]?\\d){${least - 1},${most - 1}}(?![A-Za-z0-9])(?![.,:\\-]\\d)`,
  );

/** Takes the signs out and asks whether the digits are right. */
export const ifDigits =
  (valid: (digits: string) => boolean) =>
  (found: string): string | undefined => {
    // Two groups around one point are a decimal fraction.
    if (/^\d+\.\d+$/.test(found)) return undefined;
    const plain = found.replace(/\D/g, '');
    return valid(plain) ? plain : undefined;
  };

/** Takes everything but letters and digits out, in capitals, and asks whether it is right. */
export const ifPlain =
  (valid: (plain: string) => boolean) =>
  (found: string): string | undefined => {
    const plain = found.replace(/[^A-Za-z0-9]/g, '').toUpperCase();
    return valid(plain) ? plain : undefined;
  };

/**
 * A token that proves itself: it begins with so many letters and digits, and its whole text fits the shape. INVARIANT (hint): `first` has every
 * character that the shape begins with, and `next`, for a single number of digits, every one that goes on behind those; most tokens end there.
 */
export function tokens(
  letters: readonly number[],
  run: readonly number[],
  shape: RegExp,
  valid: (token: string) => boolean,
  hint: { first?: string; next?: string } = {},
): Finds {
  const { first, next } = hint;
  const behind = (letters[0] ?? 0) + (run[0] ?? 0);
  const sticky = new RegExp(`${shape.source}(?![A-Za-z0-9])`, `y${shape.flags.replace('y', '')}`);
  return {
    among: 'tokens',
    letters,
    digits: run,
    find(text, from) {
      if (first !== undefined && !first.includes(text.charAt(from))) return undefined;
      if (next !== undefined && !next.includes(text.charAt(from + behind))) return undefined;
      sticky.lastIndex = from;
      const m = sticky.exec(text);
      const plain = m?.[0].replace(/[^A-Za-z0-9]/g, '').toUpperCase();
      return m && plain !== undefined && valid(plain)
        ? { start: from, end: from + m[0].length, text: plain }
        : undefined;
    },
  };
}
