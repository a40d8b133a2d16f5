import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inexactNumber } from './json-number.ts';

for (const text of [
  '9007199254740993',
  '[1,123456789012345678901]',
  '{"a":0.1234567890123456789}',
  '1e400',
  '{"n":-0}',
  '1.7976931348623159e308',
  '4.9e-325',
])
  test(`${text} says a number that JavaScript does not have`, () => assert.ok(inexactNumber(text)));
for (const text of [
  '9007199254740992',
  '0.1',
  '1.10',
  '10e2',
  '1E-7',
  '123456789.123456',
  '"9007199254740993"',
  '{"9007199254740993":"\\"1e400"}',
  '5e-324',
  '100000000000000000000',
  '0',
  '0.000',
  '-1.5',
])
  test(`${text} says what JavaScript reads`, () => assert.equal(inexactNumber(text), undefined));

test('every number that JavaScript writes is read again', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => {
      assert.equal(inexactNumber(JSON.stringify([Object.is(n, -0) ? 0 : n])), undefined);
    }),
  );
});

test('of two different whole numbers that are read alike at most one passes, and every safe one does', () => {
  const delta = fc.bigInt(-(2n ** 30n), 2n ** 30n).filter((d) => d !== 0n);
  fc.assert(
    fc.property(fc.bigInt(-(2n ** 90n), 2n ** 90n), delta, (n, d) => {
      const passes = [n, n + d].every((x) => inexactNumber(String(x)) === undefined);
      assert.ok(!passes || Number(n) !== Number(n + d));
    }),
    { numRuns: 5000 },
  );
  fc.assert(fc.property(fc.maxSafeInteger(), (n) => assert.equal(inexactNumber(String(n)), undefined)));
});
