import { Worker } from 'node:worker_threads';
import { MiB } from '#kernel/limits.ts';
import { Problem, type Kind } from '#kernel/problem.ts';
import { MAX_CONTENT_BYTES, type Content, type ContentPart, type ContentText, type Unreadable } from './content.ts';
import type { Answered, Asked } from './read-worker.ts';

const MAX_WORKERS = 2;
const MAX_WAITING = 50;
/** Of all files that wait, so that waiting costs no more than reading. */
const MAX_WAITING_BYTES = 200 * MiB;
/** Far above what the largest honest document takes. */
const TIMEOUT_MS = 20_000;
/** Of one thread, with what lies outside of its heap. A workbook of a million cells needs about half of it. */
const MAX_HEAP_MB = 384;
const MAX_BYTES = 768 * MiB;
/** How often somebody looks at that. */
const LOOK_MS = 100;
/** A thread reads so many files and ends: whatever libraries keep is gone with it. */
const FILES_PER_THREAD = 200;

type Hand = { worker: Worker; files: number };
type Task = {
  asked: Asked;
  done: (t: ContentText) => void;
  failed: (e: unknown) => void;
  /** Whether a thread that had read other files before broke over it: then it is read once more, by a new one. */
  again: boolean;
  timeoutMs: number;
  signal: AbortSignal | undefined;
};
const idle: Hand[] = [];
const waiting: Task[] = [];
let waitingBytes = 0;
let running = 0;

const kinds = {
  'connectors/content-unsupported': 'unsupported',
  'connectors/content-encrypted': 'unsupported',
  'connectors/content-broken': 'invalid',
  'connectors/content-too-hard': 'too_large',
} as const satisfies Record<Unreadable['code'], Kind>;

/**
 * The text of a file from outside, as much of it as is asked for. It is read in a thread of its own, within limits of time and memory; a file that
 * breaks the thread breaks no other. Refuses with a Problem what cannot be read, and says why. With `signal`, whoever asked can stop waiting.
 */
export async function toText(
  content: Content,
  part: ContentPart = {},
  { signal, timeoutMs = TIMEOUT_MS }: { signal?: AbortSignal | undefined; timeoutMs?: number } = {},
): Promise<ContentText> {
  if (content.bytes.length > MAX_CONTENT_BYTES)
    throw new Problem('too_large', 'connectors/content-too-large', {
      says: `the file has ${Math.ceil(content.bytes.length / MiB)} MiB; at most ${MAX_CONTENT_BYTES / MiB} MiB are read as text`,
      fix: 'ask for a smaller file, or open this one in its own program',
    });
  return new Promise((done, failed) => {
    if (waiting.length >= MAX_WAITING || waitingBytes + content.bytes.length > MAX_WAITING_BYTES)
      return failed(
        new Problem('unavailable', 'connectors/content-busy', {
          says: `${waiting.length} files are waiting to be read`,
          fix: 'try again in a minute',
        }),
      );
    // A copy of exactly these bytes: what lies beside them in a pooled buffer is somebody else's.
    waiting.push({
      asked: { content: { ...content, bytes: new Uint8Array(content.bytes) }, part },
      done,
      failed,
      again: false,
      timeoutMs,
      signal,
    });
    waitingBytes += content.bytes.length;
    return next();
  });
}

const unreadable = (u: Unreadable, because?: unknown): Problem =>
  new Problem(kinds[u.code], u.code, { says: u.says, fix: u.fix, because });

const tooHard = (says: string, because?: unknown): Problem =>
  unreadable(
    { code: 'connectors/content-too-hard', says, fix: 'open it in its own program, or share a smaller part of it' },
    because,
  );

function next(): void {
  if (running >= MAX_WORKERS) return;
  const task = waiting.shift();
  if (!task) return;
  waitingBytes -= task.asked.content.bytes.length;
  if (task.signal?.aborted) {
    task.failed(task.signal.reason);
    return next();
  }
  running++;
  const hand = (task.again ? undefined : idle.pop()) ?? newHand();
  const { worker } = hand;
  worker.ref();
  const timer = setTimeout(
    () => end(() => task.failed(tooHard(`reading the file takes more than ${task.timeoutMs / 1000} s`)), 'gone'),
    task.timeoutMs,
  );
  // The heap has a limit of its own; bytes outside of it, into which packed streams unpack, have none but this.
  const look = setInterval(() => {
    worker.getHeapStatistics().then(
      (s) => {
        if (s.external_memory + s.used_heap_size > MAX_BYTES) end(() => task.failed(tooMuchMemory()), 'gone');
      },
      () => undefined,
    );
  }, LOOK_MS);
  const onMessage = (a: Answered): void =>
    'text' in a
      ? end(() => task.done(a.text), 'idle')
      : 'unreadable' in a
        ? end(() => task.failed(unreadable(a.unreadable)), 'idle')
        : end(
            () =>
              task.failed(
                unreadable(
                  {
                    code: 'connectors/content-broken',
                    says: 'the file is not built as files of its kind are',
                    fix: 'save it again in the program that made it',
                  },
                  a.broke,
                ),
              ),
            'gone',
          );
  const onBreak = (e: unknown): void =>
    end(() => {
      // INVARIANT (one bad file hurts no other): what broke may be left over from a file before.
      if (hand.files === 0) task.failed(tooMuchMemory(e));
      else {
        waiting.unshift({ ...task, again: true });
        waitingBytes += task.asked.content.bytes.length;
      }
    }, 'gone');
  // Whoever asked waits no longer: the thread is for the next one.
  const { signal } = task;
  const onAbort = (): void => end(() => task.failed(signal?.reason), 'gone');
  signal?.addEventListener('abort', onAbort, { once: true });
  let ended = false;
  function end(tell: () => void, then: 'idle' | 'gone'): void {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    clearInterval(look);
    signal?.removeEventListener('abort', onAbort);
    worker.off('message', onMessage).off('error', onBreak).off('exit', onBreak);
    running--;
    if (then === 'idle' && ++hand.files < FILES_PER_THREAD) {
      // An idle thread keeps no process alive.
      worker.unref();
      idle.push(hand);
    } else void worker.terminate();
    tell();
    next();
  }
  worker.on('message', onMessage).on('error', onBreak).on('exit', onBreak);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  worker.postMessage(task.asked);
}

const tooMuchMemory = (because?: unknown): Problem =>
  tooHard('reading the file takes more memory than a file may', because);

function newHand(): Hand {
  // Beside this file, whatever the build made of both names.
  const worker = new Worker(new URL(import.meta.url.replace(/to-text(\.\w+)$/, 'read-worker$1')), {
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB, maxYoungGenerationSizeMb: 32 },
    // Nothing of ours is in its environment.
    env: {},
  });
  const hand = { worker, files: 0 };
  // A thread may break after its answer, when nobody asks it anything.
  worker
    .on('error', () => undefined)
    .on('exit', () => {
      const at = idle.indexOf(hand);
      if (at >= 0) idle.splice(at, 1);
    });
  return hand;
}
