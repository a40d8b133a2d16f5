import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { detectors } from './detectors.ts';
import { foldView } from './fold.ts';
import { MAX_MATCHES, NOT_INSPECTED, scanText, type Match } from './scan.ts';
import { scan } from './scan-off-loop.ts';
import { makeScanner, type Scanner } from './scanner.ts';

const all = makeScanner({ detectors: detectors.map((d) => d.id) });
const CARD = '4111111111111111';

/** The same scanner, counting how often a detector is asked to look somewhere. */
function counting(): { scanner: Scanner; asked: () => number } {
  let asked = 0;
  const counted = <F extends { find(...a: never[]): unknown }>(finds: F): F => {
    const find = (...a: never[]): unknown => {
      asked++;
      return finds.find(...a);
    };
    return { ...finds, find };
  };
  const on = <T extends { finds: { find(...a: never[]): unknown } }>(o: T): T => ({ ...o, finds: counted(o.finds) });
  const scanner = {
    ...all,
    chains: all.chains.map(on),
    tokens: all.tokens.map((a) => a.map((b) => b.map(on))),
    wanted: all.wanted.map((w) => w.map(on)),
  };
  return { scanner, asked: () => asked };
}

const SIZE = 50_000;
const hostile: readonly [what: string, make: (n: number) => string][] = [
  ['digits without end', (n) => '4'.repeat(n)],
  ['digits one by one', (n) => '4 '.repeat(n / 2)],
  ['groups of four without end', (n) => '4111 '.repeat(n / 5)],
  ['groups that change their separator', (n) => '4111 1111-'.repeat(n / 10)],
  ['hexadecimal without end', (n) => 'a4111111111111111'.repeat(n / 17)],
  ['separators without end', (n) => '4' + ' '.repeat(n - 1)],
  ['card numbers without end', (n) => `${CARD} `.repeat(n / 17)],
  ['invisible characters', (n) => '4\u200b'.repeat(n / 2)],
  ['addresses that never end', (n) => 'a@'.repeat(n / 2)],
  ['a name that never meets its @', (n) => 'a.'.repeat(n / 2)],
  ['domains that never end', (n) => `x@${'a.'.repeat(n / 2)}`],
  ['tokens that never begin', (n) => 'eyJ'.repeat(n / 3)],
  ['token parts without end', (n) => 'eyJhbGciOi.'.repeat(n / 11)],
  ['key headers without keys', (n) => '-----BEGIN RSA PRIVATE KEY-----'.repeat(n / 31)],
  ['words before numbers that never come', (n) => 'ssn dob iban passport '.repeat(n / 22)],
  ['words and numbers by turns', (n) => 'SSN 536-90-4399 '.repeat(n / 16)],
  ['links with accounts', (n) => 'a://b:'.repeat(n / 6)],
  ['percent signs', (n) => '%25'.repeat(n / 3)],
  ['entities within entities', (n) => '&amp;'.repeat(n / 5)],
  ['tags that never close', (n) => '<a '.repeat(n / 3)],
  ['stars', (n) => 'a*'.repeat(n / 2)],
  ['base64 of base64', (n) => Buffer.from(Buffer.from('A'.repeat(n / 2)).toString('base64')).toString('base64')],
  ['lines of base64', (n) => 'QUJDREVGR0hJSktMTU5P\n'.repeat(n / 21)],
  ['quotes of assignments', (n) => 'password="'.repeat(n / 10)],
  [
    'a different character each time',
    (n) => Array.from({ length: n }, (_, i) => String.fromCodePoint(0x4e00 + (i % 20_000))).join(''),
  ],
];
for (const [what, make] of hostile)
  test(`four times as much hostile text asks detectors about four times as often, and never more than 40 times a character: ${what}`, () => {
    const ask = (n: number): number => {
      const { scanner, asked } = counting();
      scanText(make(n), scanner);
      return asked();
    };
    const small = ask(SIZE);
    const large = ask(4 * SIZE);
    assert.ok(large <= 5 * small + 1000, `${small} and ${large}`);
    assert.ok(large <= 40 * 4 * SIZE, `${large}`);
  });

const piece = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    CARD,
    'DE89370400440532013000',
    'ssn 536-90-4399',
    'AKIAJ4QH7ZXW2MNB5KTC',
    'ada@corp.example',
    '%34%31',
    '&#52;',
    '\ud800',
    '\u200b',
    '４',
    '\ufdfa',
    '①',
    'password: Tr0ub4dor&3',
    `**4111** ${CARD.slice(4)}`,
  ),
  fc.string({ maxLength: 30 }).map((s) => Buffer.from(`${s}${CARD}${s}`).toString('base64')),
);
const anything = fc.array(piece, { maxLength: 8 }).map((p) => p.join(''));

