import { setTimeout as sleep } from 'node:timers/promises';
import type { Egress, EgressRules } from '#kernel/egress.ts';
import { parseJson } from '#kernel/json.ts';
import { KiB } from '#kernel/limits.ts';
import { Problem } from '#kernel/problem.ts';
import type { EngineFailure } from '../engine.ts';

/** A scanner did not give a verdict. `says` is for administrators: it never has content, a URL or a secret. */
export class ScanFailure extends Error {
  readonly why: EngineFailure;
  /** False: not the scanner's doing, so it says nothing about its health. */
  readonly blames: boolean;
  constructor(why: EngineFailure, says: string, blames = true) {
    super(says);
    this.name = 'ScanFailure';
    this.why = why;
    this.blames = blames;
  }
}

/** A verdict is a line of JSON; the published protocol reads no more than this. */
export const MAX_VERDICT_BYTES = 64 * KiB;
/** Before the one more try, when nothing took the connection. */
const RETRY_MS = 100;

export type Question = {
  url: string;
  headers: Record<string, string>;
  body: string | Buffer;
  rules: EgressRules;
  maxBytes?: number;
};
export type Answered = { status: number; headers: Headers; body: Buffer };

/** When the whole of an inspection must be over. On the monotonic clock, which nobody sets. */
export type Deadline = { at: number; signal: AbortSignal };
export const deadlineIn = (ms: number, signal: AbortSignal): Deadline => ({ at: performance.now() + ms, signal });

/**
 * Asks once, and once more if the connection was not taken: then nobody has seen the question. What came further is never asked again. The
 * deadline covers finding, connecting, asking and reading to the last byte.
 */
export async function ask(egress: Egress, q: Question, until: Deadline): Promise<Answered> {
  for (let attempt = 1; ; attempt++) {
    const left = Math.floor(until.at - performance.now());
    if (left < 1) throw new ScanFailure('timeout', 'it gave no verdict in time');
    try {
      const r = await egress.fetch(
        q.url,
        {
          method: 'POST',
          headers: { 'accept-encoding': 'identity', ...q.headers },
          body: typeof q.body === 'string' ? q.body : new Uint8Array(q.body),
          signal: until.signal,
        },
        { ...q.rules, timeoutMs: left, maxBytes: q.maxBytes ?? MAX_VERDICT_BYTES },
      );
      return { status: r.status, headers: r.headers, body: Buffer.from(await r.arrayBuffer()) };
    } catch (e) {
      if (until.signal.aborted) throw new ScanFailure('timeout', 'nobody waited for its verdict any more', false);
      if (attempt === 1 && neverConnected(e) && until.at - performance.now() > RETRY_MS) {
        await sleep(RETRY_MS);
        continue;
      }
      throw failureOf(e);
    }
  }
}

/** What the system says when a connection was not made. A reset is not among them: it may come after the question was read. */
const unconnected = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'EADDRNOTAVAIL']);
const codeOf = (e: unknown): string => (e instanceof Error && 'code' in e && typeof e.code === 'string' ? e.code : '');

function neverConnected(e: unknown): boolean {
  if (!(e instanceof Problem)) return false;
  if (e.code === 'egress/no-address') return true;
  if (e.code !== 'egress/unreachable') return false;
  const tried = e.cause instanceof AggregateError ? e.cause.errors : [e.cause];
  return tried.length > 0 && tried.every((t) => unconnected.has(codeOf(t)));
}

/** What went wrong on the way, as an engine says it. The words of egress name the host and nothing of what was sent. */
function failureOf(e: unknown): ScanFailure {
  if (e instanceof ScanFailure) return e;
  if (!(e instanceof Problem)) return new ScanFailure('broken', 'the exchange broke');
  switch (e.code) {
    case 'egress/timeout':
      return new ScanFailure('timeout', 'it gave no verdict in time');
    case 'egress/too-large':
      return new ScanFailure('malformed', 'it answers with more than is read of a verdict');
    case 'egress/broken-answer':
      return new ScanFailure('malformed', e.says);
    default:
      return new ScanFailure('unreachable', e.says);
  }
}

/** Statuses that speak of this one question (too large, cannot be processed) and not of how the scanner does. */
const ofTheQuestion = new Set([400, 406, 413, 414, 415, 422, 431]);

/** The body of an answer with a status that means an answer, parsed strictly: no key twice, bounded depth, UTF-8. */
export function jsonOf(a: Answered, statuses: readonly number[]): unknown {
  if (!statuses.includes(a.status))
    throw new ScanFailure('refused', `it answers with status ${a.status}`, !ofTheQuestion.has(a.status));
  try {
    return parseJson(a.body);
  } catch (e) {
    throw new ScanFailure(
      'malformed',
      e instanceof Problem ? `its answer cannot be read: ${e.code}` : 'its answer cannot be read',
    );
  }
}
