import { hostname } from 'node:os';
import type { DlpAction } from '../verdict.ts';
import { Breaker, type BreakerState } from './breaker.ts';
import type { ScanFailure } from './exchange.ts';

/** What a person calls this process. */
export const nodeName = `${hostname()}:${process.pid}`;

/** Failures that are kept for administrators, newest first. */
const MAX_RECENT = 20;

export type Health = {
  node: string;
  breaker: BreakerState;
  /** Since this process started to ask this scanner as it is configured now. */
  verdicts: Record<DlpAction, number>;
  failures: number;
  /** Not told to anybody: outside of the percentage, excluded, or kept back while the breaker was open. */
  skipped: number;
  recent: readonly { at: Date; why: string; says: string }[];
};

/** How one scanner does on this node. Counts and fixed words; nothing of any content. */
export class HealthKeeper {
  readonly breaker = new Breaker();
  readonly verdicts: Record<DlpAction, number> = {
    allow: 0,
    alert: 0,
    redact: 0,
    require_approval: 0,
    quarantine: 0,
    block: 0,
  };
  failures = 0;
  skipped = 0;
  readonly #recent: { at: Date; why: string; says: string }[] = [];

  failed(f: ScanFailure, at: Date): void {
    this.failures++;
    this.#recent.unshift({ at, why: f.why, says: f.message });
    this.#recent.length = Math.min(this.#recent.length, MAX_RECENT);
  }

  shown(): Health {
    const { failures, skipped, verdicts } = this;
    return {
      node: nodeName,
      breaker: this.breaker.shown(),
      verdicts: { ...verdicts },
      failures,
      skipped,
      recent: [...this.#recent],
    };
  }
}
