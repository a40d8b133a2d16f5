/** Failures in a row after which a scanner is left alone for a while. */
export const FAILURES_TO_OPEN = 5;
/** How long, at first; twice as long after each probe that fails too. */
export const FIRST_REST_MS = 5_000;
export const LONGEST_REST_MS = 60_000;

export type BreakerState =
  | { state: 'closed'; failures: number }
  | { state: 'open'; since: Date; probeFrom: Date }
  | { state: 'half_open'; since: Date };

/** May go, may go as the one probe, or may not go. */
export type Pass = 'go' | 'probe' | 'no';

/**
 * Keeps from asking a scanner that does not answer, and finds out by itself when it answers again. One per scanner and node: what one node
 * cannot reach another may. INVARIANT (one probe): while it is half open, one question is under way and decides.
 */
export class Breaker {
  #failures = 0;
  #rest = FIRST_REST_MS;
  #opened: Date | undefined;
  #probeFrom = 0;
  #probing = false;

  enter(now: Date): Pass {
    if (!this.#opened) return 'go';
    if (this.#probing || now.getTime() < this.#probeFrom) return 'no';
    this.#probing = true;
    return 'probe';
  }

  /** How a question ended that `enter` let go; `unknown` when that says nothing of the scanner. Says what changed by it. */
  leave(pass: 'go' | 'probe', ended: 'ok' | 'failed' | 'unknown', now: Date): 'opened' | 'closed' | undefined {
    if (pass === 'probe') {
      this.#probing = false;
      if (ended === 'ok') return this.#close();
      if (ended === 'failed') {
        this.#rest = Math.min(this.#rest * 2, LONGEST_REST_MS);
        this.#probeFrom = now.getTime() + this.#rest;
      }
      return undefined;
    }
    // Questions from before it opened: they neither close nor open it.
    if (this.#opened || ended === 'unknown') return undefined;
    if (ended === 'ok') {
      this.#failures = 0;
      return undefined;
    }
    if (++this.#failures < FAILURES_TO_OPEN) return undefined;
    this.#opened = now;
    this.#rest = FIRST_REST_MS;
    this.#probeFrom = now.getTime() + this.#rest;
    return 'opened';
  }

  shown(): BreakerState {
    if (!this.#opened) return { state: 'closed', failures: this.#failures };
    return this.#probing
      ? { state: 'half_open', since: this.#opened }
      : { state: 'open', since: this.#opened, probeFrom: new Date(this.#probeFrom) };
  }

  #close(): 'closed' {
    this.#opened = undefined;
    this.#failures = 0;
    this.#rest = FIRST_REST_MS;
    return 'closed';
  }
}
