/** What depends on time and chance, so that a test can hold both still. */
export type Timers = { now(): number; sleep(ms: number): Promise<void>; random(): number };

export const systemTimers: Timers = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  random: () => Math.random(),
};

/** Milliseconds that a Retry-After asks for: seconds or an HTTP date (RFC 9110 §10.2.3). Anything else asks for nothing. */
export function retryAfter(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? '';
  // Fractions are not in the RFC, and some targets send them.
  if (/^\d{1,9}(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  if (!/^[A-Za-z]{3,9},? /.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** First wait after a failure, in milliseconds; doubled by each further one. */
const FIRST_WAIT = 500;
/** Longest wait that nobody asked for, in milliseconds. */
const LONGEST_WAIT = 30_000;

/** Between half and the whole of the doubled wait, so that many clients that failed together do not come back together. */
export function backOff(failures: number, random: number): number {
  const whole = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.max(0, failures - 1));
  return Math.round(whole / 2 + (whole / 2) * random);
}

/** Failures in a row that open the breaker. */
const OPENS_AT = 5;
/** How long it stays open at first, in milliseconds; doubled each time. */
const FIRST_REST = 15_000;
/** A target that is down this often in a row is left alone until somebody runs the command again. */
const MAX_OPENINGS = 3;

/**
 * Stops asking a target that fails again and again: after five failures in a row it rests, lets one request through, and rests longer.
 * `exhausted` after the third rest in a row.
 */
export function makeBreaker(): {
  restMs(now: number): number;
  failed(now: number): void;
  succeeded(): void;
  exhausted(): boolean;
} {
  let failures = 0;
  let openings = 0;
  let until = 0;
  return {
    restMs: (now) => Math.max(0, until - now),
    failed(now) {
      failures++;
      // While half open, one failure is enough.
      if (failures < OPENS_AT && openings === 0) return;
      until = now + FIRST_REST * 2 ** openings;
      openings++;
      failures = 0;
    },
    succeeded() {
      [failures, openings, until] = [0, 0, 0];
    },
    exhausted: () => openings > MAX_OPENINGS,
  };
}

/** When the next request may go, so that no more than `requests` go in any `perSeconds`. */
export function makePace(rate: { requests: number; perSeconds: number } | null): (now: number) => number {
  const sent: number[] = [];
  return (now) => {
    if (!rate) return 0;
    const window = rate.perSeconds * 1000;
    const oldest = sent.length >= rate.requests ? sent[sent.length - rate.requests] : undefined;
    const at = oldest === undefined ? now : Math.max(now, oldest + window);
    sent.push(at);
    if (sent.length > rate.requests * 2) sent.splice(0, sent.length - rate.requests);
    return at - now;
  };
}
