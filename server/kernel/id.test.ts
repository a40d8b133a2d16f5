import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, parseId } from './id.ts';

test('a hundred thousand ids made at once are all different', () => {
  assert.equal(new Set(Array.from({ length: 100_000 }, () => newId('evt'))).size, 100_000);
});

test('ids made later sort later, and are UUIDs of version 7', () => {
  const [a, b] = [newId('evt', 1_000), newId('evt', 2_000)];
  assert.ok(a < b);
  assert.match(a, /^evt_0000000003e87[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
});

test('only the exact form of an id is an id', () => {
  const id = newId('org');
  assert.equal(parseId('org', id), id);
  for (const no of [
    '',
    id.toUpperCase(),
    `${id} `,
    id.slice(0, -1),
    `${id}0`,
    id.replace('org_', 'par_'),
    `${id.slice(0, -1)}'`,
    `org_${'g'.repeat(32)}`,
  ])
    assert.equal(parseId('org', no), undefined, no);
});
