import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { sha256 } from './sha256.ts';

/** What a checkpoint states (C2SP tlog-checkpoint): the log named `origin` had `size` entries with this root. */
export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Buffer };

/** Signs checkpoints of one origin. */
export type Signer = {
  readonly origin: string;
  readonly vkey: string;
  sign(checkpoint: Omit<Checkpoint, 'origin'>): string;
};

/** Believes checkpoints of one origin and key. */
export type Verifier = { readonly origin: string; readonly id: Buffer; readonly key: KeyObject };

const ED25519 = 1;
// RFC 8410: the fixed beginning of a PKCS#8 private and an SPKI public Ed25519 key.
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const spki = Buffer.from('302a300506032b6570032100', 'hex');

const nameForm = /^[^\s+]+$/u;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Key id of a signed note: the first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key). */
export const keyId = (name: string, publicKey: Uint8Array): Buffer =>
  sha256(Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ED25519), publicKey])).subarray(0, 4);

/** The verification key as people pass it around: `name+keyid+base64(type ‖ public key)`. */
export const vkeyOf = (name: string, publicKey: Uint8Array): string =>
  `${name}+${keyId(name, publicKey).toString('hex')}+${Buffer.concat([Buffer.of(ED25519), publicKey]).toString('base64')}`;

/** A signer from a 32-byte Ed25519 seed. The name of the key is the origin of the log. */
export function makeSigner(origin: string, seed: Uint8Array): Signer {
  if (!nameForm.test(origin)) throw new TypeError('an origin has no spaces and no plus sign');
  if (seed.length !== 32) throw new TypeError('an Ed25519 seed has 32 bytes');
  const key = createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(spki.length);
  const id = keyId(origin, publicKey);
  return {
    origin,
    vkey: vkeyOf(origin, publicKey),
    sign({ size, root }) {
      const text = checkpointText({ origin, size, root });
      const signature = Buffer.concat([id, sign(null, Buffer.from(text), key)]).toString('base64');
      return `${text}\n— ${origin} ${signature}\n`;
    },
  };
}

/** The signed part: origin, size, base64 of the root, each on a line. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError('a size is a whole number');
  if (root.length !== 32) throw new RangeError('a root has 32 bytes');
  return `${origin}\n${size}\n${root.toString('base64')}\n`;
}

/** Reads a verification key, or undefined if it is not one, or its id is not of its own name and key. */
export function parseVkey(vkey: string): Verifier | undefined {
  const m = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(vkey.trim());
  const bytes = m?.[3] !== undefined && base64.test(m[3]) ? Buffer.from(m[3], 'base64') : undefined;
  if (!m?.[1] || bytes?.length !== 33 || bytes[0] !== ED25519) return undefined;
  const id = keyId(m[1], bytes.subarray(1));
  if (id.toString('hex') !== m[2]) return undefined;
  const key = createPublicKey({ key: Buffer.concat([spki, bytes.subarray(1)]), format: 'der', type: 'spki' });
  return { origin: m[1], id, key };
}

/** What a note states, without asking who signed it. For our own rows only; what others hand us goes through `openCheckpoint`. */
export function readCheckpoint(note: string): Checkpoint | undefined {
  const end = note.indexOf('\n\n');
  if (end < 0) return undefined;
  const [origin = '', size = '', root = ''] = note.slice(0, end).split('\n');
  if (origin === '' || !/^(?:0|[1-9]\d{0,15})$/.test(size) || !base64.test(root)) return undefined;
  const hash = Buffer.from(root, 'base64');
  const n = Number(size);
  return hash.length === 32 && Number.isSafeInteger(n) ? { origin, size: n, root: hash } : undefined;
}

/** The checkpoint if it is of the verifier's origin and carries a valid signature by its key; lines of other signers are passed over. */
export function openCheckpoint(note: string, by: Verifier): Checkpoint | undefined {
  const stated = readCheckpoint(note);
  if (!stated || stated.origin !== by.origin || !note.endsWith('\n')) return undefined;
  const end = note.indexOf('\n\n');
  const text = Buffer.from(note.slice(0, end + 1));
  const signatures = note.slice(end + 2, -1).split('\n');
  let good = false;
  for (const line of signatures) {
    const m = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line);
    if (!m?.[2] || !base64.test(m[2])) return undefined;
    const bytes = Buffer.from(m[2], 'base64');
    if (m[1] !== by.origin || bytes.length !== 68 || !bytes.subarray(0, 4).equals(by.id)) continue;
    if (!verify(null, text, by.key, bytes.subarray(4))) return undefined;
    good = true;
  }
  return good ? stated : undefined;
}
