import { codesOf, KEPT } from './codes.ts';
import { isBase64, isDigit } from './gate.ts';
import { beginsChange, isSign } from './signs.ts';

/** What one pass over a text has met. Runs are told by where they begin and where they end, by turns. Good until the next text. */
export type Marks = {
  codes: Uint16Array;
  /** Runs of digits. */
  digits: Int32Array;
  digitMarks: number;
  /** Runs of what base64 and hexadecimal are written with: words too. */
  runs: Int32Array;
  runMarks: number;
  /** Where a character may be written differently (signs.ts). */
  signs: readonly number[];
};

const DIGIT = 1;
const BASE64 = 2;
const SIGN = 4;
const kinds = new Uint8Array(0x10000);
for (let c = 0; c < 128; c++) kinds[c] = (isDigit(c) ? DIGIT : 0) | (isBase64(c) ? BASE64 : 0) | (isSign(c) ? SIGN : 0);

const keptDigits = new Int32Array(KEPT);
const keptRuns = new Int32Array(KEPT);

/** One pass over folded text. What begins and ends is counted and not asked for: a processor guesses wrongly at the end of each second word. */
export function marksIn(text: string): Marks {
  const n = text.length;
  const codes = codesOf(text);
  const digits = n + 2 < KEPT ? keptDigits : new Int32Array(n + 2);
  const runs = n + 2 < KEPT ? keptRuns : new Int32Array(n + 2);
  const signs: number[] = [];
  let digitMarks = 0;
  let runMarks = 0;
  let before = 0;
  for (let i = 0; i < n; i++) {
    const kind = kinds[codes[i] ?? 0] ?? 0;
    const changed = kind ^ before;
    before = kind;
    digits[digitMarks] = i;
    digitMarks += changed & DIGIT;
    runs[runMarks] = i;
    runMarks += (changed & BASE64) >> 1;
    if (kind >= SIGN && beginsChange(codes[i] ?? 0, i + 1 < n ? (codes[i + 1] ?? 0) : 0)) signs.push(i);
  }
  digits[digitMarks] = n;
  digitMarks += before & DIGIT;
  runs[runMarks] = n;
  runMarks += (before & BASE64) >> 1;
  return { codes, digits, digitMarks, runs, runMarks, signs };
}
