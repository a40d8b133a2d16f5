import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { checkValue } from './check-value.ts';
import type { Proposed } from './operation.ts';
import { proposeOperations } from './propose-operations.ts';
import { readDocument } from './read-document.ts';
import { securityOf } from './security.ts';
import { baseOf, serversOf } from './server-choice.ts';

const of = (over: object, openapi = '3.0.3'): Proposed[] =>
  proposeOperations(readDocument({ openapi, info: { title: 'T', version: '1' }, paths: {}, ...over }));
const one = (
  operation: object,
  o: { method?: string; path?: string; more?: object; openapi?: string } = {},
): Proposed => {
  const [only] = of({ ...o.more, paths: { [o.path ?? '/a']: { [o.method ?? 'post']: operation } } }, o.openapi);
  return only!;
};
const fits = (p: Proposed, args: unknown): boolean => checkValue(p.operation!.inputSchema, args) === undefined;
const body = (schema: unknown, type = 'application/json'): object => ({
  requestBody: { required: true, content: { [type]: { schema } } },
});

test('the proposed class follows from the method', () => {
  const all = of({
    paths: { '/a': Object.fromEntries(['get', 'head', 'post', 'put', 'patch', 'delete'].map((m) => [m, {}])) },
  });
  assert.deepEqual(all.map((p) => `${p.method} ${p.class}`).toSorted(), [
    'DELETE destructive',
    'GET read',
    'HEAD read',
    'PATCH write',
    'POST write',
    'PUT write',
  ]);
});

test('names are legal and unique, made of operationId or of method and path, and the same every time', () => {
  const paths = {
    '/pets/{id}': { get: { parameters: [{ name: 'id', in: 'path', schema: {} }] } },
    '/a': {
      get: { operationId: 'List all things!' },
      post: { operationId: 'list.all/things' },
      put: { operationId: '__' },
    },
    '/b': { get: { operationId: 'x'.repeat(200) }, put: { operationId: 'x'.repeat(200) } },
    '/c': { get: { operationId: 'LIST_all_things' }, post: { operationId: '漢字' } },
  };
  const names = of({ paths }).map((p) => p.name);
  assert.deepEqual(names.slice(0, 3), ['get_pets_id', 'List_all_things', 'put_a']);
  assert.equal(new Set(names.map((n) => n.toLowerCase())).size, names.length);
  assert.ok(
    names.every((n) => /^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$/.test(n)),
    names.join(),
  );
  assert.deepEqual(
    of({ paths }).map((p) => p.name),
    names,
  );
});

