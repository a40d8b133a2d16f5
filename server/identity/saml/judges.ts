import { Worker } from 'node:worker_threads';
import { KiB } from '#kernel/limits.ts';
import { SignInRefused } from '../sign-in-refusal.ts';
import { judgeResponse, peekResponse, type Expectations, type Peeked, type Verdict } from './judge-response.ts';
import type { Answered, Asked } from './judge-worker.ts';
import { refuse } from './refuse.ts';

/**
 * Up to this many characters of base64 a response is judged where it arrives: an ordinary one has 5 to 15 KiB and takes about a millisecond.
 * Larger ones (`npm run bench -- saml`: 300 KiB take 20 to 60 ms) go to a thread, so that nobody else waits for them.
 */
const INLINE_CHARS = 48 * KiB;
const MAX_WORKERS = 2;
const MAX_WAITING = 100;
/** Far above what the largest honest response takes. */
const TIMEOUT_MS = 10_000;

type Task = { asked: Asked; done: (a: Answered) => void; failed: (e: unknown) => void };
const idle: Worker[] = [];
const waiting: Task[] = [];
let running = 0;

export async function peek(message: string): Promise<Peeked> {
  if (message.length <= INLINE_CHARS) return peekResponse(message);
  const a = await inWorker({ kind: 'peek', message });
  if ('peeked' in a) return a.peeked;
  throw broken(a);
}

export async function judge(message: string, expectations: Expectations): Promise<Verdict> {
  if (message.length <= INLINE_CHARS) return judgeResponse(message, expectations);
  const a = await inWorker({ kind: 'judge', message, expectations });
  if ('verdict' in a) return a.verdict;
  throw broken(a);
}

const broken = (a: Answered): Error =>
  'refusal' in a
    ? new SignInRefused(a.refusal)
    : new Error('broke' in a ? a.broke : 'a judge answered another question');

const tooMuch = (found: string) =>
  refuse('identity/saml-xml-too-complex', 'the message takes too long to read', {
    found,
    fix: 'try again in a minute',
  });

function inWorker(asked: Asked): Promise<Answered> {
  return new Promise((done, failed) => {
    if (waiting.length >= MAX_WAITING) return failed(tooMuch(`${waiting.length} large messages are waiting`));
    waiting.push({ asked, done, failed });
    return next();
  });
}

function next(): void {
  if (running >= MAX_WORKERS) return;
  const task = waiting.shift();
  if (!task) return;
  running++;
  // Beside this file, whatever the build made of both names.
  const worker = idle.pop() ?? new Worker(new URL(import.meta.url.replace(/judges(\.\w+)$/, 'judge-worker$1')));
  worker.ref();
  const timer = setTimeout(
    () => end(() => task.failed(tooMuch(`more than ${TIMEOUT_MS / 1000} s`)), 'gone'),
    TIMEOUT_MS,
  );
  const onMessage = (a: Answered): void => end(() => task.done(a), 'idle');
  const onError = (e: unknown): void => end(() => task.failed(e), 'gone');
  function end(tell: () => void, then: 'idle' | 'gone'): void {
    clearTimeout(timer);
    worker.off('message', onMessage).off('error', onError);
    running--;
    if (then === 'idle') {
      // An idle thread keeps no process alive.
      worker.unref();
      idle.push(worker);
    } else void worker.terminate();
    tell();
    next();
  }
  worker.on('message', onMessage).on('error', onError);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  worker.postMessage(task.asked);
}
