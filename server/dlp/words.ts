import type { Span } from './detector.ts';

/** Words of folded text in lower case, and where they stand. */
export type Word = { text: string; start: number; end: number };
const word = /[\p{L}\p{N}]+/gu;
export const wordsOf = (text: string): Word[] =>
  Array.from(text.matchAll(word), (m) => ({ text: m[0].toLowerCase(), start: m.index, end: m.index + m[0].length }));

/** A value as it is compared: folded by the caller, in lower case, its words without what stands between them. */
export const normalValue = (folded: string): string =>
  wordsOf(folded)
    .map((w) => w.text)
    .join('');

/** A list of words and phrases of the customer. It is found where at least so many different ones stand in one text. */
export type Dictionary = { id: string; phrases: readonly string[]; atLeast: number };
export type CompiledDictionary = { id: string; atLeast: number; phrases: Set<string>; longest: Map<string, number> };

/** Phrases longer than this are cut: their first words say enough. */
export const MAX_PHRASE_WORDS = 6;

export function compileDictionary(d: Dictionary, fold: (text: string) => string): CompiledDictionary {
  const phrases = new Set<string>();
  const longest = new Map<string, number>();
  for (const p of d.phrases) {
    const words = wordsOf(fold(p)).slice(0, MAX_PHRASE_WORDS);
    const first = words[0]?.text;
    if (first === undefined) continue;
    phrases.add(words.map((w) => w.text).join(' '));
    longest.set(first, Math.max(longest.get(first) ?? 0, words.length));
  }
  return { id: d.id, atLeast: d.atLeast, phrases, longest };
}

/** Every phrase of the dictionary in the text, if there are enough different ones. */
export function dictionaryIn(d: CompiledDictionary, words: readonly Word[]): Span[] {
  const found: Span[] = [];
  for (let i = 0; i < words.length; i++) {
    const most = d.longest.get(words[i]?.text ?? '') ?? 0;
    for (let n = most; n > 0; n--) {
      const part = words.slice(i, i + n);
      const phrase = part.map((w) => w.text).join(' ');
      if (part.length < n || !d.phrases.has(phrase)) continue;
      found.push({ start: part[0]?.start ?? 0, end: part.at(-1)?.end ?? 0, text: phrase });
      i += n - 1;
      break;
    }
  }
  return new Set(found.map((f) => f.text)).size >= d.atLeast ? found : [];
}
