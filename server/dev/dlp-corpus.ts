// Longer than others: a table of how the values of some forty detectors are made and written.
// Labelled texts for each detector: what it must find, in the forms and languages in which people write it, and what it must leave alone.
// Values are drawn until the published check fits; that those checks are right is proved by the published samples beside each detector.
import { isCard } from '#dlp/detectors/payment-card.ts';
import { isIban } from '#dlp/detectors/iban.ts';
import { isAadhaar, isChinese, isGstin, isNric, isRrn, isThai } from '#dlp/detectors/asia.ts';
import { isNhs, isNino } from '#dlp/detectors/britain.ts';
import { isItin, isNpi, isRouting, isSin, isSsn } from '#dlp/detectors/north-america.ts';
import {
  isFodselsnummer,
  isHetu,
  isNip,
  isPersonnummer,
  isPesel,
  isTurkish,
} from '#dlp/detectors/north-and-east-europe.ts';
import { isAbn, isAcn, isCpf, isMedicare, isSouthAfrican, isTfn } from '#dlp/detectors/south.ts';
import { isBelgian, isBsn, isCodiceFiscale, isNif, isNir, isSteuerId, isUstId } from '#dlp/detectors/west-europe.ts';
import { detectors } from '#dlp/detectors.ts';
import { decoys, digitsOf, hexOf, languages, pickOf, sentence } from './dlp-clean.ts';
import { random, type Random } from './random-cedar.ts';

export type Labelled = { detector: string; text: string; has: boolean };

/** How the values of a detector are made and written. */
type Kind = {
  make(r: Random): string;
  /** Whether the value is right; a negative is one with a character changed that is not. */
  valid(value: string): boolean;
  forms: readonly ((v: string) => string)[];
  /** Words before it, in the languages where it is spoken of; `''` where it needs none. */
  words: readonly string[];
};

const as = (v: string): string => v;
const groups =
  (sizes: readonly number[], sign: string) =>
  (v: string): string => {
    let at = 0;
    return [...sizes.map((n) => v.slice(at, (at += n))), v.slice(at)].filter((p) => p !== '').join(sign);
  };
const two = (n: number): string => String(n).padStart(2, '0');
// Born from 1970 on: older numbers of 13 digits may be card numbers as well.
const yymmdd = (r: Random): string => two(70 + r(30)) + two(1 + r(12)) + two(1 + r(28));
const ddmmyy = (r: Random): string => two(1 + r(28)) + two(1 + r(12)) + two(r(100));
const letters = (r: Random, n: number): string =>
  Array.from({ length: n }, () => String.fromCharCode(65 + r(26))).join('');
const number =
  (n: number) =>
  (r: Random): string =>
    digitsOf(r, n);

