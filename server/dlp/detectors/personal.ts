import { detector } from '../detector.ts';
import { behindWords, ifPlain } from './behind-words.ts';
import { isDay } from './check-digits.ts';

const localChar = /[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]/;
const startChar = /[A-Za-z0-9_]/;
const domain = /(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])/y;
/** What looks like a top-level domain in names of files and of packages. */
const notDomains = new Set(
  'png jpg jpeg gif svg webp ico css js mjs ts tsx jsx json html htm php py rb go rs java class md txt csv xml yml yaml zip gz log service socket timer'.split(
    ' ',
  ),
);
const LONGEST_LOCAL = 64;
const signs = ['=', '/', '`', '&', '?', '|', '{', '*'];

export const email = detector('email_address', {
  says: 'e-mail addresses',
  class: 'contextual',
  severity: 'low',
  finds: [
    {
      among: 'keywords',
      keywords: ['@'],
      find(text, from) {
        let start = from;
        while (start > 0 && from - start < LONGEST_LOCAL && localChar.test(text.charAt(start - 1))) start--;
        // Quotes, slashes and other signs belong to what stands around, as do the parameters of a link.
        while (start < from && !startChar.test(text.charAt(start))) start++;
        start += Math.max(...signs.map((c) => text.slice(start, from).lastIndexOf(c))) + 1;
        if (start === from || !startChar.test(text.charAt(start)) || text[from - 1] === '.') return [];
        domain.lastIndex = from + 1;
        const m = domain.exec(text);
        if (!m || notDomains.has(m[0].slice(m[0].lastIndexOf('.') + 1).toLowerCase())) return [];
        // git@host:path names a machine, not a person.
        // What stands before the machine's name in a link is an account.
        if (/:\/\/[^\s/@]{0,64}$/.test(text.slice(Math.max(0, start - 70), start))) return [];
        if (/^(?:git|hg|svn)$/.test(text.slice(start, from)) && text[from + 1 + m[0].length] === ':') return [];
        const end = from + 1 + m[0].length;
        return [{ start, end, text: text.slice(start, end).toLowerCase() }];
      },
    },
  ],
  catches: [
    'ada@corp.example',
    'Ada <ada.lovelace+x@mail.corp.example>',
    '{"to":"o\'neil@x.example"}',
    'mailto:a_b@c-d.example?subject=x',
    'user=ada@corp.example&x=1',
    'ＡＤＡ＠corp.example',
  ],
  spares: [
    'logo@2x.png',
    'lodash@4.17.21',
    '@scope/package',
    'git@github.com:a/b.git',
    'ada at corp.example',
    'a@b',
    'x@.example',
  ],
});

