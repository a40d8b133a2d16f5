// Check digits that several kinds of number share. All take plain digits.

const at = (digits: string, i: number): number => digits.charCodeAt(i) - 48;

/** ISO/IEC 7812-1 Annex B: from the right, every second digit doubled, the sum a multiple of ten. */
export function luhn(digits: string): boolean {
  let sum = 0;
  for (let i = digits.length - 1, second = false; i >= 0; i--, second = !second) {
    const d = at(digits, i);
    sum += second ? (d > 4 ? d * 2 - 9 : d * 2) : d;
  }
  return sum % 10 === 0;
}

/** The sum of digits, each times its weight. */
export function weighed(digits: string, weights: readonly number[]): number {
  let sum = 0;
  for (const [i, w] of weights.entries()) sum += w * at(digits, i);
  return sum;
}

/** ISO/IEC 7064 MOD 11,10: German tax and VAT numbers. */
export function mod11and10(digits: string): boolean {
  let product = 10;
  for (let i = 0; i < digits.length - 1; i++) {
    const sum = (at(digits, i) + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return (11 - product) % 10 === at(digits, digits.length - 1);
}

/** The remainder by 97 of a number of any length, in which letters count as 10 to 35 (ISO/IEC 7064 MOD 97-10). */
export function mod97(text: string): number {
  let rest = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    rest = c < 58 ? (rest * 10 + c - 48) % 97 : (rest * 100 + c - 55) % 97;
  }
  return rest;
}

// Verhoeff: multiplication in the dihedral group of order ten, and its permutation.
const product = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
];
const permuted = [
  '0123456789',
  '1576283094',
  '5803796142',
  '8916043527',
  '9453126870',
  '4286573901',
  '2793806415',
  '7046913258',
];

/** Verhoeff's check digit, at the right: Indian Aadhaar numbers. */
export function verhoeff(digits: string): boolean {
  let c = 0;
  for (let i = 0; i < digits.length; i++) {
    const d = at(digits, digits.length - 1 - i);
    c = Number(product[c]?.[Number(permuted[i % 8]?.[d])]);
  }
  return c === 0;
}

/** Whether year, month and day are a day of the calendar. */
export function isDay(year: number, month: number, day: number): boolean {
  const d = new Date(Date.UTC(2000, month - 1, day));
  d.setUTCFullYear(year);
  return month >= 1 && month <= 12 && day >= 1 && d.getUTCMonth() === month - 1 && d.getUTCDate() === day;
}

/** `yymmdd` of either century. */
export function isShortDay(digits: string): boolean {
  const [y, m, d] = [0, 2, 4].map((i) => Number(digits.slice(i, i + 2)));
  return isDay(2000 + (y ?? 0), m ?? 0, d ?? 0);
}

export const allSame = (digits: string): boolean => /^(\d)\1*$/.test(digits);
