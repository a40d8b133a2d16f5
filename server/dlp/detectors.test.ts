import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detectors } from './detectors.ts';
import { fold } from './fold.ts';

for (const d of detectors) {
  for (const text of d.catches)
    test(`${d.id} finds one in ${JSON.stringify(text)}`, () => assert.equal(d.count(fold(text)), 1));
  for (const text of d.spares)
    test(`${d.id} finds none in ${JSON.stringify(text)}`, () => assert.equal(d.count(fold(text)), 0));
}

test('no two detectors have one name', () => {
  assert.equal(new Set(detectors.map((d) => d.id)).size, detectors.length);
});
