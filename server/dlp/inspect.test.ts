import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DlpAction } from './verdict.ts';
import { detectors } from './detectors.ts';
import { dlpView } from './dlp-view.ts';
import { fold } from './fold.ts';
import { inspect, MAX_FINDINGS, MAX_INSPECTED_CHARS, MAX_INSPECTED_VALUES } from './inspect.ts';
import { luhn } from './detectors/check-digits.ts';
import { newId } from '#kernel/id.ts';
import { scanText } from './scan.ts';
import { makeScanner } from './scanner.ts';

const CARD = '4111111111111111';
const scanner = makeScanner({ detectors: detectors.map((d) => d.id) });
/** What an organization does that has set nothing but this. */
const looking = (
  baseline: Partial<Record<'arguments' | 'result', DlpAction>> = {},
  phase: 'arguments' | 'result' = 'arguments',
) =>
  dlpView({
    org: newId('org'),
    classes: detectors,
    baseline: Object.entries(baseline).map(([p, action]) => ({
      data: 'payment_card',
      phase: p === 'result' ? 'result' : 'arguments',
      action,
    })),
    policies: [],
    failModes: [],
    scanner,
    engines: [],
    kept: [],
    hashKey: Buffer.alloc(32, 1),
  }).looking({ phase, connector: undefined, groups: [] });
const blocking = looking();
const cards = (text: string): number => scanText(text, scanner).filter((m) => m.detector === 'payment_card').length;
const now = <T>(v: T | Promise<T>): T => {
  if (v instanceof Promise) throw new TypeError('a promise where none was expected');
  return v;
};
const look = (content: unknown) => {
  const v = now(inspect(blocking, content));
  return { action: v.action, findings: v.findings.map(({ detector, at, count }) => ({ detector, at, count })) };
};

test('a detector that nobody has set blocks both ways', () => {
  for (const way of ['arguments', 'result'] as const)
    assert.equal(now(inspect(looking({}, way), { a: CARD })).action, 'block');
});

test('each way has its own action, and what may pass is not even looked at', () => {
  const set = { arguments: 'alert', result: 'allow' } as const;
  const v = now(inspect(looking(set), [CARD]));
  assert.equal(v.action, 'alert');
  assert.deepEqual({ ...v.findings[0], hashes: [] }, { detector: 'payment_card', at: '/0', count: 1, hashes: [] });
  assert.equal(now(inspect(looking(set, 'result'), [CARD])).action, 'allow');
});

test('the same number has the same hash wherever and however it stands, and the hash is not the number', () => {
  const v = now(inspect(blocking, { a: CARD, b: `x ${CARD.replace(/(.{4})/g, '$1 ')}`, c: '5555555555554444' }));
  const [a, b, c] = v.findings.map((f) => f.hashes[0]);
  assert.equal(a, b);
  assert.notEqual(a, c);
  assert.match(String(a), /^[0-9a-f]{32}$/);
});

test('a redaction says exactly where: in a string, a whole number, a name', () => {
  const v = now(inspect(looking({ arguments: 'redact' }), { 'a/b': `card ${CARD}!`, n: 4111111111111111, [CARD]: 1 }));
  assert.equal(v.action, 'redact');
  assert.deepEqual(v.redactions, [
    { at: '/a~1b', start: 5, end: 21, says: 'payment card' },
    { at: '/n', start: 0, end: 16, says: 'payment card' },
    { at: `/${CARD}`, key: true, start: 0, end: 16, says: 'payment card' },
  ]);
});

test('a number that is split over two blocks of one result is found, and taken out of both', () => {
  const v = now(
    inspect(looking({ result: 'redact' }, 'result'), {
      content: [
        { type: 'text', text: 'card 41111111' },
        { type: 'text', text: '11111111 end' },
      ],
    }),
  );
  assert.equal(v.action, 'redact');
  assert.deepEqual(
    v.redactions.map((r) => [r.at, r.start, r.end]),
    [
      ['/content/0/text', 5, 13],
      ['/content/1/text', 0, 8],
    ],
  );
});

test('a text that would hold up everybody else is looked at elsewhere', async () => {
  const v = inspect(blocking, { a: `${'x '.repeat(100_000)} ${CARD}` });
  assert.ok(v instanceof Promise);
  assert.equal((await v).action, 'block');
});

const places: readonly [what: string, content: unknown, at: string][] = [
  ['a bare string', CARD, ''],
  ['a number', { card: 4111111111111111 }, '/card'],
  ['a number that JSON would write with an exponent', { card: JSON.parse('4.111111111111111e15') }, '/card'],
  ['the text block of a tool result', { content: [{ type: 'text', text: `card ${CARD}` }] }, '/content/0/text'],
  ['structured content', { structuredContent: { deals: [{ note: CARD }] } }, '/structuredContent/deals/0/note'],
  ['a name with a slash and a tilde', { 'a/b~c': CARD }, '/a~1b~0c'],
  ['JSON inside a string', { body: JSON.stringify({ card: CARD }) }, '/body'],
];
for (const [what, content, at] of places)
  test(`a card number in ${what} is found at ${at || 'the top'}`, () => {
    assert.deepEqual(look(content), { action: 'block', findings: [{ detector: 'payment_card', at, count: 1 }] });
  });

test('a card number used as a key is found, and stands in no pointer', () => {
  const verdict = look({ rows: { [CARD]: { inner: CARD } } });
  assert.deepEqual(verdict, {
    action: 'block',
    findings: [
      { detector: 'payment_card', at: '/rows/*', count: 1 },
      { detector: 'payment_card', at: '/rows/*/inner', count: 1 },
    ],
  });
});

