import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Problem } from '#kernel/problem.ts';
import { proposeOperations } from './propose-operations.ts';
import { titleOf } from './preview-openapi.ts';
import { MAX_DOCUMENT_BYTES, readDocument } from './read-document.ts';
import { securityOf } from './security.ts';
import { serversOf } from './server-choice.ts';

const minimal = { openapi: '3.0.3', info: { title: 'T', version: '1' }, paths: {} };
const json = (over: object): string => JSON.stringify({ ...minimal, ...over });

test('JSON, YAML and a value that was JSON are one document', () => {
  const yaml = 'openapi: 3.0.3\ninfo:\n  title: T\n  version: "1"\npaths: {}\n';
  for (const given of [json({}), yaml, `\ufeff${json({})}`, minimal])
    assert.deepEqual(readDocument(given), { version: '3.0', root: minimal });
  assert.equal(readDocument(json({ openapi: '3.1.1' })).version, '3.1');
});

const bomb = [
  'a: &a [x,x,x,x,x,x,x,x,x,x]',
  ...'bcdefghi'.split('').map((c, i) => `${c}: &${c} [${Array(10).fill(`*${'abcdefgh'[i]}`).join(',')}]`),
];
const refused: [string, string, RegExp][] = [
  ['Swagger 2.0', '{"swagger":"2.0"}', /^#\/swagger: this is a Swagger 2\.0 document/],
  ['OpenAPI 4', json({ openapi: '4.0.0' }), /^#\/openapi: OpenAPI 4\.0\.0 is not read/],
  ['OpenAPI 3.2', json({ openapi: '3.2.0' }), /^#\/openapi: OpenAPI 3\.2\.0 is not read/],
  ['no version', '{"paths":{}}', /^#\/openapi: the document does not say/],
  ['a list', '[1]', /not an object/],
  ['a text', 'hello', /not an object/],
  ['nothing', '', /not an object/],
  ['half of a JSON document', '{"openapi": "3.0.0", ', /not YAML that means one thing|cannot be read/],
  ['a key twice in JSON', '{"openapi":"3.0.0","openapi":"3.1.0"}', /is twice in one object/],
  ['a key twice in YAML', 'openapi: 3.0.0\nopenapi: 3.1.0\n', /not YAML that means one thing/],
  ['aliases that multiply', `openapi: 3.0.0\n${bomb.join('\n')}\n`, /cannot be read as YAML|aliases/],
  ['hundreds of aliases', `openapi: 3.0.0\nx: &x 1\ny: [${Array(300).fill('*x').join(',')}]\n`, /aliases/],
  ['an alias of itself', 'openapi: 3.0.0\nx: &x [*x]\n', /cannot be read|nested deeper/],
  ['a tag that makes something else', 'openapi: 3.0.0\nx: !!js/function "f"\n', /not YAML that means one thing/],
  ['two documents in one', 'openapi: 3.0.0\n---\nopenapi: 3.1.0\n', /not YAML that means one thing/],
  ['nesting without end in JSON', `{"openapi":"3.0.0","x":${'['.repeat(5000)}${']'.repeat(5000)}}`, /nested deeper/],
  ['nesting without end in YAML', `openapi: 3.0.0\nx: ${'['.repeat(50_000)}`, /nested deeper/],
  ['lists in one line without end', `openapi: 3.0.0\nx:\n  ${'- '.repeat(50_000)}y`, /nested deeper/],
  [
    'nesting by indentation',
    `openapi: 3.0.0\n${Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}k:`).join('\n')} 1\n`,
    /nested deeper|cannot be read/,
  ],
  ['more than 4 MiB', `{"x":"${'x'.repeat(MAX_DOCUMENT_BYTES)}"}`, /larger than 4194304 bytes/],
  ['a number that JSON does not have', 'openapi: 3.0.0\nx: .inf\n', /^#\/x: it has a number/],
  ['paths that are a list', json({ paths: [] }), /^#\/paths: paths are an object/],
  [
    'an operation that is a text',
    json({ paths: { '/a': { get: 'x' } } }),
    /^#\/paths\/~1a\/get: an operation is an object/,
  ],
];
for (const [what, text, says] of refused)
  test(`a document is refused that is or has ${what}`, () => {
    assert.throws(
      () => proposeOperations(readDocument(text)),
      (e: unknown) =>
        e instanceof Problem && e.code === 'connectors/openapi-document' && says.test(e.says) && e.fix !== undefined,
    );
  });

test('keys that mean something to JavaScript are keys like others, and change no other object', () => {
  const text =
    '{"openapi":"3.0.0","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"paths":{"/a":{"get":{"parameters":[{"name":"__proto__","in":"query","schema":{"type":"object","properties":{"__proto__":{"type":"string"}}}}]},"__proto__":{"post":{}}}}}';
  for (const given of [text, `# YAML\n${text}`]) {
    const [only, ...more] = proposeOperations(readDocument(given));
    assert.deepEqual(more, []);
    assert.deepEqual(Object.keys(only!.operation!.inputSchema['properties'] as object), ['arg___proto__']);
    assert.equal(Reflect.get({}, 'polluted'), undefined);
  }
});

test('an object where a word belongs is a refusal, also one that has a toString of its own', () => {
  const odd = { toString: 1, valueOf: 1 };
  assert.throws(() => readDocument({ openapi: odd }), { code: 'connectors/openapi-document' });
  const doc = readDocument({
    ...minimal,
    info: odd,
    servers: [{ url: 'https://{a}.example', description: odd, variables: { a: { default: odd, enum: [odd] } } }, odd],
    components: {
      securitySchemes: {
        a: odd,
        b: { type: odd },
        c: { type: 'apiKey', in: odd, name: odd },
        d: { type: 'http', scheme: odd },
      },
    },
    paths: {
      '/a': {
        post: {
          operationId: odd,
          summary: odd,
          tags: odd,
          security: [odd],
          parameters: [{ name: 'a', in: 'query', style: odd }],
        },
      },
    },
  });
  assert.equal(securityOf(doc.root).length, 4);
  assert.equal(serversOf(doc).length, 1);
  assert.equal(titleOf(doc).title, 'REST service');
  assert.equal(proposeOperations(doc).length, 1);
});

test('whatever text is given, it is a document or a refusal in words, and never anything else', () => {
  const doc = json({
    paths: { '/a/{b}': { get: { parameters: [{ name: 'b', in: 'path', schema: { $ref: '#/x' } }] } } },
  });
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.tuple(fc.nat(doc.length), fc.nat(20), fc.string({ maxLength: 5 }))),
      (given) => {
        const text =
          typeof given === 'string' ? given : doc.slice(0, given[0]) + given[2] + doc.slice(given[0] + given[1]);
        try {
          proposeOperations(readDocument(text));
        } catch (e) {
          assert.ok(e instanceof Problem && e.code === 'connectors/openapi-document', String(e));
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('whatever JSON stands in the place of an operation or a schema, each operation is proposed or refused at a place', () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 4 }),
      fc.constantFrom('item', 'operation', 'schema', 'body', 'parameters'),
      (v, where) => {
        const operation = {
          parameters: where === 'parameters' ? v : [{ name: 'q', in: 'query', schema: where === 'schema' ? v : {} }],
          requestBody:
            where === 'body' ? v : { content: { 'application/json': { schema: where === 'schema' ? v : {} } } },
        };
        const item = where === 'item' ? v : { post: where === 'operation' ? v : operation };
        try {
          for (const p of proposeOperations(readDocument({ ...minimal, paths: { '/a': item } })))
            assert.ok(p.operation !== undefined || p.refused.at.startsWith('#/'));
        } catch (e) {
          assert.ok(e instanceof Problem && e.code === 'connectors/openapi-document', String(e));
        }
      },
    ),
    { numRuns: 500 },
  );
});
