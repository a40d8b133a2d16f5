import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { misplaced, placesOf, suggestedProjection } from './argument-places.ts';
import { argumentCheck, readStricter } from './stricter-schema.ts';

const object = (more: object): object => ({ type: 'object', ...more });
const chain = (n: number): object =>
  object({
    properties: { a: { $ref: '#/$defs/d0' } },
    $defs: Object.fromEntries(Array.from({ length: n }, (_, i) => [`d${i}`, i + 1 < n ? { allOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] } : { type: 'string' }])),
  }); // prettier-ignore
const deep = (n: number): object => (n === 0 ? {} : object({ properties: { a: deep(n - 1) } }));

for (const [what, schema, why] of [
  ['a list', [], /not a JSON object/],
  ['no type', {}, /"type" is not "object"/],
  ['another type', { type: ['object', 'string'] }, /"type" is not "object"/],
  ['an unknown word', object({ propertys: {} }), /propertys/],
  ['a word of the wrong kind', object({ properties: { a: { maxLength: '5' } } }), /maxLength/],
  ['an older dialect', object({ $schema: 'http://json-schema.org/draft-07/schema#' }), /"\$schema"/],
  ['a reference to the network', object({ properties: { a: { $ref: 'http://127.0.0.1:1/x' } } }), /nothing is fetched/],
  ['a reference to a file', object({ $ref: 'file:///etc/passwd' }), /nothing is fetched/],
  ['a reference to nowhere', object({ $ref: '#/$defs/none' }), /does not lead/],
  ['a reference to itself', object({ properties: { a: { $ref: '#' } } }), /leads back to itself/],
  [
    'a ring',
    object({ $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } }),
    /leads back to itself/,
  ],
  ['references that multiply', chain(30), /comes to more than/],
  ['an address of its own', object({ properties: { a: { $id: 'x' } } }), /\$id/],
  ['a reference that moves', object({ properties: { a: { $dynamicRef: '#x' } } }), /\$dynamicRef/],
  ['a pattern that looks around', object({ properties: { a: { type: 'string', pattern: '(?=a)b' } } }), /linear time/],
  ['a pattern that looks back', object({ patternProperties: { '(a)\\1': {} } }), /linear time/],
  ['a pattern of the other engine', object({ properties: { a: { type: 'string', pattern: '\\Qa.b' } } }), /ECMAScript/],
  [
    'a format that nobody checks',
    object({ properties: { a: { type: 'string', format: 'regex' } } }),
    /format is none of/,
  ],
  ['comparisons without end', object({ properties: { a: { type: 'array', uniqueItems: true } } }), /uniqueItems needs/],
  ['forty levels', deep(40), /nested deeper/],
  ['a megabyte', object({ description: 'x'.repeat(1e6) }), /larger than/],
  ['the character U+0000', object({ title: 'a\u0000' }), /U\+0000/],
] as const)
  test(`a schema with ${what} is no reviewer’s: it is refused with the reason`, () => {
    const r = readStricter(schema);
    assert.match('refused' in r ? r.refused : 'taken', why);
  });

const check = (schema: object, args: unknown) => {
  const r = readStricter(schema);
  assert.ok('text' in r, JSON.stringify(r));
  return argumentCheck(r.text)(args);
};

test('two patterns in one schema each judge their own argument', () => {
  const schema = object({
    properties: { a: { type: 'string', pattern: '^x$' }, b: { type: 'string', pattern: '^y$' } },
  });
  assert.equal(check(schema, { a: 'x', b: 'y' }), undefined);
  assert.equal(check(schema, { a: 'y' })?.at, '/a');
  assert.equal(check(schema, { b: 'x' })?.at, '/b');
});

test('a text longer than the linear engine looks at does not fit a pattern', () => {
  const schema = object({ properties: { a: { type: 'string', pattern: 'x' } } });
  assert.equal(check(schema, { a: 'x'.repeat(8192) }), undefined);
  assert.equal(check(schema, { a: 'x'.repeat(8193) })?.at, '/a');
});

test('what is inherited and what is called __proto__ is no argument that a schema requires or allows', () => {
  assert.match(check(object({ required: ['toString'] }), {})?.expected ?? '', /required property/);
  const args: unknown = JSON.parse('{"__proto__":{"a":1}}');
  assert.match(check(object({ additionalProperties: false }), args)?.expected ?? '', /no such argument/);
});

