import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Secret } from '#kernel/secret.ts';
import { keepSecret } from './keep-secret.ts';
import { Broken } from './upstream.ts';

const credential = 'eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl';

/** What came through of an answer that arrives in these pieces, and whether it was stopped. */
function through(pieces: readonly Buffer[], headers: Record<string, string> = {}): { text: string; stopped: boolean } {
  const got: Buffer[] = [];
  const sink = keepSecret(new Secret(credential), {
    head: () => undefined,
    data: (c) => (got.push(Buffer.from(c)), true),
  });
  try {
    sink.head(200, headers);
    for (const p of pieces) sink.data(p);
    sink.end();
  } catch (e) {
    assert.ok(e instanceof Broken && e.why === 'malformed' && !e.says.includes(credential));
    return { text: Buffer.concat(got).toString(), stopped: true };
  }
  return { text: Buffer.concat(got).toString(), stopped: false };
}

const cut = (text: string, at: readonly number[]): Buffer[] => {
  const bytes = Buffer.from(text);
  const places = [0, ...at.map((n) => n % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
};

test('an answer with the credential in it is stopped before any whole of it leaves, however it is cut', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.array(fc.nat(400), { maxLength: 8 }), (before, after, at) => {
      const { text, stopped } = through(cut(`${before}${credential}${after}`, at));
      assert.ok(stopped);
      assert.ok(!text.includes(credential.slice(0, 12)), text);
    }),
  );
});

test('an answer without it comes through byte for byte, also where it begins like it', () => {
  const near = fc.constantFrom('e', 'eyJ', 'eyJh', credential.slice(0, 20), credential.slice(1), 'x');
  fc.assert(
    fc.property(
      fc.array(fc.oneof(near, fc.string()), { maxLength: 12 }),
      fc.array(fc.nat(400), { maxLength: 8 }),
      (parts, at) => {
        const text = parts.join('|');
        fc.pre(!text.includes(credential));
        assert.deepEqual(through(cut(text, at)), { text, stopped: false });
      },
    ),
  );
});

test('a header with the credential stops the answer, and a short secret is not looked for', () => {
  assert.ok(through([], { 'x-debug': `Bearer ${credential}` }).stopped);
  const got: string[] = [];
  const sink = keepSecret(new Secret('short'), { head: () => undefined, data: (c) => (got.push(String(c)), true) });
  sink.data(Buffer.from('a short word'));
  sink.end();
  assert.deepEqual(got, ['a short word']);
});
