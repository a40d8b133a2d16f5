import type { Group } from './detector.ts';
import type { Marks } from './marks.ts';

export const isDigit = (c: number): boolean => c >= 48 && c <= 57;
export const isLetter = (c: number): boolean => (c >= 97 && c <= 122) || (c >= 65 && c <= 90);
export const isHexLetter = (c: number): boolean => (c >= 97 && c <= 102) || (c >= 65 && c <= 70);

const isAlnum = new Uint8Array(0x10000);
for (let c = 0; c < 128; c++) isAlnum[c] = isDigit(c) || isLetter(c) ? 1 : 0;

/** What base64 (RFC 4648 §4 and §5) is written with. */
export const isBase64 = (c: number): boolean =>
  isDigit(c) || isLetter(c) || c === 43 || c === 45 || c === 47 || c === 95;

/** What people put between the groups of one number: `space tab CR LF - . _ /`. Line ends too, because text wraps. */
const isBetween = new Uint8Array(0x10000);
for (const c of ' \t\r\n-._/') isBetween[c.charCodeAt(0)] = 1;
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

/** All numbers of folded text: chains of groups whose gaps are short, and tokens that have a digit early. */
export function eachNumber(text: string, at: Pick<Marks, 'codes' | 'digits' | 'digitMarks'>, on: Numbers): void {
  const n = text.length;
  const { codes, digits: marks } = at;
  let count = 0;
  let digits = 0;
  let last = -1;
  let tokenTo = -1;
  for (let k = 0; k < at.digitMarks; k += 2) {
    const from = marks[k] ?? 0;
    const i = marks[k + 1] ?? 0;
    if (count > 0 && !joins(codes, last, from)) {
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
      while (start > 0 && from - start <= MAX_LEAD && isLetter(codes[start - 1] ?? 0)) start--;
      if (from - start <= MAX_LEAD) on.token(start, from - start, i - from);
      // Its other digits are not the first ones. Bounded by the token, and never looked at twice.
      tokenTo = i;
      while (tokenTo < n && isAlnum[codes[tokenTo] ?? 0] === 1) tokenTo++;
    }
  }
  if (digits >= on.least) on.chain(groupsOf(text, count));
}

function grown(a: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const b = new Int32Array(a.length * 2);
  b.set(a);
  return b;
}

function joins(codes: Uint16Array, from: number, to: number): boolean {
  if (to - from > MAX_GAP) return false;
  for (let i = from; i < to; i++) if (isBetween[codes[i] ?? 0] !== 1) return false;
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