const kinds: Record<string, Kind> = {
  payment_card: {
    make: (r) =>
      pickOf(r, ['4', '51', '55', '2221', '2720', '34', '37', '6011', '65', '3530', '62', '36']) + digitsOf(r, 15),
    valid: (v) => isCard(v),
    forms: [as, groups([4, 4, 4], ' '), groups([4, 4, 4], '-'), groups([4, 4, 4], '\u00a0'), groups([4, 6], ' ')],
    words: ['', 'card', 'Kreditkarte', 'carte bancaire', 'tarjeta', 'pan='],
  },
  iban: {
    make: (r) => {
      const [c, n, form] = pickOf(r, [
        ['DE', 18, ''],
        ['FR', 23, ''],
        ['ES', 20, ''],
        ['NL', 10, 'ABNA'],
        ['GB', 14, 'NWBK'],
        ['PL', 24, ''],
        ['IT', 22, 'X'],
        ['NO', 11, ''],
        ['CH', 17, ''],
      ] as const);
      return c + digitsOf(r, 2) + form + digitsOf(r, c === 'FR' || c === 'IT' ? n : n);
    },
    valid: isIban,
    forms: [as, groups([4, 4, 4, 4, 4, 4, 4], ' '), groups([4, 4, 4, 4, 4, 4, 4], '-'), (v) => v.toLowerCase()],
    words: ['', 'IBAN', 'account', 'Konto', 'compte', 'IBAN:'],
  },
  us_ssn: {
    make: number(9),
    valid: isSsn,
    forms: [as, groups([3, 2], '-'), groups([3, 2], ' ')],
    words: ['SSN', 'social security number', 'Social Security no.', 'customer_ssn', 'seguro social'],
  },
  us_itin: {
    make: (r) => `9${digitsOf(r, 8)}`,
    valid: isItin,
    forms: [as, groups([3, 2], '-')],
    words: ['ITIN', 'itin number', 'taxpayer identification number'],
  },
  us_bank_routing: {
    make: number(9),
    valid: isRouting,
    forms: [as],
    words: ['routing number', 'ABA', 'ABA routing', 'RTN'],
  },
  us_npi: {
    make: (r) => `1${digitsOf(r, 9)}`,
    valid: isNpi,
    forms: [as],
    words: ['NPI', 'National Provider Identifier'],
  },
  ca_sin: {
    make: number(9),
    valid: isSin,
    forms: [as, groups([3, 3], ' '), groups([3, 3], '-')],
    words: ['SIN', 'social insurance number', "numéro d'assurance sociale", 'NAS'],
  },
  uk_nhs: {
    make: number(10),
    valid: isNhs,
    forms: [as, groups([3, 3], ' '), groups([3, 3], '-')],
    words: ['NHS number', 'NHS no', 'patient id'],
  },
  uk_nino: {
    make: (r) => letters(r, 2) + digitsOf(r, 6) + pickOf(r, ['A', 'B', 'C', 'D']),
    valid: isNino,
    forms: [as, groups([2, 2, 2, 2], ' ')],
    words: ['NINO', 'National Insurance number', 'NI number'],
  },
  de_tax_id: {
    make: number(11),
    valid: isSteuerId,
    forms: [as, groups([2, 3, 3], ' ')],
    words: ['Steuer-ID', 'Steueridentifikationsnummer', 'IdNr.', 'steuerliche Identifikationsnummer'],
  },
  de_vat_id: {
    make: (r) => `DE${digitsOf(r, 9)}`,
    valid: isUstId,
    forms: [as, groups([2, 3, 3], ' ')],
    words: ['USt-IdNr.', 'VAT', 'Umsatzsteuer-ID'],
  },
  fr_nir: {
    make: (r) => `${1 + r(2)}${digitsOf(r, 2)}${two(1 + r(12))}${two(1 + r(95))}${digitsOf(r, 8)}`,
    valid: isNir,
    forms: [as, groups([1, 2, 2, 2, 3, 3], ' ')],
    words: ['', 'NIR', 'n° de sécurité sociale'],
  },
  es_nif: {
    make: (r) => (r(2) === 0 ? digitsOf(r, 8) : pickOf(r, ['X', 'Y', 'Z']) + digitsOf(r, 7)) + letters(r, 1),
    valid: isNif,
    forms: [as, (v) => `${v.slice(0, -1)}-${v.slice(-1)}`],
    words: ['', 'DNI', 'NIE', 'NIF:'],
  },
  it_fiscal_code: {
    make: (r) =>
      `${letters(r, 6)}${digitsOf(r, 2)}${pickOf(r, 'ABCDEHLMPRST'.split(''))}${two(1 + r(28))}${letters(r, 1)}${digitsOf(r, 3)}${letters(r, 1)}`,
    valid: isCodiceFiscale,
    forms: [as, (v) => v.toLowerCase()],
    words: ['', 'codice fiscale', 'CF'],
  },
  nl_bsn: { make: number(9), valid: isBsn, forms: [as], words: ['BSN', 'burgerservicenummer'] },
  be_national_number: {
    make: (r) => `${yymmdd(r)}${digitsOf(r, 5)}`,
    valid: isBelgian,
    forms: [as, (v) => `${v.slice(0, 2)}.${v.slice(2, 4)}.${v.slice(4, 6)}-${v.slice(6, 9)}.${v.slice(9)}`],
    words: ['rijksregisternummer', 'NISS', 'registre national'],
  },
  pl_pesel: { make: (r) => yymmdd(r) + digitsOf(r, 5), valid: isPesel, forms: [as], words: ['PESEL', 'nr PESEL'] },
  pl_nip: { make: number(10), valid: isNip, forms: [as, groups([3, 3, 2], '-')], words: ['NIP', 'NIP:'] },
  se_personnummer: {
    make: (r) => yymmdd(r) + digitsOf(r, 4),
    valid: isPersonnummer,
    forms: [as, groups([6], '-')],
    words: ['personnummer', 'personnr'],
  },
  fi_hetu: {
    make: (r) =>
      `${ddmmyy(r)}${pickOf(r, ['-', 'A', '+'])}${digitsOf(r, 3)}${pickOf(r, '0123456789ABCDEFHJKLMNPRSTUVWXY'.split(''))}`,
    valid: isHetu,
    forms: [as],
    words: ['', 'henkilötunnus', 'hetu'],
  },
  tr_identity_number: {
    make: number(11),
    valid: isTurkish,
    forms: [as],
    words: ['TC Kimlik No', 'TCKN', 'T.C. kimlik'],
  },
  no_fodselsnummer: {
    make: (r) => ddmmyy(r) + digitsOf(r, 5),
    valid: isFodselsnummer,
    forms: [as, groups([6], ' ')],
    words: ['fødselsnummer', 'fnr'],
  },
  in_aadhaar: {
    make: number(12),
    valid: isAadhaar,
    forms: [as, groups([4, 4], ' '), groups([4, 4], '-')],
    words: ['Aadhaar', 'aadhaar number', 'UIDAI', 'आधार'],
  },
  in_gstin: {
    make: (r) =>
      `${two(1 + r(36))}${letters(r, 5)}${digitsOf(r, 4)}${letters(r, 1)}1Z${pickOf(r, '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split(''))}`,
    valid: isGstin,
    forms: [as],
    words: ['', 'GSTIN'],
  },
  kr_rrn: {
    make: (r) => yymmdd(r) + (1 + r(4)) + digitsOf(r, 6),
    // Those of the newly born have no check digit.
    valid: (v) => isRrn(v) || /^[2-4]\d{5}[3478]/.test(v),
    forms: [groups([6], '-')],
    words: ['', '주민등록번호', 'RRN'],
  },
  sg_nric: {
    make: (r) => pickOf(r, ['S', 'T', 'F', 'G', 'M']) + digitsOf(r, 7) + letters(r, 1),
    valid: isNric,
    forms: [as],
    words: ['', 'NRIC', 'FIN'],
  },
  th_citizen_number: {
    make: (r) => `${1 + r(3)}${digitsOf(r, 12)}`,
    valid: isThai,
    forms: [groups([1, 4, 5, 2], '-')],
    words: ['', 'Thai ID', 'เลขประจำตัวประชาชน'],
  },
  cn_resident_id: {
    make: (r) => `${1 + r(2)}${digitsOf(r, 5)}19${yymmdd(r)}${digitsOf(r, 3)}${pickOf(r, '0123456789X'.split(''))}`,
    valid: isChinese,
    forms: [as],
    words: ['', '身份证号码', 'ID'],
  },
  za_identity_number: {
    make: (r) => `${yymmdd(r)}${digitsOf(r, 4)}0${digitsOf(r, 2)}`,
    valid: isSouthAfrican,
    forms: [as],
    words: ['SA ID', 'South African ID', 'identity number'],
  },
  au_tfn: { make: number(9), valid: isTfn, forms: [as, groups([3, 3], ' ')], words: ['TFN', 'tax file number'] },
  au_abn: {
    make: number(11),
    valid: isAbn,
    forms: [as, groups([2, 3, 3], ' ')],
    words: ['ABN', 'Australian Business Number'],
  },
  au_acn: {
    make: number(9),
    valid: isAcn,
    forms: [as, groups([3, 3], ' ')],
    words: ['ACN', 'Australian Company Number'],
  },
  au_medicare: {
    make: (r) => `${2 + r(5)}${digitsOf(r, 9)}`,
    valid: isMedicare,
    forms: [as, groups([4, 5], ' ')],
    words: ['Medicare', 'medicare number'],
  },
  br_cpf: {
    make: number(11),
    valid: isCpf,
    forms: [(v) => `${v.slice(0, 3)}.${v.slice(3, 6)}.${v.slice(6, 9)}-${v.slice(9)}`],
    words: ['', 'CPF', 'cpf:'],
  },
};