const refused: [string, Proposed, RegExp, string][] = [
  ['a multipart body', one(body({}, 'multipart/form-data')), /multipart/, '#/paths/~1a/post/requestBody'],
  ['a body of bytes', one(body({}, 'application/octet-stream')), /octet-stream only/, '#/paths/~1a/post/requestBody'],
  ['a GET with a body', one(body({}), { method: 'get' }), /GET with a body/, '#/paths/~1a/get/requestBody'],
  [
    'a cookie that is required',
    one({ parameters: [{ name: 's', in: 'cookie', required: true }] }),
    /cookies are not sent/,
    '#/paths/~1a/post/parameters/0',
  ],
  [
    'a Host header that is required',
    one({ parameters: [{ name: 'Host', in: 'header', required: true }] }),
    /no argument may set/,
    '#/paths/~1a/post/parameters/0',
  ],
  [
    'a reference to another document',
    one(body({ $ref: 'other.yaml#/Pet' })),
    /leads out of the document/,
    '#/paths/~1a/post/requestBody/content/application~1json/schema/$ref',
  ],
  [
    'a reference to another server',
    one(body({ $ref: 'http://169.254.169.254/x' })),
    /leads out of the document/,
    '#/paths/~1a/post/requestBody/content/application~1json/schema/$ref',
  ],
  [
    'a reference to nothing',
    one(body({ $ref: '#/components/schemas/No' })),
    /leads nowhere/,
    '#/paths/~1a/post/requestBody/content/application~1json/schema/$ref',
  ],
  [
    'a schema that is only itself',
    one(body({ $ref: '#/components/schemas/A' }), {
      more: { components: { schemas: { A: { $ref: '#/components/schemas/A' } } } },
    }),
    /leads back to itself/,
    '#/paths/~1a/post',
  ],
  [
    'a parameter that leads in a ring',
    one(
      { parameters: [{ $ref: '#/components/parameters/A' }] },
      { more: { components: { parameters: { A: { $ref: '#/components/parameters/A' } } } } },
    ),
    /never to anything/,
    '#/paths/~1a/post/parameters/0',
  ],
  [
    'a path whose name is not a parameter',
    one({}, { path: '/a/{b}' }),
    /has \{b\}, and no parameter/,
    '#/paths/~1a~1{b}/post',
  ],
  ['a path with a query', one({}, { path: '/a?b=c' }), /none that can be sent/, '#/paths/~1a?b=c/post'],
  ['a path that walks', one({}, { path: '/a/../b' }), /none that can be sent/, '#/paths/~1a~1..~1b/post'],
  [
    'a path that is another host',
    one({}, { path: '//evil.example/a' }),
    /none that can be sent/,
    '#/paths/~1~1evil.example~1a/post',
  ],
  [
    'a path that walks where it is encoded',
    one({}, { path: '/a/%2e%2e/b' }),
    /none that can be sent/,
    '#/paths/~1a~1%2e%2e~1b/post',
  ],
  [
    'a path style that is not written',
    one({ parameters: [{ name: 'b', in: 'path', style: 'matrix', schema: {} }] }, { path: '/a/{b}' }),
    /style matrix/,
    '#/paths/~1a~1{b}/post/parameters/0',
  ],
  [
    'a type that does not exist',
    one(body({ type: 'file' })),
    /no type of JSON Schema/,
    '#/paths/~1a/post/requestBody/content/application~1json/schema/type',
  ],
  ['TRACE', one({}, { method: 'trace' }), /TRACE asks about the service/, '#/paths/~1a/trace'],
];
for (const [what, p, why, at] of refused)
  test(`an operation with ${what} is not imported, and its place is named`, () => {
    assert.equal(p.operation, undefined);
    assert.match(p.refused.why, why);
    assert.equal(p.refused.at, at);
  });

test('what is optional and cannot be sent is left out, with a note', () => {
  const p = one({
    callbacks: { done: {} },
    deprecated: true,
    servers: [{ url: 'https://other.example' }],
    parameters: [
      'Cookie',
      'Content-Length',
      'Transfer-Encoding',
      'X-HTTP-Method-Override',
      'X-Forwarded-For',
      'Authorization',
      'Accept',
      'X-Fine',
    ]
      .map((name) => ({ name, in: 'header', schema: { type: 'string' } }))
      .concat([
        { name: 's', in: 'cookie', schema: { type: 'string' } },
        { name: '_method', in: 'query', schema: { type: 'string' } },
      ]),
  });
  assert.deepEqual(Object.keys(p.operation!.inputSchema['properties'] as object), ['X-Fine']);
  assert.equal(p.notes.length, 12, p.notes.join('\n'));
});

test('where a credential goes, no argument goes', () => {
  const p = one(
    {
      parameters: [
        { name: 'api_key', in: 'query', required: true, schema: {} },
        { name: 'q', in: 'query', schema: {} },
      ],
    },
    { more: { components: { securitySchemes: { k: { type: 'apiKey', in: 'query', name: 'API_KEY' } } } } },
  );
  assert.deepEqual(Object.keys(p.operation!.inputSchema['properties'] as object), ['q']);
});

