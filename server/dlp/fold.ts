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

// What each character becomes: itself, or one other; GONE; SEVERAL, to be looked up. Filled as characters are met.
const GONE = 0xffff;
const SEVERAL = 0xfffe;
const becomes = new Uint16Array(0x10000);
const known = new Uint8Array(0x10000);
const several = new Map<string, string>();
/** Far more than the characters of any text that people write; a text made to fill the memory empties it instead. */
const MAX_KNOWN = 20_000;

function learn(c: number): number {
  const char = String.fromCharCode(c);
  // Half of a pair: astral characters are looked up whole.
  const to = c >= 0xd800 && c <= 0xdfff ? undefined : foldChar(char);
  let code = SEVERAL;
  if (to === '') code = GONE;
  else if (to?.length === 1) code = to.charCodeAt(0);
  known[c] = 1;
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

const decoder = new TextDecoder('utf-16le', { ignoreBOM: true });
const alreadyPlain = /^[\t\n\r\u0020-\u007E]*$/;

/**
 * Text as detectors see it: digits and letters of any script, width and style that look like ASCII are ASCII, accents are gone, spaces and dashes
 * of every kind are ` ` and `-`, and what nobody can see (zero-width characters, soft hyphens, variation selectors, combining marks, controls) is
 * gone. One character at a time, so it is linear; every place leads back to where it stood.
 */
export function foldView(text: string, layers: readonly Layer[] = []): View {
  if (alreadyPlain.test(text)) return { text, layers };
  const n = text.length;
  let out = new Uint16Array(n + 16);
  let origin = new Uint32Array(n + 17);
  let to = 0;
  for (let i = 0; i < n; i++) {
    const c = text.charCodeAt(i);
    const code = known[c] ? (becomes[c] ?? SEVERAL) : learn(c);
    if (code === GONE) continue;
    if (code !== SEVERAL) {
      if (to >= out.length) [out, origin] = [grown(out), grownMap(origin)];
      out[to] = code;
      origin[to++] = i;
      continue;
    }
    const char = String.fromCodePoint(text.codePointAt(i) ?? c);
    const folded = char.length === 1 && c >= 0xd800 && c <= 0xdfff ? '\uFFFD' : foldedWhole(char);
    for (let k = 0; k < folded.length; k++) {
      if (to >= out.length) [out, origin] = [grown(out), grownMap(origin)];
      out[to] = folded.charCodeAt(k);
      origin[to++] = i;
    }
    i += char.length - 1;
  }
  origin[to] = n;
  return { text: decoder.decode(out.subarray(0, to)), layers, origin: origin.subarray(0, to + 1) };
}

function grown(a: Uint16Array<ArrayBuffer>): Uint16Array<ArrayBuffer> {
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
