import { Worker } from 'node:worker_threads';
import { KiB } from '#kernel/limits.ts';
import { Problem } from '#kernel/problem.ts';
import { scanText, type Around, type Match } from './scan.ts';
import type { Asked, Answered } from './scan-worker.ts';
import type { Scanner } from './scanner.ts';

/** Up to this many characters are looked at where they are: about a millisecond (`npm run bench -- dlp`). Longer text goes to a thread. */
export const INLINE_CHARS = 64 * KiB;
const MAX_WORKERS = 2;
const MAX_WAITING = 200;
/** Far above what the longest text that passes the gateway takes. */
const TIMEOUT_MS = 10_000;

/** A thread, and the scanners that it has compiled. */
type Hand = { worker: Worker; knows: Set<string> };
type Task = {
  text: string;
  scanner: Scanner;
  around: Around;
  done: (m: Match[]) => void;
  failed: (e: unknown) => void;
};
const idle: Hand[] = [];
const waiting: Task[] = [];
let running = 0;

/** scanText for text of any length: what is long is looked at by a thread, so that nobody else waits for it. */
export async function scan(text: string, scanner: Scanner, around: Around = {}): Promise<Match[]> {
  if (text.length <= INLINE_CHARS) return scanText(text, scanner, around);
  return new Promise((done, failed) => {
    if (waiting.length >= MAX_WAITING) return failed(tooMuch(`${waiting.length} long texts are waiting`));
    waiting.push({ text, scanner, around, done, failed });
    return next();
  });
}

const tooMuch = (found: string): Problem =>
  new Problem('unavailable', 'dlp/scan-too-slow', {
    says: `the content could not be inspected in time: ${found}`,
    fix: 'try again in a minute, or with less content at once',
  });

function next(): void {
  if (running >= MAX_WORKERS) return;
  const task = waiting.shift();
  if (!task) return;
  running++;
  // Beside this file, whatever the build made of both names.
  const hand = idle.pop() ?? {
    worker: new Worker(new URL(import.meta.url.replace(/scan-off-loop(\.\w+)$/, 'scan-worker$1'))),
    knows: new Set<string>(),
  };
  const { worker, knows } = hand;
  worker.ref();
  const timer = setTimeout(
    () => end(() => task.failed(tooMuch(`it took more than ${TIMEOUT_MS / 1000} s`)), 'gone'),
    TIMEOUT_MS,
  );
  const onMessage = (a: Answered): void =>
    'matches' in a ? end(() => task.done(a.matches), 'idle') : end(() => task.failed(new Error(a.broke)), 'gone');
  const onError = (e: unknown): void => end(() => task.failed(e), 'gone');
  function end(tell: () => void, then: 'idle' | 'gone'): void {
    clearTimeout(timer);
    worker.off('message', onMessage).off('error', onError);
    running--;
    if (then === 'idle') {
      // An idle thread keeps no process alive.
      worker.unref();
      idle.push(hand);
    } else void worker.terminate();
    tell();
    next();
  }
  worker.on('message', onMessage).on('error', onError);
  const { key, spec } = task.scanner;
  const asked: Asked = { text: task.text, around: task.around, key, ...(knows.has(key) ? {} : { spec }) };
  // The thread forgets the one it used longest ago, as we do here.
  knows.delete(key);
  knows.add(key);
  for (const old of knows) if (knows.size > KEPT) knows.delete(old);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  worker.postMessage(asked);
}

/** Compiled scanners that a thread keeps: as many organizations as may have long texts at once. */
const KEPT = 8;
