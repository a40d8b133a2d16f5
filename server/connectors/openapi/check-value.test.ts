import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { checkValue } from './check-value.ts';

const scalar = fc.constantFrom<unknown>(null, true, false, 0, 1, 2, 3, -1, 1.5, '', 'a', 'ab', 'abc');
const values: fc.Arbitrary<unknown> = fc
  .letrec<{ v: unknown }>((tie) => ({
    v: fc.oneof(
      { depthSize: 'small' },
      scalar,
      fc.array(tie('v'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('v')),
    ),
  }))
  .v.map((v): unknown => JSON.parse(JSON.stringify(v)));
const word = (name: string, of: fc.Arbitrary<unknown>): fc.Arbitrary<object> => of.map((v) => ({ [name]: v }));
const small = fc.nat(3);
const schemas: fc.Arbitrary<unknown> = fc.letrec<{ s: unknown }>((tie) => {
  const s = tie('s');
  const type = fc.constantFrom('string', 'number', 'integer', 'boolean', 'object', 'array', 'null');
  const words = fc.oneof(
    { depthSize: 'small' },
    word('type', fc.oneof(type, fc.uniqueArray(type, { minLength: 1, maxLength: 3 }))),
    word('enum', fc.array(values, { minLength: 1, maxLength: 3 })),
    word('const', values),
    ...[
      'minimum',
      'maximum',
      'exclusiveMinimum',
      'exclusiveMaximum',
      'minLength',
      'maxLength',
      'minItems',
      'maxItems',
      'minProperties',
      'maxProperties',
    ].map((n) => word(n, small)),
    word('multipleOf', fc.constantFrom(1, 2, 0.5)),
    word('pattern', fc.constantFrom('^a', 'b$', 'a.c')),
    word('uniqueItems', fc.boolean()),
    word('required', fc.uniqueArray(fc.constantFrom('a', 'b'), { maxLength: 2 })),
    word('dependentRequired', fc.constant({ a: ['b'] })),
    word('properties', fc.dictionary(fc.constantFrom('a', 'b'), s)),
    word('patternProperties', fc.dictionary(fc.constantFrom('^a', '[bc]'), s, { maxKeys: 1 })),
    word('additionalProperties', s),
    word('propertyNames', s),
    word('items', s),
    word('prefixItems', fc.array(s, { minLength: 1, maxLength: 2 })),
    word('contains', s),
    word('not', s),
    ...['allOf', 'anyOf', 'oneOf'].map((n) => word(n, fc.array(s, { minLength: 1, maxLength: 3 }))),
    fc.tuple(s, s, s).map(([i, t, e]) => ({ if: i, then: t, else: e })),
    fc.constant({ $ref: '#/$defs/d' }),
  );
  return {
    s: fc.oneof(
      { depthSize: 'small' },
      fc.boolean(),
      fc.array(words, { maxLength: 3 }).map((all) => Object.assign({}, ...all) as object),
    ),
  };
}).s;

test('a value fits by our walk of a schema exactly where it fits by another validator', () => {
  const ajv = new Ajv2020({ strict: false, ownProperties: true, logger: false, validateSchema: false });
  let fitted = 0;
  fc.assert(
    fc.property(schemas, values, fc.boolean(), (schema, value, definedByNumbers) => {
      const root = {
        ...(typeof schema === 'object' ? schema : schema ? {} : { not: {} }),
        $defs: { d: definedByNumbers ? { type: 'number' } : { required: ['a'] } },
      };
      const ours = checkValue(root, value) === undefined;
      assert.equal(ours, ajv.validate(root, value), JSON.stringify([root, value]));
      if (ours) fitted++;
    }),
    { numRuns: 1500 },
  );
  assert.ok(fitted > 100);
});

test('a misfit names the place and what is expected there, and never the value', () => {
  const schema = { type: 'object', properties: { a: { type: 'array', items: { type: 'string', maxLength: 3 } } } };
  assert.deepEqual(checkValue(schema, { a: ['x', 'my secret'] }), {
    path: ['a', '1'],
    message: 'at most 3 characters are expected',
  });
});

test('alternatives inside alternatives and trees without end are given up in bounded time, and then nothing fits', () => {
  const tree = {
    $ref: '#/$defs/t',
    $defs: {
      t: { anyOf: [{ items: { $ref: '#/$defs/t' } }, { items: { $ref: '#/$defs/t' } }], type: 'array', minItems: 1 },
    },
  };
  let deep: unknown = [];
  for (let i = 0; i < 30; i++) deep = [deep, deep];
  assert.match(checkValue(tree, deep)?.message ?? '', /takes too long/);
  const ring = { $ref: '#/$defs/r', $defs: { r: { $ref: '#/$defs/r' } } };
  assert.match(checkValue(ring, 1)?.message ?? '', /takes too long/);
});

test('a number that JavaScript would send as another is refused', () => {
  assert.match(checkValue({ type: 'integer' }, 2 ** 53)?.message ?? '', /too large to be sent exactly/);
});
