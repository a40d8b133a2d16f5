import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';
import { randomPooled } from './random.ts';

/** Of AES-256-GCM. */
export const KEY_BYTES = 32;
export const IV_BYTES = 12;
export const TAG_BYTES = 16;

// A KeyObject is made for each use, because node needs a third of the time with one; its copy of the key is wiped when it is collected.
const tagged = { authTagLength: TAG_BYTES } as const;

/** AES-256-GCM: iv, ciphertext, tag. */
export function encrypt(key: Uint8Array, plain: Uint8Array, aad: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(IV_BYTES + plain.length + TAG_BYTES);
  randomPooled(IV_BYTES).copy(out);
  const c = createCipheriv('aes-256-gcm', createSecretKey(key), out.subarray(0, IV_BYTES), tagged).setAAD(aad);
  // GCM is a stream: all of the text comes from `update`, and `final` only ends the tag.
  c.update(plain).copy(out, IV_BYTES);
  c.final();
  c.getAuthTag().copy(out, IV_BYTES + plain.length);
  return out;
}

/** Opens what `encrypt` made; throws on any difference in key, text or associated data. */
export function decrypt(key: Uint8Array, box: Uint8Array, aad: Uint8Array): Buffer {
  if (box.length < IV_BYTES + TAG_BYTES) throw new RangeError('too short to be encrypted text');
  const end = box.length - TAG_BYTES;
  const d = createDecipheriv('aes-256-gcm', createSecretKey(key), box.subarray(0, IV_BYTES), tagged).setAAD(aad);
  d.setAuthTag(box.subarray(end));
  const plain = d.update(box.subarray(IV_BYTES, end));
  d.final();
  return plain;
}
