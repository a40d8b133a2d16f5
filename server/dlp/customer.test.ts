import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePattern, MAX_PATTERN_CHARS, MAX_PATTERN_MATCH } from './customer-pattern.ts';
import { exactDataOf } from './exact-data.ts';
import { requiredLiteral } from './required-literal.ts';
import { scanText } from './scan.ts';
import { makeScanner, MAX_TERM_CHARS, type ScannerSpec } from './scanner.ts';

const none = { detectors: [] };
const found = (spec: Omit<ScannerSpec, 'detectors'>, text: string): string[] => {
  const scanner = makeScanner({ ...none, ...spec });
  return scanText(text, scanner).map((m) => `${m.detector} ${text.slice(m.start, m.end)}`);
};
const pattern = (source: string, ignoreCase = false) => ({ patterns: [{ id: 'p', source, ignoreCase }] });

test('a pattern of the customer is found, in any view of the text', () => {
  const employee = pattern('\\bEMP-\\d{6}\\b');
  assert.deepEqual(found(employee, 'ask EMP-204817 or ＥＭＰ－１１２２３３'), [
    'p EMP-204817',
    'p ＥＭＰ－１１２２３３',
  ]);
  const hidden = `x ${Buffer.from('this is EMP-204817 here').toString('base64')} y`;
  assert.deepEqual(found(employee, hidden), [`p ${hidden.slice(2, -2)}`]);
  assert.deepEqual(found(employee, 'EMP-2048177 xEMP-204817 emp-204817'), []);
  assert.deepEqual(found(pattern('emp-\\d{6}', true), 'Emp-204817'), ['p Emp-204817']);
  assert.deepEqual(found(pattern('дело №\\d+'), 'см. дело №17'), ['p дело №17']);
  assert.deepEqual(found(pattern('[0-9]{4}x'), '😀😀 1234x 😀 5678x'), ['p 1234x', 'p 5678x']);
});

test('a pattern finds at every place of a text what it finds alone', () => {
  const scanner = makeScanner({
    ...none,
    patterns: [
      { id: 'lit', source: 'PRJ-\\d{4}-[A-Z]+' },
      { id: 'open', source: '[A-Z]{3}-\\d{4}-[A-Z]{200,300}' },
    ],
  });
  const secret = `PRJ-2048-${'Q'.repeat(250)}`;
  const filler = 'lorem ipsum dolor '.repeat(1100);
  for (let at = 0; at < 18_000; at += 61) {
    const text = `${filler.slice(0, at)} ${secret} ${filler.slice(0, 600)}`;
    assert.deepEqual(
      scanText(text, scanner).map((m) => [m.detector, m.start, m.end]),
      [
        ['lit', at + 1, at + 1 + secret.length],
        ['open', at + 1, at + 1 + secret.length],
      ],
      `at ${at}`,
    );
  }
});

test('a match that is longer than we look is found all the same', () => {
  const long = `BEGIN${'x'.repeat(20 * MAX_PATTERN_MATCH)}`;
  const [m] = scanText(long, makeScanner({ ...none, ...pattern('BEGINx+') }));
  assert.equal(m?.start, 0);
  assert.ok(m.end >= MAX_PATTERN_MATCH);
});

const refusals: readonly [what: string, source: string, says: RegExp][] = [
  ['a look-ahead', 'key(?=\\d)', /\(\?=.*at character 4/],
  ['a look-behind', '(?<!x)key', /cannot be used/],
  ['a back-reference', '(a)\\1', /\\1, at character 4/],
  ['a class that ends before it begins', '[z-a]', /z-a, at character 2/],
  ['a group that does not end', '\\d{3}-(', /missing \)/],
  ['a repetition that is too large', 'a{1001}', /\{1001\}/],
  ['a pattern too large to compile', '((a{100}){100}){100}', /cannot be used/],
  ['a possessive quantifier', 'a++', /\+\+/],
  ['nothing', '', /0 characters/],
  ['a program', 'a'.repeat(MAX_PATTERN_CHARS + 1), /1001 characters/],
  ['what matches everywhere', 'a*', /empty text/],
];
for (const [what, source, says] of refusals)
  test(`a pattern with ${what} is refused, and the reason names the place where there is one`, () => {
    assert.throws(
      () => compilePattern({ id: 'p', source }),
      (e: unknown) => {
        const { code, says: said } = e as { code: string; says: string };
        assert.equal(code, 'dlp/pattern-refused');
        assert.match(said, says);
        return true;
      },
    );
  });