const months = ['January', 'March', 'August', 'Dezember', 'mars', 'agosto', 'stycznia', 'maart', 'settembre', 'março'];
const date = (r: Random): string => {
  const [d, m, y] = [1 + r(28), 1 + r(12), 1930 + r(85)];
  return pickOf(r, [
    `${two(d)}/${two(m)}/${y}`,
    `${y}-${two(m)}-${two(d)}`,
    `${d}.${m}.${y}`,
    `${d} ${pickOf(r, months)} ${y}`,
    `${two(d)}-${two(m)}-${y}`,
  ]);
};
const name = (r: Random): string =>
  sentence(r, 'en', 1)
    .toLowerCase()
    .replace(/[^a-z]/g, '');
/** What only words prove: a text with it, and one that looks alike without. */
const contextual: Record<string, { has: (r: Random) => string; not: (r: Random) => string }> = {
  email_address: {
    has: (r) =>
      pickOf(r, [
        `mail ${name(r)}.${name(r)}@${name(r)}.example`,
        `<${name(r)}+x${r(99)}@mail.${name(r)}.co.example>`,
        `"to":"${name(r)}_${r(99)}@${name(r)}.org"`,
      ]),
    not: (r) =>
      pickOf(r, [
        `${name(r)}@${r(9)}.${r(20)}.${r(9)}`,
        `@${name(r)}/${name(r)}`,
        `icon@${1 + r(3)}x.png`,
        `${name(r)} at ${name(r)} dot example`,
        `git@host.example:${name(r)}.git`,
      ]),
  },
  phone_number: {
    has: (r) =>
      pickOf(r, [
        `+49 ${150 + r(29)} ${digitsOf(r, 7)}`,
        `+44 7${digitsOf(r, 3)} ${digitsOf(r, 6)}`,
        `(${2 + r(8)}${digitsOf(r, 2)}) ${2 + r(8)}${digitsOf(r, 2)}-${digitsOf(r, 4)}`,
        `Telefon: 0${30 + r(60)} / ${1 + r(9)}${digitsOf(r, 6)}`,
        `tél. 01 ${digitsOf(r, 2)} ${digitsOf(r, 2)} ${digitsOf(r, 2)} ${digitsOf(r, 2)}`.replace('tél.', 'téléphone'),
        `mobile 07${digitsOf(r, 3)} ${digitsOf(r, 6)}`,
        `phone: ${2 + r(8)}${digitsOf(r, 2)}-555-${digitsOf(r, 4)}`,
        `móvil 6${digitsOf(r, 8)}`,
        `+33${1 + r(9)}${digitsOf(r, 8)}`,
      ]),
    not: (r) =>
      pickOf(r, [
        `room ${digitsOf(r, 3)}-${digitsOf(r, 4)}`,
        `20${two(r(28))}-${two(1 + r(12))}-${two(1 + r(28))}T10:00:00+01:00`,
        `${r(99)} + ${digitsOf(r, 8)}`,
        `phones sold: ${digitsOf(r, 5)}`,
        `case ${digitsOf(r, 4)}-${digitsOf(r, 6)}`,
      ]),
  },
  date_of_birth: {
    has: (r) =>
      `${pickOf(r, ['DOB', 'DOB:', 'born', 'born on', 'date of birth:', 'Geburtsdatum:', 'geboren am', 'née le', 'date de naissance :', 'fecha de nacimiento:', 'nato il', 'data di nascita:', 'geboortedatum:', 'data urodzenia:', 'data de nascimento:', 'birth_date='])} ${date(r)}`.replace(
        '= ',
        '=',
      ),
    not: (r) => `${pickOf(r, ['created', 'due', 'signed on', 'fällig am', 'livré le', 'valid until'])} ${date(r)}`,
  },
  passport_number: {
    has: (r) =>
      `${pickOf(r, ['passport', 'Passport No.', 'passport number:', 'Reisepass', 'Reisepassnummer:', 'passeport n°', 'pasaporte', 'passaporto n.', 'paspoort', 'paszport', 'passport_no='])} ${pickOf(r, [digitsOf(r, 9), letters(r, 1) + digitsOf(r, 8), letters(r, 2) + digitsOf(r, 7), `C0${digitsOf(r, 1)}X${digitsOf(r, 2)}T${digitsOf(r, 2)}`, `${digitsOf(r, 2)}${letters(r, 2)}${digitsOf(r, 5)}`, letters(r, 1) + digitsOf(r, 7)])}`.replace(
        '= ',
        '=',
      ),
    not: (r) =>
      pickOf(r, [
        'passport photos 35x45',
        `part ${letters(r, 1)}${digitsOf(r, 8)}`,
        `passport.js ${r(3)}.${r(9)}.${r(9)}`,
        `passport office, room ${r(900)}`,
      ]),
  },
  assigned_secret: {
    has: (r) =>
      pickOf(r, [
        `password: ${name(r)}-${letters(r, 3)}${digitsOf(r, 3)}!`,
        `DB_PASSWORD=${letters(r, 2)}${hexOf(r, 8)}#${r(99)}`,
        `"api_key": "${hexOf(r, 32)}"`,
        `client_secret = '${Buffer.from(hexOf(r, 24)).toString('base64')}'`,
        `Passwort: ${letters(r, 4)}${digitsOf(r, 4)}$x`,
      ]),
    not: (r) =>
      pickOf(r, [
        'password: ********',
        'password: ${DB_PASSWORD}',
        `token: ${hexOf(r, 8)}-${hexOf(r, 4)}-4${hexOf(r, 3)}-8${hexOf(r, 3)}-${hexOf(r, 12)}`,
        'the password is required',
        'secret: /run/secrets/db',
        `next_page_token: ${hexOf(r, 32)}`,
        'api_key: <your-api-key>',
      ]),
  },
};

