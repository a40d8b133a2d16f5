import { randomFillSync } from 'node:crypto';

/** Asking the operating system for a few bytes costs as much as for a few thousand, and a busy node wants some for every event. */
const pool = Buffer.alloc(8192);
let used = pool.length;

/** `size` random bytes (at most 64) from the system's generator; each byte is given out once. The buffer is the caller's until the next call. */
export function randomPooled(size: number): Buffer {
  if (used + size > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += size;
  return pool.subarray(used - size, used);
}
