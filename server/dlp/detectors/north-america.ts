import { detector } from '../detector.ts';
import { behindWords, digits, ifDigits, inCapitals } from './behind-words.ts';
import { allSame, luhn, weighed } from './check-digits.ts';

/** Areas that are never given out, and no part is all zeros (SSA, "SSN randomization"). */
export const isSsn = (d: string): boolean =>
  d.length === 9 && !/^(?:000|666|9)/.test(d) && d.slice(3, 5) !== '00' && d.slice(5) !== '0000';

/** IRS Pub. 4757: begins with 9, and the group is one of these. */
export const isItin = (d: string): boolean => {
  const group = Number(d.slice(3, 5));
  return (
    d.length === 9 &&
    d.startsWith('9') &&
    group >= 50 &&
    group <= 99 &&
    group !== 89 &&
    group !== 93 &&
    !(group > 65 && group < 70)
  );
};

/** ABA: weights 3, 7, 1, and a Federal Reserve routing symbol. */
export const isRouting = (d: string): boolean => {
  const lead = Number(d.slice(0, 2));
  const issued = lead <= 12 || (lead >= 21 && lead <= 32) || (lead >= 61 && lead <= 72) || lead === 80;
  return d.length === 9 && issued && !allSame(d) && weighed(d, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0;
};

/** CMS: Luhn over the number behind the issuer prefix 80840. */
export const isNpi = (d: string): boolean => d.length === 10 && /^[12]/.test(d) && luhn(`80840${d}`);

export const isSin = (d: string): boolean => d.length === 9 && !d.startsWith('8') && !allSame(d) && luhn(d);

const ssnWords = ['ssn', 'social security', 'soc sec', 'seguro social', 'taxpayer id', 'tax id', 'tin'];

export const northAmerica = [
  detector('us_ssn', {
    says: 'US social security numbers',
    class: 'checksum',
    severity: 'high',
    finds: [behindWords(ssnWords, digits(9), ifDigits(isSsn))],
    catches: [
      'SSN: 536-90-4399',
      'my social security number is 536 90 4399.',
      '{"customer_ssn":"536904399"}',
      'ssnNumber=536904399',
      'Her SSN (as on file) is 536-90-4399',
      'social\u00a0security: 5\u200b36-90-4399',
    ],
    spares: [
      '536-90-4399',
      'SSN: 000-12-3456',
      'SSN: 666-12-3456',
      'SSN: 912-12-3456',
      'SSN: 536-00-4399',
      'SSN: 536-90-0000',
      'the lesson 536904399',
      'SSN is needed. Please call us at our main office, ask for order 536904399',
      'SSN 536-90-4399-1',
    ],
  }),
  detector('us_itin', {
    says: 'US individual taxpayer numbers (ITIN)',
    class: 'checksum',
    severity: 'high',
    finds: [
      behindWords(['itin', 'taxpayer id', 'tax id', 'taxpayer identification', 'tin'], digits(9), ifDigits(isItin)),
    ],
    catches: ['ITIN 912-70-1234', 'taxpayer identification number: 900701234'],
    spares: ['912-70-1234', 'ITIN 912-66-1234', 'ITIN 812-70-1234', 'order 912701234'],
  }),
  detector('us_bank_routing', {
    says: 'US bank routing numbers (ABA)',
    class: 'checksum',
    severity: 'medium',
    finds: [behindWords(['routing', 'aba', 'rtn', 'aba/rtn', 'transit number'], digits(9), ifDigits(isRouting))],
    catches: ['routing number: 021000021', 'ABA 0110-0001-5', 'Routing no. 122105155'],
    spares: ['021000021', 'routing number: 021000022', 'ABA 999999999', 'routing table 000000000'],
  }),
  detector('us_npi', {
    says: 'US provider numbers (NPI)',
    class: 'checksum',
    severity: 'low',
    finds: [behindWords(['npi', 'national provider'], digits(10), ifDigits(isNpi))],
    catches: ['NPI 1234567893', 'national provider identifier: 1245319599'],
    spares: ['1234567893', 'NPI 1234567890', 'NPI 3234567893'],
  }),
  detector('ca_sin', {
    says: 'Canadian social insurance numbers',
    class: 'checksum',
    severity: 'high',
    finds: [
      behindWords(["numero d'assurance sociale", 'assurance sociale', 'social insurance'], digits(9), ifDigits(isSin)),
      inCapitals(behindWords(['sin', 'nas'], digits(9), ifDigits(isSin))),
    ],
    catches: [
      'SIN: 046 454 286',
      'social insurance number 130-692-544',
      'NAS 046454286',
      "numéro d'assurance sociale : 046 454 286",
    ],
    spares: [
      '046 454 286',
      'SIN: 046 454 287',
      'using 046454286',
      'SIN 000 000 000',
      'sin 046454286',
      'the basin 046454286',
    ],
  }),
];
