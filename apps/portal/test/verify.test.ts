import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { makeSigner } from '@gatehouse/contract/checkpoint.ts';
import { commitment, entryBytes, entryHeader } from '@gatehouse/contract/leaf.ts';
import {
  consistencyPlan,
  foldRight,
  inclusionPlan,
  leafHash,
  nodeHash,
  proofOf,
  rootPlan,
  type Node,
} from '@gatehouse/contract/tree.ts';
import { signedBy, stated, verifyEvent, verifyGrowth, type Given } from '../src/pages/audit/verify.ts';

/** A log as the server makes it, with the code that the server makes it with; the browser's code has to agree. */
const signer = makeSigner('log.example/audit/org_1', randomBytes(32));
const salt = randomBytes(16);
const data = { connector: 'con_1', n: 3, nested: { b: [1, 2], a: 'ä' } };
const entry = (seq: number): Buffer =>
  entryBytes(entryHeader({ id: `evt_${seq}`, type: 'tool.called' }, seq, commitment(salt, data)));
const leaf = (seq: number): Buffer => leafHash(entry(seq));
const hashOf = ({ level, index }: Node): Buffer =>
  level === 0
    ? leaf(index)
    : nodeHash(hashOf({ level: level - 1, index: index * 2 }), hashOf({ level: level - 1, index: index * 2 + 1 }));
const rootAt = (size: number): Buffer => foldRight(rootPlan(size).map(hashOf));
const noteAt = (size: number): string => signer.sign({ size, root: rootAt(size) });
const given = (seq: number, size: number): Given => ({
  seq,
  entry: entry(seq).toString(),
  salt: salt.toString('hex'),
  data,
  proof: {
    checkpoint: noteAt(size),
    hashes: proofOf(inclusionPlan(seq, size), hashOf).map((h) => h.toString('base64')),
  },
  key: signer.vkey,
});

test('every position of every small log is proved by the browser as the server proves it', async () => {
  for (let size = 1; size <= 20; size++)
    for (let seq = 0; seq < size; seq++) {
      const verdict = await verifyEvent(given(seq, size));
      assert.equal(verdict.is, 'proved', `${seq} of ${size}: ${JSON.stringify(verdict)}`);
    }
});

const flip = (base64: string): string => {
  const bytes = Buffer.from(base64, 'base64');
  bytes[5] = (bytes[5] ?? 0) ^ 1;
  return bytes.toString('base64');
};
const good = given(5, 13);
const wrong: [string, Given, string][] = [
  ['other data than was committed to', { ...good, data: { ...data, n: 4 } }, 'data'],
  ['another entry', { ...good, entry: good.entry.replace('tool.called', 'tool.denied') }, 'path'],
  ['another position', { ...good, seq: 6 }, 'entry'],
  [
    'a changed hash',
    { ...good, proof: { ...good.proof, hashes: good.proof.hashes.map((h, i) => (i === 1 ? flip(h) : h)) } },
    'path',
  ],
  ['a hash too few', { ...good, proof: { ...good.proof, hashes: good.proof.hashes.slice(1) } }, 'path'],
  [
    'a hash too many',
    { ...good, proof: { ...good.proof, hashes: [...good.proof.hashes, good.proof.hashes[0]!] } },
    'path',
  ],
  ['a key of somebody else', { ...good, key: makeSigner(signer.origin, randomBytes(32)).vkey }, 'signature'],
  [
    'a checkpoint of another log',
    {
      ...good,
      proof: { ...good.proof, checkpoint: makeSigner('evil', randomBytes(32)).sign({ size: 13, root: rootAt(13) }) },
    },
    'signature',
  ],
  [
    'a checkpoint without its signature',
    { ...good, proof: { ...good.proof, checkpoint: good.proof.checkpoint.split('\n\n')[0]! } },
    'signature',
  ],
];
for (const [what, g, step] of wrong)
  test(`the browser does not take ${what} for proved`, async () => {
    const verdict = await verifyEvent(g);
    assert.deepEqual([verdict.is, 'step' in verdict ? verdict.step : ''], ['broken', step]);
  });

test('a log that grew is proved to begin with what it was, and no other', async () => {
  for (let from = 1; from <= 12; from++)
    for (let to = from; to <= 14; to++) {
      const hashes = proofOf(consistencyPlan(from, to), hashOf).map((h) => h.toString('base64'));
      const [a, b] = [stated(noteAt(from)), stated(noteAt(to))];
      assert.ok(a && b && (await signedBy(noteAt(to), signer.vkey)));
      assert.ok(await verifyGrowth(a, b, hashes), `${from} to ${to}`);
      assert.ok(!(await verifyGrowth({ ...a, root: randomBytes(32) }, b, hashes)), `${from} to ${to}`);
    }
});
