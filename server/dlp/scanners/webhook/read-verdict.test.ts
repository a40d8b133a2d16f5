import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJsonText } from '#kernel/json.ts';
import { dlpActions } from '../../verdict.ts';
import { ScanFailure } from '../exchange.ts';
import { oneLine, readVerdict } from './read-verdict.ts';

const both = ['published', 'extended'] as const;

test('any JSON value gives a verdict of ours or a failure, and an allow only for the word allow', () => {
  const near = fc.record(
    {
      action: fc.oneof(
        fc.constantFrom('allow', 'deny', 'alert', 'redact', 'Allow', 'allow ', '__proto__', 'toString'),
        fc.jsonValue(),
      ),
      deny_reason: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 900 }), fc.jsonValue()),
      reference_id: fc.oneof(fc.string({ maxLength: 80 }), fc.jsonValue()),
      spans: fc.oneof(fc.array(fc.record({ at: fc.string(), start: fc.integer(), end: fc.integer() })), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(near, fc.jsonValue()), fc.constantFrom(...both), (body, frames) => {
      try {
        const v = readVerdict(body, frames);
        assert.ok(dlpActions.includes(v.action));
        const said = (body as { action?: unknown }).action;
        if (v.action === 'allow') assert.equal(said, 'allow');
        if (said === 'deny') assert.equal(v.action, 'block');
        if (v.reason !== undefined) {
          assert.ok(Array.from(v.reason).length <= 500);
          assert.doesNotMatch(v.reason, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        }
        if (v.reference !== undefined) assert.match(v.reference, /^[A-Za-z0-9._:/-]{1,50}$/);
        for (const s of v.spans) assert.ok(s.start >= 0 && s.end > s.start);
      } catch (e) {
        assert.ok(e instanceof ScanFailure, String(e));
      }
    }),
    { numRuns: 20_000 },
  );
});

test('any text is read or refused, never misread', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '"action"',
    ':',
    '"allow"',
    '"deny"',
    ',',
    '[',
    ']',
    ' ',
    'null',
    '\u0000',
    '\\',
    '"',
    'allow',
    '\ufeff',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 20 }), (parts) => {
      const text = parts.join('');
      let action: string | undefined;
      try {
        action = readVerdict(parseJsonText(text), 'published').action;
      } catch {
        return;
      }
      const words: unknown = JSON.parse(text);
      assert.deepEqual(words, { ...(words as object), action: action === 'allow' ? 'allow' : 'deny' });
    }),
    { numRuns: 20_000 },
  );
});

for (const frames of both) {
  test(`a ${frames} deny is not lost over what is written around it`, () => {
    const v = readVerdict({ action: 'deny', deny_reason: 'x'.repeat(600), reference_id: 'a b', more: 1 }, frames);
    assert.deepEqual([v.action, v.reason?.length, v.reference], ['block', 500, undefined]);
    for (const odd of [7, null, {}, ['x']]) {
      const w = readVerdict({ action: 'deny', deny_reason: odd, reference_id: odd }, frames);
      assert.deepEqual([w.action, w.reason, w.reference], ['block', undefined, undefined]);
    }
  });
  test(`a ${frames} allow carries no reason and may carry nulls`, () =>
    assert.deepEqual(readVerdict({ action: 'allow', deny_reason: 'odd', reference_id: null }, frames), {
      action: 'allow',
      spans: [],
      reason: undefined,
      reference: undefined,
    }));
}

test('a reason is one line without what deceives the eye', () => {
  assert.equal(oneLine('a\r\nb\u202ec\u200b\u2028d'), 'a bc d');
  assert.equal(oneLine(' \u0000 '), undefined);
  assert.equal(Array.from(oneLine('😀'.repeat(600)) ?? '').length, 500);
});
