import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Piece } from '#kernel/reveal.ts';
import { renderAction, type RenderedAction } from './rendered-action.ts';

const home = ['northwind.example', 'xn--bcher-kva.example'];
const render = (args: unknown, projection: Parameters<typeof renderAction>[1]['projection'] = []): RenderedAction =>
  renderAction(args, { projection, home, org: 'Northwind' });
const back = (pieces: readonly Piece[]): string =>
  pieces.map((p) => (typeof p === 'string' ? p : String.fromCodePoint(Number.parseInt(p.code.slice(2), 16)))).join('');
const to = [{ kind: 'recipient', at: '/to/*' }] as const;

test('recipients outside come first, are counted, and those inside are not marked', () => {
  const r = render({ to: ['dan@northwind.example', 'J@Partner.example', 'bo@BÜCHER.example'] }, to);
  assert.equal(r.groups[0]?.sum, '3 recipients, 1 of them outside Northwind');
  assert.deepEqual(
    r.groups[0]?.values.map((v) => [back(v.text), v.outside]),
    [
      ['J@Partner.example', true],
      ['dan@northwind.example', false],
      ['bo@BÜCHER.example', false],
    ],
  );
  assert.equal(r.outside, 1);
});

test('a subdomain and a longer name that ends alike are outside', () => {
  const r = render(
    { to: ['a@mail.northwind.example', 'b@evilnorthwind.example', 'c@northwind.example.evil.example'] },
    to,
  );
  assert.equal(r.groups[0]?.sum, '3 recipients, all of them outside Northwind');
});

for (const [claim, domain] of [
  ['a Cyrillic o', 'n\u043Erthwind.example'],
  ['a zero', 'n0rthwind.example'],
  ['an accent', 'nórthwind.example'],
  ['two v for a w', 'northvvind.example'],
] as const)
  test(`a domain with ${claim} is said to look like ours and not to be it`, () => {
    const [v] = render({ to: [`m@${domain}`] }, to).groups[0]?.values ?? [];
    assert.ok(v?.outside);
    assert.ok(v.notes.includes('Looks like northwind.example and is not.'), v.notes.join(' '));
  });

test('a domain beyond ASCII has its real name beside it', () => {
  const [v] = render({ to: ['m@n\u043Erthwind.example'] }, to).groups[0]?.values ?? [];
  assert.ok(
    v?.notes.some((n) => /^Really xn--[a-z0-9-]+\.example\.$/.test(n)),
    v?.notes.join(' '),
  );
});

test('what is not an address counts as outside', () => {
  const r = render({ to: ['everyone', 'Dan <dan@northwind.example>', 'dan@northwind.example <x@evil.example>'] }, to);
  assert.deepEqual(
    r.groups[0]?.values.map((v) => [back(v.text), v.outside]),
    [
      ['everyone', true],
      ['dan@northwind.example <x@evil.example>', true],
      ['Dan <dan@northwind.example>', false],
    ],
  );
});

test('bytes that nobody can read are called so, with their number and hash', () => {
  const bytes = Buffer.alloc(3000, 7);
  const [v] = render({ content: bytes.toString('base64') }).groups[0]?.values ?? [];
  assert.deepEqual(v?.unreadable, { bytes: 3000, sha256: createHash('sha256').update(bytes).digest('hex') });
});

test('a long text in words is not taken for bytes', () => {
  const [v] = render({ body: 'the quick brown fox jumps over the lazy dog '.repeat(50) }).groups[0]?.values ?? [];
  assert.equal(v?.unreadable, undefined);
});

test('an empty text, an empty list and null are seen', () => {
  const r = render({ a: '', b: [], c: null, d: false });
  assert.deepEqual(
    r.groups.map((g) => back(g.values[0]?.text ?? [])),
    ['', '', 'null', 'false'],
  );
  assert.deepEqual(
    r.groups.flatMap((g) => g.values[0]?.notes),
    ['An empty text.', 'An empty list.'],
  );
});

test('a key that deceives is revealed like a value', () => {
  const r = render({ 'to\u200B': 'x' });
  assert.equal(r.suspicious, 1);
  assert.ok(r.groups[0]?.label.some((p) => typeof p !== 'string' && p.code === 'U+200B'));
});

test('every leaf of any arguments is shown once, whole, wherever the reviewer has pointed', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1, unit: 'binary' }), fc.jsonValue()), (args) => {
      const leaves: [string, string][] = [];
      const walk = (v: unknown, at: string): void => {
        if (typeof v === 'object' && v !== null && Object.keys(v).length > 0)
          for (const [k, x] of Object.entries(v)) walk(x, `${at}/${k.replaceAll('~', '~0').replaceAll('/', '~1')}`);
        else if (Array.isArray(v)) leaves.push([at, '']);
        else leaves.push([at, typeof v === 'object' && v !== null ? '' : String(v)]);
      };
      walk(args, '');
      for (const projection of [
        [],
        [
          { kind: 'text', at: '/*' },
          { kind: 'recipient', at: '/*/*' },
        ],
      ] as const) {
        const seen = render(args, projection).groups.flatMap((g) => g.values.map((v) => [back(v.at), back(v.text)]));
        const sort = (x: unknown): string[] => (x as string[][]).map((y) => JSON.stringify(y)).toSorted();
        assert.deepEqual(sort(seen), sort(leaves));
      }
    }),
  );
});

test('a thousand levels and a hundred thousand values are shown, too', () => {
  let deep: unknown = 'end';
  for (let i = 0; i < 1000; i++) deep = [deep];
  const r = render({ deep, wide: Array.from({ length: 100_000 }, (_, i) => i) });
  assert.deepEqual(
    r.groups.map((g) => g.values.length),
    [1, 100_000],
  );
});