test('whatever the text is, every match is a place in it, in order, and cuts no character in two', () => {
  fc.assert(
    fc.property(anything, (text) => {
      let last = 0;
      for (const m of scanText(text, all)) {
        assert.ok(0 <= m.start && m.start < m.end && m.end <= text.length, JSON.stringify(m));
        assert.ok(m.start >= last);
        last = m.start;
        const half = (at: number): boolean =>
          text.isWellFormed() && /[\uDC00-\uDFFF]/.test(text.charAt(at)) && /[\uD800-\uDBFF]/.test(text.charAt(at - 1));
        assert.ok(!half(m.start) && !half(m.end), JSON.stringify({ text, m }));
      }
    }),
    { numRuns: 2000, seed: 1 },
  );
});

const folding = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc
    .array(
      fc.constantFrom(
        'a',
        '7',
        ' ',
        'é',
        'ß',
        'ж',
        '４',
        '字',
        '\u200b',
        '\ufdfa',
        '①',
        '㎏',
        '😀',
        '𝟜',
        '\ud800',
        '\udc00',
        '\ufdd0',
        '\ufffe',
        '\uffff',
      ),
      { maxLength: 60 },
    )
    .map((c) => c.join('')),
);
test('folded text is the folding of each of its characters, and leads back to where each stood', () => {
  fc.assert(
    fc.property(folding, (text) => {
      let folded = '';
      const origin: number[] = [];
      let at = 0;
      for (const c of text) {
        const one = foldView(c).text;
        folded += one;
        for (let k = 0; k < one.length; k++) origin.push(at);
        at += c.length;
      }
      origin.push(at);
      const view = foldView(text);
      assert.equal(view.text, folded);
      assert.deepEqual(Array.from(view.origin ?? Array.from({ length: view.text.length + 1 }, (_, i) => i)), origin);
    }),
    { numRuns: 4000, seed: 2 },
  );
});

const samples = detectors.flatMap((d) => d.catches.slice(0, 2).map((text) => ({ id: d.id, text })));
test('a character that nobody can see, put anywhere into what is found, hides nothing', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      fc.constantFrom('\u200b', '\u200d', '\u2060', '\ufeff', '\u00ad', '\u034f', '\u0301', '\u{e0041}'),
      fc.array(fc.nat(), { minLength: 1, maxLength: 6 }),
      (sample, invisible, places) => {
        let { text } = sample;
        for (const p of places) {
          const at = p % (text.length + 1);
          // Not into the middle of a pair, nor behind a letter whose mark it would become another letter with.
          if (!/[\uDC00-\uDFFF]/.test(text.charAt(at))) text = text.slice(0, at) + invisible + text.slice(at);
        }
        assert.ok(
          scanText(text, all).some((m) => m.detector === sample.id),
          JSON.stringify(text),
        );
      },
    ),
    { numRuns: 3000, seed: 3 },
  );
});

const secrets = [
  { id: 'payment_card', text: '4111 1111 1111 1111' },
  { id: 'iban', text: 'DE89 3704 0044 0532 0130 00' },
  { id: 'aws_access_key', text: 'AKIAJ4QH7ZXW2MNB5KTC' },
  { id: 'us_ssn', text: 'SSN: 536-90-4399' },
  { id: 'payment_card', text: Buffer.from(`the number is ${CARD}.`).toString('base64') },
];
const filler = 'nothing to be seen in here, only words and commas and ends of lines\n'.repeat(200);
for (const { id, text } of secrets)
  test(`${text} is found at every place around 4,096 and 8,192 characters, as it is alone`, () => {
    const scanner = makeScanner({ detectors: [id] });
    const alone = scanText(text, scanner)[0] as Match;
    for (const around of [4096, 8192])
      for (let at = around - 64; at <= around + 64; at++) {
        const found = scanText(`${filler.slice(0, at)} ${text} ${filler.slice(0, 200)}`, scanner);
        assert.deepEqual(found, [{ ...alone, start: alone.start + at + 1, end: alone.end + at + 1 }]);
      }
  });

test('a secret on the seam of what is looked at here and what goes to a thread is found by both', async () => {
  const scanner = makeScanner({ detectors: ['payment_card'] });
  const long = filler.repeat(5).slice(0, 65_500);
  for (const at of [0, 7, 20, 36, 60]) {
    const text = `${long.slice(at)} ${CARD} ${'end '.repeat(at)}`;
    assert.deepEqual(await scan(text, scanner), scanText(text, scanner));
    assert.equal((await scan(text, scanner)).length, 1);
  }
});

test('more matches than can be told apart make the whole text one that was not inspected', () => {
  const text = `${CARD}, `.repeat(MAX_MATCHES + 1);
  const found = scanText(text, makeScanner({ detectors: ['payment_card'] }));
  assert.deepEqual(found[0], { detector: NOT_INSPECTED, start: 0, end: text.length, layers: [], text: '' });
  assert.equal(found.length, MAX_MATCHES + 1);
});
