import { detector } from '../detector.ts';
import { behindWords, digits, ifDigits, ifPlain, tokens, upTo } from './behind-words.ts';
import { allSame, isDay, mod11and10, weighed } from './check-digits.ts';

/** BZSt: the first ten digits have one digit two or three times, the others at most once; check digit by ISO 7064 MOD 11,10. */
export function isSteuerId(d: string): boolean {
  if (d.length !== 11 || d.startsWith('0') || !mod11and10(d)) return false;
  const times = new Map<string, number>();
  for (const c of d.slice(0, 10)) times.set(c, (times.get(c) ?? 0) + 1);
  const often = [...times.values()].filter((n) => n > 1);
  return often.length === 1 && (often[0] ?? 0) <= 3;
}

export const isUstId = (plain: string): boolean => /^DE[1-9]\d{8}$/.test(plain) && mod11and10(plain.slice(2));

/** INSEE: sex, year, month (or 20 and more where it is not known), place, order; key 97 less the remainder. Corsica counts as 19 and 18. */
export function isNir(plain: string): boolean {
  if (!/^[12]\d{2}(?:0[1-9]|1[0-2]|[2-4]\d|[5-9]\d)(?:\d{2}|2[AB])\d{6}\d{2}$/.test(plain)) return false;
  const number = plain.slice(0, 13).replace('2A', '19').replace('2B', '18');
  return plain.slice(5, 7) !== '00' && 97 - Number(BigInt(number) % 97n) === Number(plain.slice(13));
}
const nirShape =
  /(?<![A-Za-z0-9])(?<!\d[.,-])[12](?:[ .-]?\d){4}[ .-]?(?:\d[ .-]?\d|2[ .-]?[ABab])(?:[ .-]?\d){8}(?![A-Za-z0-9])(?![.,-]\d)/;

const nifLetters = 'TRWAGMYFPDXBNJZSQVHLCKE';
/** Spanish DNI and NIE: the number's remainder by 23 gives the letter; X, Y and Z count as 0, 1 and 2. */
export function isNif(plain: string): boolean {
  const m = /^([XYZ]?)(\d{7,8})([A-Z])$/.exec(plain);
  if (!m || plain.length !== 9) return false;
  const number = Number(`${m[1] === '' ? '' : 'XYZ'.indexOf(m[1] ?? '')}${m[2]}`);
  return nifLetters[number % 23] === m[3];
}

// Decreto ministeriale 23 dicembre 1976: what a character counts at odd places; at even places it counts its position.
const odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
const position = (c: string): number => (c < 'A' ? Number(c) : c.charCodeAt(0) - 65);
// Two people with the same code: digits become letters from the right.
const omocode = 'LMNPQRSTUV';
const cfShape =
  /[A-Za-z]{6}[0-9L-NP-Vl-np-v]{2}[ABCDEHLMPRSTabcdehlmprst][0-9L-NP-Vl-np-v]{2}[A-Za-z][0-9L-NP-Vl-np-v]{3}[A-Za-z]/;
/** Italian codice fiscale: shape, a possible day of birth, check letter. */
export function isCodiceFiscale(plain: string): boolean {
  if (plain.length !== 16) return false;
  let sum = 0;
  for (let i = 0; i < 15; i++) sum += i % 2 === 0 ? (odd[position(plain.charAt(i))] ?? 0) : position(plain.charAt(i));
  if (String.fromCharCode(65 + (sum % 26)) !== plain[15]) return false;
  const day = Number(plain.slice(9, 11).replace(/[A-Z]/g, (c) => String(omocode.indexOf(c)))) % 40;
  return day >= 1 && day <= 31;
}

