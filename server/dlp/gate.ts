import type { Group } from './detector.ts';

export const isDigit = (c: number): boolean => c >= 48 && c <= 57;
export const isLetter = (c: number): boolean => (c >= 97 && c <= 122) || (c >= 65 && c <= 90);
export const isHexLetter = (c: number): boolean => (c >= 97 && c <= 102) || (c >= 65 && c <= 70);

/** What people put between the groups of one number: `space tab CR LF - . _ /`. Line ends too, because text wraps. */
const isBetween = (c: number): boolean =>
  c === 32 || (c >= 45 && c <= 47) || c === 95 || c === 9 || c === 10 || c === 13;
const MAX_GAP = 3;
/** No token that a detector knows has more letters before its first digit. */
export const MAX_LEAD = 8;

export type Numbers = {
  /** Chains with fewer digits than this interest nobody. */
  least: number;
  chain(chain: readonly Group[]): void;
  /** A run of letters and digits: it begins at `from`, with so many letters and then so many digits. */
  token?: (from: number, letters: number, digits: number) => void;
};

// Where the groups of the chain at hand begin and end. One for all texts: nothing here waits for anything.
let ends = new Int32Array(1024);

/** One pass over the digits of folded text: chains of groups whose gaps are short, and tokens that have a digit early. */
export function eachNumber(text: string, on: Numbers): void {
  const n = text.length;
  let count = 0;
  let digits = 0;
  let last = -1;
  let tokenTo = -1;
  for (let i = 0; i < n; i++) {
    if (!isDigit(text.charCodeAt(i))) continue;
    const from = i;
    do i++;
    while (i < n && isDigit(text.charCodeAt(i)));
    if (count > 0 && !joins(text, last, from)) {
      if (digits >= on.least) on.chain(groupsOf(text, count));
      count = 0;
      digits = 0;
    }
    if (count + 2 > ends.length) ends = grown(ends);
    ends[count++] = from;
    ends[count++] = last = i;
    digits += i - from;
    if (on.token && from >= tokenTo) {
      let start = from;
      while (start > 0 && from - start <= MAX_LEAD && isLetter(text.charCodeAt(start - 1))) start--;
      if (from - start <= MAX_LEAD) on.token(start, from - start, i - from);
      // Its other digits are not the first ones. Bounded by the token, and never looked at twice.
      tokenTo = i;
      while (tokenTo < n && (isDigit(text.charCodeAt(tokenTo)) || isLetter(text.charCodeAt(tokenTo)))) tokenTo++;
    }
  }
  if (digits >= on.least) on.chain(groupsOf(text, count));
}

function grown(a: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const b = new Int32Array(a.length * 2);
  b.set(a);
  return b;
}

function joins(text: string, from: number, to: number): boolean {
  if (to - from > MAX_GAP) return false;
  for (let i = from; i < to; i++) if (!isBetween(text.charCodeAt(i))) return false;
  return true;
}

function groupsOf(text: string, count: number): Group[] {
  const groups: Group[] = [];
  for (let k = 0; k < count; k += 2) {
    const from = ends[k] ?? 0;
    groups.push({ from, to: ends[k + 1] ?? 0, gap: k === 0 ? undefined : text.slice(ends[k - 1], from) });
  }
  return groups;
}
