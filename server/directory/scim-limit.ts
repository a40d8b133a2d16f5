import { Problem } from '#kernel/problem.ts';

type Bucket = { left: number; at: number };
const MAX_BUCKETS = 10_000;

/**
 * Requests of a directory that one node serves: `rate` a second on average, twice as many at once. Kept in memory, so a fleet of N nodes
 * serves up to N times as much; it protects a node, it is no quota. Entra is told to expect at least 25 a second and falls into quarantine
 * over refusals, so the limit lies far above what a provider sends.
 */
export function rateLimit(): (directory: string, rate: number, now: Date) => void {
  const buckets = new Map<string, Bucket>();
  return (directory, rate, now) => {
    const at = now.getTime();
    const burst = rate * 2;
    const known = buckets.get(directory);
    const left = known ? Math.min(burst, known.left + (Math.max(0, at - known.at) / 1000) * rate) : burst;
    // Bounded against many directories: one that is forgotten starts again with a full bucket.
    if (!known && buckets.size >= MAX_BUCKETS) buckets.clear();
    if (left < 1) {
      buckets.set(directory, { left, at });
      throw new Problem('too_many', 'directory/too-many-requests', {
        says: `this directory sends more than ${rate} requests a second`,
        fix: 'wait as long as Retry-After says, then go on; nothing was changed',
        more: { retryAfter: Math.max(1, Math.ceil((1 - left) / rate)) },
      });
    }
    buckets.set(directory, { left: left - 1, at });
  };
}
