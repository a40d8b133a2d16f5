import { asEvent } from '#kernel/event-stream.ts';
import { watchShown } from './aggregate/watch-shown.ts';
import { tagged } from './eras/listen-down.ts';
import type { Exchange } from './exchange.ts';
import { isParams, type Params } from './message.ts';

const METHOD = 'notifications/tools/list_changed';
const KEEP_ALIVE_MS = 15_000;

/**
 * Tells a client that listens at one connector when what it may use there becomes another by something of ours, among what the connector
 * itself says. INVARIANT: nothing is told before what is listened for was acknowledged, and nothing that was not.
 */
export type TellShown = {
  /** A message is about to be passed on; `passed` settles when nothing keeps it back any more. */
  passes(message: Params, passed: unknown): void;
  /** The connector has begun its stream. */
  begins(): void;
  stop(): void;
};

export function tellShown(x: Exchange): TellShown {
  const asked = x.message?.kind === 'request' ? x.message : undefined;
  let stop = (): void => undefined;
  const begin = (event: string): void => {
    stop();
    stop = watchShown(x, () => void x.reply.event(event));
  };
  return {
    passes({ method, params }, passed) {
      if (!asked || method !== 'notifications/subscriptions/acknowledged' || !isParams(params)) return;
      const kept = params['notifications'];
      if (!isParams(kept) || kept['toolsListChanged'] !== true) return;
      const then = (): void => void setImmediate(() => !x.end.signal.aborted && begin(tagged(asked.id, METHOD)));
      if (passed instanceof Promise) passed.then(then, () => undefined);
      else then();
    },
    begins() {
      // A stream that is resumed is the rest of another; who resumes one has, or opens, its own.
      if (!asked && x.headers['last-event-id'] === undefined)
        begin(asEvent(JSON.stringify({ jsonrpc: '2.0', method: METHOD })));
    },
    stop: () => stop(),
  };
}

/** The stream of a client of an older revision whose connector has none: what we have to tell, until the client leaves. */
export async function tellAlone(x: Exchange, tell: TellShown): Promise<void> {
  const { res } = x.reply;
  x.reply.beginStream();
  res.flushHeaders();
  tell.begins();
  const alive = setInterval(() => x.reply.event(': keep-alive\n\n'), KEEP_ALIVE_MS).unref();
  try {
    await new Promise<void>((resolve) => {
      if (x.end.signal.aborted) resolve();
      x.end.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    clearInterval(alive);
    res.end();
  }
}
