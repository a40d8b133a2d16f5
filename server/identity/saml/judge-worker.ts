// A thread that judges responses which would hold up the event loop. It has no database, no network and no state.
import { parentPort } from 'node:worker_threads';
import { SignInRefused, type Refusal } from '../sign-in-refusal.ts';
import { judgeResponse, peekResponse, type Expectations, type Peeked, type Verdict } from './judge-response.ts';

export type Asked = { kind: 'peek'; message: string } | { kind: 'judge'; message: string; expectations: Expectations };
export type Answered = { peeked: Peeked } | { verdict: Verdict } | { refusal: Refusal } | { broke: string };

function answer(asked: Asked): Answered {
  try {
    return asked.kind === 'peek'
      ? { peeked: peekResponse(asked.message) }
      : { verdict: judgeResponse(asked.message, asked.expectations) };
  } catch (e) {
    if (e instanceof SignInRefused) return { refusal: e.refusal };
    return { broke: e instanceof Error ? (e.stack ?? e.message) : 'unknown' };
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.on('message', (asked: Asked) => parentPort?.postMessage(answer(asked)));