/** Country calling codes (ITU-T E.164): what may follow the plus. */
const callingCode =
  /^(?:1|7|2[07]|3[0-469]|4[0134-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|21[12368]|2[2-6]\d|29[0179]|3[578]\d|42[0-3]|50\d|59\d|6[789]\d|80[08]|85[02356]|88[0-368]|96\d|97[0-79]|99[2-8])/;
const international = /\+\(?[1-9](?:[ .\-/()]{0,3}\d){7,14}(?![A-Za-z0-9])(?![.,-]\d)/y;
const american = /\([2-9]\d{2}\)[ -]?[2-9]\d{2}[ .-]\d{4}(?![A-Za-z0-9])(?![.,-]\d)/y;

function isPhone(found: string): string | undefined {
  const digits = found.replace(/\D/g, '');
  if (/^(\d)\1*$/.test(digits) || digits.length < 7 || digits.length > 15) return undefined;
  if (/^\d+\.\d+$/.test(found)) return undefined;
  // Days and clock times are not numbers to call.
  if (
    /^(?:19|20)\d{2}[-./](?:0?[1-9]|1[0-2])[-./]\d{1,2}$/.test(found) ||
    /^\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d{2}$/.test(found)
  )
    return undefined;
  return digits;
}

export const phone = detector('phone_number', {
  says: 'telephone numbers',
  class: 'contextual',
  severity: 'low',
  finds: [
    {
      among: 'keywords',
      keywords: ['+', '('],
      find(text, from) {
        if (from > 0 && /[A-Za-z0-9+/=]/.test(text.charAt(from - 1))) return [];
        const shape = text[from] === '+' ? international : american;
        shape.lastIndex = from;
        const found = shape.exec(text)?.[0];
        const digits = found === undefined ? undefined : isPhone(found);
        if (found === undefined || digits === undefined) return [];
        if (
          shape === international &&
          (!callingCode.test(digits) || digits.length < 8 || (digits.startsWith('1') && digits.length !== 11))
        )
          return [];
        return [{ start: from, end: from + found.length, text: digits }];
      },
    },
    behindWords(
      [
        'phone',
        'telephone',
        'tel',
        'mobile',
        'cell',
        'cellphone',
        'fax',
        'call me',
        'call us',
        'whatsapp',
        'telefon',
        'telefonnummer',
        'handy',
        'handynummer',
        'mobil',
        'mobilnummer',
        'rufnummer',
        'durchwahl',
        'portable',
        'telefono',
        'movil',
        'cellulare',
        'telefoon',
        'mobiel',
        'gsm',
        'telefone',
        'telemovel',
        'celular',
        'komorka',
        'contact number',
        'hotline',
        'dial',
      ],
      /(?<![A-Za-z0-9.\-/+])(?:\+|00)?\(?\d(?:[ .\-/()]{0,2}\d){6,14}(?![A-Za-z0-9])(?![.,:-]\d)/,
      isPhone,
    ),
  ],
  catches: [
    '+49 170 1234567',
    '+1 (415) 555-2671',
    'call +442079460958 now',
    '(415) 555-2671',
    'Tel: 030 / 123 456 78',
    'Téléphone : 01 42 68 53 00',
    'mobile 07700 900123',
    'Handynummer: 0170-1234567',
    'phone=4155552671',
    'móvil 612 34 56 78',
  ],
  spares: [
    '4155552671',
    '2026-11-20T12:59:32+01:00',
    'a + 12345678',
    'x+12345678',
    '+1 234 567',
    'phone screens since 2026-11-20',
    'order 0170-1234567',
    'diff +0000000',
  ],
});

const months =
  'jan(?:uary|uar|vier)?|feb(?:ruary|ruar)?|fev(?:rier)?|mar(?:ch|s|zo)?|marz|maerz|apr(?:il)?|avr(?:il)?|abr(?:il)?|may|mai|mayo|mei|maj|june?|juni|juin|junio|july?|juli|juillet|julio|aug(?:ust)?|aout|ago(?:sto)?|sept?(?:ember|embre|iembre)?|oct(?:ober|obre|ubre)?|okt(?:ober)?|nov(?:ember|embre|iembre)?|dec(?:ember|embre)?|dez(?:ember)?|dic(?:iembre|embre)?|enero|ene|febrero|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|januari|februari|maart|augustus|janeiro|fevereiro|marco|maio|junho|julho|setembro|outubro|dezembro|stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|wrzesnia|pazdziernika|listopada|grudnia';
const date = new RegExp(
  `(?<![A-Za-z0-9.\\-/])(?:(?:19|20)\\d{2}[-./](?:0?[1-9]|1[0-2])[-./](?:0?[1-9]|[12]\\d|3[01])|(?:0?[1-9]|[12]\\d|3[01])[ ]?[-./][ ]?(?:0?[1-9]|[12]\\d|3[01])[ ]?[-./][ ]?(?:(?:19|20)\\d{2}|\\d{2})|(?:0?[1-9]|[12]\\d|3[01])(?:st|nd|rd|th|\\.|er)?[ -](?:de |of )?(?:${months})\\.?,?[ -](?:de |del )?(?:19|20)\\d{2}|(?:${months})\\.? (?:0?[1-9]|[12]\\d|3[01])(?:st|nd|rd|th)?,? (?:19|20)\\d{2}|(?:19|20)\\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\\d|3[01]))(?![A-Za-z0-9])(?![.,/-]\\d)`,
  'i',
);

/** A day that exists, whichever of day and month comes first. */
function isBirthday(found: string): string | undefined {
  const parts = found.match(/\d+/g)?.map(Number) ?? [];
  const [a, b, c] = parts;
  if (parts.length === 3 && a !== undefined && b !== undefined && c !== undefined) {
    const real = a > 31 ? isDay(a, b, c) : isDay(c < 100 ? 1900 + c : c, b, a) || isDay(c < 100 ? 1900 + c : c, a, b);
    if (!real) return undefined;
  }
  return found.toLowerCase().replace(/\s+/g, ' ');
}

export const birthday = detector('date_of_birth', {
  says: 'dates of birth',
  class: 'contextual',
  severity: 'medium',
  finds: [
    behindWords(
      [
        'dob',
        'd.o.b',
        'birth',
        'born',
        'birthday',
        'birthdate',
        'date of birth',
        'dateofbirth',
        'geboren',
        'geb',
        'geburtsdatum',
        'geburtstag',
        'naissance',
        'nacimiento',
        'nacido',
        'nacida',
        'nascita',
        'nato',
        'nata',
        'geboortedatum',
        'nascimento',
        'nascido',
        'nascida',
        'urodzenia',
        'urodzony',
        'urodzona',
      ],
      date,
      isBirthday,
    ),
    // Without its accent the first is also "does not", so the day must follow at once.
    behindWords(['ne le', 'nee le'], date, isBirthday, 0),
  ],
  catches: [
    'DOB: 12/03/1984',
    'born on 12 March 1984',
    'date of birth: 1984-03-12',
    'Geburtsdatum: 12.03.1984',
    'geb. 12.3.84',
    'née le 12 mars 1984',
    'fecha de nacimiento: 12 de marzo de 1984',
    'nato il 12/03/1984',
    'data urodzenia 12.03.1984',
    '{"birth_date":"1984-03-12"}',
    'March 12, 1984 is not it; born March 12, 1984',
  ],
  spares: [
    '12/03/1984',
    'created 1984-03-12',
    'DOB: 31/31/1984',
    'the reborn project of 12/03/1984',
    'born to run since a long time ago, on 12/03/1984',
    'DOB: 1984-02-31',
  ],
});

const document =
  /(?<![A-Za-z0-9])(?:[A-Z]{1,3}[ -]?\d{6,8}|\d{2}[A-Z]{2}\d{5}|\d{9}|[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{8}|\d{2} \d{7}|[A-Z]{2}[A-Z0-9]{6}\d)(?![A-Za-z0-9])(?![.,-]\d)/;

export const passport = detector('passport_number', {
  says: 'passport numbers',
  class: 'contextual',
  severity: 'high',
  finds: [
    behindWords(
      [
        'passport',
        'passport no',
        'passport number',
        'reisepass',
        'reisepassnummer',
        'passnummer',
        'pass-nr',
        'passeport',
        'pasaporte',
        'passaporto',
        'paspoort',
        'paspoortnummer',
        'passaporte',
        'paszport',
        'paszportu',
      ],
      document,
      ifPlain((p) => (p.match(/\d/g)?.length ?? 0) >= 3 && !/^(\d)\1*$/.test(p)),
    ),
  ],
  catches: [
    'passport number: 533401372',
    'Passport No. X1234567',
    'Reisepass C01X00T47',
    'passeport n° 12AB34567',
    'pasaporte AAB123456',
    'passaporto YA1234567',
    'passport_no=K8123456',
  ],
  spares: [
    '533401372',
    'passport photos 35x45',
    'passport renewal in 2026',
    'passport.js version 0.7.0',
    'order X1234567',
    'Passport Inc. invoice 12345',
  ],
});

export const personal = [email, phone, birthday, passport];
