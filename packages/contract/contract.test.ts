import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { actionHash } from './action-hash.ts';
import { checkpointText, keyId, makeSigner, openCheckpoint, parseVkey, readCheckpoint } from './checkpoint.ts';
import { jcs, jcsOfParsed, type Json } from './jcs.ts';
import { commitment, entryBytes, entryHeader, entryLeaf } from './leaf.ts';
import { sha256 } from './sha256.ts';
import { entryBundle, parseEntryBundle, parseTilePath, tilePath } from './tile.ts';
import { leafHash } from './tree.ts';

test('the example of RFC 8785 §3.2.2 comes out as its §3.2.4 has it', () => {
  const input = JSON.parse(
    '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
  ) as Json;
  const expected =
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}';
  assert.equal(jcs(input), expected);
  assert.equal(jcsOfParsed(input), expected);
});

test('names are ordered by UTF-16 code units, as RFC 8785 §3.2.3 does', () => {
  const input = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 };
  const expected = '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}';
  assert.equal(jcs(input), expected);
  assert.equal(jcsOfParsed(input), expected);
});

test('the fast canonical form is the slow one for every JSON value', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (text) => {
      const value = JSON.parse(text) as Json;
      assert.equal(jcsOfParsed(value), jcs(value));
    }),
    { numRuns: 3000 },
  );
  fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => jcsOfParsed(n) === jcs(n)));
});

for (const [what, value] of [
  ['a lone surrogate', 'a\ud800'],
  ['a lone surrogate in a name', { '\udc00': 1 }],
  ['NaN', [NaN]],
  ['an infinity', { n: -Infinity }],
] as const)
  test(`${what} has no canonical form, and says so`, () => {
    assert.throws(() => jcs(value), TypeError);
    assert.throws(() => jcsOfParsed(value), TypeError);
  });

test('undefined, functions and big integers have no canonical form', () => {
  for (const v of [undefined, () => 1, 1n]) assert.throws(() => jcs(v), TypeError);
});

test('the order in which an action was written does not change its hash, one character does', () => {
  const a = actionHash({ tool: 'crm__update', args: { id: 7, name: 'Ada' } });
  assert.ok(a.equals(actionHash({ args: { name: 'Ada', id: 7 }, tool: 'crm__update' })));
  assert.ok(!a.equals(actionHash({ tool: 'crm__update', args: { id: 7, name: 'Adb' } })));
  assert.ok(a.equals(sha256('gatehouse-action-v1\0{"args":{"id":7,"name":"Ada"},"tool":"crm__update"}')));
});

test('the hash of an action is not the hash of its JSON', () => {
  assert.ok(!actionHash({}).equals(sha256('{}')));
});

test('a header cannot bring its own position or commitment along', () => {
  const salt = Buffer.alloc(16, 7);
  const data = commitment(salt, { n: 1 });
  const header = entryHeader({ v: 1, seq: 99, data: 'forged', type: 'a.b' }, 5, data);
  assert.equal(entryBytes(header).toString(), `{"data":"${data.toString('hex')}","seq":5,"type":"a.b","v":1}`);
  assert.ok(entryLeaf(header).equals(leafHash(entryBytes(header))));
});

test('the same data under another salt is another commitment', () => {
  assert.ok(!commitment(Buffer.alloc(16, 1), { a: 1 }).equals(commitment(Buffer.alloc(16, 2), { a: 1 })));
});

const origin = 'gatehouse.example/audit/org_1';
const seed = Buffer.alloc(32, 1);
const signer = makeSigner(origin, seed);
const root = sha256('root');

test('a checkpoint has the lines of C2SP tlog-checkpoint and opens with its key', () => {
  const note = signer.sign({ size: 42, root });
  assert.match(
    note,
    /^gatehouse\.example\/audit\/org_1\n42\n[A-Za-z0-9+/]{43}=\n\n— gatehouse\.example\/audit\/org_1 [A-Za-z0-9+/]{91}=\n$/,
  );
  assert.deepEqual(openCheckpoint(note, parseVkey(signer.vkey)!), { origin, size: 42, root });
  assert.deepEqual(readCheckpoint(note), { origin, size: 42, root });
});

