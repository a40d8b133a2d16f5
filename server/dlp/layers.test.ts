import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodedBudget, MAX_DEPTH, viewsWithin } from './layers.ts';
import { NOT_INSPECTED, scanText } from './scan.ts';
import { makeScanner } from './scanner.ts';

const CARD = '4111111111111111';
const scanner = makeScanner({ detectors: ['payment_card', 'aws_access_key', 'iban'] });
const KEY = 'AKIAJ4QH7ZXW2MNB5KTC';
const b64 = (s: string, e: BufferEncoding = 'utf8') => Buffer.from(s, e).toString('base64');
const hex = (s: string) => Buffer.from(s).toString('hex');
const wrap = (s: string, n: number, end: string) => s.match(new RegExp(`.{1,${n}}`, 'g'))!.join(end);
const filler = 'The quick brown fox jumps over the lazy dog and then it goes on to say more. ';

const hidden: readonly [how: string, layers: readonly string[], hide: (s: string) => string][] = [
  ['base64', ['base64'], (s) => b64(`x ${s} y`)],
  ['URL-safe base64 without padding', ['base64'], (s) => Buffer.from(`?>~${s}~?>`).toString('base64url')],
  ['base64 in lines of 76', ['base64'], (s) => wrap(b64(`${filler.repeat(3)}${s}. ${filler}`), 76, '\r\n')],
  ['base64 in lines of 20 with an indent', ['base64'], (s) => wrap(b64(filler + s), 20, '\n    ')],
  ['base64 in lines within JSON', ['base64'], (s) => wrap(b64(filler + s), 64, '\\n')],
  ['base64 of UTF-16', ['base64'], (s) => b64(`Write-Host ${s}`, 'utf16le')],
  ['base64 after something glued to it', ['base64'], (s) => `blob/${b64(`a note: ${s} end`)}`],
  [
    'base64 of bytes that are not text',
    ['base64'],
    (s) =>
      Buffer.concat([Buffer.from([0, 1, 2, 255, 254, 3]), Buffer.from(` ${s} `), Buffer.from([7, 200])]).toString(
        'base64',
      ),
  ],
  ['a data URL', ['base64'], (s) => `data:text/plain;base64,${b64(`${s}, ${filler}`)}`],
  ['hexadecimal', ['hex'], (s) => hex(s)],
  ['hexadecimal in capitals', ['hex'], (s) => hex(`n=${s};`).toUpperCase()],
  ['hexadecimal in pairs', ['hex'], (s) => hex(s).match(/../g)!.join(' ')],
  [
    'bytes of a program',
    ['hex'],
    (s) =>
      hex(s)
        .match(/../g)!
        .map((p) => `0x${p}`)
        .join(', '),
  ],
  [
    'string escapes',
    ['escapes'],
    (s) =>
      s
        .split('')
        .map((c) => `\\u00${c.charCodeAt(0).toString(16)}`)
        .join(''),
  ],
  [
    'short string escapes',
    ['escapes'],
    (s) =>
      s
        .split('')
        .map((c) => `\\x${c.charCodeAt(0).toString(16)}`)
        .join(''),
  ],
  [
    'percent signs',
    ['url'],
    (s) =>
      s
        .split('')
        .map((c) => `%${c.charCodeAt(0).toString(16)}`)
        .join(''),
  ],
  [
    'percent signs of full-width characters',
    ['url'],
    (s) =>
      encodeURIComponent(
        s
          .split('')
          .map((c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0))
          .join(''),
      ),
  ],
  [
    'HTML entities',
    ['entities'],
    (s) =>
      s
        .split('')
        .map((c) => `&#${c.charCodeAt(0)};`)
        .join(''),
  ],
  [
    'hexadecimal HTML entities',
    ['entities'],
    (s) =>
      s
        .split('')
        .map((c) => `&#x${c.charCodeAt(0).toString(16)};`)
        .join(''),
  ],
  ['one entity in it', ['entities'], (s) => `${s.slice(0, 5)}&#${s.charCodeAt(5)};${s.slice(6)}`],
  ['invisible entities', ['entities'], (s) => s.split('').join('&shy;')],
  ['bold pieces', ['markup'], (s) => `**${s.slice(0, 8)}**${s.slice(8)}`],
  ['tags within', ['markup'], (s) => `<b>${s.slice(0, 4)}</b><i class="x">${s.slice(4)}</i>`],
  ['a comment within', ['markup'], (s) => `${s.slice(0, 6)}<!-- no -->${s.slice(6)}`],
  ['code marks', ['markup'], (s) => `\`${s.slice(0, 9)}\`\`${s.slice(9)}\``],
  ['base64 of base64', ['base64', 'base64'], (s) => b64(b64(`${s} ${filler}`))],
  ['base64 of hexadecimal', ['base64', 'hex'], (s) => b64(hex(s))],
  ['percent signs over base64', ['url', 'base64'], (s) => encodeURIComponent(b64(`~~>${s}?>>`)).replaceAll('N', '%4E')],
  ['base64 of hexadecimal of base64', ['base64', 'hex', 'base64'], (s) => b64(hex(b64(`the number ${s}`)))],
];

for (const [how, layers, hide] of hidden)
  for (const secret of [CARD, KEY])
    test(`${secret === CARD ? 'a card number' : 'a key'} hidden by ${how} is found, and the place is the hiding place`, () => {
      const encoded = hide(secret);
      const text = `see: ${encoded} (that is all)`;
      const found = scanText(text, scanner).filter((m) => m.text === secret);
      assert.equal(found.length, 1, text);
      assert.deepEqual(found[0]!.layers, layers);
      const cut = text.slice(0, found[0]!.start) + text.slice(found[0]!.end);
      assert.deepEqual(scanText(cut, scanner), [], `what is left when the match is taken out: ${cut}`);
    });

test('a key written with a sign between any two characters is found', () => {
  for (const sign of [' ', '-', '.', '|']) {
    const text = `it is ${KEY.split('').join(sign)}`;
    assert.deepEqual(
      scanText(text, scanner).map((m) => [m.text, m.layers, text.slice(m.start, m.end)]),
      [[KEY, ['spaced'], KEY.split('').join(sign)]],
    );
  }
});

test('what is encoded more often than we open is not taken for clean', () => {
  let text = `the number ${CARD}`;
  for (let i = 0; i <= MAX_DEPTH; i++) text = b64(text);
  assert.deepEqual(
    scanText(text, scanner).map((m) => m.detector),
    [NOT_INSPECTED],
  );
});

test('what is too much to open is told by its place, and the budget is larger than any honest nesting of one text', () => {
  const text = `see ${b64(filler)} and ${hex(filler)}`;
  const over: unknown[] = [];
  const views = viewsWithin({ text, layers: [] }, { budget: filler.length, seen: new Set() }, (place) =>
    over.push(place),
  );
  assert.deepEqual(
    views.map((v) => v.text),
    [filler],
  );
  assert.deepEqual(over, [{ start: text.indexOf(hex(filler)), end: text.length }]);
  for (const n of [10, 100_000, 1_900_000]) assert.ok(decodedBudget(n) >= 6 * n);
});

test('ids, hashes and pictures are not taken for hidden text', () => {
  for (const text of [
    '0193a411-1111-7111-8111-111111111111',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  ])
    assert.deepEqual(scanText(text, scanner), []);
});
