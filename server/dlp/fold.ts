import { codesOf, KEPT } from './codes.ts';
import type { Layer, View } from './view.ts';

const invisible = /^[\p{Cf}\p{Mn}\p{Me}\p{Cc}\p{Default_Ignorable_Code_Point}]$/u;
const marks = /[\p{Mn}\p{Me}\p{Cf}]/gu;
const digit = /^\p{Nd}$/u;
const plainAscii = /^[\t\n\r\u0020-\u007E]+$/;

/** Letters that look like Latin ones and that compatibility forms (NFKD) leave alone: what detectors are made of, not all of Unicode's list. */
const alike = new Map<string, string>();
for (const [latin, others] of Object.entries({
  A: 'АΑᎪ',
  B: 'ВΒᏴ',
  C: 'СϹᏟ',
  D: 'ᎠĐ',
  E: 'ЕΕᎬ',
  F: 'ϜҒ',
  G: 'ԌᏀ',
  H: 'НΗᎻ',
  I: 'ІΙӀ',
  J: 'ЈͿᎫ',
  K: 'КΚᏦ',
  L: 'ᏞŁ',
  M: 'МΜᎷ',
  N: 'Ν',
  O: 'ОΟØ',
  P: 'РΡᏢ',
  Q: 'Ԛ',
  R: 'ᎡᏒ',
  S: 'ЅᏚ',
  T: 'ТΤᎢ',
  U: 'Ս',
  V: 'ѴᏙ',
  W: 'ԜᎳ',
  X: 'ХΧ',
  Y: 'УΥҮ',
  Z: 'ΖᏃ',
  a: 'аαɑ',
  b: 'ЬƄ',
  c: 'сϲ',
  d: 'ԁđ',
  e: 'еєҽ',
  g: 'ɡց',
  h: 'һհ',
  i: 'іιıӏ',
  j: 'јϳ',
  k: 'кκ',
  l: 'ǀł',
  m: 'м',
  n: 'ոп',
  o: 'оοσøօ',
  p: 'рρ',
  q: 'ԛզ',
  r: 'гᴦ',
  s: 'ѕꜱ',
  t: 'тτ',
  u: 'υսᴜ',
  v: 'ѵνᴠ',
  w: 'ԝᴡ',
  x: 'хχ',
  y: 'уγү',
  z: 'ᴢ',
}))
  for (const c of others) alike.set(c, latin);

/** The value of a decimal digit of any script: digits of a script stand in a row of ten that begins with its zero (Unicode 4.6). */
function digitOf(char: string): string {
  const point = char.codePointAt(0) ?? 0;
  let zero = point;
  while (point - zero < 9 && digit.test(String.fromCodePoint(zero - 1))) zero--;
  // Mathematical digits are five rows of ten without a gap; NFKD has made them ASCII before we come here.
  return String((point - zero) % 10);
}

/** One character that expands to more than this stays as it is: the folded text must not outgrow the text. */
const MAX_EXPANSION = 4;

function foldChar(char: string): string {
  const plain = alike.get(char) ?? char.normalize('NFKD').replace(marks, '');
  if (char !== '\t' && char !== '\n' && char !== '\r' && (plain === '' || invisible.test(char))) return '';
  if (/^[\p{Zs}\u2028\u2029]$/u.test(char)) return ' ';
  if (/^[\p{Pd}\u2212\u00AD\u2043]$/u.test(char)) return '-';
  if (/^[\u00B7\u2022\u2024\u2027\u30FB\uFF0E\u3002]$/u.test(char)) return '.';
  if (plain.length <= MAX_EXPANSION && plainAscii.test(plain)) return plain;
  return digit.test(char) ? digitOf(char) : char;
}

// What each character becomes: itself, or one other; or one of these, which no text has (noncharacters of Unicode). Filled as characters are met.
const UNKNOWN = 0xfdd0;
/** To be looked up: none or more than one, or half of a pair. */
const SEVERAL = 0xfffe;
const GONE = 0xffff;
const becomes = new Uint16Array(0x10000).fill(UNKNOWN);
const several = new Map<string, string>();
/** Far more than the characters of any text that people write; a text made to fill the memory empties it instead. */
const MAX_KNOWN = 20_000;

