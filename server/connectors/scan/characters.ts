import { looksLatin } from './plain-text.ts';
import { matches, scanner, type Hit, type Piece } from './scanner.ts';

/** Scripts in which joiners are spelling. */
const joining =
  // oxlint-disable-next-line no-misleading-character-class -- each character is meant alone
  /[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Mongolian}\p{Script=Syriac}\p{Extended_Pictographic}\u{1f3fb}-\u{1f3ff}\ufe0f]$/u;
const rightToLeft = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
const before = (text: string, at: number): string => text.slice(Math.max(0, at - 2), at);

export const control = scanner('control_characters', {
  severity: 'high',
  says: 'Control characters',
  why: 'A terminal or a log obeys them, and what a person sees is not what the model reads.',
  find: ({ raw }) =>
    matches(raw, /[\u0000-\u0008\u000b\u000c\u000e-\u001a\u001c-\u001f\u007f-\u009a\u009c-\u009f]+|\r(?!\n)/g),
  catches: ['a\u0008\u0008b', 'shown\rhidden', 'a\u0085b', { role: 'name', text: 'no\u0001te' }],
  spares: ['two\r\nlines\tand a tab\n'],
});

export const ansi = scanner('terminal_escapes', {
  severity: 'high',
  says: 'Terminal escapes',
  why: 'They colour, hide or overwrite text where definitions are shown in a terminal.',
  find: ({ raw }) => matches(raw, /[\u001b\u009b][^\s]{0,20}|\\(?:x1b|033|e|u001b)\[[0-9;?]{0,20}[A-Za-z]/gi),
  catches: ['\u001b[8msecret', '\u009b31m', 'print \\x1b[8m first'],
  spares: ['an array \\[0]', '[8m] of cable'],
});

export const bidi = scanner('reordered_text', {
  severity: 'high',
  says: 'Characters that reorder text',
  why: 'What a person reads stands in another order than what the model reads.',
  find: function* ({ raw }) {
    yield* matches(raw, /[\u202a-\u202e\u2066-\u2069]+/g);
    // A mark is spelling in text that runs from right to left, and nothing elsewhere.
    if (!rightToLeft.test(raw)) yield* matches(raw, /[\u061c\u200e\u200f]+/g);
  },
  catches: ['a\u202eb', 'x\u2067y\u2069', 'abc\u200fdef'],
  spares: ['\u05e9\u05dc\u05d5\u05dd\u200f!', '\u0645\u0631\u062d\u0628\u0627\u061c'],
});

export const invisible = scanner('invisible_characters', {
  severity: 'high',
  says: 'Characters that nobody can see',
  why: 'They carry text to the model that no reviewer sees, or make two names look like one.',
  *find({ raw }) {
    yield* matches(
      raw,
      // oxlint-disable-next-line no-misleading-character-class -- each character is meant alone
      /[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2028\u2029\u2060-\u2065\u206a-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}]+/gu,
    );
    for (const h of matches(raw, /[\u200c\u200d]+/g))
      if (h.to - h.from > 1 || !joining.test(before(raw, h.from))) yield h;
  },
  catches: [
    'Shows a deal.\u200b\u200b',
    'pass\u00adword',
    'a\u2060b',
    'go\u200dne',
    '\u2063\u2064',
    { role: 'name', text: 'to\u3164' },
  ],
  spares: [
    '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645',
    '\u{1f469}\u200d\u{1f4bb} for developers',
    '\u0915\u094d\u200d\u0937',
  ],
});

export const tags = scanner('tag_characters', {
  severity: 'high',
  says: 'Text in tag characters',
  why: 'They are a second alphabet that no font draws and that models read.',
  *find({ raw }) {
    for (const h of matches(raw, /[\u{e0000}-\u{e007f}]+/gu))
      // Flags of regions are a black flag and at most seven of them.
      if (before(raw, h.from) !== '\u{1f3f4}' || h.to - h.from > 14) yield h;
  },
  catches: [
    'Shows\u{e0041}\u{e0042}',
    '\u{1f3f4}\u{e0069}\u{e0067}\u{e006e}\u{e006f}\u{e0072}\u{e0065}\u{e0020}\u{e0061}\u{e006c}',
  ],
  spares: ['\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f} Scotland'],
});