/** Dutch citizen service number: the eleven-test, in which the last digit counts minus one. */
export const isBsn = (d: string): boolean => {
  const nine = d.padStart(9, '0');
  return d.length >= 8 && !allSame(d) && Number(d) > 0 && weighed(nine, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0;
};

/** Belgian national number: 97 less the remainder, with a 2 before it for those born since 2000. */
export const isBelgian = (d: string): boolean => {
  if (d.length !== 11) return false;
  const key = Number(d.slice(9));
  const born = isDay(2000, Number(d.slice(2, 4)) % 20 || 1, Number(d.slice(4, 6)) || 1);
  return born && [d.slice(0, 9), `2${d.slice(0, 9)}`].some((n) => 97 - (Number(n) % 97) === key);
};

export const westEurope = [
  detector('de_tax_id', {
    says: 'German tax identification numbers',
    class: 'checksum',
    severity: 'high',
    finds: [
      behindWords(
        [
          'steuer-id',
          'steuerid',
          'steuer id',
          'steueridentifikationsnummer',
          'steuerliche identifikationsnummer',
          'steuer-identifikationsnummer',
          'identifikationsnummer',
          'idnr',
          'id-nr',
          'steuernummer',
          'tin',
          'tax id',
          'tax number',
          'tax identification',
        ],
        digits(11),
        ifDigits(isSteuerId),
      ),
    ],
    catches: [
      'Steuer-ID: 86095742719',
      'Ihre steuerliche Identifikationsnummer lautet 47 036 892 816',
      'IdNr. 86 095 742 719',
      'German tax ID 65929970489',
    ],
    spares: [
      '86095742719',
      'Steuer-ID: 86095742718',
      'Steuer-ID: 11111111111',
      'Steuer-ID: 12345678901',
      'Telefon 86095742719',
    ],
  }),
  detector('de_vat_id', {
    says: 'German VAT numbers',
    class: 'checksum',
    severity: 'low',
    finds: [
      tokens([2], upTo(1, 9), /[Dd][Ee](?:[ .-]?\d){9}/, isUstId, { first: 'Dd' }),
      behindWords(
        ['ust-id', 'ustid', 'ust-idnr', 'ust', 'umsatzsteuer', 'vat', 'mwst', 'tva', 'iva'],
        /(?<![A-Za-z0-9])[Dd][Ee] ?(?:[ .-]?\d){9}(?![A-Za-z0-9])/,
        ifPlain(isUstId),
      ),
    ],
    catches: ['DE136695976', 'USt-IdNr.: DE 136695976', 'VAT DE 136 695 976'],
    spares: ['DE136695977', 'DE036695976', 'ODE136695976', 'DE1366959760'],
  }),
  detector('fr_nir', {
    says: 'French social security numbers',
    class: 'checksum',
    severity: 'high',
    finds: [{ among: 'tokens', letters: [0], digits: [1, 3, 5, 6, 7, 10, 13, 15], find: nirAt }],
    catches: [
      '255081416802538',
      '2 55 08 14 168 025 38',
      'NIR : 2 55 08 14 168 025 38',
      'n° de sécurité sociale 1 84 12 76 451 089 46',
      '1 84 12 2A 451 089 33',
    ],
    spares: [
      '255081416802539',
      '955081416802538',
      '2550814168025381',
      '0.255081416802538',
      '2.55081416802538',
      '255001416802538',
      'a2 55 08 14 168 025 39',
    ],
  }),
  detector('es_nif', {
    says: 'Spanish identity numbers (DNI, NIE)',
    class: 'checksum',
    severity: 'high',
    finds: [
      tokens([0], [8], /\d{8}[ -]?[A-Z]/, isNif),
      tokens([0], [2], /\d{2}\.\d{3}\.\d{3}[ -]?[A-Z]/, isNif, { next: '.' }),
      tokens([1], [7], /[XYZ][ -]?\d{7}[ -]?[A-Z]/, isNif, { first: 'XYZ' }),
      behindWords(
        ['dni', 'nif', 'nie', 'documento nacional', 'identificacion'],
        /(?<![A-Za-z0-9])(?:[xyz][ .-]?\d{7}|\d{2}\.?\d{3}\.?\d{3})[ .-]?[a-z](?![A-Za-z0-9])/i,
        ifPlain(isNif),
      ),
    ],
    catches: ['12345678Z', 'DNI 12345678-Z', 'NIE: X1234567L', 'dni: 12.345.678z', 'Y1234567X'],
    spares: ['12345678A', 'X1234567A', '112345678Z', '12345678Zx', '12345678z', 'A1234567L'],
  }),
  detector('it_fiscal_code', {
    says: 'Italian tax codes (codice fiscale)',
    class: 'checksum',
    severity: 'high',
    finds: [tokens([6], [1, 2], cfShape, isCodiceFiscale)],
    catches: ['RSSMRA85T10A562S', 'codice fiscale: rssmra85t10a562s', 'MRTMTT91D08F205J'],
    spares: ['RSSMRA85T10A562T', 'RSSMRA85T10A562SX', 'ABCDEF85T10A562S', 'RSSMRA85T99A562S'],
  }),
  detector('nl_bsn', {
    says: 'Dutch citizen service numbers',
    class: 'checksum',
    severity: 'high',
    finds: [
      behindWords(
        ['bsn', 'burgerservicenummer', 'sofinummer', 'sofi', 'persoonsnummer', 'citizen service'],
        digits(8, 9),
        ifDigits(isBsn),
      ),
    ],
    catches: ['BSN 111222333', 'burgerservicenummer: 123456782', 'bsn=1234.56.782'],
    spares: ['111222333', 'BSN 111222334', 'BSN 000000000', 'order 123456782'],
  }),
  detector('be_national_number', {
    says: 'Belgian national numbers',
    class: 'checksum',
    severity: 'high',
    finds: [
      behindWords(
        [
          'rijksregisternummer',
          'rijksregister',
          'registre national',
          'numero national',
          'insz',
          'niss',
          'nrn',
          'national number',
        ],
        digits(11),
        ifDigits(isBelgian),
      ),
    ],
    catches: ['Rijksregisternummer 85.07.30-033.28', 'NISS : 85073003328', 'registre national 17073003384'],
    spares: ['85073003328', 'NISS : 85073003329', 'NISS 85133203328'],
  }),
];

const nirSticky = new RegExp(nirShape.source, 'y');
function nirAt(text: string, from: number): { start: number; end: number; text: string } | undefined {
  const sex = text[from];
  if (sex !== '1' && sex !== '2') return undefined;
  nirSticky.lastIndex = from;
  const m = nirSticky.exec(text);
  const plain = m?.[0].replace(/[^A-Za-z0-9]/g, '').toUpperCase();
  // Two groups around one point are a decimal fraction.
  if (m && /^\d\.\d+$/.test(m[0])) return undefined;
  return m && plain !== undefined && isNir(plain) ? { start: from, end: from + m[0].length, text: plain } : undefined;
}
