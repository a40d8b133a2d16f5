import { createHmac, timingSafeEqual } from 'node:crypto';
import { parseId, type Id } from './id.ts';

const proofOf = (key: Uint8Array, id: string): Buffer => createHmac('sha256', key).update(id).digest();

/** The key (`Seal.derive`) of links that are mailed for signing in; stored links stand on it, so it is for ever. */
export const MAIL_LINK_KEY = 'mail link';

/** An id and the proof that we gave it out: what a link can carry without anything secret being kept. */
export const signedId = (key: Uint8Array, id: string): string => `${id}.${proofOf(key, id).toString('base64url')}`;

/** The id, if the proof is ours; what was altered is as good as not there. */
export function readSignedId<K extends string>(key: Uint8Array, prefix: K, text: string): Id<K> | undefined {
  const [head = '', proof = '', ...more] = text.split('.');
  const id = parseId(prefix, head);
  const given = Buffer.from(proof, 'base64url');
  if (!id || more.length > 0 || !/^[A-Za-z0-9_-]{43}$/.test(proof)) return undefined;
  return timingSafeEqual(given, proofOf(key, id)) && given.toString('base64url') === proof ? id : undefined;
}
