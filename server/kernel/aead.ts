import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Of AES-256-GCM. */
export const KEY_BYTES = 32;
export const IV_BYTES = 12;
export const TAG_BYTES = 16;

/** AES-256-GCM: iv, ciphertext, tag. */
export function encrypt(key: Uint8Array, plain: Uint8Array, aad: Uint8Array): Buffer {
  const iv = randomBytes(IV_BYTES);
  const c = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES }).setAAD(aad);
  return Buffer.concat([iv, c.update(plain), c.final(), c.getAuthTag()]);
}

/** Opens what `encrypt` made; throws on any difference in key, text or associated data. */
export function decrypt(key: Uint8Array, box: Uint8Array, aad: Uint8Array): Buffer {
  if (box.length < IV_BYTES + TAG_BYTES) throw new RangeError('too short to be encrypted text');
  const d = createDecipheriv('aes-256-gcm', key, box.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES }).setAAD(aad);
  d.setAuthTag(box.subarray(box.length - TAG_BYTES));
  return Buffer.concat([d.update(box.subarray(IV_BYTES, box.length - TAG_BYTES)), d.final()]);
}
