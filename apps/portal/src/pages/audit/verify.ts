import { jcsOfParsed, type Json } from '@gatehouse/contract/jcs.ts';

/**
 * The log verified in the browser, by WebCrypto and from RFC 9162 and C2SP signed notes: no code is shared with what made it, and nothing is
 * sent. What it is not: a verifier from elsewhere. The page comes from the same server, so whoever doubts that runs verify.mjs over an export.
 */

const utf8 = new TextEncoder();
const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), (ch) => ch.charCodeAt(0));
export const toHex = (b: Uint8Array): string => [...b].map((x) => x.toString(16).padStart(2, '0')).join('');
const fromHex = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const same = (a: Uint8Array, b: Uint8Array): boolean => toHex(a) === toHex(b);

async function sha256(...parts: Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', all));
}

/** RFC 9162 §2.1.1. */
export const leafOf = (entry: string): Promise<Uint8Array<ArrayBuffer>> => sha256(Uint8Array.of(0), utf8.encode(entry));
const join = (left: Uint8Array, right: Uint8Array): Promise<Uint8Array<ArrayBuffer>> =>
  sha256(Uint8Array.of(1), left, right);

/** On which side each hash of an inclusion proof stands, leaf to root (RFC 9162 §2.1.3.2); its length is the length of the proof. */
export function sides(index: number, size: number): readonly ('left' | 'right')[] {
  const out: ('left' | 'right')[] = [];
  for (let [fn, sn] = [index, size - 1]; sn > 0; [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)]) {
    if (fn % 2 === 1 || fn === sn) {
      out.push('left');
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)];
    } else out.push('right');
  }
  return out;
}

export type Checkpoint = { origin: string; size: number; root: Uint8Array };

/** What a note states; undefined where it is none. Who signed it is another question. */
export function stated(note: string): Checkpoint | undefined {
  const [origin = '', size = '', root = ''] = note.split('\n');
  if (!/^\d{1,16}$/.test(size) || !/^[A-Za-z0-9+/]{43}=$/.test(root)) return undefined;
  return { origin, size: Number(size), root: fromBase64(root) };
}

/** Whether the note carries a valid Ed25519 signature by the key of its own name (`name+id+base64`). */
export async function signedBy(note: string, vkey: string): Promise<boolean> {
  const key = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(vkey.trim());
  const [, name = '', id = '', encoded = ''] = key ?? [];
  const bytes = key ? fromBase64(encoded) : new Uint8Array();
  if (bytes.length !== 33 || bytes[0] !== 1) return false;
  if (toHex((await sha256(utf8.encode(`${name}\n`), bytes)).subarray(0, 4)) !== id) return false;
  const end = note.indexOf('\n\n');
  const text = note.slice(0, end + 1);
  if (end < 0 || text.split('\n')[0] !== name) return false;
  const line = note
    .slice(end + 2)
    .split('\n')
    .find((l) => l.startsWith(`— ${name} `));
  const signature = line === undefined ? new Uint8Array() : fromBase64(line.slice(`— ${name} `.length));
  if (signature.length !== 68 || toHex(signature.subarray(0, 4)) !== id) return false;
  const publicKey = await crypto.subtle.importKey('raw', bytes.slice(1), 'Ed25519', false, ['verify']);
  return crypto.subtle.verify('Ed25519', publicKey, signature.slice(4), utf8.encode(text));
}

/** What the server gave of one event. */
export type Given = {
  seq: number;
  /** The bytes of the leaf: the canonical header. */
  entry: string;
  salt: string;
  data: unknown;
  proof: { checkpoint: string; hashes: readonly string[] };
  key: string;
};

export const steps = ['entry', 'data', 'path', 'signature'] as const;
export type Verdict =
  | { is: 'proved'; hashes: number; size: number }
  | { is: 'broken'; step: (typeof steps)[number]; says: string };

const broken = (step: (typeof steps)[number], says: string): Verdict => ({ is: 'broken', step, says });

/** Follows an event from what is shown of it to the signature. `climbed` is told after each hash. */
export async function verifyEvent(g: Given, climbed?: (hash: number) => Promise<void>): Promise<Verdict> {
  const checkpoint = stated(g.proof.checkpoint);
  if (!checkpoint) return broken('signature', 'The checkpoint cannot be read.');
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(g.entry) as Record<string, unknown>;
  } catch {
    return broken('entry', 'The entry is not JSON.');
  }
  if (header['seq'] !== g.seq) return broken('entry', 'The entry is of another position.');
  const committed = await sha256(fromHex(g.salt), utf8.encode(jcsOfParsed(g.data as Json)));
  if (toHex(committed) !== header['data'])
    return broken('data', 'The data shown is not what the entry commits to. It was changed, or is forgotten.');
  const where = sides(g.seq, checkpoint.size);
  if (g.seq >= checkpoint.size || where.length !== g.proof.hashes.length)
    return broken('path', 'The proof has the wrong length for this position.');
  let at = await leafOf(g.entry);
  for (const [i, text] of g.proof.hashes.entries()) {
    const hash = fromBase64(text);
    at = where[i] === 'left' ? await join(hash, at) : await join(at, hash);
    await climbed?.(i);
  }
  if (!same(at, checkpoint.root)) return broken('path', 'The root differs from the checkpoint.');
  if (!(await signedBy(g.proof.checkpoint, g.key)))
    return broken('signature', 'The checkpoint is not signed by the published key.');
  return { is: 'proved', hashes: g.proof.hashes.length, size: checkpoint.size };
}

/** RFC 9162 §2.1.4.2: the larger tree begins with the smaller one. */
export async function verifyGrowth(from: Checkpoint, to: Checkpoint, hashes: readonly string[]): Promise<boolean> {
  if (from.size > to.size || from.size < 1) return false;
  if (from.size === to.size) return hashes.length === 0 && same(from.root, to.root);
  let [fn, sn] = [from.size - 1, to.size - 1];
  while (fn % 2 === 1) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  const path = hashes.map(fromBase64);
  const [first, ...rest] = fn === 0 ? [from.root, ...path] : path;
  if (!first) return false;
  let [fr, sr] = [first, first];
  for (const c of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      fr = await join(c, fr);
      sr = await join(c, sr);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)];
    } else sr = await join(sr, c);
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && same(fr, from.root) && same(sr, to.root);
}