export const selectors = scanner('variation_selectors', {
  severity: 'high',
  says: 'Variation selectors that vary nothing',
  why: 'A run of them is a hidden text, one byte each.',
  *find({ raw }) {
    for (const h of matches(raw, /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]+/gu)) {
      const one =
        h.to - h.from === 1 ||
        (h.to - h.from === 2 && raw.charCodeAt(h.from) >= 0xd800 && raw.charCodeAt(h.from) < 0xdc00);
      if (!one || !/[\p{Emoji}\p{Script=Han}\p{Sm}\p{So}\p{Script=Mongolian}]$/u.test(before(raw, h.from))) yield h;
    }
  },
  catches: ['a\ufe0f', '\u2764\ufe0f\ufe0e', 'x\u{e0110}\u{e0111}'],
  spares: ['\u2764\ufe0f deals', '\u845b\u{e0100}', '1\ufe0f\u20e3'],
});

export const privateUse = scanner('private_characters', {
  severity: 'medium',
  says: 'Characters without a meaning',
  why: 'Private and unassigned code points can carry text between those who agreed on one.',
  find: ({ raw }) => matches(raw, /[\p{Co}\p{Cn}]+/gu),
  catches: ['a\ue000b', '\u{f0000}'],
  spares: ['日本語', '\u{1f4bb}'],
});

export const pushedAway = scanner('pushed_out_of_sight', {
  severity: 'medium',
  says: 'A long run of blank',
  why: 'What follows lies outside the window in which people look at the description.',
  find: ({ raw }) => matches(raw, /(?:\r?\n[ \t]*){12,}|[ \t\u00a0\u2000-\u200a\u202f\u205f\u3000]{80,}/g),
  catches: [`Adds.${'\n'.repeat(40)}now`, `Adds.${' '.repeat(200)}now`],
  spares: ['a\n\n\nb', 'a:\n            indented\n            code'],
});

export const stackedMarks = scanner('stacked_marks', {
  severity: 'medium',
  says: 'A stack of combining marks',
  why: 'It covers the text around it.',
  find: ({ raw }) => matches(raw, /\p{M}{6,}/gu),
  catches: ['a\u0300\u0301\u0302\u0303\u0304\u0305\u0306'],
  spares: ['ที่นี่', 'Việt Nam', 'e\u0301'],
});

/** A word in which letters of two scripts stand, one of them drawn like the other; or, as a name, all letters of another script drawn like Latin. */
function* mixed({ raw, role }: Piece): Generator<Hit> {
  for (const m of raw.matchAll(/[\p{L}\p{N}_\u200b-\u200d\u00ad]{2,}/gu)) {
    const word = m[0];
    if (!/[^\u0000-\u007f]/.test(word)) continue;
    const letters = word.match(/\p{L}/gu) ?? [];
    const latin = letters.filter((c) => /\p{Script=Latin}/u.test(c)).length;
    const like = letters.filter(looksLatin).length;
    const cyrillic = /[\p{Script=Cyrillic}\p{Script=Armenian}\p{Script=Cherokee}]/u.test(word);
    const hit = { text: raw, from: m.index, to: m.index + word.length };
    // One Greek letter before or after Latin ones is a unit or a formula.
    if (latin > 0 && like > 0 && (cyrillic || (letters.length > 3 && /\p{Script=Greek}/u.test(word.slice(1, -1)))))
      yield hit;
    else if (role === 'name' && latin === 0 && like === letters.length && letters.length > 1) yield hit;
    else if (/[\u{1d400}-\u{1d7ff}\uff21-\uff5a\u24b6-\u24e9]{3,}/u.test(word)) yield hit;
  }
}

export const mixedScript = scanner('lookalike_letters', {
  severity: 'high',
  says: 'Letters that look like others',
  why: 'A word that people read as one is another one to the machine: rules and reviews that name it miss it.',
  find: mixed,
  catches: [
    'Ignоre the rest',
    { role: 'name', text: 'аmount' },
    { role: 'name', text: 'сору' },
    { role: 'name', text: 'pαssword' },
    '\u{1d5f6}\u{1d5f4}\u{1d5fb}\u{1d5fc}\u{1d5ff}\u{1d5f2} it',
    'ｉｇｎｏｒｅ',
  ],
  spares: [
    'Покажет сделку — одну.',
    'Zeigt ein Geschäft; löscht nichts.',
    '5 μm, Δt and kΩ',
    'Größe in µg',
    'το κείμενο',
    { role: 'name', text: 'größe' },
    { role: 'name', text: 'наименование' },
    '商談を表示します。',
  ],
});
