import { createHash } from 'node:crypto';
import type { Detector, Finds } from './detector.ts';
import { detectors } from './detectors.ts';
import { fold } from './fold.ts';
import { MAX_LEAD } from './gate.ts';
import { keywordsOf, type Keywords } from './keywords.ts';

/** What is to be looked for, as plain data: it goes to a thread as it is. */
export type ScannerSpec = {
  /** Ids of detectors that we bring (detectors.ts). An id that does not exist is a mistake of the caller. */
  detectors: readonly string[];
};

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
};

/** No token that a detector knows begins with more digits in one run. */
const MAX_RUN = 80;

/** Compiles what to look for. A few milliseconds; keep the result. */
export function makeScanner(spec: ScannerSpec): Scanner {
  const all = spec.detectors.map(builtIn);
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
        for (const w of finds.keywords.map(fold))
          words.set(keyOf(w, finds), [...(words.get(keyOf(w, finds)) ?? []), { id, finds }]);
  return {
    spec,
    key: createHash('sha256').update(JSON.stringify(spec)).digest('base64url'),
    chains,
    leastDigits: Math.min(...chains.map((c) => c.finds.digits)),
    tokens,
    keywords: keywordsOf(
      [...words.keys()].map((k) => k.slice(1)),
      [...words.keys()].map((k) => k.startsWith(WHOLE)),
    ),
    wanted: [...words.values()],
  };
}

/** One word that is asked for as a whole word and also inside others is two. */
const WHOLE = '=';
const keyOf = (word: string, finds: { whole?: boolean }): string => `${finds.whole === true ? WHOLE : '~'}${word}`;

function builtIn(id: string): Detector {
  const found = detectors.find((d) => d.id === id);
  if (!found) throw new Error(`no detector ${id}`);
  return found;
}