const literals: readonly [source: string, literal: string | undefined][] = [
  ['PRJ-\\d{4}', 'PRJ-'],
  ['\\bcase \\w+ number', ' number'],
  ['abc|def', undefined],
  ['(?i)abc', undefined],
  ['(abc)def', 'def'],
  ['abcd?ef', 'abc'],
  ['abc{2}defg', 'defg'],
  ['ab+c\\.d', 'c.d'],
  ['[abc]xyz[]x]uvwq', 'uvwq'],
  ['\\x41bcd', 'bcd'],
  ['a.b', undefined],
  ['x{0}yab{0,3}c', undefined],
];
for (const [source, literal] of literals)
  test(`every match of ${source} contains ${literal ?? 'nothing that is plain to see'}`, () =>
    assert.equal(requiredLiteral(source), literal));

test('patterns that take others for ever take time by length only: the number of windows is bounded', () => {
  const scanner = makeScanner({ ...none, ...pattern('(x+x+)+y') });
  assert.deepEqual(scanText('x'.repeat(200_000), scanner), []);
});

test('a term is found in any case, folded, over a line end, as a word by itself', () => {
  const terms = { terms: [{ id: 't', terms: ['Project Falcon', 'тайна', '2096f6a2-d2f7-48be-b329-b73aaa526e5d'] }] };
  assert.deepEqual(found(terms, 'on project\nfalcon; PROJECT\u00a0FALCON'), [
    't project\nfalcon',
    't PROJECT\u00a0FALCON',
  ]);
  assert.deepEqual(found(terms, 'это ТАЙНА'), ['t ТАЙНА']);
  assert.deepEqual(found(terms, 'MSIP_Label_2096F6A2-d2f7-48be-b329-b73aaa526e5d_Enabled').length, 1);
  assert.deepEqual(found(terms, 'subproject falcons nest, project falconry'), []);
  assert.deepEqual(found({ terms: [{ id: 'm', terms: ['müller'] }] }, 'Mu\u0308ller and Müller'), [
    'm Mu\u0308ller',
    'm Müller',
  ]);
});

test('more terms than the gate can hold are refused', () => {
  const many = Array.from({ length: 6000 }, (_, i) => `term number ${i}`);
  assert.ok(many.join('').length > MAX_TERM_CHARS);
  assert.throws(() => makeScanner({ ...none, terms: [{ id: 't', terms: many }] }), { code: 'dlp/too-many-terms' });
});

test('a dictionary is found from so many different phrases on, of however many thousand', () => {
  const phrases = [
    'atrial fibrillation',
    'insulin',
    'Hodgkin lymphoma',
    ...Array.from({ length: 20_000 }, (_, i) => `drug ${i}`),
  ];
  const d = { dictionaries: [{ id: 'd', phrases, atLeast: 2 }] };
  assert.deepEqual(found(d, 'insulin and insulin'), []);
  assert.deepEqual(found(d, 'Insulin for atrial\nfibrillation, then drug 19999.'), [
    'd Insulin',
    'd atrial\nfibrillation',
    'd drug 19999',
  ]);
});

const people = [
  ['Ada', 'Lovelace', 'ada@corp.example', '4711-0815'],
  ['Ada', 'Byron', 'byron@corp.example', '1234-5678'],
  ['Zoë', 'Müller-Lüdenscheidt', 'zoe@corp.example', '9999-0000'],
];
const exact = {
  exactData: [
    exactDataOf({ id: 'people', key: Buffer.alloc(32, 7).toString('base64'), needs: 2, within: 100 }, people),
  ],
};

test('two columns of one record near each other are found, whatever stands between them', () => {
  assert.deepEqual(found(exact, 'Lovelace (account 47110815)'), ['people Lovelace', 'people 47110815']);
  assert.deepEqual(found(exact, 'from zoe@corp.example: Mueller, no: MÜLLER LÜDENSCHEIDT'), [
    'people zoe@corp.example',
    'people MÜLLER LÜDENSCHEIDT',
  ]);
});

test('one column, two of different records, or two that are far apart are not', () => {
  assert.deepEqual(found(exact, 'Ada and Ada'), []);
  assert.deepEqual(found(exact, 'Lovelace, 1234-5678'), []);
  assert.deepEqual(found(exact, `Lovelace ${'and so on '.repeat(12)} 4711-0815`), []);
});

test('exact data has no value in it', () => {
  const text = JSON.stringify(exact.exactData);
  for (const value of people.flat()) assert.ok(!text.toLowerCase().includes(value.toLowerCase()));
});

test('scanners come and go with their patterns, and the engine has room for the next one', () => {
  for (let n = 0; n < 2000; n++) {
    const pattern = compilePattern({ id: 'own', source: `badge-${n}-[0-9]{2,5}(?:-[a-z]{1,9})?` });
    const text = `see badge-${n}-123-abc`;
    assert.deepEqual(
      pattern.find(text, 0, text.length).map((m) => m.text),
      [`badge-${n}-123-abc`],
    );
  }
});
