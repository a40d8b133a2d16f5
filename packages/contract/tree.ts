import { sha256 } from './sha256.ts';

/**
 * The Merkle tree of RFC 6962 §2 / RFC 9162 §2.1. A proof is first a plan, a list of perfect subtrees by address, and then their hashes: so
 * the same rules work over hashes in memory, in tiles, or in a database. Sizes are numbers up to 2^53, so no bit operators here.
 */
export type Hash = Uint8Array;

/** Address of a perfect subtree: 2^level leaves, the index-th of its level from the left. */
export type Node = { readonly level: number; readonly index: number };

const pair = Buffer.alloc(65);
pair[0] = 1;

/** SHA-256(0x00 ‖ entry): the prefix keeps a leaf from being passed off as an inner node. */
export const leafHash = (entry: Uint8Array): Buffer => sha256(Buffer.concat([Buffer.of(0), entry]));

/** SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Hash, right: Hash): Buffer {
  if (left.length !== 32 || right.length !== 32) throw new RangeError('a tree hash has 32 bytes');
  pair.set(left, 1);
  pair.set(right, 33);
  return sha256(pair);
}

/** Root of the tree without entries. */
export const emptyRoot = (): Buffer => sha256('');

const natural = (n: number, what: string): void => {
  if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`${what} is not a size or position: ${n}`);
};

/** The largest power of two smaller than n (n > 1), and its exponent. */
function split(n: number): { k: number; level: number } {
  let k = 1;
  let level = 0;
  while (k * 2 < n) {
    k *= 2;
    level++;
  }
  return { k, level };
}

/** The perfect subtrees that leaves [start, end) are made of, left to right; start is a multiple of the first one's size. */
export function subtrees(start: number, end: number): Node[] {
  const out: Node[] = [];
  for (let at = start; at < end;) {
    const left = end - at;
    let k = 1;
    let level = 0;
    while (k * 2 <= left) {
      k *= 2;
      level++;
    }
    out.push({ level, index: at / k });
    at += k;
  }
  return out;
}

/** Hash over perfect subtrees, left to right, as RFC 6962 joins a ragged right edge. */
export function foldRight(hashes: readonly Hash[]): Buffer {
  const last = hashes.at(-1);
  if (!last) return emptyRoot();
  let acc: Buffer = Buffer.from(last);
  for (let i = hashes.length - 2; i >= 0; i--) acc = nodeHash(hashes[i] ?? acc, acc);
  return acc;
}

/** What the root of the first `size` leaves is made of. */
export function rootPlan(size: number): Node[] {
  natural(size, 'size');
  return subtrees(0, size);
}

/** PATH(index, D[size]) of RFC 6962 §2.1.1: each step is the subtrees whose fold is one hash of the proof. */
export function inclusionPlan(index: number, size: number): Node[][] {
  natural(index, 'index');
  natural(size, 'size');
  if (index >= size) throw new RangeError(`position ${index} is not in a tree of ${size}`);
  const steps: Node[][] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const { k } = split(end - start);
    if (index < start + k) {
      steps.push(subtrees(start + k, end));
      end = start + k;
    } else {
      steps.push(subtrees(start, start + k));
      start += k;
    }
  }
  return steps.toReversed();
}

/** PROOF(old, D[size]) of RFC 6962 §2.1.2. Empty when old is 0 or equals size. */
export function consistencyPlan(old: number, size: number): Node[][] {
  natural(old, 'old size');
  natural(size, 'size');
  if (old > size) throw new RangeError(`a tree of ${size} cannot extend one of ${old}`);
  if (old === 0 || old === size) return [];
  const steps: Node[][] = [];
  let [start, end, known] = [0, size, true];
  while (old !== end) {
    const { k } = split(end - start);
    if (old <= start + k) {
      steps.push(subtrees(start + k, end));
      end = start + k;
    } else {
      steps.push(subtrees(start, start + k));
      start += k;
      known = false;
    }
  }
  if (!known) steps.push(subtrees(start, end));
  return steps.toReversed();
}

/** Carries out a plan. */
export const proofOf = (plan: readonly Node[][], get: (node: Node) => Hash): Buffer[] =>
  plan.map((step) => foldRight(step.map(get)));

const same = (a: Hash, b: Hash): boolean => Buffer.compare(a, b) === 0;
const half = (n: number): number => Math.floor(n / 2);
const odd = (n: number): boolean => n % 2 === 1;

/** RFC 9162 §2.1.3.2. Never throws: a proof of the wrong shape is a proof that does not hold. */
export function verifyInclusion(leaf: Hash, index: number, size: number, proof: readonly Hash[], root: Hash): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  if (leaf.length !== 32 || proof.some((h) => h.length !== 32)) return false;
  let [fn, sn] = [index, size - 1];
  let r: Hash = leaf;
  for (const p of proof) {
    if (sn === 0) return false;
    if (odd(fn) || fn === sn) {
      r = nodeHash(p, r);
      while (!odd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else r = nodeHash(r, p);
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && same(r, root);
}

/** RFC 9162 §2.1.4.2: the tree of `size` with `root` begins with the tree of `old` with `oldRoot`. */
export function verifyConsistency(
  old: number,
  size: number,
  oldRoot: Hash,
  root: Hash,
  proof: readonly Hash[],
): boolean {
  if (!Number.isSafeInteger(old) || !Number.isSafeInteger(size) || old < 0 || old > size) return false;
  if (proof.some((h) => h.length !== 32)) return false;
  if (old === size) return proof.length === 0 && same(oldRoot, root);
  if (old === 0) return proof.length === 0 && same(oldRoot, emptyRoot());
  let [fn, sn] = [old - 1, size - 1];
  while (odd(fn)) [fn, sn] = [half(fn), half(sn)];
  // When old is a power of two its root is the first hash of the proof, and left out of it.
  const path = fn === 0 ? [oldRoot, ...proof] : proof;
  const [first, ...rest] = path;
  if (!first) return false;
  let [fr, sr]: [Hash, Hash] = [first, first];
  for (const c of rest) {
    if (sn === 0) return false;
    if (odd(fn) || fn === sn) {
      fr = nodeHash(c, fr);
      sr = nodeHash(c, sr);
      while (!odd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else sr = nodeHash(sr, c);
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && same(fr, oldRoot) && same(sr, root);
}
