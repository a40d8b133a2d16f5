import { detector } from '../detector.ts';
import { behindWords, digits, ifDigits, ifPlain } from './behind-words.ts';
import { allSame, weighed } from './check-digits.ts';

/** NHS data dictionary: weights 10 to 2; 11 counts as 0, and 10 is never given out. */
export const isNhs = (d: string): boolean =>
  d.length === 10 && !allSame(d) && (11 - (weighed(d, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11 === Number(d[9]);

/** HMRC NIM39110: letters that no prefix has, prefixes that are not given out. */
export const isNino = (plain: string): boolean =>
  /^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]$/.test(plain) && !/^(?:BG|GB|NK|KN|TN|NT|ZZ)/.test(plain);

const nino = /(?<![A-Za-z0-9])[A-Za-z]{2}[ .-]?(?:\d[ .-]?){6}[A-Da-d](?![A-Za-z0-9])/;

export const britain = [
  detector('uk_nhs', {
    says: 'British NHS numbers',
    class: 'checksum',
    severity: 'high',
    finds: [
      behindWords(
        ['nhs', 'national health', 'patient number', 'patient no', 'patient id'],
        digits(10),
        ifDigits(isNhs),
      ),
    ],
    catches: [
      'NHS number: 943 476 5919',
      'nhs_no=9434765919',
      'Patient ID 943-476-5919',
      'National Health Service no 401 023 2137',
    ],
    spares: ['943 476 5919', 'NHS number: 943 476 5918', 'NHS 0000000000', 'call the NHS on 0300 311 2233'],
  }),
  detector('uk_nino', {
    says: 'British national insurance numbers',
    class: 'checksum',
    severity: 'high',
    finds: [
      behindWords(
        ['nino', 'ni number', 'ni no', 'nin', 'national insurance', 'insurance number', 'insurance no'],
        nino,
        ifPlain(isNino),
      ),
    ],
    catches: [
      'NINO AB123456C',
      'National Insurance number: AB 12 34 56 C',
      'ni number=ab123456c',
      'NI no. JG-10-37-59-A',
    ],
    spares: ['AB123456C', 'NINO BG123456C', 'NINO DA123456C', 'NINO AO123456C', 'NINO AB123456E', 'part AB 12 34 56 C'],
  }),
];
