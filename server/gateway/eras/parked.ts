import { z } from 'zod';
import type { Params, RpcId } from '../message.ts';
import type { Place } from '../org-view.ts';
import { Broken } from '../upstream.ts';
import type { Carried } from './carried.ts';

/** A person needs a while to answer; a server's stream is kept no longer for it. */
export const PARKED_MS = 5 * 60_000;
/** What one stream says between two stops, in characters; what is more is not progress. */
const MAX_SAW = 256 * 1024;
/** How often it is asked whether the other node is there. */
const ALIVE_MS = 2000;
/** Streams that wait on this node. */
const MAX_PARKED = 2000;

/** Where a call that runs at an older server comes to: its end, or a question. */
export type Stop =
  | { kind: 'answer'; text: string }
  | { kind: 'asks'; asked: RpcId; request: { method: string; params: Params } }
  | { kind: 'broken'; says: string };

const Leg = z.object({
  saw: z.array(z.string()),
  stop: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('answer'), text: z.string() }),
    z.object({
      kind: z.literal('asks'),
      asked: z.union([z.string(), z.number()]),
      request: z.object({ method: z.string(), params: z.record(z.string(), z.unknown()) }),
    }),
    z.object({ kind: z.literal('broken'), says: z.string() }),
  ]),
});
export type Leg = z.infer<typeof Leg>;

/** Streams of older servers that wait on this node while clients fetch what the servers asked for. */
export interface Parking {
  /** Of this process. */
  readonly node: string;
  /** Keeps a stream; what it comes to goes to whichever node the client comes to next. */
  park(
    place: Place,
    exchange: string,
    stream: { end(why: Broken): void },
  ): { saw(event: string): void; stopped(s: Stop): void };
  /** Whether this is the first time that a client comes with the state of this round. */
  claim(place: Place, exchange: string, round: number): Promise<boolean>;
  /** How the exchange went on after a round. Broken where the node that has the stream is there no more. */
  next(place: Place, of: { exchange: string; round: number; node: string }, signal: AbortSignal): Promise<Leg>;
  close(): void;
}

export function parkingOf(
  node: string,
  carried: Carried,
  alive: (node: string) => Promise<boolean>,
  failed: (err: unknown) => void,
): Parking {
  const streams = new Map<string, { end(why: Broken): void; timer: NodeJS.Timeout }>();
  const legs = new Map<string, (leg: Leg) => void>();
  const keyOf = (exchange: string, round: number): string => `leg/${exchange}/${round}`;
  const release = (exchange: string): void => {
    clearTimeout(streams.get(exchange)?.timer);
    streams.delete(exchange);
  };
  return {
    node,
    park(place, exchange, stream) {
      const timer = setTimeout(() => end('nobody answered the connector in time'), PARKED_MS);
      timer.unref();
      streams.set(exchange, { ...stream, timer });
      const end = (says: string): void => {
        if (!streams.has(exchange)) return;
        release(exchange);
        stream.end(new Broken('timeout', says));
      };
      if (streams.size > MAX_PARKED) end('too many calls wait for answers on this node');
      let round = 1;
      let saw: string[] = [];
      let size = 0;
      return {
        saw(event) {
          size += event.length;
          if (size > MAX_SAW) end('the connector said too much while it waited');
          else saw.push(event);
        },
        stopped(stop) {
          const leg = { saw, stop };
          const key = keyOf(exchange, round++);
          saw = [];
          size = 0;
          if (stop.kind !== 'asks') release(exchange);
          const here = legs.get(key);
          if (here) here(leg);
          else carried.leave(place, key, leg, PARKED_MS).catch(failed);
        },
      };
    },
    claim: (place, exchange, round) => carried.leave(place, `used/${exchange}/${round}`, true, PARKED_MS + 60_000),
    async next(place, of, signal) {
      const key = keyOf(of.exchange, of.round + 1);
      const own = new AbortController();
      const either = AbortSignal.any([signal, own.signal]);
      const gone = async (): Promise<Leg> => {
        while (!either.aborted) {
          await new Promise((next) => setTimeout(next, ALIVE_MS).unref());
          if (of.node !== node && !(await alive(of.node).catch(() => true)))
            return { saw: [], stop: { kind: 'broken', says: 'the node that this call ran on is there no more' } };
        }
        throw new Broken('client_left', 'nobody waits');
      };
      const dead = gone();
      dead.catch(() => undefined);
      try {
        const here = new Promise<Leg>((resolve) => legs.set(key, resolve));
        const leg = await Promise.race([here, carried.await(place, key, either), dead]);
        if (leg === undefined)
          throw signal.reason instanceof Broken ? signal.reason : new Broken('client_left', 'the client left');
        return Leg.parse(leg);
      } finally {
        legs.delete(key);
        own.abort();
      }
    },
    close() {
      for (const [exchange, s] of streams) {
        release(exchange);
        s.end(new Broken('interrupted', 'this node stops'));
      }
    },
  };
}
