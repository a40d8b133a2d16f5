import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJsonText } from '#kernel/json.ts';
import { NotRedacted, redactJson } from './redact-json.ts';
import type { Redaction } from './verdict.ts';

const r = (at: string, start: number, end: number, more: Partial<Redaction> = {}): Redaction => ({
  at,
  start,
  end,
  says: 'x',
  ...more,
});

const cases: [claim: string, text: string, path: string[], redactions: Redaction[], expected: string][] = [
  ['a stretch of a string', '{"a":"12345"}', [], [r('/a', 1, 3)], '{"a":"1[redacted: x]45"}'],
  ['two stretches, in any order', '["12345"]', [], [r('/0', 4, 5), r('/0', 0, 1)], '["[redacted: x]234[redacted: x]"]'],
  [
    'stretches that overlap, once',
    '["12345"]',
    [],
    [r('/0', 0, 3), r('/0', 2, 4, { says: 'y' })],
    '["[redacted: x, y]5"]',
  ],
  ['a whole number', '{"n": 4111 ,"m":1e2}', [], [r('/n', 0, 4)], '{"n": "[redacted: x]" ,"m":1e2}'],
  [
    'a name, and what is below it',
    '{"k":{"i":"ab"}}',
    [],
    [r('/k', 0, 1, { key: true }), r('/k/i', 0, 2)],
    '{"[redacted: x]":{"i":"[redacted: x]"}}',
  ],
  [
    'two names of one object, to two names',
    '{"k":1,"l":2}',
    [],
    [r('/k', 0, 1, { key: true }), r('/l', 0, 1, { key: true })],
    '{"[redacted: x]":1,"[redacted: x] 2":2}',
  ],
  ['below a path only', '{"a":"12","b":{"a":"12"}}', ['b'], [r('/a', 0, 2)], '{"a":"12","b":{"a":"[redacted: x]"}}'],
  [
    'names with slashes, tildes and escapes',
    '{"a/b~\\u0063":"12"}',
    [],
    [r('/a~1b~0c', 0, 1)],
    '{"a/b~\\u0063":"[redacted: x]2"}',
  ],
  [
    'offsets that count UTF-16, in text with escapes',
    '["\\ud83d\\ude00é1"]',
    [],
    [r('/0', 3, 4)],
    '["😀é[redacted: x]"]',
  ],
];
for (const [claim, text, path, redactions, expected] of cases)
  test(`taken out: ${claim}`, () => assert.equal(redactJson(text, path, redactions), expected));

const wrong: [claim: string, text: string, path: string[], redactions: Redaction[]][] = [
  ['a place that is not there', '{"a":"1"}', [], [r('/b', 0, 1)]],
  ['an item that is not there', '["1"]', [], [r('/1', 0, 1)]],
  ['a stretch longer than the string', '["1"]', [], [r('/0', 0, 2)]],
  ['an empty stretch', '["1"]', [], [r('/0', 1, 1)]],
  ['a stretch of an object', '[{}]', [], [r('/0', 0, 1)]],
  ['something below a string', '["1"]', [], [r('/0/a', 0, 1)]],
  ['a pointer that is none', '["1"]', [], [r('0', 0, 1)]],
  ['a path that is not there', '{"a":"1"}', ['b'], [r('', 0, 1)]],
  ['the name of an item', '["1"]', [], [r('/0', 0, 1, { key: true })]],
];
for (const [claim, text, path, redactions] of wrong)
  test(`${claim} cannot be taken out, and that is said`, () =>
    assert.throws(() => redactJson(text, path, redactions), NotRedacted));

test('of any JSON text, what is taken out of one string changes that string and nothing else', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ minLength: 1 }), (value, secret) => {
      const text = JSON.stringify({ before: value, 'x/y': [value, { s: `a${secret}b` }], after: value });
      const out = parseJsonText(redactJson(text, [], [r('/x~1y/1/s', 1, 1 + secret.length)]));
      assert.deepEqual(
        out,
        JSON.parse(JSON.stringify({ before: value, 'x/y': [value, { s: 'a[redacted: x]b' }], after: value })),
      );
    }),
    { numRuns: 500, seed: 11 },
  );
});