function learn(c: number): number {
  // Half of a pair: astral characters are looked up whole.
  const to = c >= 0xd800 && c <= 0xdfff ? undefined : foldChar(String.fromCharCode(c));
  let code = SEVERAL;
  if (to === '') code = GONE;
  else if (to?.length === 1) code = to.charCodeAt(0);
  becomes[c] = code;
  return code;
}

function foldedWhole(char: string): string {
  let to = several.get(char);
  if (to === undefined) {
    if (several.size >= MAX_KNOWN) several.clear();
    to = foldChar(char);
    several.set(char, to);
  }
  return to;
}

const notPlain = /[^\t\n\r\u0020-\u007E]/;

const narrow = Buffer.from(new ArrayBuffer(KEPT));

/**
 * Text as detectors see it: digits and letters of any script, width and style that look like ASCII are ASCII, accents are gone, spaces and dashes
 * of every kind are ` ` and `-`, and what nobody can see (zero-width characters, soft hyphens, variation selectors, combining marks, controls) is
 * gone. One character at a time, so it is linear; every place leads back to where it stood, and is the same place until something moves.
 */
export function foldView(text: string, layers: readonly Layer[] = []): View {
  if (!notPlain.test(text)) return { text, layers };
  const n = text.length;
  const given = codesOf(text);
  // What it becomes is written over what it was, as long as it does not become more.
  let out = given;
  let origin: Uint32Array<ArrayBuffer> | undefined;
  let to = 0;
  let any = 0;
  for (let i = 0; i < n; i++) {
    const c = given[i] ?? 0;
    let code = becomes[c] ?? UNKNOWN;
    if (code === UNKNOWN) code = learn(c);
    if (code < SEVERAL) {
      any |= code;
      if (origin) {
        if (to >= origin.length) [out, origin] = [grown(out, to), grownMap(origin)];
        origin[to] = i;
      }
      out[to++] = code;
      continue;
    }
    origin ??= sameUpTo(i, n);
    if (code === GONE) continue;
    const char = String.fromCodePoint(text.codePointAt(i) ?? c);
    const folded = char.length === 1 && c >= 0xd800 && c <= 0xdfff ? '\uFFFD' : foldedWhole(char);
    if (out === given && to + folded.length > i + char.length) out = grown(given.slice(0, n), n);
    for (let k = 0; k < folded.length; k++) {
      if (to >= origin.length) [out, origin] = [grown(out, to), grownMap(origin)];
      any |= folded.charCodeAt(k);
      out[to] = folded.charCodeAt(k);
      origin[to++] = i;
    }
    i += char.length - 1;
  }
  const folded = written(out, to, any);
  if (!origin) return { text: folded, layers };
  if (to >= origin.length) origin = grownMap(origin);
  origin[to] = n;
  return { text: folded, layers, origin: origin.subarray(0, to + 1) };
}

/** The codes as text, of one byte each where that is enough: what goes over it afterwards is faster so. */
function written(codes: Uint16Array<ArrayBuffer>, length: number, any: number): string {
  if (any > 0xff) return Buffer.from(codes.buffer, 0, 2 * length).toString('utf16le');
  const bytes = length <= KEPT ? narrow : Buffer.allocUnsafeSlow(length);
  for (let i = 0; i < length; i++) bytes[i] = codes[i] ?? 0;
  return bytes.toString('latin1', 0, length);
}

/** The map of a text in which nothing has moved up to there. */
function sameUpTo(i: number, length: number): Uint32Array<ArrayBuffer> {
  const origin = new Uint32Array(length + 1);
  for (let k = 0; k < i; k++) origin[k] = k;
  return origin;
}

/** Room for what becomes longer than it was: always as much as the map has. */
function grown(a: Uint16Array<ArrayBuffer>, used: number): Uint16Array<ArrayBuffer> {
  if (a.length >= 2 * used) return a;
  const b = new Uint16Array(a.length * 2);
  b.set(a);
  return b;
}
function grownMap(a: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const b = new Uint32Array(a.length * 2);
  b.set(a);
  return b;
}

/** The folded text alone. */
export const fold = (text: string): string => foldView(text).text;
