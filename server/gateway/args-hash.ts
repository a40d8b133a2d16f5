import { hash } from 'node:crypto';
import { jcsOfParsed, type Json } from '@gatehouse/contract/jcs.ts';

const BLOCK = 64;

/**
 * HMAC-SHA-256 (RFC 2104) of the canonical form of arguments, hex. Equal arguments of one deployment have equal hashes, and nobody without the
 * key can try which arguments a hash belongs to. Written out, because node's Hmac sets its key up anew each time, which is most of its cost.
 */
export function argsHasher(key: Buffer): (args: unknown) => string {
  const pad = (byte: number): Buffer =>
    Buffer.from(Buffer.concat([key, Buffer.alloc(BLOCK - key.length)]).map((b) => b ^ byte));
  const [inner, outer] = [pad(0x36), pad(0x5c)];
  return (args) => {
    const text = Buffer.from(jcsOfParsed((args ?? null) as Json)); // args came out of JSON.parse
    return hash('sha256', Buffer.concat([outer, hash('sha256', Buffer.concat([inner, text]), 'buffer')]), 'hex');
  };
}