test('names that clash are told apart: in path and query, beside the body, and of the path item and the operation', () => {
  const [p] = of({
    paths: {
      '/a/{id}': {
        parameters: [
          { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
          { name: 'q', in: 'query', schema: { type: 'string' } },
        ],
        post: {
          parameters: [
            { name: 'id', in: 'query', schema: {} },
            { name: 'body', in: 'query', schema: {} },
            { name: 'q', in: 'query', required: true, schema: { type: 'integer' } },
          ],
          ...body({ type: 'object' }),
        },
      },
    },
  });
  assert.deepEqual(Object.keys(p!.operation!.inputSchema['properties'] as object), [
    'id',
    'q',
    'id_query',
    'body',
    'body_sent',
  ]);
  assert.deepEqual(p!.operation!.inputSchema['required'], ['id', 'q', 'body_sent']);
  assert.ok(fits(p!, { id: 'x', q: 1, body_sent: {} }));
  assert.ok(!fits(p!, { id: 'x', q: 'one', body_sent: {} }));
});

test('a YAML document of 3.0 with allOf, oneOf, nullable and exclusive limits takes and refuses what it says', () => {
  const yaml = `
openapi: 3.0.1
info: { title: Shapes, version: "2" }
components:
  schemas:
    Base: &base
      type: object
      required: [kind]
      properties:
        kind: { type: string }
        note: { type: string, nullable: true, maxLength: 5 }
    Circle:
      allOf:
        - $ref: '#/components/schemas/Base'
        - { type: object, required: [r], properties: { r: { type: number, minimum: 0, exclusiveMinimum: true } } }
    Square:
      allOf:
        - $ref: '#/components/schemas/Base'
        - { type: object, required: [side], properties: { side: { type: number } } }
    Copy: *base
paths:
  /shapes:
    post:
      requestBody:
        required: true
        content:
          application/json:
            schema:
              oneOf:
                - $ref: '#/components/schemas/Circle'
                - $ref: '#/components/schemas/Square'
              discriminator: { propertyName: kind }
      responses: { 200: { description: ok } }
`;
  const [p] = proposeOperations(readDocument(yaml));
  assert.ok(fits(p!, { body: { kind: 'circle', r: 1, note: null } }));
  assert.ok(!fits(p!, { body: { kind: 'circle', r: 0 } }));
  assert.ok(!fits(p!, { body: { r: 1 } }));
  assert.ok(!fits(p!, { body: { kind: 'x', r: 1, side: 2 } }), 'both is not one of');
  assert.ok(!fits(p!, {}), 'the body is required');
  assert.deepEqual(
    proposeOperations(readDocument(stringify(parse(yaml)))).map((x) => x.operation),
    [p!.operation],
  );
});

test('a document of 3.1 with lists of types, const, and words beside a reference takes and refuses what it says', () => {
  const p = one(
    body({
      type: ['object', 'null'],
      properties: { a: { $ref: '#/components/schemas/N', maximum: 3 }, b: { const: 7 } },
      patternProperties: { '^x-': { type: 'boolean' } },
      additionalProperties: false,
    }),
    {
      openapi: '3.1.0',
      more: { components: { schemas: { N: { type: ['integer', 'string'], exclusiveMinimum: 0 } } } },
    },
  );
  for (const [value, ok] of [
    [null, true],
    [{ a: 3, b: 7, 'x-y': true }, true],
    [{ a: 'text' }, true],
    [{ a: 4 }, false],
    [{ a: 0 }, false],
    [{ a: 1.5 }, false],
    [{ b: 8 }, false],
    [{ c: 1 }, false],
    ['x', false],
  ] as const)
    assert.equal(fits(p, { body: value }), ok, JSON.stringify(value));
});

test('a tree is a tree in the schema of the arguments, and properties that the service writes are none', () => {
  const p = one(body({ $ref: '#/components/schemas/Node' }), {
    more: {
      components: {
        schemas: {
          Id: { type: 'string', readOnly: true },
          Node: {
            type: 'object',
            required: ['id', 'name'],
            properties: {
              id: { $ref: '#/components/schemas/Id' },
              name: { type: 'string' },
              children: { type: 'array', items: { $ref: '#/components/schemas/Node' } },
            },
            additionalProperties: false,
          },
        },
      },
    },
  });
  assert.ok(fits(p, { body: { name: 'a', children: [{ name: 'b', children: [] }] } }));
  assert.ok(!fits(p, { body: { name: 'a', children: [{ children: [] }] } }));
  assert.ok(!fits(p, { body: { name: 'a', id: '1' } }));
});

test('500 operations over shared schemas are proposed, each with what it needs and no more', () => {
  const schemas = Object.fromEntries(
    Array.from({ length: 300 }, (_, i) => [
      `S${i}`,
      {
        type: 'object',
        properties: {
          next: { $ref: `#/components/schemas/S${i < 20 ? (i + 1) % 20 : i}` },
          text: { type: 'string', description: 'd'.repeat(50) },
        },
      },
    ]),
  );
  const paths = Object.fromEntries(
    Array.from({ length: 250 }, (_, i) => [
      `/r${i}/{id}`,
      {
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
        get: {},
        put: body({ $ref: `#/components/schemas/S${i}` }),
      },
    ]),
  );
  const all = of({ components: { schemas }, paths });
  assert.equal(all.length, 500);
  assert.ok(all.every((p) => p.operation !== undefined));
  assert.equal(Object.keys(all[1]!.operation.inputSchema['$defs'] as object).length, 20);
  assert.equal(Object.keys(all.at(-1)!.operation.inputSchema['$defs'] as object).length, 1);
});

test('a form that nobody could review is refused; one that is too large only by its descriptions loses them', () => {
  const wide = (n: number, words: string): object => ({
    type: 'object',
    properties: Object.fromEntries(
      Array.from({ length: n }, (_, i) => [`property_number_${i}`, { type: 'string', description: words }]),
    ),
  });
  const shorter = one(body(wide(500, 'w'.repeat(300))));
  assert.match(shorter.notes.join(), /no descriptions/);
  assert.ok(shorter.operation);
  assert.match(one(body(wide(3000, ''))).refused!.why, /which nobody could review/);
});

test('a server is one of the document with its variables, one beside where it was fetched, or one of the administrator’s own', () => {
  const doc = readDocument({
    openapi: '3.0.0',
    servers: [
      {
        url: 'https://{region}.api.example/{base}',
        variables: { region: { default: 'eu', enum: ['eu', 'us'] }, base: { default: 'v1' } },
      },
      { url: '/v2/' },
    ],
  });
  const servers = serversOf(doc, new URL('https://docs.example/openapi.json?secret=1'));
  assert.deepEqual(
    servers.map((s) => s.url),
    ['https://{region}.api.example/{base}', 'https://docs.example/v2/'],
  );
  const url = 'https://{region}.api.example/{base}';
  assert.equal(baseOf(servers, { url }), 'https://eu.api.example/v1');
  assert.equal(baseOf(servers, { url, variables: { region: 'us', base: 'v3/x' } }), 'https://us.api.example/v3/x');
  assert.equal(baseOf(servers, { url: 'https://docs.example/v2/' }), 'https://docs.example/v2');
  assert.equal(baseOf(servers, { url: 'https://own.example/api/' }), 'https://own.example/api');
  for (const [chosen, says] of [
    [{ url, variables: { region: 'evil.example#' } }, /cannot be "evil\.example#"/],
    [{ url, variables: { base: 'a?b' } }, /character that no address has/],
    [{ url: 'https://{x}.example' }, /nothing says what it stands for/],
    [{ url: '/v2' }, /not a complete address/],
    [{ url: 'ftp://a.example' }, /not a complete address/],
    [{ url: 'https://me:pw@a.example' }, /a user, a query or a fragment/],
    [{ url: 'https://a.example/?x=1' }, /a user, a query or a fragment/],
  ] as const)
    assert.throws(() => baseOf(servers, chosen), { code: 'connectors/openapi-server', message: says });
});

test('each security scheme is proposed as what to choose for it, or refused with why', () => {
  const flows = {
    authorizationCode: {
      authorizationUrl: 'https://a.example/auth',
      tokenUrl: 'https://a.example/token',
      scopes: { 'pets:read': '', 'pets:write': '' },
    },
  };
  const schemes = securityOf({
    components: {
      securitySchemes: {
        header: { type: 'apiKey', in: 'header', name: 'X-Key' },
        cookie: { type: 'apiKey', in: 'cookie', name: 's' },
        bearer: { type: 'http', scheme: 'Bearer' },
        digest: { type: 'http', scheme: 'digest' },
        code: { type: 'oauth2', flows },
        implicit: { type: 'oauth2', flows: { implicit: {} } },
        tls: { type: 'mutualTLS' },
      },
    },
  });
  assert.deepEqual(
    schemes.map((s) => [s.scheme, s.auth?.kind ?? null]),
    [
      ['header', 'api_key'],
      ['cookie', null],
      ['bearer', 'bearer'],
      ['digest', null],
      ['code', 'oauth2'],
      ['implicit', null],
      ['tls', null],
    ],
  );
  assert.ok(schemes.every((s) => (s.auth === null) === (s.why !== null)));
  const code = schemes.find((s) => s.scheme === 'code')!;
  assert.deepEqual([code.authorizeUrl, code.tokenUrl], ['https://a.example/auth', 'https://a.example/token']);
  assert.deepEqual(code.auth?.kind === 'oauth2' && code.auth.scopes, {
    read_only: ['pets:read'],
    read_write: ['pets:read', 'pets:write'],
  });
});
