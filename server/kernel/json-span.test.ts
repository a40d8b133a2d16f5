import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { elements, endOfValue, member, whole } from './json-span.ts';

const spaced = (v: unknown, spaces: string): string =>
  Array.isArray(v)
    ? `[${spaces}${v.map((x) => spaced(x, spaces)).join(`${spaces},${spaces}`)}${spaces}]`
    : typeof v === 'object' && v !== null
      ? `{${spaces}${Object.entries(v)
          .map(([k, x]) => `${JSON.stringify(k)}${spaces}:${spaces}${spaced(x, spaces)}`)
          .join(`${spaces},${spaces}`)}${spaces}}`
      : JSON.stringify(v);

test('the span of a member or an element is exactly its text, in any JSON with any spacing', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom('', ' ', '\n\t', ' \r\n'), (value, spaces) => {
      const text = `${spaces}${spaced(value, spaces)}${spaces}`;
      const at = whole(text);
      assert.equal(endOfValue(text, at.from), at.to);
      assert.deepEqual(JSON.parse(text.slice(at.from, at.to)), JSON.parse(text));
      if (Array.isArray(value))
        assert.deepEqual(
          elements(text, at).map((e) => JSON.parse(text.slice(e.from, e.to)) as unknown),
          JSON.parse(text),
        );
      else if (typeof value === 'object' && value !== null)
        for (const [k, v] of Object.entries(value)) {
          const m = member(text, at, k);
          assert.ok(m);
          assert.deepEqual(JSON.parse(text.slice(m.from, m.to)), JSON.parse(JSON.stringify(v)));
        }
    }),
    { numRuns: 500 },
  );
});

test('a key that is spelt with escapes is the same key', () => {
  const text = '{"t\\u006fols":[1]}';
  const m = member(text, whole(text), 'tools');
  assert.equal(m && text.slice(m.from, m.to), '[1]');
});
