import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { reveal } from './reveal.ts';

const revealedText = (text: string): string =>
  reveal(text)
    .map((p) => (typeof p === 'string' ? p : p.char === undefined ? `⟨${p.code}⟩` : `⟨${p.char} ${p.code}⟩`))
    .join('');

const cases: [string, string, string][] = [
  ['plain text stays as it is', 'Hello, world\n\tline two', 'Hello, world\n\tline two'],
  ['umlauts and accents are letters', 'Zoë Müller naïve Łódź', 'Zoë Müller naïve Łódź'],
  ['a word of another script is that word', 'привет мир, 東京タワー, 서울, שלום', 'привет мир, 東京タワー, 서울, שלום'],
  ['a Cyrillic letter in a Latin word is named', 'n\u043Erthwind', 'n⟨\u043E U+043E⟩rthwind'],
  ['a Latin letter in a Cyrillic word is named', 'при\u0061вет', 'при⟨a U+0061⟩вет'],
  ['of as many Greek as Latin letters the Greek are named', 'p\u03BF', 'p⟨\u03BF U+03BF⟩'],
  ['everyday signs are signs', 'a… 1º m² ½ ™ – “x” €', 'a… 1º m² ½ ™ – “x” €'],
  ['zero-width characters are seen', 'a\u200Bb\u2060c\uFEFFd', 'a⟨U+200B⟩b⟨U+2060⟩c⟨U+FEFF⟩d'],
  ['a text turned around is seen', 'invoice\u202Efdp.exe', 'invoice⟨U+202E⟩fdp.exe'],
  ['isolates and marks of direction are seen', '\u2066x\u2069\u200F\u061C', '⟨U+2066⟩x⟨U+2069⟩⟨U+200F⟩⟨U+061C⟩'],
  ['tags that spell hidden words are seen', `hi${String.fromCodePoint(0xe0041, 0xe0042)}`, 'hi⟨U+E0041⟩⟨U+E0042⟩'],
  ['terminal escapes and carriage returns are seen', 'a\u001b[31mb\rc', 'a⟨U+001B⟩[31mb⟨U+000D⟩c'],
  ['other spaces are not spaces', 'a\u00A0b\u3000c', 'a⟨U+00A0⟩b⟨U+3000⟩c'],
  ['full-width and mathematical letters are not letters', '\uFF21\u{1D5EE}', '⟨\uFF21 U+FF21⟩⟨\u{1D5EE} U+1D5EE⟩'],
  ['private use and half pairs are named', '\uE000\uD800', '⟨U+E000⟩⟨U+D800⟩'],
  ['a line separator is no line', 'a\u2028b', 'a⟨U+2028⟩b'],
  ['Hangul filler and braille blank hide nothing', '\u3164\u2800', '⟨U+3164⟩⟨U+2800⟩'],
  ['a tower of marks is cut down', `e${'\u0301'.repeat(5)}`, 'e\u0301\u0301\u0301⟨U+0301⟩⟨U+0301⟩'],
];
for (const [claim, text, shown] of cases) test(claim, () => assert.equal(revealedText(text), shown));

test('nothing is lost or added: the pieces stand for exactly the text, and only plain characters are shown as they are', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const pieces = reveal(text);
      const back = pieces
        .map((p) => (typeof p === 'string' ? p : String.fromCodePoint(Number.parseInt(p.code.slice(2), 16))))
        .join('');
      assert.equal(back, text);
      for (const p of pieces)
        if (typeof p === 'string') assert.doesNotMatch(p, /[\p{Default_Ignorable_Code_Point}\p{Co}\p{Cn}\p{Cs}]/u);
    }),
  );
});