/** Draws until the value is right. */
function drawn(r: Random, kind: Kind): string {
  for (let i = 0; i < 2_000_000; i++) {
    const v = kind.make(r);
    if (kind.valid(v)) return v;
    for (const n of [16, 15, 14]) if (kind === kinds['payment_card'] && kind.valid(v.slice(0, n))) return v.slice(0, n);
  }
  throw new Error('no value fits');
}

/** The value with one digit changed, so that it is wrong; or, where any digits are right, without its last character. */
function spoilt(r: Random, kind: Kind, value: string): string {
  for (let i = 0; i < 100; i++) {
    // The first character may say which kind of number it is.
    const at = 1 + r(value.length - 1);
    const c = value.charAt(at);
    const v = value.slice(0, at) + (/\d/.test(c) ? (Number(c) + 1 + r(9)) % 10 : c) + value.slice(at + 1);
    if (v !== value && !kind.valid(v)) return v;
  }
  return value.slice(0, -1);
}

const around = (r: Random, text: string): string => {
  const l = pickOf(r, languages);
  return pickOf(r, [
    () => `${sentence(r, l)}. ${text}. ${sentence(r, l)}.`,
    () => `${sentence(r, l)}\n${text}\n${sentence(r, l)}`,
    () => JSON.stringify({ note: text, by: sentence(r, l, 3) }),
    () => `| ${sentence(r, l, 2)} | ${text} | ${pickOf(r, decoys)(r)} |`,
    () => `${text}, ${sentence(r, l)}`,
  ])();
};

