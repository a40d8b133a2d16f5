import { RE2 } from '@adguard/re2-wasm';
import { KiB } from './limits.ts';

/** A regular expression that somebody else wrote, on an engine whose time is linear in the text whatever the pattern is. */
export type LinearPattern = { test(text: string): boolean };

/** Longer is a program, not a pattern. */
export const MAX_PATTERN_LENGTH = 1000;
/**
 * Longer texts do not match: what a pattern describes is an id, a path or an address. Linear is still states times characters, and nobody else is
 * served meanwhile; and the engine's memory is fixed, so that a copy of the text has to fit beside the patterns.
 */
export const MAX_MATCHED_LENGTH = 8 * KiB;
/** What one compiled pattern may take. */
const MAX_PATTERN_BYTES = 128 * KiB;
/**
 * Compiled ones at a time. The engine has 16 MiB for all of them and, when these are full, stops for good; so what is not in use is freed and
 * compiled again when it is needed.
 */
const MAX_LIVE = 48;

const live = new Map<string, RE2>();

/**
 * The engine for a pattern, as it is now: ask again for each text, because one that was not used for a while is freed. Throws a SyntaxError for
 * what RE2 does not take. All patterns of other people go through here; a `new RE2` anywhere else would fill the engine's memory for good.
 */
export function engineFor(source: string, flags: 'u' | 'gu' | 'giu'): RE2 {
  const key = `${flags} ${source}`;
  const known = live.get(key);
  if (known) live.delete(key);
  const re = known ?? new RE2(source, flags, MAX_PATTERN_BYTES);
  live.set(key, re);
  const [oldest] = live;
  if (oldest && live.size > MAX_LIVE) {
    live.delete(oldest[0]);
    free(oldest[1]);
  }
  return re;
}

/** The package gives no way to free a pattern; what it wraps does, and nothing else of it is touched. */
function free(re: RE2): void {
  const inner: unknown = Reflect.get(re, 'wrapper');
  if (typeof inner !== 'object' || inner === null) return;
  const done: unknown = Reflect.get(inner, 'delete');
  if (typeof done === 'function') Reflect.apply(done, inner, []);
}

/** Prepares a pattern (as in JSON Schema: Unicode, not anchored), or says why it cannot be run in linear time. */
export function linearPattern(source: string): LinearPattern | { refused: string } {
  if (source.length > MAX_PATTERN_LENGTH) return { refused: `it is longer than ${MAX_PATTERN_LENGTH} characters` };
  try {
    engineFor(source, 'u');
  } catch (e) {
    const why = e instanceof SyntaxError ? e.message.replace(/^.*\/u: /s, '') : 'the engine refuses it';
    return { refused: why.slice(0, 200) };
  }
  return {
    test(text) {
      return text.length <= MAX_MATCHED_LENGTH && engineFor(source, 'u').test(text);
    },
  };
}
