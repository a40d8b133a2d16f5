import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redacted } from './journal.ts';
import { backOff, makeBreaker, makePace, retryAfter } from './patience.ts';
import { parseProfile, presets, settleProfile } from './profile.ts';
import { makeProgress } from './progress.ts';
import { filterValue, newUserBody, removeMembersBody } from './requests.ts';
import { printable } from './snapshot.ts';

const now = Date.parse('2026-08-01T09:00:00Z');
for (const [header, ms] of [
  ['3', 3000],
  ['0', 0],
  ['0.5', 500],
  ['Sat, 01 Aug 2026 09:00:07 GMT', 7000],
  ['Saturday, 01-Aug-26 09:00:07 GMT', 7000],
  ['Sat, 01 Aug 2026 08:00:00 GMT', 0],
  ['soon', undefined],
  ['-5', undefined],
  ['2026', 2_026_000],
  ['', undefined],
  [null, undefined],
] as const)
  test(`Retry-After ${JSON.stringify(header)} asks for ${ms} ms`, () => assert.equal(retryAfter(header, now), ms));

test('each failure doubles the wait, up to half a minute, and chance takes up to half of it away', () => {
  assert.deepEqual(
    [1, 2, 3, 20].map((n) => backOff(n, 1)),
    [500, 1000, 2000, 30_000],
  );
  assert.deepEqual(
    [1, 20].map((n) => backOff(n, 0)),
    [250, 15_000],
  );
});

test('the breaker opens at the fifth failure in a row, lets one through after its rest, and gives up after the third rest', () => {
  const b = makeBreaker();
  for (let i = 0; i < 4; i++) b.failed(0);
  assert.equal(b.restMs(0), 0);
  b.succeeded();
  for (let i = 0; i < 4; i++) b.failed(0);
  assert.equal(b.restMs(0), 0, 'a success in between starts the count again');
  b.failed(0);
  assert.deepEqual([b.restMs(0), b.restMs(15_000), b.exhausted()], [15_000, 0, false]);
  b.failed(15_000);
  assert.equal(b.restMs(15_000), 30_000, 'half open, one failure is enough');
  b.failed(45_000);
  assert.equal(b.exhausted(), false);
  b.failed(105_000);
  assert.equal(b.exhausted(), true);
});

test('five requests in thirty seconds means that the sixth waits for the first to be half a minute old', () => {
  const pace = makePace({ requests: 5, perSeconds: 30 });
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((t) => pace(t * 1000)),
    [0, 0, 0, 0, 0],
  );
  assert.equal(pace(5000), 25_000);
  assert.equal(pace(30_000), 1000, 'the seventh for the second');
  assert.equal(makePace(null)(0), 0);
});

test('the token is hidden wherever a target repeats it, and so is what is called a secret', () => {
  assert.deepEqual(
    redacted({ detail: 'bad token tok_123!', list: ['tok_123'], password: 'x', n: { client_secret: 1 } }, 'tok_123'),
    {
      detail: 'bad token [redacted]!',
      list: ['[redacted]'],
      password: '[redacted]',
      n: { client_secret: '[redacted]' },
    },
  );
});

test('progress is a bar on a terminal and a few plain lines elsewhere', () => {
  let t = 0;
  const [tty, plain]: [string[], string[]] = [[], []];
  const bar = makeProgress({ write: (s) => tty.push(s), isTTY: true, columns: 60 }, () => (t += 100));
  const lines = makeProgress({ write: (s) => plain.push(s) }, () => 0);
  for (let i = 1; i <= 200; i++) for (const p of [bar, lines]) p.step('users', i, 200);
  bar.note('waiting');
  bar.end();
  assert.match(tty.at(-2)!, /^\r\u001B\[K$/, 'the bar is cleared before a line');
  assert.match(tty[199]!, /\[#{24}\] 200\/200$/);
  assert.equal(plain.length, 11);
  assert.equal(plain.at(-1), 'users: 200 of 200\n');
  assert.ok(!plain.join('').includes('\u001B'));
});

test('what strangers put into names does not reach the terminal as a command', () =>
  assert.equal(printable('a\u001B[2Jb\u202Ec\r'), 'a\u{FFFD}[2Jb\u{FFFD}c\u{FFFD}'));

test('every preset is a whole profile, and what the operator says wins over what the probe saw', () => {
  for (const name of Object.keys(presets)) assert.ok(settleProfile({}, parseProfile(name, undefined)));
  assert.equal(settleProfile({ filter: 'none', batch: 7 }, { filter: 'quoted' }).filter, 'quoted');
  assert.equal(settleProfile({ batch: 7 }, { batch: undefined }).batch, 7);
  const own = parseProfile('mine.json', '{"like":"miro","batch":5}');
  assert.deepEqual([own.batch, own.maxBody], [5, 800_000]);
  for (const bad of ['{"batsh":5}', '{"batch":0}', 'x', '{"like":"nobody"}'])
    assert.throws(() => parseProfile('mine.json', bad), { code: 'scim/usage' });
  for (const bad of ['nobody', 'constructor', '__proto__'])
    assert.throws(() => parseProfile(bad, undefined), { code: 'scim/usage' });
});

test('an account is made with a split name, the address as userName, and no password', () => {
  const body = newUserBody({ userName: 'prince@x.example', displayName: 'Prince', externalId: null });
  assert.deepEqual(body['name'], { givenName: 'Prince', familyName: '', formatted: 'Prince' });
  assert.equal(body['userName'], 'prince@x.example');
  assert.ok(!('password' in body) && !('externalId' in body));
});

test('a quotation mark in an id or a name cannot leave its filter', () => {
  assert.equal(filterValue({ filter: 'quoted' }, 'a" or id pr or x eq "'), String.raw`"a\" or id pr or x eq \""`);
  assert.equal(filterValue({ filter: 'unquoted' }, 'ada@x.example'), 'ada@x.example');
  assert.equal(filterValue({ filter: 'unquoted' }, 'a or b'), '"a or b"');
  const [op] = removeMembersBody({ opCase: 'capital' }, 'rfc', ['a"]'])['Operations'] as { op: string; path: string }[];
  assert.deepEqual(op, { op: 'Remove', path: String.raw`members[value eq "a\"]"]` });
});