/** `times` texts with and as many without for each detector whose values are generated, and decoys that are nothing. */
export function corpus(seed: number, times: number): Labelled[] {
  const r = random(seed);
  const texts: Labelled[] = [];
  for (const [detector, kind] of Object.entries(kinds))
    for (let i = 0; i < times; i++) {
      const value = drawn(r, kind);
      const form = pickOf(r, kind.forms);
      const word = pickOf(r, kind.words);
      const join = word === '' ? '' : word.endsWith('=') ? '' : pickOf(r, [' ', ': ', ' is ', ' = ', ' (']);
      texts.push({ detector, text: around(r, `${word}${join}${form(value)}`), has: true });
      texts.push({ detector, text: around(r, `${word}${join}${form(spoilt(r, kind, value))}`), has: false });
    }
  for (const [detector, { has, not }] of Object.entries(contextual))
    for (let i = 0; i < times; i++)
      texts.push({ detector, text: around(r, has(r)), has: true }, { detector, text: around(r, not(r)), has: false });
  // Tokens of services: their samples, each in many surroundings, and the same with a character missing.
  for (const d of detectors.filter((x) => x.class === 'prefix'))
    for (let i = 0; i < times; i++) {
      texts.push({ detector: d.id, text: around(r, pickOf(r, d.catches)), has: true });
      texts.push({ detector: d.id, text: around(r, pickOf(r, d.spares)), has: false });
    }
  for (let i = 0; i < times * 20; i++) texts.push({ detector: '', text: around(r, pickOf(r, decoys)(r)), has: false });
  return texts;
}

