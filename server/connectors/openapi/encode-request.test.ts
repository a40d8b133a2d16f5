import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Problem } from '#kernel/problem.ts';
import { under } from '../kit/vendor-path.ts';
import { encodeRequest } from './encode-request.ts';
import type { Parameter, Plan } from './operation.ts';

const p = (
  name: string,
  where: Parameter['in'],
  style: Parameter['style'],
  explode = false,
  reserved = false,
): Parameter => ({
  arg: name,
  name,
  in: where,
  style,
  explode,
  ...(reserved ? { reserved: true as const } : {}),
});
const plan = (parameters: Parameter[], more: Partial<Plan> = {}): Plan => ({
  method: 'GET',
  path: '/a',
  parameters,
  ...more,
});
const search = (parameter: Parameter, value: unknown): string | undefined =>
  encodeRequest(plan([parameter]), { [parameter.arg]: value }).search;

const written: [string, Parameter, unknown, string | undefined][] = [
  ['a list in a form', p('x', 'query', 'form', true), ['a', 'b&c'], 'x=a&x=b%26c'],
  ['a list with commas', p('x', 'query', 'form'), ['a', 'b,c'], 'x=a,b%2Cc'],
  ['a list with blanks', p('x', 'query', 'space'), ['a', 'b'], 'x=a%20b'],
  ['a list with bars', p('x', 'query', 'pipe'), ['a', 'b'], 'x=a%7Cb'],
  ['an object taken apart', p('x', 'query', 'form', true), { r: 1, g: true }, 'r=1&g=true'],
  ['an object in a row', p('x', 'query', 'form'), { r: 1, g: 2 }, 'x=r,1,g,2'],
  [
    'a deep object',
    p('x', 'query', 'deepObject', true),
    { 'r]': 'a=b', l: [1, 2] },
    'x%5Br%5D%5D=a%3Db&x%5Bl%5D=1&x%5Bl%5D=2',
  ],
  ['JSON', p('x', 'query', 'json'), { a: ['&'] }, 'x=%7B%22a%22%3A%5B%22%26%22%5D%7D'],
  ['reserved characters', p('x', 'query', 'form', false, true), 'a/b?c&d=e#f+g', 'x=a/b?c%26d%3De%23f%2Bg'],
  ['an empty list', p('x', 'query', 'form', true), [], undefined],
  ['null', p('x', 'query', 'form'), null, undefined],
  ['an empty text', p('x', 'query', 'form'), '', 'x='],
  ['false and zero', p('x', 'query', 'form'), [false, 0], 'x=false,0'],
];
for (const [what, parameter, value, to] of written)
  test(`${what} is written into a query as OpenAPI says`, () => assert.equal(search(parameter, value), to));

test('a path takes texts, lists and objects, and a piece of a segment', () => {
  const path = (value: unknown, of = '/a/{x}'): string =>
    encodeRequest(plan([p('x', 'path', 'simple')], { path: of }), { x: value }).path;
  assert.equal(path('b c/d'), '/a/b%20c%2Fd');
  assert.equal(path(['b,', 2]), '/a/b%2C,2');
  assert.equal(path({ k: 'v' }), '/a/k,v');
  assert.equal(path('é', '/a/{x}.json'), '/a/%C3%A9.json');
});

test('what is nested deeper than a place takes is refused by the name of the argument', () => {
  for (const [parameter, value] of [
    [p('x', 'query', 'form', true), [['a']]],
    [p('x', 'query', 'deepObject'), { a: { b: 1 } }],
    [p('x', 'header', 'simple'), 'a\r\nb: c'],
    [p('x', 'header', 'simple'), 'é'],
    [p('x', 'header', 'simple'), ' a'],
    [p('x', 'query', 'form'), 'x'.repeat(20_000)],
  ] as const)
    assert.throws(
      () => encodeRequest(plan([parameter]), { x: value }),
      (e: unknown) => e instanceof Problem && e.code === 'connectors/openapi-argument',
    );
});

const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.stringMatching(/^[./\\%?#@:&=;\r\n\t \0a2eEfF]{0,12}$/),
  fc.constantFrom(
    '..',
    '.',
    '%2e%2e',
    '..%2f',
    '//evil.example',
    '@evil.example',
    '\\\\evil',
    '?a=b',
    '#x',
    'a\r\nHost: evil',
    '',
    'a/../../b',
  ),
);
const value = fc.oneof(
  nasty,
  fc.array(nasty, { maxLength: 3 }),
  fc.dictionary(nasty, nasty, { maxKeys: 3 }),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
);

test('no argument changes host, method, the segments of the path, the name of a header or how many parameters there are', () => {
  const query = (name: string): Parameter[] => [
    p(`${name}1`, 'query', 'form'),
    p(`${name}2`, 'query', 'form', false, true),
    p(`${name}3`, 'query', 'pipe'),
    p(`${name}4`, 'query', 'json'),
  ];
  const parameters = [
    p('one', 'path', 'simple'),
    p('two', 'path', 'simple', true),
    p('X-H', 'header', 'simple'),
    ...query('q'),
  ];
  const of = plan(parameters, {
    method: 'POST',
    path: '/base/{one}/mid/x{two}.json',
    body: { arg: 'body', type: 'form', media: 'application/x-www-form-urlencoded' },
  });
  fc.assert(
    fc.property(
      fc.record({ one: value, two: value, 'X-H': value, q1: value, q2: value, q3: value, q4: value, body: value }),
      (args) => {
        let r: ReturnType<typeof encodeRequest>;
        try {
          r = encodeRequest(of, args);
        } catch (e) {
          assert.ok(
            e instanceof Problem && (e.code === 'connectors/openapi-argument' || e.code === 'connectors/path-segment'),
            String(e),
          );
          return;
        }
        const url = under('https://api.example/v1', r.path);
        if (r.search !== undefined) url.search = r.search;
        assert.equal(url.host, 'api.example');
        assert.equal(r.method, 'POST');
        const [, v1, base, , mid, end, ...more] = url.pathname.split('/');
        assert.deepEqual([v1, base, mid, more], ['v1', 'base', 'mid', []]);
        assert.match(end!, /^x.*\.json$/);
        assert.equal(url.hash, '');
        const names = [...url.searchParams.keys()];
        assert.ok(names.every((n) => /^q[1-4]$/.test(n)) && new Set(names).size === names.length, url.search);
        assert.ok(Object.keys(r.headers ?? {}).every((n) => ['accept', 'content-type', 'x-h'].includes(n)));
        assert.ok(new Headers(r.headers));
        assert.ok(Object.values(r.headers ?? {}).every((v) => !/[\r\n\0]/.test(v)));
      },
    ),
    { numRuns: 2000 },
  );
});