test('a verdict never has the digits that were found, whatever the content', () => {
  fc.assert(
    fc.property(
      fc.object({
        key: fc.oneof(fc.string(), fc.constant(CARD), fc.constant(`x ${CARD}`)),
        values: [fc.constant(CARD), fc.integer()],
      }),
      (o) => {
        assert.ok(!JSON.stringify(look(o)).includes('1111'));
      },
    ),
    { numRuns: 300, seed: 7 },
  );
});

test('several card numbers in one text are counted, in several texts each named', () => {
  assert.deepEqual(look({ a: `${CARD}, 5555555555554444`, b: '378282246310005' }), {
    action: 'block',
    findings: [
      { detector: 'payment_card', at: '/a', count: 2 },
      { detector: 'payment_card', at: '/b', count: 1 },
    ],
  });
});

test('what is too large to be looked at is blocked and says so, even if nothing was found', async () => {
  const tooLarge = { action: 'block', findings: [{ detector: 'not_inspected', at: '', count: 1 }] };
  assert.deepEqual(look('x'.repeat(MAX_INSPECTED_CHARS + 1)), tooLarge);
  assert.deepEqual(look(Array.from({ length: MAX_INSPECTED_VALUES + 1 }, () => null)), tooLarge);
  assert.equal((await inspect(blocking, 'x'.repeat(MAX_INSPECTED_CHARS))).action, 'allow');
});

test('findings are named up to a limit; the verdict counts them all', () => {
  const verdict = look(Array.from({ length: 500 }, () => CARD));
  assert.equal(verdict.action, 'block');
  assert.equal(verdict.findings.length, MAX_FINDINGS);
});

test('nesting 100,000 deep is walked without exhausting the stack', () => {
  let nested: unknown = CARD;
  for (let i = 0; i < 100_000; i++) nested = [nested];
  const verdict = look(nested);
  assert.equal(verdict.action, 'block');
  assert.ok(verdict.findings[0]!.at.length <= 300);
});

const issuers: readonly [lead: string, length: number][] = [
  ['4', 13],
  ['4', 16],
  ['4', 19],
  ['51', 16],
  ['55', 16],
  ['2221', 16],
  ['2720', 16],
  ['34', 15],
  ['37', 15],
  ['6011', 16],
  ['644', 16],
  ['65', 19],
  ['300', 14],
  ['36', 14],
  ['39', 16],
  ['3528', 16],
  ['3589', 19],
  ['62', 16],
  ['62', 19],
  ['81', 16],
  ['2200', 16],
  ['508', 16],
  ['6762', 18],
  ['5018', 13],
  ['9792', 16],
  ['5060990', 16],
];
const card = fc
  .tuple(fc.constantFrom(...issuers), fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 19, maxLength: 19 }))
  .map(([[lead, length], rest]) => {
    const body = (lead + rest.join('')).slice(0, length - 1);
    return body + '0123456789'.split('').find((d) => luhn(body + d));
  });
// Digits and hexadecimal letters beside a number can make another number or an id of it; those cases are the detector's lists.
const prose = fc.string({
  unit: fc.constantFrom(...'ghijklmnoprstuvwyz GHIJKLMNOP,;:!?()[]"\'é漢\n'.split(''), '😀'),
  maxLength: 60,
});
const separators = [
  '',
  ' ',
  '-',
  '.',
  '\u00a0',
  '\u2009',
  '\u200b',
  '\u2060',
  '\ufeff',
  '\u2013',
  '\u2212',
  ' - ',
  '\n',
  '\t',
];

/** Cuts the digits into pieces of these sizes (the last takes the rest) and puts the separator between. */
function cut(digits: string, sizes: readonly number[], separator: string): string {
  const pieces: string[] = [];
  let rest = digits;
  for (const n of sizes) {
    if (rest.length <= n) break;
    pieces.push(rest.slice(0, n));
    rest = rest.slice(n);
  }
  return [...pieces, rest].join(separator);
}

test('every card number of every network is found at any place of a text, cut anywhere by any one separator', () => {
  fc.assert(
    fc.property(
      prose,
      card,
      prose,
      fc.constantFrom(...separators),
      fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 18 }),
      (before, digits, after, separator, sizes) => {
        const pieces = cut(digits, sizes, separator);
        fc.pre(!(separator === '.' && pieces.split('.').length === 2)); // that is a decimal fraction
        const text = `${before}g ${pieces} g${after}`;
        assert.equal(cards(text), 1, JSON.stringify(text));
      },
    ),
    { numRuns: 20_000, seed: 20261120 },
  );
});

test('every card number as printed is found in a row of other numbers', () => {
  fc.assert(
    fc.property(card, fc.integer({ min: 0, max: 999 }), fc.integer({ min: 0, max: 999 }), (digits, a, b) => {
      const text = digits.length === 16 ? cut(digits, [4, 4, 4, 4], ' ') : digits;
      assert.equal(cards(`${a} ${text} ${b}`), 1, text);
    }),
    { numRuns: 5000, seed: 3 },
  );
});

test('a number with one digit changed is never a card', () => {
  fc.assert(
    fc.property(card, fc.integer({ min: 0, max: 11 }), fc.integer({ min: 1, max: 9 }), (digits, at, by) => {
      const changed = digits.slice(0, at) + ((Number(digits[at]) + by) % 10) + digits.slice(at + 1);
      assert.equal(cards(changed), 0, changed);
    }),
    { numRuns: 5000, seed: 4 },
  );
});

test('digits of every width and script count as digits', () => {
  for (const zero of [0xff10, 0x660, 0x6f0, 0x966, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6]) {
    const text = CARD.split('')
      .map((d) => String.fromCodePoint(zero + Number(d)))
      .join('');
    assert.equal(fold(text), CARD, `U+${zero.toString(16)}`);
  }
});
