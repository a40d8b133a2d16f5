import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detectors } from './detectors.ts';
import { scanText } from './scan.ts';
import { makeScanner } from './scanner.ts';

for (const d of detectors) {
  const scanner = makeScanner({ detectors: [d.id] });
  for (const text of d.catches)
    test(`${d.id} finds one in ${JSON.stringify(text)}`, () => assert.equal(scanText(text, scanner).length, 1));
  for (const text of d.spares)
    test(`${d.id} finds none in ${JSON.stringify(text)}`, () => assert.equal(scanText(text, scanner).length, 0));
}

test('no two detectors have one name', () => {
  assert.equal(new Set(detectors.map((d) => d.id)).size, detectors.length);
});
