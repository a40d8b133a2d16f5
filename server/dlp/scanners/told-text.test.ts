import { escapeSegment } from '#kernel/json-pointer.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { redactionsOf, toldText } from './told-text.ts';

/** Every string, number and boolean of a JSON value with its pointer, and every key with the pointer of what it names. */
function* pieces(value: unknown, at = ''): Generator<{ at: string; text: string; key: boolean }> {
  if (typeof value !== 'object' || value === null) {
    if (value !== null) yield { at, text: typeof value === 'string' ? value : JSON.stringify(value), key: false };
    return;
  }
  for (const [k, inner] of Object.entries(value)) {
    const place = `${at}/${escapeSegment(k)}`;
    if (!Array.isArray(value)) yield { at: place, text: k, key: true };
    yield* pieces(inner, place);
  }
}
const at = (value: unknown, pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((v, s) => Reflect.get(v as object, s.replaceAll('~1', '/').replaceAll('~0', '~')), value);

const plain = fc.jsonValue({ maxDepth: 4 }).filter((v) => !/"type":"text"|"(data|blob)":/.test(JSON.stringify(v)));

test('whatever the content, every string, number and key of it is in the text that a scanner reads', () => {
  fc.assert(
    fc.property(plain, (content) => {
      const told = toldText(content);
      for (const p of pieces(content)) assert.ok(told.text.includes(p.text), `${p.at}: ${p.text}`);
    }),
    { numRuns: 3000 },
  );
});

test('every stretch of that text leads back to the very string that it came from', () => {
  fc.assert(
    fc.property(plain, (content) => {
      const told = toldText(content);
      for (const s of told.stretches) {
        const text = told.text.slice(s.from, s.to);
        const [r] = redactionsOf(told, { start: s.from, end: s.to }, 'x') ?? [];
        assert.deepEqual(r, { at: s.at, ...(s.key ? { key: true } : {}), start: 0, end: text.length, says: 'x' });
        if (s.key) assert.equal(escapeSegment(text), s.at.split('/').at(-1));
        else assert.equal(String(at(content, s.at)), text);
      }
    }),
    { numRuns: 3000 },
  );
});

test('a span over what is ours alone, or beyond the end, leads nowhere', () => {
  const told = toldText({ a: 'x' });
  assert.equal(told.text, 'a: x');
  assert.equal(redactionsOf(told, { start: 1, end: 3 }, 'x'), undefined);
  assert.equal(redactionsOf(told, { start: 3, end: 5 }, 'x'), undefined);
});

test('nesting 100,000 deep is told without exhausting the stack', () => {
  let nested: unknown = 'deep';
  for (let i = 0; i < 100_000; i++) nested = [nested];
  assert.equal(toldText(nested).text, 'deep');
});
