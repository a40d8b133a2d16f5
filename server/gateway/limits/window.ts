/** The time in which calls are counted, in milliseconds. */
export const MINUTE = 60_000;

/**
 * Counts what began in the last minute, in two buckets: this minute, and of the one before it the share that is still within sixty seconds.
 * INVARIANT (at most one bucket): no minute of the clock has more than `most`, and no other sixty seconds more than that and what the earlier of
 * their two buckets held. What is refused is not counted, so whoever goes on asking is let in again all the same.
 */
export class Window {
  #minute = 0;
  #now = 0;
  #before = 0;

  /** The milliseconds to wait before one more fits; 0: it fits now. */
  wait(most: number, now: number): number {
    const e = this.#turn(now);
    if (this.#before * (1 - e) + this.#now + 1 <= most) return 0;
    const left = MINUTE * (1 - e);
    // Within this minute, as the one before it fades.
    if (this.#now + 1 <= most) return Math.max(1, Math.ceil(MINUTE * (1 - (most - 1 - this.#now) / this.#before - e)));
    // In the next, as this one does.
    return Math.max(1, Math.ceil(left + MINUTE * Math.max(0, 1 - (most - 1) / this.#now)));
  }

  add(now: number): void {
    this.#turn(now);
    this.#now++;
  }

  /** About how many there were, for people to read. */
  count(now: number): number {
    const e = this.#turn(now);
    return Math.ceil(this.#before * (1 - e)) + this.#now;
  }

  /** How much of the minute is over, 0 to 1. */
  #turn(now: number): number {
    const minute = Math.floor(now / MINUTE);
    const passed = minute - this.#minute;
    // A clock that is set back by a little goes on in the minute it was in; by more, it begins anew rather than refuse for hours.
    if (passed === -1) return 0;
    if (passed !== 0) {
      this.#before = passed === 1 ? this.#now : 0;
      this.#now = 0;
      this.#minute = minute;
    }
    return now / MINUTE - minute;
  }
}
