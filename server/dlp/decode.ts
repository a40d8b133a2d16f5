import { isUtf8 } from 'node:buffer';
import { isDigit } from './gate.ts';

/** As many printable bytes in a row are text and not chance: one random run of 40 bytes in 3,000 has so many. */
const LEAST_TEXT = 11;

const six = new Int8Array(128).fill(-1);
for (const [i, c] of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.split('').entries())
  six[c.charCodeAt(0)] = i;
six[45] = 62;
six[95] = 63;

// What detectors look for is ASCII.
const text = new Uint8Array(256);
for (let b = 0; b < 256; b++) text[b] = (b >= 32 && b < 127) || b === 9 || b === 10 || b === 13 ? 1 : 0;
const isText = (b: number): boolean => text[b] === 1;

/** Whether base64 from this character on has text in it. Without making the bytes: most runs are ids, and this is asked of all. */
function hasText(run: string, from: number): boolean {
  let streak = 0;
  for (let i = from; i + 1 < run.length; i += 4) {
    const a = six[run.charCodeAt(i)] ?? 0;
    const b = six[run.charCodeAt(i + 1)] ?? 0;
    const c = i + 2 < run.length ? (six[run.charCodeAt(i + 2)] ?? 0) : -1;
    const d = i + 3 < run.length ? (six[run.charCodeAt(i + 3)] ?? 0) : -1;
    // Zeros neither make nor break text: UTF-16 has one beside each letter.
    let byte = (a << 2) | (b >> 4);
    if (byte !== 0) streak = isText(byte) ? streak + 1 : 0;
    if (streak >= LEAST_TEXT) return true;
    if (c < 0) break;
    byte = ((b & 15) << 4) | (c >> 2);
    if (byte !== 0) streak = isText(byte) ? streak + 1 : 0;
    if (streak >= LEAST_TEXT) return true;
    if (d < 0) break;
    byte = ((c & 3) << 6) | d;
    if (byte !== 0) streak = isText(byte) ? streak + 1 : 0;
    if (streak >= LEAST_TEXT) return true;
  }
  return false;
}

/** The texts in a run of base64. It may begin with up to three characters of something else, so that four readings are possible. */
export function fromBase64(run: string): string[] {
  const texts: string[] = [];
  for (let skip = 0; skip < 4; skip++)
    if (hasText(run, skip)) texts.push(textOf(Buffer.from(run.slice(skip), 'base64')));
  return texts;
}

const hexValue = new Uint8Array(128);
for (let c = 48; c < 128; c++) hexValue[c] = isDigit(c) ? c - 48 : (c | 32) - 87;

function hexHasText(run: string, from: number): boolean {
  let streak = 0;
  for (let i = from; i + 1 < run.length; i += 2) {
    const byte = ((hexValue[run.charCodeAt(i)] ?? 0) << 4) | (hexValue[run.charCodeAt(i + 1)] ?? 0);
    if (byte !== 0) streak = isText(byte) ? streak + 1 : 0;
    if (streak >= LEAST_TEXT) return true;
    // What is left is not enough.
    if (2 * (LEAST_TEXT - streak) > run.length - i - 2) return false;
  }
  return false;
}

/** The texts in a run of hexadecimal digits, from the first and from the second. */
export function fromHex(run: string): string[] {
  const texts: string[] = [];
  for (let skip = 0; skip < 2; skip++)
    if (hexHasText(run, skip)) texts.push(textOf(Buffer.from(run.slice(skip), 'hex')));
  return texts;
}

/** Bytes as text: UTF-16 by its zeros, UTF-8, or whatever is printable in something else, one piece per line. */
function textOf(bytes: Buffer): string {
  let odd = 0;
  let even = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 0) continue;
    if (i % 2 === 1) odd++;
    else even++;
  }
  if (odd > bytes.length / 5) return bytes.toString('utf16le');
  if (even > bytes.length / 5)
    return Buffer.from(bytes.subarray(0, bytes.length & ~1))
      .swap16()
      .toString('utf16le');
  if (isUtf8(bytes)) return bytes.toString();
  return bytes.toString('latin1').replace(/[^\t\n\r\u0020-\u007E]+/g, '\n');
}
