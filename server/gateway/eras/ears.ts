import { sha256 } from '@gatehouse/contract/sha256.ts';
import { MAX_MCP_RESULT_BYTES } from '#kernel/limits.ts';
import { eventCutter } from '#kernel/event-stream.ts';
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
  /** Listens for what changes; `over` is called when the stream ends by itself. False: the server has no such stream, or another node has it. */
  listen(place: Place, r: UpstreamRequest, session: OlderSession, to: Listener): Promise<(() => void) | false>;
  close(): void;
}

type Listener = { tell: (notification: Params) => void; over: () => void };
type Ear = {
  takers: Set<(question: Params) => boolean>;
  listeners: Set<Listener>;
  /** False: refused. True, or not known yet: there may be such a stream. */
  open: Promise<boolean | undefined>;
  end: AbortController;
  idle: NodeJS.Timeout | undefined;
};

/** A next call may come soon. */
const IDLE_MS = 10_000;
/** Some servers send the head of a stream with its first event only; nobody waits for that. */
const OPENS_MS = 250;
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
    const ear: Ear = { takers: new Set(), listeners: new Set(), open: Promise.resolve(false), end, idle: undefined };
    const cutter = eventCutter(MAX_MCP_RESULT_BYTES);
    ear.open = new Promise((resolve) => {
      let listening = false;
      const late = setTimeout(() => resolve(undefined), OPENS_MS);
      const sent = (r.send ?? sendUpstream)(
        {
          ...r,
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
              if (typeof m['method'] !== 'string') continue;
              if (m['id'] === undefined) for (const l of ear.listeners) l.tell(m);
              else heard(place, key, ear, m);
            }
            return true;
          },
        },
      );
      const over_ = (): void => {
        clearTimeout(late);
        resolve(false);
        if (ears.get(key) === ear) ears.delete(key);
        for (const l of ear.listeners) l.over();
      };
      sent.done.then(over_, over_);
    });
    return ear;
  };

  const keyOf = (place: Place, r: UpstreamRequest, session: OlderSession): string =>
    sha256(JSON.stringify([place.org, r.origin, r.path, session.id])).toString('hex');

  const earOf = (place: Place, r: UpstreamRequest, session: OlderSession): Ear | undefined => {
    if (session.id === undefined) return undefined;
    const key = keyOf(place, r, session);
    let ear = ears.get(key);
    if (!ear) {
      if (ears.size >= MAX_EARS) return undefined;
      ears.set(key, (ear = open(place, r, session, key)));
    }
    clearTimeout(ear.idle);
    return ear;
  };

  const rest = (ear: Ear): void => {
    if (ear.takers.size + ear.listeners.size > 0) return;
    ear.idle = setTimeout(() => ear.end.abort(new Broken('client_left', 'no call runs')), IDLE_MS);
    ear.idle.unref();
  };

  return {
    async listen(place, r, session, to) {
      const ear = earOf(place, r, session);
      if (!ear) return false;
      ear.listeners.add(to);
      const leave = (): void => {
        ear.listeners.delete(to);
        rest(ear);
      };
      if ((await ear.open) !== false) return leave;
      leave();
      return false;
    },
    async during(place, r, session, take) {
      const mine = earOf(place, r, session);
      if (!mine) return () => undefined;
      const key = keyOf(place, r, session);
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
      if ((await mine.open) === false) elsewhere().catch(() => undefined);
      return () => {
        over.abort();
        mine.takers.delete(take);
        rest(mine);
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
