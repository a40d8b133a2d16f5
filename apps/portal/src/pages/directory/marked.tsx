import { Esc } from '@gatehouse/ui/parts.tsx';
import type { ReactNode } from 'react';
import c from './mappings.module.css';

/** Longest names that are compared letter by letter. */
const LONGEST = 256;

/** Which characters of `a` are not in the longest common part of both. */
export function differing(a: string, b: string): boolean[] {
  const [x, y] = [Array.from(a).slice(0, LONGEST), Array.from(b).slice(0, LONGEST)];
  const same = Array.from({ length: x.length + 1 }, () => new Uint16Array(y.length + 1));
  for (let i = x.length - 1; i >= 0; i--)
    for (let j = y.length - 1; j >= 0; j--) {
      const row = same[i];
      const below = same[i + 1];
      if (row && below) row[j] = x[i] === y[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  const out: boolean[] = x.map(() => true);
  for (let i = 0, j = 0; i < x.length && j < y.length;) {
    if (x[i] === y[j]) {
      out[i] = false;
      i++;
      j++;
    } else if ((same[i + 1]?.[j] ?? 0) >= (same[i]?.[j + 1] ?? 0)) i++;
    else j++;
  }
  return out;
}

const named: Record<string, string> = {
  ' ': 'space',
  '\t': 'tab',
  '\u00a0': 'U+00A0',
  '\u200b': 'U+200B',
  '\u200c': 'U+200C',
  '\u200d': 'U+200D',
  '\ufeff': 'U+FEFF',
};

/** A name with what is different in it marked; what cannot be seen is printed by its name where it differs. */
export function Marked({ text, against }: { text: string; against: string }) {
  const found = differing(text, against);
  // Where little is the same, marks would be everywhere and say nothing.
  const off = found.filter(Boolean).length * 2 > found.length ? found.map(() => false) : found;
  const parts: ReactNode[] = Array.from(text)
    .slice(0, LONGEST)
    .map((ch, i) => {
      const name = named[ch];
      if (name !== undefined && (off[i] || ch !== ' ')) return <Esc key={i}>{name}</Esc>;
      return off[i] ? (
        <span key={i} className={c.diff}>
          {ch}
        </span>
      ) : (
        ch
      );
    });
  return <span className="gh-mono">{parts}</span>;
}
