import { detector } from '../detector.ts';
import { behindWords, digits, ifDigits, tokens } from './behind-words.ts';
import { isShortDay, verhoeff, weighed } from './check-digits.ts';

/** UIDAI: never begins with 0 or 1; Verhoeff's check digit. */
export const isAadhaar = (d: string): boolean => d.length === 12 && /^[2-9]/.test(d) && verhoeff(d);

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const base36 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
/** Indian GSTIN: state, PAN, entity, Z, and a check character: factors 1 and 2 by turns, in base 36. */
export function isGstin(plain: string): boolean {
  if (!/^(?:0[1-9]|[1-3]\d|97|99)[A-Z]{5}\d{4}[A-Z][1-9A-Z][A-Z][0-9A-Z]$/.test(plain)) return false;
  let sum = 0;
  for (let i = 0; i < 14; i++) {
    const value = base36.indexOf(plain.charAt(i)) * (i % 2 === 0 ? 1 : 2);
    sum += Math.floor(value / 36) + (value % 36);
  }
  return base36[(36 - (sum % 36)) % 36] === plain[14];
}

/** Korean resident registration number: day of birth, sex and century, check digit (given out so until October 2020). */
export const isRrn = (d: string): boolean =>
  d.length === 13 &&
  isShortDay(d.slice(0, 6)) &&
  (11 - (weighed(d, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11)) % 10 === Number(d[12]);

/** Those given out since then to the newly born have no check digit. */
const isNewRrn = (d: string): boolean =>
  isShortDay(d.slice(0, 6)) &&
  Number(d.slice(0, 2)) >= 20 &&
  /^[3478]$/.test(d.charAt(6)) &&
  Number(d.slice(0, 2)) < 50;

const nricLetters = { ST: 'JZIHGFEDCBA', FG: 'XWUTRQPNMLK', M: 'XWUTRQPNJLK' };
/** Singapore NRIC and FIN: weights 2 7 6 5 4 3 2; T and G count 4 more, M 3 more. */
export function isNric(plain: string): boolean {
  const first = plain.charAt(0);
  const more = 'TG'.includes(first) ? 4 : first === 'M' ? 3 : 0;
  const sum = (more + weighed(plain.slice(1), [2, 7, 6, 5, 4, 3, 2])) % 11;
  const letters = 'ST'.includes(first) ? nricLetters.ST : first === 'M' ? nricLetters.M : nricLetters.FG;
  return (first === 'M' ? letters[10 - sum] : letters[sum]) === plain[8];
}

/** Thai citizen number: weights 13 to 2. */
export const isThai = (d: string): boolean =>
  d.length === 13 &&
  /^[1-8]/.test(d) &&
  (11 - (weighed(d, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 10 === Number(d[12]);

/** Chinese resident identity number (GB 11643): day of birth, and the remainder by 11 in which ten is X. */
export function isChinese(plain: string): boolean {
  if (!/^[1-8]\d{5}(?:19|20)\d{9}[\dX]$/.test(plain) || !isShortDay(plain.slice(8, 14))) return false;
  return '10X98765432'[weighed(plain, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11] === plain[17];
}

export const asia = [
  detector('in_aadhaar', {
    says: 'Indian Aadhaar numbers',
    class: 'checksum',
    severity: 'high',
    finds: [behindWords(['aadhaar', 'aadhar', 'adhaar', 'uidai', 'uid', 'आधार'], digits(12), ifDigits(isAadhaar))],
    catches: ['Aadhaar: 2341 2341 2346', 'aadhar no 234123412346', 'UID 9999-4105-7058', 'आधार संख्या 2341 2341 2346'],
    spares: ['2341 2341 2346', 'Aadhaar: 2341 2341 2347', 'Aadhaar: 1341 2341 2346', 'fluid 234123412346'],
  }),
  detector('in_gstin', {
    says: 'Indian tax numbers (GSTIN)',
    class: 'checksum',
    severity: 'low',
    finds: [
      tokens([0], [2], /\d{2}[A-Za-z]{5}\d{4}[A-Za-z][1-9A-Za-z][A-Za-z][0-9A-Za-z]/, isGstin, { next: letters }),
    ],
    catches: ['27AAPFU0939F1ZV', 'GSTIN: 27aapfu0939f1zv'],
    spares: ['27AAPFU0939F1ZW', '27AAPFU0939F1ZVX', '00AAPFU0939F1ZV'],
  }),
  detector('kr_rrn', {
    says: 'Korean resident registration numbers',
    class: 'checksum',
    severity: 'high',
    finds: [
      tokens([0], [6], /\d{6}-[1-8]\d{6}/, isRrn, { next: '-' }),
      behindWords(
        ['주민등록번호', '주민번호', '외국인등록번호', 'rrn', 'resident registration', 'jumin'],
        /(?<![A-Za-z0-9])\d{6}[ -]?\d{7}(?![A-Za-z0-9])/,
        ifDigits((d) => isRrn(d) || isNewRrn(d)),
      ),
    ],
    catches: ['RRN 971013-9019902', '주민등록번호: 820701-2409181', 'resident registration no 9710139019902'],
    spares: ['820701-2409182', '821301-2409181', '8207012409181', '820701-24091811'],
  }),
  detector('sg_nric', {
    says: 'Singapore identity numbers (NRIC, FIN)',
    class: 'checksum',
    severity: 'high',
    finds: [tokens([1], [7], /[STFGM]\d{7}[A-Z]/, isNric, { first: 'STFGM' })],
    catches: ['S1234567D', 'NRIC: S1234567D.', 'T0000001E', 'FIN F1234567N', 'FIN G1234567X'],
    spares: ['S1234567E', 'A1234567D', 'S12345678D', 'S1234567DX'],
  }),
  detector('th_citizen_number', {
    says: 'Thai citizen numbers',
    class: 'checksum',
    severity: 'high',
    finds: [
      tokens([0], [1], /\d-\d{4}-\d{5}-\d{2}-\d/, isThai, { next: '-' }),
      behindWords(
        ['thai id', 'thai national', 'citizen id', 'citizen number', 'บัตรประชาชน', 'เลขประจำตัวประชาชน', 'national id'],
        digits(13),
        ifDigits(isThai),
      ),
    ],
    catches: ['Thai ID 1234545678781', '1-2345-45678-78-1', 'เลขประจำตัวประชาชน 1 2345 45678 78 1'],
    spares: ['1234545678781', 'Thai ID 1234545678782', 'Thai ID 9234545678781', '1-2345-45678-78-2'],
  }),
  detector('cn_resident_id', {
    says: 'Chinese resident identity numbers',
    class: 'checksum',
    severity: 'high',
    finds: [tokens([0], [17, 18], /\d{17}[\dXx]/, isChinese)],
    catches: ['11010519491231002X', '身份证号码11010519491231002X', 'ID 11010519491231002x'],
    spares: ['110105194912310021', '11010519491331002X', '1101051949123100211'],
  }),
];
