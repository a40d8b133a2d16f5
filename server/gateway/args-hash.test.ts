import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { argsHasher } from './args-hash.ts';

test('the hash of arguments is HMAC-SHA-256 of their canonical form, whatever the order of their keys', () => {
  for (let i = 0; i < 50; i++) {
    const key = randomBytes(32);
    const hash = argsHasher(key);
    const expected = createHmac('sha256', key).update('{"a":[1,"ü"],"b":null}').digest('hex');
    assert.equal(hash({ b: null, a: [1, 'ü'] }), expected);
    assert.equal(hash({ a: [1, 'ü'], b: null }), expected);
  }
});
