import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nodeFromTile, tileOfNode, tileWidth } from './tile.ts';
import {
  consistencyPlan,
  emptyRoot,
  foldRight,
  inclusionPlan,
  leafHash,
  type Node,
  nodeHash,
  proofOf,
  rootPlan,
  verifyConsistency,
  verifyInclusion,
} from './tree.ts';

// The eight entries, roots and proofs of the RFC 6962 reference implementation's own tests.
const entries = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((h) => Buffer.from(h, 'hex'));
const roots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

/** Nodes of a tree in memory, by hashing everything: the definition, slowly. */
function slowTree(leaves: readonly Buffer[]): (n: Node) => Buffer {
  const rows: Buffer[][] = [[...leaves]];
  for (let row = rows[0]!; row.length > 1; rows.push(row))
    row = Array.from({ length: Math.floor(row.length / 2) }, (_, i) => nodeHash(row[2 * i]!, row[2 * i + 1]!));
  return ({ level, index }) => rows[level]![index]!;
}
/** MTH of RFC 6962 §2.1, word by word. */
function mth(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return emptyRoot();
  if (leaves.length === 1) return leaves[0]!;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(mth(leaves.slice(0, k)), mth(leaves.slice(k)));
}
const numbered = (n: number): Buffer[] => Array.from({ length: n }, (_, i) => leafHash(Buffer.from(`entry ${i}`)));

