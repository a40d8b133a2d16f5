import { sha256 } from '@gatehouse/contract/sha256.ts';
import { MAX_MCP_RESULT_BYTES } from '#kernel/limits.ts';
import { eventCutter } from '../event-stream.ts';
import { isParams, type Params } from '../message.ts';
import type { Place } from '../org-view.ts';
import { Broken, sendUpstream, type UpstreamRequest } from '../upstream.ts';
import { strict, typeOf } from './ask-http.ts';
import type { Carried } from './carried.ts';
import { olderHeaders } from './older-headers.ts';
import type { OlderSession } from './older-session.ts';

/**
 * The stream of an older session beside its calls. Many servers ask there what they want to know in the middle of a call, and say nothing of which
 * call it is for; so it is open while calls run, and a question goes to the newest of them. A session has one such stream, on whichever node opened
 * it first; what concerns a call of another node is left for that one.
 */
export interface Ears {
  /** Listens for one call; `take` says whether the question is the call's. Resolves when the stream is open, or there is none. */
  during(
    place: Place,
    r: UpstreamRequest,
    session: OlderSession,
    take: (question: Params) => boolean,
  ): Promise<() => void>;
  close(): void;
}

type Ear = {
  takers: Set<(question: Params) => boolean>;
  open: Promise<boolean>;
  end: AbortController;
  idle: NodeJS.Timeout | undefined;
};

/** A next call may come soon. */
const IDLE_MS = 10_000;
/** The server opens it at once, or has none. */
const OPENS_MS = 2000;
const LETTER_MS = 60_000;
/** Streams of this kind on one node. */
const MAX_EARS = 5000;

export function earsOf(carried: Carried): Ears {
  const ears = new Map<string, Ear>();

  const heard = (place: Place, key: string, ear: Ear, question: Params): void => {
    for (const take of [...ear.takers].toReversed()) if (take(question)) return;
    carried.replace(place, `side/${key}`, question, LETTER_MS).catch(() => undefined);
  };

  const open = (place: Place, r: UpstreamRequest, session: OlderSession, key: string): Ear => {
    const end = new AbortController();
    const ear: Ear = { takers: new Set(), open: Promise.resolve(false), end, idle: undefined };
    const cutter = eventCutter(MAX_MCP_RESULT_BYTES);
    ear.open = new Promise((resolve) => {
      let listening = false;
      const late = setTimeout(() => resolve(false), OPENS_MS);
      const { send: _, ...over } = r;
      const sent = sendUpstream(
        {
          ...over,
          method: 'GET',
          headers: { ...olderHeaders(r, session), accept: 'text/event-stream' },
          body: undefined,
          signal: end.signal,
        },
        {
          head(status, headers) {
            listening = status === 200 && typeOf(headers) === 'text/event-stream';
            resolve(listening);
          },
          data(chunk) {
            if (!listening) return true;
            for (const e of cutter.push(chunk)) {
              const m = e.data === '' ? {} : strict(e.data);
              if (typeof m['method'] === 'string' && (typeof m['id'] === 'string' || typeof m['id'] === 'number'))
                heard(place, key, ear, m);
            }
            return true;
          },
        },
      );
      const over_ = (): void => {
        clearTimeout(late);
        resolve(false);
        if (ears.get(key) === ear) ears.delete(key);
      };
      sent.done.then(over_, over_);
    });
    return ear;
  };

  return {
    async during(place, r, session, take) {
      if (session.id === undefined) return () => undefined;
      const key = sha256(JSON.stringify([place.org, r.origin, r.path, session.id])).toString('hex');
      let ear = ears.get(key);
      if (!ear) {
        if (ears.size >= MAX_EARS) return () => undefined;
        ears.set(key, (ear = open(place, r, session, key)));
      }
      const mine = ear;
      clearTimeout(mine.idle);
      mine.takers.add(take);
      const over = new AbortController();
      const elsewhere = async (): Promise<void> => {
        while (!over.signal.aborted) {
          const question = await carried.await(place, `side/${key}`, over.signal);
          if (!isParams(question) || over.signal.aborted) return;
          // Of several that wait only one may have it.
          if (
            (await carried.leave(place, `sided/${key}/${JSON.stringify(question['id'])}`, true, LETTER_MS)) &&
            take(question)
          )
            await carried.forget(place, `side/${key}`);
          else await new Promise((next) => setTimeout(next, 100).unref());
        }
      };
      if (!(await mine.open)) elsewhere().catch(() => undefined);
      return () => {
        over.abort();
        mine.takers.delete(take);
        if (mine.takers.size > 0) return;
        mine.idle = setTimeout(() => mine.end.abort(new Broken('client_left', 'no call runs')), IDLE_MS);
        mine.idle.unref();
      };
    },
    close() {
      for (const ear of ears.values()) {
        clearTimeout(ear.idle);
        ear.end.abort(new Broken('interrupted', 'this node stops'));
      }
    },
  };
}