export const generated: readonly string[] = [
  ...Object.keys(kinds),
  ...Object.keys(contextual),
  ...detectors.filter((d) => d.class === 'prefix').map((d) => d.id),
];

const prefixes = new Set(detectors.filter((d) => d.class === 'prefix').map((d) => d.id));
const contextuals = new Set(detectors.filter((d) => d.class === 'contextual').map((d) => d.id));

export type Score = {
  detector: string;
  found: number;
  missed: number;
  wrong: number;
  recall: number;
  precision: number;
};

/** How each detector did: what it found of its own, what it missed, and what it found where it is not. */
export function scores(
  texts: readonly Labelled[],
  find: (text: string) => readonly string[],
): { scores: Score[]; misses: Labelled[]; wrongs: (Labelled & { said: string })[] } {
  const of = new Map<string, { found: number; missed: number; wrong: number }>();
  const count = (d: string): { found: number; missed: number; wrong: number } => {
    const c = of.get(d) ?? { found: 0, missed: 0, wrong: 0 };
    of.set(d, c);
    return c;
  };
  const misses: Labelled[] = [];
  const wrongs: (Labelled & { said: string })[] = [];
  for (const t of texts) {
    const said = new Set(find(t.text));
    if (t.has && said.delete(t.detector)) count(t.detector).found++;
    else if (t.has) {
      count(t.detector).missed++;
      misses.push(t);
    }
    // In the sample of a service's token there may be a password or an address besides.
    const service = prefixes.has(t.detector);
    for (const d of said) {
      if (service && contextuals.has(d)) continue;
      count(d).wrong++;
      wrongs.push({ ...t, said: d });
    }
  }
  const list = [...of].map(([detector, c]) => ({
    detector,
    ...c,
    recall: c.found / (c.found + c.missed),
    precision: c.found / (c.found + c.wrong),
  }));
  return { scores: list, misses, wrongs };
}