test('the roots of one to eight entries are those of the RFC 6962 test vectors', () => {
  const leaves = entries.map(leafHash);
  const get = slowTree(leaves);
  roots.forEach((root, i) => assert.equal(foldRight(rootPlan(i + 1).map(get)).toString('hex'), root));
  assert.equal(foldRight([]).toString('hex'), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('the inclusion proofs of the RFC 6962 test vectors come out hash for hash', () => {
  const get = slowTree(entries.map(leafHash));
  const hex = (m: number, n: number): string[] => proofOf(inclusionPlan(m, n), get).map((h) => h.toString('hex'));
  assert.deepEqual(hex(0, 8), [
    '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
  ]);
  assert.deepEqual(hex(2, 3), ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']);
  assert.deepEqual(hex(0, 1), []);
});

test('the consistency proofs of the RFC 6962 test vectors come out hash for hash', () => {
  const get = slowTree(entries.map(leafHash));
  const hex = (m: number, n: number): string[] => proofOf(consistencyPlan(m, n), get).map((h) => h.toString('hex'));
  assert.deepEqual(hex(6, 8), [
    '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  ]);
  assert.deepEqual(hex(2, 5), [
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
  ]);
});

test('for every size up to 130, every position and every earlier size is proved, and the root is that of the definition', () => {
  const leaves = numbered(130);
  const get = slowTree(leaves);
  const at = Array.from({ length: 131 }, (_, n) => foldRight(rootPlan(n).map(get)));
  for (let n = 1; n <= 130; n++) {
    assert.ok(at[n]!.equals(mth(leaves.slice(0, n))));
    for (let m = 0; m < n; m++)
      assert.ok(verifyInclusion(leaves[m]!, m, n, proofOf(inclusionPlan(m, n), get), at[n]!), `inclusion ${m} in ${n}`);
    for (let m = 0; m <= n; m++)
      assert.ok(
        verifyConsistency(m, n, at[m]!, at[n]!, proofOf(consistencyPlan(m, n), get)),
        `consistency ${m} to ${n}`,
      );
  }
});

const big = numbered(100_000);
const bigGet = slowTree(big);
const bigRoot = (n: number): Buffer => foldRight(rootPlan(n).map(bigGet));
const pairs = fc
  .integer({ min: 1, max: 100_000 })
  .chain((n) => fc.tuple(fc.integer({ min: 0, max: n - 1 }), fc.constant(n)));

test('positions and earlier sizes of random trees up to 100,000 are proved', () => {
  fc.assert(
    fc.property(pairs, ([m, n]) => {
      const root = bigRoot(n);
      return (
        verifyInclusion(big[m]!, m, n, proofOf(inclusionPlan(m, n), bigGet), root) &&
        verifyConsistency(m, n, bigRoot(m), root, proofOf(consistencyPlan(m, n), bigGet))
      );
    }),
    { numRuns: 1000 },
  );
});

/** One change to a list of hashes: a bit, a hash more, a hash less, two swapped. */
const mutation = fc.record({ how: fc.constantFrom('bit', 'more', 'less', 'swap'), at: fc.nat(), bit: fc.nat(255) });
function mutated(hashes: readonly Buffer[], m: { how: string; at: number; bit: number }): Buffer[] | undefined {
  const out: Buffer[] = hashes.map((h) => Buffer.from(h));
  const i = out.length ? m.at % out.length : 0;
  if (m.how === 'more') out.splice(i, 0, leafHash(Buffer.from([m.bit])));
  else if (out.length === 0) return undefined;
  else if (m.how === 'less') out.splice(i, 1);
  else if (m.how === 'bit') out[i]![m.bit >> 3]! ^= 1 << (m.bit & 7);
  else {
    const j = (i + 1) % out.length;
    if (out[i]!.equals(out[j]!)) return undefined;
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}

test('a proof with a bit flipped, a hash more, a hash less or two exchanged is never accepted', () => {
  fc.assert(
    fc.property(pairs, mutation, ([m, n], how) => {
      const root = bigRoot(n);
      const inclusion = mutated(proofOf(inclusionPlan(m, n), bigGet), how);
      const consistency = mutated(proofOf(consistencyPlan(m, n), bigGet), how);
      return (
        !(inclusion && verifyInclusion(big[m]!, m, n, inclusion, root)) &&
        !(consistency && verifyConsistency(m, n, bigRoot(m), root, consistency))
      );
    }),
    { numRuns: 20_000 },
  );
});

test('a good proof of one position, size or leaf is never accepted for another', () => {
  fc.assert(
    fc.property(pairs, pairs, ([m, n], [m2, n2]) => {
      const proof = proofOf(inclusionPlan(m, n), bigGet);
      const consistency = proofOf(consistencyPlan(m, n), bigGet);
      return (
        (m === m2 || !verifyInclusion(big[m2]!, m, n, proof, bigRoot(n))) &&
        (m === m2 || m2 >= n || !verifyInclusion(big[m]!, m2, n, proof, bigRoot(n))) &&
        (n === n2 || !verifyInclusion(big[m]!, m, n, proof, bigRoot(n2))) &&
        (m === m2 || !verifyConsistency(m, n, bigRoot(m2), bigRoot(n), consistency)) &&
        (n === n2 || m === 0 || m > n2 || !verifyConsistency(m, n, bigRoot(m), bigRoot(n2), consistency))
      );
    }),
    { numRuns: 5000 },
  );
});

test('sizes and positions that are none are refused, not proved', () => {
  for (const [m, n] of [
    [1, 1],
    [-1, 5],
    [0.5, 3],
    [0, NaN],
    [2 ** 53, 2 ** 53 + 2],
  ] as const) {
    assert.throws(() => inclusionPlan(m, n), RangeError);
    assert.equal(verifyInclusion(big[0]!, m, n, [], big[0]!), false);
  }
  assert.throws(() => consistencyPlan(6, 5), RangeError);
  assert.equal(verifyConsistency(6, 5, big[0]!, big[0]!, []), false);
});

test('every node that a proof needs is found in the tile that tileOfNode names', () => {
  const tile = (level: number, index: number, size: number): Buffer => {
    const out: Buffer[] = [];
    for (let i = 0; i < tileWidth(level, index, size); i++)
      out.push(bigGet({ level: level * 8, index: index * 256 + i }));
    return Buffer.concat(out);
  };
  fc.assert(
    fc.property(pairs, ([m, n]) => {
      for (const node of [...inclusionPlan(m, n).flat(), ...consistencyPlan(m, n).flat(), ...rootPlan(n)]) {
        const { level, index } = tileOfNode(node);
        assert.ok(nodeFromTile(node, tile(level, index, n)).equals(bigGet(node)));
      }
    }),
    { numRuns: 150 },
  );
});
