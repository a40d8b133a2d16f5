import { upTo } from './behind-words.ts';
import { detector, type Span } from '../detector.ts';
import { mod97 } from './check-digits.ts';

/** Length by country: the IBAN registry (SWIFT, ISO 13616). */
const lengths = new Map<string, number>(
  Object.entries({
    AD: 24,
    AE: 23,
    AL: 28,
    AT: 20,
    AZ: 28,
    BA: 20,
    BE: 16,
    BG: 22,
    BH: 22,
    BI: 27,
    BR: 29,
    BY: 28,
    CH: 21,
    CR: 22,
    CY: 28,
    CZ: 24,
    DE: 22,
    DJ: 27,
    DK: 18,
    DO: 28,
    EE: 20,
    EG: 29,
    ES: 24,
    FI: 18,
    FK: 18,
    FO: 18,
    FR: 27,
    GB: 22,
    GE: 22,
    GI: 23,
    GL: 18,
    GR: 27,
    GT: 28,
    HN: 28,
    HR: 21,
    HU: 28,
    IE: 22,
    IL: 23,
    IQ: 23,
    IS: 26,
    IT: 27,
    JO: 30,
    KW: 30,
    KZ: 20,
    LB: 28,
    LC: 32,
    LI: 21,
    LT: 20,
    LU: 20,
    LV: 21,
    LY: 25,
    MC: 27,
    MD: 24,
    ME: 22,
    MK: 19,
    MN: 20,
    MR: 27,
    MT: 31,
    MU: 30,
    NI: 28,
    NL: 18,
    NO: 15,
    OM: 23,
    PK: 24,
    PL: 28,
    PS: 29,
    PT: 25,
    QA: 29,
    RO: 24,
    RS: 22,
    RU: 33,
    SA: 24,
    SC: 31,
    SD: 18,
    SE: 24,
    SI: 19,
    SK: 24,
    SM: 27,
    SO: 23,
    ST: 25,
    SV: 28,
    TL: 23,
    TN: 24,
    TR: 26,
    UA: 29,
    VA: 22,
    VG: 24,
    XK: 20,
    YE: 30,
  }),
);
const LONGEST = 33;

/** Whether this, without gaps and in capitals, is an account number: length of its country and check digits. */
export const isIban = (plain: string): boolean =>
  lengths.get(plain.slice(0, 2)) === plain.length && mod97(plain.slice(4) + plain.slice(0, 4)) === 1;

/** The same by two letters, so that the many tokens that begin like a hexadecimal id cost nothing. */
const lengthAt = new Uint8Array(26 * 26);
for (const [country, n] of lengths) lengthAt[(country.charCodeAt(0) - 65) * 26 + country.charCodeAt(1) - 65] = n;
const letter = (text: string, at: number): number => (text.charCodeAt(at) | 32) - 97;

const gap = /[ \t\r\n.\-/]{1,2}/y;
const alnum = /[A-Za-z0-9]/;

/** Reads as many letters and digits as the country's numbers have, over short gaps. */
function ibanAt(text: string, from: number): Span | undefined {
  const length = lengthAt[letter(text, from) * 26 + letter(text, from + 1)] ?? 0;
  if (length === 0) return undefined;
  let plain = '';
  let at = from;
  let group = 0;
  let dashed = false;
  while (plain.length < length && at < text.length && at - from < LONGEST * 3) {
    if (alnum.test(text.charAt(at))) {
      plain += text.charAt(at++);
      group++;
    } else {
      gap.lastIndex = at;
      const m = gap.exec(text);
      if (!m) return undefined;
      // Spaces stand anywhere; with other signs only groups of four are an account and not an id.
      dashed ||= /[^ \t\r\n]/.test(m[0]);
      if (dashed && group !== 4) return undefined;
      at += m[0].length;
      group = 0;
    }
  }
  if (dashed && group > 4) return undefined;
  plain = plain.toUpperCase();
  if (/^-?[A-Za-z0-9]/.test(text.slice(at, at + 2))) return undefined;
  return isIban(plain) ? { start: from, end: at, text: plain } : undefined;
}

/** International bank account numbers. */
export const iban = detector('iban', {
  says: 'international bank account numbers (IBAN)',
  class: 'checksum',
  severity: 'high',
  finds: [{ among: 'tokens', letters: [2], digits: upTo(2, 33), find: (text, from) => ibanAt(text, from) }],
  catches: [
    'DE89370400440532013000',
    'DE89 3704 0044 0532 0130 00',
    'GB29 NWBK 6016 1331 9268 19',
    'fr14 2004 1010 0505 0001 3m02 606',
    'NO93-8601-1117-947',
    'pay to MT84MALT011000012345MTLCAST001S, thanks',
    'IBAN:NL91ABNA0417164300',
    'BR18 0036 0305 0000 1000 9795 493C 1',
    'PL61\u00a01090\u00a01014\u00a00000\u00a00712\u00a01981\u00a02874',
    'CH9300762011623852957.',
  ],
  spares: [
    'DE00370400440532013000',
    'DE89370400440532013001',
    'GIT2026COMMITHASH0001',
    'DE8937040044053201300',
    'XX89370400440532013000',
    'xDE89370400440532013000',
    'DE89370400440532013000a',
    'ES2026-11-20T12:59:32.123456789Z',
    '0df3a6e4-ad57-4ddd-a63a-09af832f5996',
    '2adf1b98-ad36-4448-ae55-d5417ab4b737',
    'ee49fe49-2fc1-4feb-ad44-09084d05b82c',
  ],
});