test('the key id is the one that golang.org/x/mod/sumdb/note gives its documented example key', () => {
  const vkey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
  const parsed = parseVkey(vkey);
  assert.equal(parsed?.origin, 'PeterNeumann');
  assert.equal(
    keyId('PeterNeumann', Buffer.from(vkey.split('+').slice(2).join('+'), 'base64').subarray(1)).toString('hex'),
    'c74f20a3',
  );
});

test('a checkpoint with one character changed anywhere does not open', () => {
  const note = signer.sign({ size: 1234, root });
  const key = parseVkey(signer.vkey)!;
  fc.assert(
    fc.property(fc.nat(note.length - 1), fc.constantFrom('0', 'A', '\n', ' ', '='), (at, c) => {
      fc.pre(note[at] !== c);
      const opened = openCheckpoint(note.slice(0, at) + c + note.slice(at + 1), key);
      // The last base64 digit before padding carries unused bits: another spelling of the same signature is still that signature.
      assert.ok(opened === undefined || (opened.size === 1234 && opened.root.equals(root)));
    }),
    { numRuns: 2000 },
  );
  assert.equal(openCheckpoint(note.replace('1234', '1235'), key), undefined);
});

test('a checkpoint of another log or by another key does not open', () => {
  const note = signer.sign({ size: 1, root });
  assert.equal(openCheckpoint(note, parseVkey(makeSigner(origin, Buffer.alloc(32, 2)).vkey)!), undefined);
  assert.equal(openCheckpoint(note, parseVkey(makeSigner('other.example/log', seed).vkey)!), undefined);
});

test('a cosignature of a key that we do not know does not keep a checkpoint from opening', () => {
  const other = makeSigner('witness.example', Buffer.alloc(32, 3)).sign({ size: 1, root }).split('\n\n')[1]!;
  const note = signer.sign({ size: 1, root }) + other;
  assert.equal(openCheckpoint(note, parseVkey(signer.vkey)!)?.size, 1);
});

test('a verification key whose id is not of its name and key is none', () => {
  const [name, , key] = signer.vkey.split('+') as [string, string, string];
  assert.equal(parseVkey(`${name}x+${signer.vkey.split('+')[1]}+${key}`), undefined);
  assert.equal(parseVkey('nonsense'), undefined);
});

for (const bad of [{ size: -1 }, { size: 1.5 }, { root: Buffer.alloc(31) }])
  test(`a checkpoint over ${JSON.stringify(bad)} is not written`, () => {
    assert.throws(() => checkpointText({ origin, size: 1, root, ...bad }), RangeError);
  });

for (const [tile, path] of [
  [{ level: 0, index: 0, width: 256 }, 'tile/0/000'],
  [{ level: 1, index: 1_234_067, width: 256 }, 'tile/1/x001/x234/067'],
  [{ level: 'entries', index: 273, width: 112 }, 'tile/entries/273.p/112'],
  [{ level: 0, index: 1000, width: 1 }, 'tile/0/x001/000.p/1'],
] as const)
  test(`the tile ${JSON.stringify(tile)} is at ${path}, both ways`, () => {
    assert.equal(tilePath(tile), path);
    assert.deepEqual(parseTilePath(path), tile);
  });

for (const path of [
  'tile/0/1',
  'tile/0/x000/001',
  'tile/00/001',
  'tile/64/000',
  'tile/0/000.p/0',
  'tile/0/000.p/256',
  'tile/0/000.p/257',
  'tile/0/001/x002',
  'tile/data/000',
  'tile/0/000.p/01',
])
  test(`${path} names no tile`, () => {
    assert.equal(parseTilePath(path), undefined);
  });

test('a bundle gives back its entries; one that was cut gives nothing', () => {
  const entries = [Buffer.from('a'), Buffer.alloc(0), Buffer.alloc(65_535, 1)];
  const bytes = entryBundle(entries);
  assert.deepEqual(parseEntryBundle(bytes), entries);
  assert.equal(parseEntryBundle(bytes.subarray(0, -1)), undefined);
  assert.throws(() => entryBundle([Buffer.alloc(65_536)]), RangeError);
});
