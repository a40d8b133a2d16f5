import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_JSON_DEPTH, parseJson } from './json.ts';
import { Problem } from './problem.ts';

const utf8 = (s: string): Uint8Array => new TextEncoder().encode(s);
const code = (bytes: Uint8Array): string => {
  try {
    parseJson(bytes);
    return 'accepted';
  } catch (e) {
    assert.ok(e instanceof Problem, String(e));
    return e.code;
  }
};

for (const [what, bytes, expected] of [
  ['nothing at all', utf8(''), 'http/not-json'],
  ['half a document', utf8('{"a":'), 'http/not-json'],
  ['two documents in one body', utf8('{"a":1}{"b":2}'), 'http/not-json'],
  ['a key twice', utf8('{"name":"a","name":"b"}'), 'http/json-duplicate-key'],
  ['a key twice, one spelt with an escape', utf8(String.raw`{"name":1,"n\u0061me":2}`), 'http/json-duplicate-key'],
  ['a key twice deep inside an array', utf8('[[{"x":[{"a":1,"b":{"c":1},"a":2}]}]]'), 'http/json-duplicate-key'],
  ['a byte order mark', utf8('\ufeff{}'), 'http/json-bom'],
  ['UTF-16', Buffer.from('{"a":1}', 'utf16le'), 'http/not-json'],
  ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'http/not-utf8'],
  ['half of a surrogate pair', utf8(String.raw`{"a":"\ud800"}`), 'http/json-surrogate'],
  ['half of a surrogate pair in a key', utf8(String.raw`{"\udc00":1}`), 'http/json-surrogate'],
  ['brackets 100,000 deep', utf8('['.repeat(100_000) + ']'.repeat(100_000)), 'http/json-depth'],
  ['one level too deep', utf8('['.repeat(MAX_JSON_DEPTH + 1) + ']'.repeat(MAX_JSON_DEPTH + 1)), 'http/json-depth'],
  ['exactly the deepest', utf8('['.repeat(MAX_JSON_DEPTH) + ']'.repeat(MAX_JSON_DEPTH)), 'accepted'],
  ['the same key in two objects', utf8('[{"a":1},{"a":{"a":1}}]'), 'accepted'],
  ['a string that looks like a key', utf8('{"a":"b","b":["a","a","a"]}'), 'accepted'],
  ['quotes and braces inside strings', utf8(String.raw`{"a":"\"{,\\","b":"}]"}`), 'accepted'],
] as [string, Uint8Array, string][])
  test(`${what} is ${expected}`, () => assert.equal(code(bytes), expected));

test('__proto__ arrives as an ordinary key and changes no prototype', () => {
  const value = parseJson(utf8('{"__proto__":{"admin":true}}')) as Record<string, unknown>;
  assert.ok(Object.hasOwn(value, '__proto__'));
  assert.equal(({} as Record<string, unknown>)['admin'], undefined);
});

test('whatever JSON.stringify writes is read back as it was', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const text = JSON.stringify(value);
      if (!text.isWellFormed() || /\\ud[89a-f]/i.test(text)) return;
      assert.deepEqual(parseJson(utf8(text)), JSON.parse(text));
    }),
    { numRuns: 2000 },
  );
});

test('no bytes whatever do anything but parse or be refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void code(bytes)),
    { numRuns: 5000 },
  );
});
