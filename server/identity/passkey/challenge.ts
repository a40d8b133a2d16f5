import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Time to find the key on the ring. */
export const CHALLENGE_MS = 5 * 60_000;
const TIME = 6;
const RANDOM = 16;
const TAG = 32;

/** What a challenge is good for: `add` for the session that asked, `sign_in` for the browser that asked. */
export type Purpose = `add ${string}` | `sign_in ${string}`;

/**
 * A challenge that carries its own proof: the moment, random bytes, and a tag over them and what it is for. Nothing is written down for
 * those who only ask; that it is answered once is the passkey row's business (`challenge_at`).
 */
export function makeChallenge(key: Uint8Array, purpose: Purpose, now: Date): Buffer<ArrayBuffer> {
  const head = Buffer.alloc(TIME + RANDOM);
  head.writeUIntBE(now.getTime(), 0, TIME);
  randomBytes(RANDOM).copy(head, TIME);
  return Buffer.concat([head, tag(key, purpose, head)]);
}

/** When a challenge of ours was made; undefined: not ours, for something else, or too old. */
export function readChallenge(key: Uint8Array, purpose: Purpose, challenge: string, now: Date): Date | undefined {
  const bytes = Buffer.from(challenge, 'base64url');
  if (bytes.length !== TIME + RANDOM + TAG) return undefined;
  const head = bytes.subarray(0, TIME + RANDOM);
  if (!timingSafeEqual(bytes.subarray(TIME + RANDOM), tag(key, purpose, head))) return undefined;
  const at = head.readUIntBE(0, TIME);
  const age = now.getTime() - at;
  return age >= 0 && age <= CHALLENGE_MS ? new Date(at) : undefined;
}

const tag = (key: Uint8Array, purpose: Purpose, head: Uint8Array): Buffer =>
  createHmac('sha256', key).update(`${purpose}\n`).update(head).digest();
