import { isDigit, isHexLetter } from './gate.ts';

// What a character can be part of: the base64 alphabets (RFC 4648 §4 and §5), and hexadecimal with the dashes of ids.
const BASE64 = 1;
const HEX = 2;
const DASH = 4;
const kind = new Uint8Array(128);
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_') kind[c.charCodeAt(0)] = BASE64;
for (let c = 0; c < 128; c++) if (isDigit(c) || isHexLetter(c)) kind[c] = BASE64 | HEX;
kind[45] = BASE64 | DASH;
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

/** One pass over folded text for what may be encoded. */
export function runsIn(text: string): Runs {
  const found: Runs = { runs: [], pairs: false, singles: false };
  const n = text.length;
  let pairs = 0;
  let singles = 0;
  for (let i = 0; i < n; i++) {
    let all = kind[text.charCodeAt(i)] ?? 0;
    if (all === 0) continue;
    const from = i;
    let any = all;
    for (i++; i < n; i++) {
      const k = kind[text.charCodeAt(i)] ?? 0;
      if (k === 0) break;
      all &= k | (k & DASH ? HEX : 0);
      any |= k;
    }
    const length = i - from;
    if (length >= LEAST_RUN) {
      // `g-h-p-_-…`: the dash and the underscore are of the alphabet too.
      const sign = text.charCodeAt(from + 1);
      if ((sign === 45 || sign === 95) && text.charCodeAt(from + 3) === sign) found.singles = true;
      const run = wrapped(text, from, i);
      const hex = (all & HEX) !== 0;
      // Hexadecimal with dashes is an id. Base64 of text has capitals: each third byte up to `g` becomes one.
      if (hex ? !(any & DASH) : any & UPPER) found.runs.push({ ...run, hex });
      i = Math.max(i, run.to);
      pairs = singles = 0;
    } else if (length === 1) {
      pairs = 0;
      if (++singles >= LEAST_SINGLES) found.singles = true;
    } else {
      singles = 0;
      const two = length === 2 && (all & HEX) !== 0;
      pairs = two || (length === 4 && text.charCodeAt(from + 1) === 120) ? pairs + 1 : 0;
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
