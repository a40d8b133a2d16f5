import { engineFor } from '#kernel/linear-pattern.ts';
import { Problem } from '#kernel/problem.ts';
import type { Span } from './detector.ts';
import { requiredLiteral } from './required-literal.ts';

/** A pattern of the customer, in RE2's syntax: linear in time whatever it is, so without look-around and back-references. */
export type CustomerPattern = { id: string; source: string; ignoreCase?: boolean };
export type CompiledPattern = {
  id: string;
  /** Something that stands in every match, if the pattern has it; the gate looks for it and the pattern runs only near it. */
  literal: string | undefined;
  /** What it finds in the text from `from` to `to`. */
  find(text: string, from: number, to: number): Span[];
};

/** Longer ones would be a program. */
export const MAX_PATTERN_CHARS = 1000;
/** A match is seen whole up to this length; a longer one is found and reaches so far at least. */
export const MAX_PATTERN_MATCH = 512;
const SMALL = 2 * MAX_PATTERN_MATCH;
const LARGE = 16 * MAX_PATTERN_MATCH;

/** Compiles a pattern, or refuses it with the place and the reason. */
export function compilePattern({ id, source, ignoreCase = false }: CustomerPattern): CompiledPattern {
  if (source.length === 0 || source.length > MAX_PATTERN_CHARS)
    throw refused(`it has ${source.length} characters`, `give it 1 to ${MAX_PATTERN_CHARS}`);
  const flags = ignoreCase ? 'giu' : 'gu';
  let empty: boolean;
  try {
    empty = engineFor(source, flags).test('');
  } catch (e) {
    throw refused(
      reasonOf(source, e),
      'write it in the syntax of RE2: no look-around, no back-reference, no possessive quantifier, at most {1000}',
    );
  }
  if (empty)
    throw refused('it matches the empty text, so it would be found everywhere', 'demand at least one character');
  return {
    id,
    literal: requiredLiteral(source),
    find: (text, from, to) => findAll(engineFor(source, flags), text, from, to),
  };
}

const refused = (found: string, fix: string): Problem =>
  new Problem('invalid', 'dlp/pattern-refused', { says: `the pattern cannot be used: ${found}`, fix });

/** RE2 says what it did not like and quotes it; we say where that stands. */
function reasonOf(source: string, e: unknown): string {
  const message =
    e instanceof Error
      ? e.message.slice(e.message.lastIndexOf('/u: ') + 4).replace(/^.*\/g?i?u: /, '')
      : 'it does not compile';
  const quoted = message.slice(message.indexOf(': ') + 2);
  const at = quoted === message ? -1 : source.indexOf(quoted);
  return at >= 0 && quoted !== source ? `${message}, at character ${at + 1}` : message;
}

/**
 * RE2 copies what it is given at each call, so it gets windows: large ones while there is nothing, small ones where matches are many. What begins
 * in the last part of a window is left to the next, which sees it whole.
 */
function findAll(pattern: ReturnType<typeof engineFor>, text: string, from: number, to: number): Span[] {
  const found: Span[] = [];
  let at = from;
  let size = LARGE;
  while (at < to) {
    const start = Math.max(0, at - 1);
    const end = Math.min(text.length, at + size);
    // RE2 counts characters beyond U+FFFF as one; they stand for nothing here.
    const window = text.slice(start, end).replace(/[\uD800-\uDFFF]/g, '\uFFFD');
    pattern.lastIndex = at - start;
    const m = pattern.exec(window);
    const match = m?.[0] ?? '';
    const begins = start + (m?.index ?? 0);
    const whole = end === text.length ? end : end - MAX_PATTERN_MATCH;
    if (match !== '' && begins < whole) {
      if (begins >= to) break;
      found.push({ start: begins, end: begins + match.length, text: match });
      at = begins + match.length;
      size = SMALL;
    } else {
      at = whole;
      size = Math.min(LARGE, size * 2);
    }
  }
  return found;
}
