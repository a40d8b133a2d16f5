import { createHash } from 'node:crypto';
import { Problem } from '#kernel/problem.ts';
import { compilePattern, type CompiledPattern, type CustomerPattern } from './customer-pattern.ts';
import type { Detector, Finds } from './detector.ts';
import { detectors } from './detectors.ts';
import { compileExactData, type CompiledExactData, type ExactData } from './exact-data.ts';
import { fold } from './fold.ts';
import { MAX_LEAD } from './gate.ts';
import { keywordsOf, type Keywords } from './keywords.ts';
import { compileDictionary, type CompiledDictionary, type Dictionary } from './words.ts';

/** What is to be looked for, as plain data: it goes to a thread as it is. */
export type ScannerSpec = {
  /** Ids of detectors that we bring (detectors.ts). An id that does not exist is a mistake of the caller. */
  detectors: readonly string[];
  patterns?: readonly CustomerPattern[];
  terms?: readonly Terms[];
  dictionaries?: readonly Dictionary[];
  exactData?: readonly ExactData[];
};

/** Words of the customer that are found wherever one of them stands: names of projects, ids of sensitivity labels. In any case of letters. */
export type Terms = { id: string; terms: readonly string[] };

type On<A extends Finds['among']> = { id: string; finds: Extract<Finds, { among: A }> };

/** Everything to look for, compiled together. Immutable: made once per version of an organization's rules, shared by all its calls. */
export type Scanner = {
  spec: ScannerSpec;
  /** Names the spec; equal specs have equal keys. */
  key: string;
  chains: readonly On<'chains'>[];
  leastDigits: number;
  /** Who wants tokens that begin with so many letters and so many digits. */
  tokens: readonly (readonly (readonly On<'tokens'>[])[])[];
  keywords: Keywords;
  /** Who wants each keyword. */
  wanted: readonly (readonly On<'keywords'>[])[];
  /** Patterns that have no literal and so run over everything, and those that run near theirs. */
  everywhere: readonly CompiledPattern[];
  near: ReadonlyMap<number, readonly CompiledPattern[]>;
  dictionaries: readonly CompiledDictionary[];
  exactData: readonly CompiledExactData[];
};

/** Characters of all terms and literals together: the automaton takes 256 bytes for each. */
export const MAX_TERM_CHARS = 50_000;

/** No token that a detector knows begins with more digits in one run. */
const MAX_RUN = 80;

/** Compiles what to look for. A few milliseconds; keep the result. */
export function makeScanner(spec: ScannerSpec): Scanner {
  const all: Pick<Detector, 'id' | 'finds'>[] = [
    ...spec.detectors.map(builtIn),
    ...(spec.terms ?? []).map(termsDetector),
  ];
  const patterns = (spec.patterns ?? []).map(compilePattern);
  const chains: On<'chains'>[] = [];
  const tokens: On<'tokens'>[][][] = Array.from({ length: MAX_LEAD + 1 }, () =>
    Array.from({ length: MAX_RUN + 1 }, () => []),
  );
  const words = new Map<string, On<'keywords'>[]>();
  for (const { id, finds: ways } of all)
    for (const finds of ways)
      if (finds.among === 'chains') chains.push({ id, finds });
      else if (finds.among === 'tokens')
        for (const n of finds.letters) for (const d of finds.digits) tokens[n]?.[d]?.push({ id, finds });
      else
        for (const w of finds.keywords.map(fold)) {
          const key = keyOf(w, finds);
          words.set(key, [...(words.get(key) ?? []), { id, finds }]);
        }
  const keys = [...words.keys()];
  const literals = [...new Set(patterns.flatMap((p) => p.literal ?? []))];
  const chars = (spec.terms ?? []).flatMap((t) => t.terms).join('').length + literals.join('').length;
  if (chars > MAX_TERM_CHARS)
    throw new Problem('too_large', 'dlp/too-many-terms', {
      says: `the terms and patterns have ${chars} characters together; ${MAX_TERM_CHARS} are the limit`,
      fix: 'put long lists into a dictionary',
    });
  return {
    spec,
    key: createHash('sha256').update(JSON.stringify(spec)).digest('base64url'),
    chains,
    leastDigits: Math.min(...chains.map((c) => c.finds.digits)),
    tokens,
    keywords: keywordsOf(
      [...keys.map((k) => k.slice(1)), ...literals.map(fold)],
      keys.map((k) => k.startsWith(WHOLE)),
    ),
    wanted: [...words.values()],
    everywhere: patterns.filter((p) => p.literal === undefined),
    near: new Map(literals.map((l, i) => [keys.length + i, patterns.filter((p) => p.literal === l)])),
    dictionaries: (spec.dictionaries ?? []).map((d) => compileDictionary(d, fold)),
    exactData: (spec.exactData ?? []).map(compileExactData),
  };
}

/** Letters of other scripts fold one way when they are small and another when they are capitals. */
function casesOf(term: string): string[] {
  const t = term.trim().replace(/\s+/g, ' ');
  const cases = [t, t.toLowerCase(), t.toUpperCase(), t.charAt(0).toUpperCase() + t.slice(1).toLowerCase()];
  return t === '' ? [] : [...new Set(cases.map((c) => fold(c).toLowerCase()))];
}

/** Terms are keywords that need no more proof. */
const termsDetector = ({ id, terms }: Terms): Pick<Detector, 'id' | 'finds'> => ({
  id,
  finds: [
    {
      among: 'keywords',
      keywords: terms.flatMap(casesOf),
      whole: true,
      find: (text, start, end) => [{ start, end, text: text.slice(start, end).toLowerCase() }],
    },
  ],
});

/** One word that is asked for as a whole word and also inside others is two. */
const WHOLE = '=';
const keyOf = (word: string, finds: { whole?: boolean }): string => `${finds.whole === true ? WHOLE : '~'}${word}`;

function builtIn(id: string): Detector {
  const found = detectors.find((d) => d.id === id);
  if (!found) throw new Error(`no detector ${id}`);
  return found;
}
