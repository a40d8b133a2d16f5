import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fold } from './fold.ts';
import { marksIn } from './marks.ts';
import { matchesAt } from './signs.ts';
import { mattering, rewritten } from './unescape.ts';

const piece = fc.oneof(
  fc.constantFrom(...'%&\\<>*`~_=+#;!/-ux041689aZ.@ \r\n{}é字'.split('')),
  fc.constantFrom(
    '%41',
    '&amp;',
    '&#52;',
    '&#x34;',
    '\\u0034',
    '\\u{34}',
    '\\x34',
    '=\r\n',
    '<b>',
    '</b>',
    '<!-- x -->',
    '1+1',
  ),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const anything = fc.array(piece, { maxLength: 40 }).map((p) => fold(p.join('')));
const placed = (m: RegExpExecArray): string => `${m.index} ${m[0]}`;

for (const [what, pattern] of [
  ['is written differently', rewritten],
  ['matters of it', mattering],
] as const)
  test(`what ${what} is found at signs exactly as it is found by looking everywhere`, () => {
    const everywhere = new RegExp(pattern.source, 'g');
    fc.assert(
      fc.property(anything, (text) => {
        assert.deepEqual(
          Array.from(matchesAt(marksIn(text).signs, pattern, text), placed),
          Array.from(text.matchAll(everywhere), placed),
        );
      }),
      { numRuns: 5000, seed: 4 },
    );
  });

test('one pass over a text marks the same runs of digits and of base64 as a pattern finds', () => {
  const ends = (text: string, pattern: RegExp): number[] =>
    Array.from(text.matchAll(pattern), (m) => [m.index, m.index + m[0].length]).flat();
  fc.assert(
    fc.property(anything, (text) => {
      const m = marksIn(text);
      assert.deepEqual([...m.digits.subarray(0, m.digitMarks)], ends(text, /[0-9]+/g));
      assert.deepEqual([...m.runs.subarray(0, m.runMarks)], ends(text, /[A-Za-z0-9+/_-]+/g));
    }),
    { numRuns: 5000, seed: 5 },
  );
});