test('words of a refusal have the schema’s expectation and never the value', () => {
  const secret = 'the-secret-of-the-agent';
  for (const [schema, args, expected] of [
    [{ type: 'string', enum: ['x', 'y'] }, secret, 'one of ["x","y"]'],
    [{ const: 5 }, secret, 'one of [5]'],
    [{ type: 'integer' }, secret, 'it to be integer'],
    [{ type: 'string', format: 'email' }, secret, 'it to match format "email"'],
    [{ type: 'array', maxItems: 1 }, [1, secret], 'it to NOT have more than 1 items'],
  ] as const) {
    const m = check(object({ properties: { a: schema } }), { a: args });
    assert.deepEqual(m, { at: '/a', expected });
  }
});

test('whatever somebody gives as schema or arguments, it is taken or refused and nothing breaks', () => {
  const json = fc.jsonValue({ depthSize: 'small' });
  fc.assert(
    fc.property(json, json, json, (a, b, args) => {
      for (const schema of [
        a,
        object({ properties: a }),
        object({ properties: { x: a }, $defs: b }),
        object({ allOf: [a, b] }),
      ]) {
        const r = readStricter(schema);
        if ('text' in r) argumentCheck(r.text)(args);
      }
    }),
    { numRuns: 200 },
  );
});

const mail = object({
  properties: {
    to: { type: 'array', items: { anyOf: [{ type: 'string' }, { $ref: '#/$defs/person' }] } },
    amount: { type: ['number', 'null'] },
    meta: { type: 'object' },
    tags: { type: 'object', additionalProperties: { type: 'string' } },
    body: { type: 'string', maxLength: 100_000 },
    kind: { enum: ['a', 'b'] },
    'a/b': { type: 'string' },
    cc: { type: 'array', items: { type: 'string', maxLength: 200 } },
  },
  $defs: { person: { type: 'object', properties: { email: { type: 'string' }, boss: { $ref: '#/$defs/person' } } } },
});
for (const at of [
  '/to/*',
  '/to/*/email',
  '/to/*/boss/boss/email',
  '/to/0',
  '/meta/anything/deep',
  '/tags/*',
  '/tags/x',
  '/body',
  '/kind',
  '/a~1b',
  '/*',
])
  test(`the place ${at} can be in the arguments`, () => assert.deepEqual(misplaced([{ kind: 'text', at }], mail), []));
for (const [at, kind, why] of [
  ['/too', 'recipient', /has no \/too/],
  ['/to', 'recipient', /is array; point at what is in it, e\.g\. \/to\/\*/],
  ['/to/*/mail', 'recipient', /has no/],
  ['/body/x', 'text', /has no/],
  ['/body', 'amount', /is string, and amount is a number/],
  ['/amount', 'recipient', /is number or integer or null|is number or null/],
  ['/a/b', 'text', /has no/],
  ['/meta', 'text', /is object/],
] as const)
  test(`the place ${at} as ${kind} cannot be, and the refusal says why`, () => {
    assert.match(misplaced([{ kind, at }], mail)[0]?.why ?? 'taken', why);
  });

test('places of a form are listed once each, with what their names sound like and whether they take long texts', () => {
  const places = placesOf(mail);
  const of = (at: string) => places.find((p) => p.at === at);
  assert.deepEqual(
    [of('/to/*')?.suggests, of('/to/*/email')?.suggests, of('/amount')?.suggests],
    ['recipient', 'recipient', 'amount'],
  );
  assert.deepEqual([of('/body')?.freeText, of('/kind')?.freeText, of('/cc/*')?.freeText], [true, false, false]);
  assert.equal(new Set(places.map((p) => p.at)).size, places.length);
  assert.deepEqual(misplaced(suggestedProjection(places), mail), [], 'what is suggested is taken');
});

test('whatever a schema is, its places end, and what is suggested of them is taken', () => {
  fc.assert(
    fc.property(fc.jsonValue({ depthSize: 'medium' }), (a) => {
      for (const schema of [
        a,
        object({ properties: a }),
        object({ properties: { to: a, list: { items: a, $ref: '#' } } }),
      ])
        assert.deepEqual(misplaced(suggestedProjection(placesOf(schema)), schema), []);
    }),
    { numRuns: 300 },
  );
});
