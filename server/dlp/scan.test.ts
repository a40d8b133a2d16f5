import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scan } from './scan-off-loop.ts';
import { scanJoined, scanText } from './scan.ts';
import { makeScanner } from './scanner.ts';

const CARD = '4111111111111111';
const scanner = makeScanner({ detectors: ['payment_card'] });

test('a match says where it stands in the text as given, whatever was folded away before and in it', () => {
  const text = `é\u200b😀 ４１１１\u200b１１１１ 1111\u00ad1111!`;
  const [m, ...more] = scanText(text, scanner);
  assert.equal(more.length, 0);
  assert.equal(text.slice(m!.start, m!.end), '４１１１\u200b１１１１ 1111\u00ad1111');
  assert.equal(m!.text, CARD);
});

test('a number split over neighbouring texts is found at whatever place it is split, and named in both', () => {
  const text = `pay 4111 1111 1111 1111 today`;
  for (let cut = 5; cut < 23; cut++) {
    const parts = ['first, whole: 5555555555554444', text.slice(0, cut), text.slice(cut)];
    const found = scanJoined(parts, scanner);
    assert.equal(found.length, 1, parts.join('|'));
    assert.equal(found[0]!.text, CARD);
    assert.deepEqual(found[0]!.parts.map((p) => parts[p.index]!.slice(p.start, p.end)).join(''), '4111 1111 1111 1111');
  }
});

test('a number split over eight texts is found once', () => {
  assert.equal(scanJoined(['41', '11', '11', '11', '11', '11', '11', '11'], scanner).length, 1);
});

test('a long text is looked at by a thread, with the same result', async () => {
  const text = `${'no numbers here. '.repeat(20_000)}${CARD}${' and none here'.repeat(1000)}`;
  const matches = await scan(text, scanner);
  assert.deepEqual(matches, scanText(text, scanner));
  assert.equal(text.slice(matches[0]!.start, matches[0]!.end), CARD);
});

test('twenty long texts of ten organizations at once each get the findings of their own', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      scan(
        'x '.repeat(40_000) + (i % 2 === 0 ? CARD : ''),
        makeScanner({ detectors: i % 4 < 2 ? ['payment_card'] : [] }),
      ),
    ),
  );
  assert.deepEqual(
    answers.map((a) => a.length),
    Array.from({ length: 20 }, (_, i) => (i % 4 === 0 ? 1 : 0)),
  );
});

test('the name under which a text stands is as good as a word in it', () => {
  const all = makeScanner({ detectors: ['us_ssn', 'assigned_secret'] });
  assert.deepEqual(scanText('536-90-4399', all), []);
  assert.deepEqual(scanText('536-90-4399', all, { before: 'customer_ssn' }), [
    { detector: 'us_ssn', start: 0, end: 11, layers: [], text: '536904399' },
  ]);
  assert.equal(scanText('Tr0ub4dor&3x', all, { before: 'dbPassword' }).length, 1);
  assert.equal(scanText('Tr0ub4dor&3x', all, { before: 'passwordless' }).length, 0);
});

test('when more long texts wait than anybody would wait for, the next is refused and told so', async () => {
  const text = 'x '.repeat(40_000);
  const all = await Promise.allSettled(Array.from({ length: 210 }, () => scan(text, scanner)));
  const refused = all.filter((a) => a.status === 'rejected');
  assert.equal(refused.length, 8);
  for (const r of refused) assert.equal((r.reason as { code: string }).code, 'dlp/scan-too-slow');
});
