import { detector } from '../detector.ts';
import { behindWords, digits, ifDigits, tokens } from './behind-words.ts';
import { allSame, isShortDay, luhn, weighed } from './check-digits.ts';

/** South African identity number: day of birth, citizenship 0 to 2, Luhn. */
export const isSouthAfrican = (d: string): boolean =>
  d.length === 13 && isShortDay(d.slice(0, 6)) && /^[012]$/.test(d.charAt(10)) && luhn(d);

/** ATO: weights, a multiple of 11. */
export const isTfn = (d: string): boolean =>
  !allSame(d) && weighed(d, d.length === 8 ? [10, 7, 8, 4, 6, 3, 5, 1] : [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0;

/** ABR: one less in the first digit, weights, a multiple of 89. */
export const isAbn = (d: string): boolean =>
  d.length === 11 && !d.startsWith('0') && (weighed(d, [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10) % 89 === 0;

export const isAcn = (d: string): boolean =>
  d.length === 9 && !allSame(d) && (10 - (weighed(d, [8, 7, 6, 5, 4, 3, 2, 1]) % 10)) % 10 === Number(d[8]);

/** Australian Medicare card: weights over eight digits, then the issue, then perhaps the person. */
export const isMedicare = (d: string): boolean =>
  /^[2-6]/.test(d) && weighed(d, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === Number(d[8]) && d[9] !== '0';

const brazilian = (d: string, at: number, weights: readonly number[]): boolean => {
  const rest = weighed(d, weights) % 11;
  return (rest < 2 ? 0 : 11 - rest) === Number(d[at]);
};
/** Receita Federal: two check digits by 11. */
export const isCpf = (d: string): boolean =>
  d.length === 11 &&
  !allSame(d) &&
  brazilian(d, 9, [10, 9, 8, 7, 6, 5, 4, 3, 2]) &&
  brazilian(d, 10, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);

export const south = [
  detector('za_identity_number', {
    says: 'South African identity numbers',
    class: 'checksum',
    severity: 'high',
    finds: [
      behindWords(
        ['south african id', 'sa id', 'rsa id', 'identity number', 'id number', 'id no', 'identiteitsnommer'],
        digits(13),
        ifDigits(isSouthAfrican),
      ),
    ],
    catches: ['SA ID 8001015009087', 'identity number: 800101 5009 087'],
    spares: ['8001015009087', 'SA ID 8001015009088', 'SA ID 8013015009087'],
  }),
  detector('au_tfn', {
    says: 'Australian tax file numbers',
    class: 'checksum',
    severity: 'high',
    finds: [behindWords(['tfn', 'tax file'], digits(8, 9), ifDigits(isTfn))],
    catches: ['TFN 123 456 782', 'tax file number: 123456782'],
    spares: ['123 456 782', 'TFN 123 456 783', 'TFN 000 000 000'],
  }),
  detector('au_abn', {
    says: 'Australian business numbers',
    class: 'checksum',
    severity: 'low',
    finds: [behindWords(['abn', 'australian business'], digits(11), ifDigits(isAbn))],
    catches: ['ABN 51 824 753 556', 'Australian Business Number: 51824753556'],
    spares: ['51824753556', 'ABN 51 824 753 557'],
  }),
  detector('au_acn', {
    says: 'Australian company numbers',
    class: 'checksum',
    severity: 'low',
    finds: [behindWords(['acn', 'australian company'], digits(9), ifDigits(isAcn))],
    catches: ['ACN 004 085 616', 'Australian Company Number: 010499966'],
    spares: ['004085616', 'ACN 004 085 617'],
  }),
  detector('au_medicare', {
    says: 'Australian Medicare numbers',
    class: 'checksum',
    severity: 'high',
    finds: [behindWords(['medicare'], digits(10, 11), ifDigits(isMedicare))],
    catches: ['Medicare 2123 45670 1', 'medicare card: 2428 77813 2/1'],
    spares: ['2123456701', 'Medicare 2123 45671 1', 'Medicare 1123 45670 1'],
  }),
  detector('br_cpf', {
    says: 'Brazilian taxpayer numbers (CPF)',
    class: 'checksum',
    severity: 'high',
    finds: [
      tokens([0], [3], /\d{3}\.\d{3}\.\d{3}-\d{2}/, isCpf, { next: '.' }),
      behindWords(['cpf', 'cadastro de pessoas', 'contribuinte'], digits(11), ifDigits(isCpf)),
    ],
    catches: ['111.444.777-35', 'CPF 11144477735', 'cpf: 529.982.247-25'],
    spares: ['111.444.777-36', '11144477735', 'CPF 11111111111'],
  }),
];
