import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { allEvents } from '../all-events.ts';
import { allOperations } from '../doors.ts';
import { tokensCss } from '@gatehouse/ui/write-tokens.ts';
import { clientFiles, generated, problemCodes } from './generated.ts';

for (const [name, text] of Object.entries(generated()))
  test(`docs/generated/${name} says what the code says`, () => {
    const file = new URL(`../../docs/generated/${name}`, import.meta.url);
    assert.equal(
      existsSync(file) ? readFileSync(file, 'utf8') : '',
      text,
      'run `npm run gen` and review the difference',
    );
  });

for (const [name, text] of Object.entries(clientFiles()))
  test(`packages/client/generated/${name} says what the operations say`, () => {
    const file = new URL(`../../packages/client/generated/${name}`, import.meta.url);
    assert.equal(
      existsSync(file) ? readFileSync(file, 'utf8') : '',
      text,
      'run `npm run gen` and review the difference',
    );
  });

test('the pages that the server renders have the same tokens as the portal', () => {
  const file = new URL('../kernel/page/tokens.css', import.meta.url);
  assert.equal(readFileSync(file, 'utf8'), tokensCss(), 'run `npm run gen`');
});

test('the client has no file of a room that has no operations any more', () => {
  const folder = new URL('../../packages/client/generated/', import.meta.url);
  assert.deepEqual(globSync('*', { cwd: folder.pathname }).toSorted(), Object.keys(clientFiles()).toSorted());
});

test('every refusal has a test that expects its code', () => {
  const root = new URL('../', import.meta.url);
  const tests = globSync('**/*.test.ts', { cwd: root.pathname, exclude: ['**/node_modules/**'] })
    .map((f) => readFileSync(new URL(f, root), 'utf8'))
    .join('\n')
    .replaceAll('\\/', '/');
  const { codes, bugs } = problemCodes();
  // What can only be a fault of ours (`kind: 'bug'`) is no refusal; nobody can provoke it on purpose.
  const untested = codes.filter((code) => !bugs.has(code) && !tests.includes(code));
  assert.deepEqual(untested, []);
});

test('event types are past tense of one room, with one sentence each', () => {
  for (const [type, e] of Object.entries(allEvents)) {
    assert.match(type, /^[a-z_]+\.[a-z_]+$/);
    assert.equal(typeof e.says, 'function', type);
  }
});

test('operations have unique names and unique routes', () => {
  const all = allOperations();
  assert.equal(new Set(all.map((o) => o.id)).size, all.length);
  assert.equal(new Set(all.map((o) => `${o.at.split(' ')[0]} ${o.prefix}${o.at.split(' ')[1]}`)).size, all.length);
});
