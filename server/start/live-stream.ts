import type { Growth } from '#audit/read-growth.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { namedEvent } from '#kernel/event-stream.ts';
import { asProblem } from '#kernel/problem.ts';
import { ANYTHING, toldTopics, type Topics } from './topic.ts';

/** A proxy that hears nothing closes a connection after a minute or less; a session that ends by the clock is seen to have ended after this long. */
const HEARTBEAT_MS = 5000;
/** Least time between two questions to the gate, however busy the organization is. INVARIANT (access ends): less than a second. */
const JUDGE_MS = 500;

/** Where a listener is: the sizes of the organization's log and its parent's. Undefined: they were nowhere yet, or somewhere that is none of ours. */
export function positionFrom(lastEventId: string): readonly number[] | undefined {
  const found = /^(\d{1,15})\.(\d{1,15})$/.exec(lastEventId);
  return found ? [Number(found[1]), Number(found[2])] : undefined;
}

export type LiveStream = {
  response: Response;
  /** The log grew. */
  grown(growth: Growth | undefined): void;
  /** Says where the listener is and, to one who comes back, what they missed. `still` throws when access has ended; else what may be heard now. */
  begin(now: Growth, resumed: boolean, still: () => Promise<ReadonlySet<string>>): void;
};

/** One listener. What it is too slow to take is gathered, so that it costs one event however long it sleeps. */
export function liveStream(o: { ctx: OrgCtx; topics: Topics; heard: ReadonlySet<string>; end(): void }): LiveStream {
  const { ctx, topics } = o;
  const utf8 = new TextEncoder();
  let { heard } = o;
  let to: ReadableStreamDefaultController<Uint8Array> | undefined;
  let still: (() => Promise<ReadonlySet<string>>) | undefined;
  let position = '';
  let judging: NodeJS.Timeout | undefined;
  let beating: NodeJS.Timeout | undefined;
  const waiting = new Set<string>();

  const over = (): void => {
    clearTimeout(judging);
    clearInterval(beating);
    unheard?.();
    to = undefined;
    o.end();
  };
  const send = (text: string): void => to?.enqueue(utf8.encode(text));
  const flush = (): void => {
    if (!to || waiting.size === 0 || (to.desiredSize ?? 0) <= 0) return;
    const told = waiting.has(ANYTHING) ? [ANYTHING] : [...waiting].toSorted();
    waiting.clear();
    send(namedEvent({ name: 'changed', id: position, data: { topics: told } }));
  };
  const grown = (g: Growth | undefined): void => {
    if (!to) return;
    if (!g) return close({ code: 'db/unavailable', says: 'the log cannot be read now', again: true });
    position = g.sizes.join('.');
    for (const t of toldTopics(topics, heard, g.types)) waiting.add(t);
    flush();
  };
  const close = (why: { code: string; says: string; again: boolean }): void => {
    const stream = to;
    if (!stream) return;
    send(namedEvent({ name: 'ended', data: why }));
    over();
    stream.close();
  };
  const judge = async (): Promise<void> => {
    try {
      if (still) heard = await still();
    } catch (e) {
      const p = asProblem(e);
      close({ code: p.code, says: p.says, again: p.kind === 'unavailable' || p.kind === 'bug' });
    }
  };
  const soon = (): void => {
    if (!to) return;
    judging ??= setTimeout(() => {
      judging = undefined;
      void judge();
    }, JUDGE_MS).unref();
  };
  const unheard = ctx.versions?.onChange((scope) => {
    if (scope === undefined || scope === ctx.org || scope === ctx.parent) soon();
  });

  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        to = controller;
      },
      pull: flush,
      cancel: over,
    },
    { highWaterMark: 16 },
  );
  return {
    response: new Response(body, {
      headers: {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // Stops proxies that gather answers (nginx); and a connection that carried this is not kept for another request.
        'x-accel-buffering': 'no',
        connection: 'close',
      },
    }),
    grown,
    begin(now, resumed, ask) {
      still = ask;
      send('retry: 2000\n\n');
      send(
        namedEvent({ name: 'ready', id: (position = now.sizes.join('.')), data: { topics: [...heard].toSorted() } }),
      );
      if (resumed) grown(now);
      beating = setInterval(
        () => {
          if ((to?.desiredSize ?? 0) > 0) send(': \n\n');
          void judge();
        },
        ctx.versions ? HEARTBEAT_MS : JUDGE_MS,
      ).unref();
    },
  };
}
