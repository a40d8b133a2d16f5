import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashWords, words } from './hash-words.ts';
import { sha256 } from './sha256.ts';

test('the words are the ones that other screens know, in the order that they know', () => {
  assert.equal(
    sha256(words.join(' ')).toString('hex'),
    '76a5dac887951b3bcdf3a0cbb9274d6fca5f45a107d75fec8bd700f734458682',
  );
  assert.equal(words.length, 256);
});

test('no two words begin alike', () => {
  assert.equal(new Set(words.map((w) => w.slice(0, 4))).size, 256);
});

test('a hash is four words, one for each of its first bytes', () => {
  assert.deepEqual(hashWords(`00ff0180${'0'.repeat(56)}`), [words[0], words[255], words[1], words[128]]);
});
