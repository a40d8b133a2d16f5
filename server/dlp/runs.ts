import { isDigit, isHexLetter } from './gate.ts';
import type { Marks } from './marks.ts';

// What a character can be part of: the base64 alphabets (RFC 4648 §4 and §5), and hexadecimal with the dashes of ids.
const BASE64 = 1;
const HEX = 2;
const DASH = 4;
const kind = new Uint8Array(0x10000);
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_') kind[c.charCodeAt(0)] = BASE64;
for (let c = 0; c < 128; c++) if (isDigit(c) || isHexLetter(c)) kind[c] = BASE64 | HEX;
// A dash goes on in hexadecimal; nothing hexadecimal begins with it.
kind[45] = BASE64 | HEX | DASH;
const UPPER = 8;
for (let c = 65; c <= 90; c++) kind[c] = (kind[c] ?? 0) | UPPER;

/** Shorter runs cannot hold anything that a detector knows: 16 characters are 12 bytes of base64. */
const LEAST_RUN = 16;
/** As many pairs (`34 31 31 …`) or single characters (`g h p _ …`) in a row are an encoding and not a text. */
const LEAST_PAIRS = 11;
const LEAST_SINGLES = 15;

/** A run of characters that may be encoded; wrapped lines are one run, and `text` is it without the line ends. */
export type Run = { from: number; to: number; text: string; hex: boolean };
export type Runs = { runs: Run[]; pairs: boolean; singles: boolean };

/** What may be encoded, among the runs of such characters. */
export function runsIn(text: string, marks: Marks): Runs {
  const found: Runs = { runs: [], pairs: false, singles: false };
  const { codes } = marks;
  let pairs = 0;
  let singles = 0;
  let behind = 0;
  for (let k = 0; k < marks.runMarks; k += 2) {
    const from = Math.max(marks.runs[k] ?? 0, behind);
    const i = marks.runs[k + 1] ?? 0;
    if (from >= i) continue;
    const length = i - from;
    const first = kind[codes[from] ?? 0] ?? 0;
    if (length >= LEAST_RUN) {
      // `g-h-p-_-…`: the dash and the underscore are of the alphabet too.
      const sign = text.charCodeAt(from + 1);
      if ((sign === 45 || sign === 95) && text.charCodeAt(from + 3) === sign) found.singles = true;
      let all = first & DASH ? BASE64 : first;
      let any = first;
      for (let k = from + 1; k < i; k++) {
        all &= kind[codes[k] ?? 0] ?? 0;
        any |= kind[codes[k] ?? 0] ?? 0;
      }
      const run = wrapped(text, from, i);
      const hex = (all & HEX) !== 0;
      // Hexadecimal with dashes is an id. Base64 of text has capitals: each third byte up to `g` becomes one.
      if (hex ? !(any & DASH) : any & UPPER) found.runs.push({ ...run, hex });
      // What ended it is not looked at again.
      behind = run.to + 1;
      pairs = singles = 0;
    } else if (length === 1) {
      pairs = 0;
      if (++singles >= LEAST_SINGLES) found.singles = true;
    } else {
      singles = 0;
      const two = length === 2 && !(first & DASH) && (first & (kind[codes[from + 1] ?? 0] ?? 0) & HEX) !== 0;
      pairs = two || (length === 4 && codes[from + 1] === 120) ? pairs + 1 : 0;
      if (pairs >= LEAST_PAIRS) found.pairs = true;
    }
  }
  return found;
}

/** A line end, as such or written as in JSON, with what quotes and indents put before the next line. */
const lineEnd = /={0,2}(?:\r?\n|\\r\\n|\\n)[ \t>"+]{0,40}/y;
const more = /[A-Za-z0-9+/_-]+/y;

/** The run with the lines that continue it: all but the last are as long as the first. */
function wrapped(text: string, from: number, to: number): Omit<Run, 'hex'> {
  const next = text.charCodeAt(to);
  // An equals sign, a line end, or a line end written as in JSON.
  if (next !== 61 && next !== 10 && next !== 13 && next !== 92) return { from, to, text: text.slice(from, to) };
  const width = to - from;
  const lines = [text.slice(from, to)];
  let end = to;
  for (;;) {
    lineEnd.lastIndex = end;
    if (!lineEnd.test(text)) break;
    more.lastIndex = lineEnd.lastIndex;
    const line = more.exec(text)?.[0];
    if (line === undefined || line.length > width) break;
    lines.push(line);
    end = more.lastIndex;
    if (line.length < width) break;
  }
  while (end < text.length && text[end] === '=') end++;
  return { from, to: end, text: lines.join('') };
}
