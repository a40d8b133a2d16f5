import { detector } from '../detector.ts';
import { behindWords, digits, ifDigits } from './behind-words.ts';
import { isDay, isShortDay, luhn, weighed } from './check-digits.ts';

/** Polish PESEL: the month also says the century. */
export function isPesel(d: string): boolean {
  if (d.length !== 11) return false;
  const month = Number(d.slice(2, 4));
  const century = [1900, 2000, 2100, 2200, 1800][Math.floor(month / 20)] ?? 0;
  if (!isDay(century + Number(d.slice(0, 2)), month % 20, Number(d.slice(4, 6)))) return false;
  return weighed(d, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0;
}

/** Swedish personnummer and samordningsnummer (day plus 60), with or without the century. */
export function isPersonnummer(plain: string): boolean {
  const d = plain.slice(-10);
  const day = Number(d.slice(4, 6));
  const date = `${d.slice(0, 4)}${String(day > 60 ? day - 60 : day).padStart(2, '0')}`;
  return (plain.length === 10 || /^(?:18|19|20)\d{10}$/.test(plain)) && isShortDay(date) && luhn(d);
}

const hetuLetters = '0123456789ABCDEFHJKLMNPRSTUVWXY';
/** Finnish personal identity code: day of birth, sign of the century, the remainder by 31 as a letter. */
export function isHetu(found: string): boolean {
  const m = /^(\d{2})(\d{2})(\d{2})[-+A-FU-Y](\d{3})([0-9A-Y])$/.exec(found);
  if (!m || !isShortDay(`${m[3]}${m[2]}${m[1]}`) || Number(m[4]) < 2) return false;
  return hetuLetters[Number(`${m[1]}${m[2]}${m[3]}${m[4]}`) % 31] === m[5];
}
const hetu = /\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y](?![A-Za-z0-9])/y;

/** Turkish identity number: two check digits. */
export function isTurkish(d: string): boolean {
  if (d.length !== 11 || d.startsWith('0')) return false;
  const odd = weighed(d, [1, 0, 1, 0, 1, 0, 1, 0, 1]);
  const even = weighed(d, [0, 1, 0, 1, 0, 1, 0, 1]);
  const tenth = (((odd * 7 - even) % 10) + 10) % 10;
  return tenth === Number(d[9]) && (odd + even + tenth) % 10 === Number(d[10]);
}

/** Polish tax number. */
export const isNip = (d: string): boolean =>
  d.length === 10 && !/^0{3}/.test(d) && weighed(d, [6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 === Number(d[9]);

/** Danish CPR: a day of birth; numbers since 2007 have no check digit. */
const isCpr = (d: string): boolean => d.length === 10 && isShortDay(`${d.slice(4, 6)}${d.slice(2, 4)}${d.slice(0, 2)}`);

/** Norwegian fødselsnummer: two check digits; day plus 40 for D-numbers. */
export function isFodselsnummer(d: string): boolean {
  if (d.length !== 11) return false;
  const day = Number(d.slice(0, 2)) % 40;
  if (!isShortDay(`${d.slice(4, 6)}${d.slice(2, 4)}${String(day).padStart(2, '0')}`)) return false;
  return (
    weighed(d, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 === 0 && weighed(d, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0
  );
}

export const northAndEastEurope = [
  detector('pl_pesel', {
    says: 'Polish personal numbers (PESEL)',
    class: 'checksum',
    severity: 'high',
    finds: [
      behindWords(['pesel', 'numer ewidencyjny', 'personal number', 'nr ewidencyjny'], digits(11), ifDigits(isPesel)),
    ],
    catches: ['PESEL: 44051401359', 'nr PESEL 440514 01359', 'pesel=02070803628'],
    spares: ['44051401359', 'PESEL: 44051401358', 'PESEL: 44133201359'],
  }),
  detector('pl_nip', {
    says: 'Polish tax numbers (NIP)',
    class: 'checksum',
    severity: 'low',
    finds: [behindWords(['nip', 'numer identyfikacji podatkowej'], digits(10), ifDigits(isNip))],
    catches: ['NIP: 123-456-32-18', 'NIP 5260250274'],
    spares: ['1234563218', 'NIP: 1234563217'],
  }),
  detector('se_personnummer', {
    says: 'Swedish personal numbers',
    class: 'checksum',
    severity: 'high',
    finds: [
      behindWords(
        [
          'personnummer',
          'personnr',
          'pnr',
          'person nr',
          'samordningsnummer',
          'personal number',
          'swedish id',
          'personal identity',
        ],
        /(?<![A-Za-z0-9])(?<!\d[.,-])(?:(?:18|19|20)\d{2}|\d{2})[ -]?\d{2}[ -]?\d{2} ?[-+]? ?\d{4}(?![A-Za-z0-9])(?![.,-]\d)/,
        ifDigits(isPersonnummer),
      ),
    ],
    catches: ['personnummer 811228-9874', 'Personnr: 19811228-9874', 'pnr 8112289874', 'personnummer: 811228+9874'],
    spares: ['811228-9874', 'personnummer 811228-9873', 'personnummer 811328-9874'],
  }),
  detector('fi_hetu', {
    says: 'Finnish personal identity codes',
    class: 'checksum',
    severity: 'high',
    finds: [
      {
        among: 'tokens',
        letters: [0],
        digits: [6],
        find(text, from) {
          hetu.lastIndex = from;
          // Part of a longer id.
          if (text[from - 1] === '-') return undefined;
          const m = hetu.exec(text);
          return m && isHetu(m[0]) ? { start: from, end: from + m[0].length, text: m[0] } : undefined;
        },
      },
    ],
    catches: ['131052-308T', 'hetu: 131052-308T.', '010594Y9032'],
    spares: ['131052-308U', '321052-308T', '131052-308TX', 'XK-131052-308T', '1131052-308T'],
  }),
  detector('tr_identity_number', {
    says: 'Turkish identity numbers',
    class: 'checksum',
    severity: 'high',
    finds: [
      behindWords(
        ['tc kimlik', 't.c. kimlik', 'kimlik', 'tckn', 'tc no', 'turkish id', 'identity number', 'id number'],
        digits(11),
        ifDigits(isTurkish),
      ),
    ],
    catches: ['TC Kimlik No: 10000000146', 'TCKN 10000000146', 'kimlik numarası 10000000146'],
    spares: ['10000000146', 'TCKN 10000000147', 'TCKN 01000000146'],
  }),
  detector('dk_cpr', {
    says: 'Danish personal numbers (CPR)',
    class: 'contextual',
    severity: 'high',
    finds: [
      behindWords(
        ['cpr', 'cpr-nr', 'cpr-nummer', 'cprnr'],
        /(?<![A-Za-z0-9])\d{6}[- ]?\d{4}(?![A-Za-z0-9])/,
        ifDigits(isCpr),
      ),
    ],
    catches: ['CPR 211062-5629', 'cpr-nr.: 2110625629'],
    spares: ['211062-5629', 'CPR 321362-5629'],
  }),
  detector('no_fodselsnummer', {
    says: 'Norwegian birth numbers',
    class: 'checksum',
    severity: 'high',
    finds: [
      behindWords(
        ['fodselsnummer', 'fodselsnr', 'personnummer', 'fnr', 'd-nummer'],
        digits(11),
        ifDigits(isFodselsnummer),
      ),
    ],
    catches: ['fødselsnummer 15108695088', 'fnr: 151086 95088'],
    spares: ['15108695088', 'fnr: 15108695087'],
  }),
];
