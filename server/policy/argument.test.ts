import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_COMBINATIONS, project, type ArgumentKind, type Projection } from './argument.ts';

const one = (kind: ArgumentKind, value: unknown) => project([{ kind, at: '/x' }], { x: value });
const facts = (projection: Projection, args: unknown) => {
  const p = project(projection, args);
  return p.kind === 'facts' ? p.combinations : p.says;
};

const read: readonly [kind: ArgumentKind, value: unknown, facts: Record<string, unknown>][] = [
  ['path', '/Reports//Q4/./a.xlsx', { path: '/Reports/Q4/a.xlsx', path_folded: '/reports/q4/a.xlsx' }],
  ['path', 'Reports/', { path: '/Reports', path_folded: '/reports' }],
  ['path', '', { path: '/', path_folded: '/' }],
  ['path', 'Cafe\u0301', { path: '/Caf\u00e9', path_folded: '/caf\u00e9' }],
  ['path', '100% done.txt', { path: '/100% done.txt', path_folded: '/100% done.txt' }],
  ['path', '/a/..b/c...', { path: '/a/..b/c...', path_folded: '/a/..b/c...' }],
  ['path', '/ﬁle', { path: '/ﬁle', path_folded: '/file' }],
  ['folder', 'Board', { folder: '/Board', folder_folded: '/board' }],
  ['repository', 'Acme/Site.git', { repository: 'acme/site' }],
  ['repository', 'acme/team/site', { repository: 'acme/team/site' }],
  ['channel', '#General', { channel: 'general' }],
  ['recipient', 'Bob@Acme.Example', { recipient: 'bob@acme.example', recipient_domain: 'acme.example' }],
  ['recipient', 'Bob B <bob@acme.example>', { recipient: 'bob@acme.example', recipient_domain: 'acme.example' }],
  ['recipient', '"B, Bob" <bob@acme.example>', { recipient: 'bob@acme.example', recipient_domain: 'acme.example' }],
  [
    'recipient',
    'x@BÜCHER.example.',
    { recipient: 'x@xn--bcher-kva.example', recipient_domain: 'xn--bcher-kva.example' },
  ],
  ['recipient', 'U02AB', { recipient: 'u02ab' }],
  ['amount', 999.01, { amount: 1000 }],
  ['amount', -0, { amount: 0 }],
  ['url', 'HTTPS://Bücher.Example:8443/a?b', { url_host: 'xn--bcher-kva.example' }],
  ['url', 'http://0x7f.1/', { url_host: '127.0.0.1' }],
  ['text', 'Any\ntext', { text: 'Any\ntext' }],
];
for (const [kind, value, expected] of read)
  test(`${kind} ${JSON.stringify(value)} is read as ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(one(kind, value), { kind: 'facts', combinations: [expected] });
  });

const refused: readonly [kind: ArgumentKind, value: unknown, says: RegExp][] = [
  ['path', '/Reports/../Secret', /"\.\."/],
  ['path', '..', /"\.\."/],
  ['path', '/a/.. /b', /"\.\."/],
  ['path', '/a/.../b', /"\.\."/],
  ['path', '/a/．．/b', /"\.\."/],
  ['path', '/a/%2e%2e/b', /percent/],
  ['path', '/a/%252e', /percent/],
  ['path', '/a/％2e', /percent/],
  ['path', 'a\\b', /backslash/],
  ['path', 'a＼b', /backslash/],
  ['path', 'a／b', /slash/],
  ['path', 'a\u0000b', /invisible/],
  ['path', 'a\u200bb', /invisible/],
  ['path', 'a\u202eb', /invisible/],
  ['path', 'a\nb', /control/],
  ['path', 'a'.repeat(5000), /longer/],
  ['path', 7, /not text/],
  ['path', null, /null/],
  ['path', ['/a'], /neither/],
  ['path', true, /neither/],
  ['folder', 'a/../b', /"\.\."/],
  ['repository', 'acme/../secret', /repository/],
  ['repository', 'acme/secret/', /repository/],
  ['repository', 'https://github.com/acme/site', /repository/],
  ['repository', 'acme/ſite', /repository/],
  ['channel', '#', /empty/],
  ['recipient', 'not an address', /recipient/],
  ['recipient', 'a@b@c.example', /recipient/],
  ['recipient', '"a@acme.example" <b@evil.example>', /recipient/],
  ['recipient', 'a@acme.example <b@evil.example>', /recipient/],
  ['recipient', '<a@acme.example> b@evil.example', /recipient/],
  ['recipient', 'a@acme.example(b@evil.example)', /recipient/],
  ['recipient', 'a@[127.0.0.1]', /recipient/],
  ['recipient', 'a@ex%61mple.com', /recipient/],
  ['recipient', 'a@', /recipient/],
  ['recipient', 'a@acme.example,', /recipient/],
  ['recipient', '', /recipient/],
  ['amount', -1, /negative/],
  ['amount', NaN, /exactly/],
  ['amount', Infinity, /exactly/],
  ['amount', 2 ** 53, /exactly/],
  ['amount', '100', /not a number/],
  ['url', 'acme.example/x', /begins with/],
  ['url', 'javascript:alert(1)', /begins with/],
  ['url', 'https:acme.example', /begins with/],
  ['url', 'https://acme.example@evil.example/', /user name/],
  ['url', 'https://@evil.example/', /user name/],
  ['url', 'https://acme.example\\@evil.example/', /backslashes/],
  ['url', 'https://ac\tme.example/', /control/],
  ['text', { a: 1 }, /neither/],
];
for (const [kind, value, says] of refused)
  test(`${kind} ${JSON.stringify(value)?.slice(0, 60)} is not read, and the answer says why without repeating it`, () => {
    const p = one(kind, value);
    assert.ok(p.kind === 'unreadable', JSON.stringify(p));
    assert.match(p.says, says);
    assert.equal(p.at, '/x');
  });

test('a list in one line is as many recipients as it has', () => {
  assert.deepEqual(facts([{ kind: 'recipient', at: '/to' }], { to: 'a@acme.example, b@evil.example; c' }), [
    { recipient: 'a@acme.example', recipient_domain: 'acme.example' },
    { recipient: 'b@evil.example', recipient_domain: 'evil.example' },
    { recipient: 'c' },
  ]);
});

const places: readonly [what: string, projection: Projection, args: unknown, expected: unknown][] = [
  ['nothing projected is one combination without facts', [], { path: '/x' }, [{}]],
  ['what is not there has no fact', [{ kind: 'text', at: '/a' }], {}, [{}]],
  ['arguments that are left out are none', [{ kind: 'text', at: '/a' }], undefined, [{}]],
  ['what only the prototype has is not there', [{ kind: 'text', at: '/toString/name' }], {}, [{}]],
  [
    'every item of a list and every value of an object is one',
    [{ kind: 'text', at: '/a/*/b/*' }],
    { a: [{ b: { x: '1', y: '2' } }, { b: ['3', '1'] }] },
    [{ text: '1' }, { text: '2' }, { text: '3' }],
  ],
  [
    'places of one kind are values of one fact, places of several are combined',
    [
      { kind: 'text', at: '/to/*' },
      { kind: 'text', at: '/cc/*' },
      { kind: 'amount', at: '/n' },
    ],
    { to: ['a'], cc: ['b'], n: 1 },
    [
      { text: 'a', amount: 1 },
      { text: 'b', amount: 1 },
    ],
  ],
  [
    'an item that lacks what the others have is a combination of its own',
    [{ kind: 'text', at: '/a/*/b' }],
    { a: [{ b: 'x' }, { c: 'y' }] },
    [{ text: 'x' }, {}],
  ],
  [
    'a key with a slash or a tilde is written as in RFC 6901',
    [{ kind: 'text', at: '/a~1b~0c' }],
    { 'a/b~c': 'x' },
    [{ text: 'x' }],
  ],
  ['an item of a list is found by its number', [{ kind: 'text', at: '/a/1' }], { a: ['x', 'y'] }, [{ text: 'y' }]],
  [
    'a single value where a list may stand is read where the reviewer named both',
    [
      { kind: 'text', at: '/to' },
      { kind: 'text', at: '/to/*' },
    ],
    { to: 'a' },
    [{ text: 'a' }],
  ],
  [
    'a list where a single value may stand is read where the reviewer named both',
    [
      { kind: 'text', at: '/to' },
      { kind: 'text', at: '/to/*' },
    ],
    { to: ['a', 'b'] },
    [{ text: 'a' }, { text: 'b' }],
  ],
  [
    'a list that another kind looks into is still not text',
    [
      { kind: 'text', at: '/to' },
      { kind: 'recipient', at: '/to/*' },
    ],
    { to: ['a@acme.example'] },
    'is neither text nor a number',
  ],
  [
    'a value where its reviewer saw a list is not read',
    [{ kind: 'text', at: '/to/*' }],
    { to: 'a' },
    'does not have the form that its reviewer saw: a list or an object was expected',
  ],
  [
    'a list where its reviewer saw an object is not read',
    [{ kind: 'text', at: '/to/name' }],
    { to: [{ name: 'a' }] },
    'does not have the form that its reviewer saw: a list stands where an object was expected',
  ],
  [
    'owner and name are one repository',
    [
      { kind: 'repository', at: '/owner' },
      { kind: 'repository', at: '/repo' },
    ],
    { repo: 'Secret', owner: 'Acme' },
    [{ repository: 'acme/secret' }],
  ],
  [
    'two whole repositories are two',
    [
      { kind: 'repository', at: '/from' },
      { kind: 'repository', at: '/to' },
    ],
    { from: 'acme/a', to: 'acme/b' },
    [{ repository: 'acme/a' }, { repository: 'acme/b' }],
  ],
  [
    'an owner with more than a name behind it is not read',
    [
      { kind: 'repository', at: '/owner' },
      { kind: 'repository', at: '/repo' },
    ],
    { owner: 'acme', repo: 'secret/contents' },
    'names no whole repository together with the other place of the kind repository',
  ],
  [
    'an owner without a name is not read',
    [
      { kind: 'repository', at: '/owner' },
      { kind: 'repository', at: '/repo' },
    ],
    { owner: 'acme' },
    'names no whole repository together with the other place of the kind repository',
  ],
];
for (const [what, projection, args, expected] of places)
  test(what, () => assert.deepEqual(facts(projection, args), expected));

test(`${MAX_COMBINATIONS} combinations are looked at, and one more is not read`, () => {
  const two: Projection = [
    { kind: 'text', at: '/a/*' },
    { kind: 'amount', at: '/b/*' },
  ];
  const of = (n: number) => Array.from({ length: n }, (_, i) => i);
  assert.equal(facts(two, { a: of(40).map(String), b: of(25) }).length, MAX_COMBINATIONS);
  assert.match(JSON.stringify(facts(two, { a: of(143).map(String), b: of(7) })), /has 1001 combinations/);
});

test('whatever an agent sends is read or refused, and a path that is read is read the same again', () => {
  const kinds = ['path', 'repository', 'folder', 'channel', 'recipient', 'amount', 'url', 'text'] as const;
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()), (kind, value) => {
      const p = one(kind, value);
      if (p.kind === 'unreadable') return;
      for (const c of p.combinations) {
        if (c.path !== undefined) {
          assert.deepEqual(one('path', c.path), { kind: 'facts', combinations: [c] });
          assert.ok(!/(^|\/)\.\.?(\/|$)|\\|\/\//.test(c.path));
        }
        if (c.recipient !== undefined)
          assert.deepEqual(one('recipient', c.recipient), { kind: 'facts', combinations: [c] });
        if (c.repository !== undefined)
          assert.deepEqual(one('repository', c.repository), { kind: 'facts', combinations: [c] });
      }
    }),
    { numRuns: 3000, seed: 21 },
  );
});
