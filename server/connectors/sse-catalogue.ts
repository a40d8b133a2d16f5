import type { Egress } from '#kernel/egress.ts';
import { eventCutter, nameOf } from '#kernel/event-stream.ts';
import { parseJsonText } from '#kernel/json.ts';
import { asProblem, Problem } from '#kernel/problem.ts';
import {
  broken,
  checkStatus,
  MAX_CATALOGUE_BYTES,
  reached,
  send,
  type Message,
  type Upstream,
} from './ask-upstream.ts';
import { egressRules } from './connector.ts';
import { ENDPOINT_MS, endpointOf, MAX_BEFORE_ENDPOINT } from './sse-endpoint.ts';
import { isRecord } from './tool.ts';

/** An open stream of the HTTP+SSE transport (MCP 2024-11-05), for as long as a catalogue is asked for. */
export type SseLine = {
  ask(m: Message): Promise<Record<string, unknown>>;
  tell(m: Message): Promise<void>;
  close(): void;
};

/** All pages of a catalogue on one stream. */
const STREAM_MS = 30_000;

/** Undefined: the address opens no such stream. One that opens it and then breaks the transport's rules is refused by name. */
export async function openSse(egress: Egress, upstream: Upstream): Promise<SseLine | undefined> {
  const end = new AbortController();
  const opening = setTimeout(() => end.abort(), ENDPOINT_MS);
  const response = await reached(upstream, () =>
    egress.fetch(
      upstream.url,
      {
        method: 'GET',
        headers: {
          accept: 'text/event-stream',
          ...(upstream.bearer ? { authorization: `Bearer ${upstream.bearer.reveal()}` } : {}),
        },
        signal: end.signal,
      },
      { ...egressRules(upstream), maxBytes: MAX_CATALOGUE_BYTES, timeoutMs: STREAM_MS },
    ),
  ).catch((e: unknown) => {
    // It opens nothing, however slowly.
    if (end.signal.aborted) return undefined;
    throw e;
  });
  clearTimeout(opening);
  if (!response) return undefined;
  const stream = (response.headers.get('content-type') ?? '').startsWith('text/event-stream');
  if (response.status !== 200 || !stream || !response.body) {
    await response.body?.cancel();
    return undefined;
  }
  const events = eventsOf(response.body, upstream);
  const close = (): void => {
    end.abort();
    response.body?.cancel().catch(() => undefined);
    events.return(undefined).catch(() => undefined);
  };
  try {
    const endpoint = await endpointIn(events, upstream);
    const at = { ...upstream, url: endpoint.href };
    const tell = async (m: Message): Promise<void> => {
      const taken = await send(egress, at, m);
      await checkStatus(taken, at);
      await taken.body?.cancel();
    };
    return {
      close,
      tell,
      async ask(m) {
        await tell(m);
        for (;;) {
          const { name, data } = await next(events);
          if (name === 'endpoint') throw broken('it names a second address for messages on one stream');
          if (name !== 'message') continue;
          const message = messageIn(data);
          if ('method' in message) continue;
          if (message['id'] !== m.id) throw broken('it answers what it was not asked');
          return message;
        }
      },
    };
  } catch (e) {
    close();
    throw e;
  }
}

type Event = { name: string; data: string };

async function* eventsOf(body: ReadableStream<Uint8Array>, upstream: Upstream): AsyncGenerator<Event, undefined> {
  const cutter = eventCutter(MAX_CATALOGUE_BYTES);
  const reader = body.getReader();
  let size = 0;
  for (let named = false; ;) {
    const piece = await reached(upstream, () => reader.read());
    if (piece.done) return;
    size += piece.value.length;
    if (!named && size > MAX_BEFORE_ENDPOINT) throw broken('it does not say where messages are posted');
    for (const e of cutter.push(Buffer.from(piece.value))) {
      named ||= nameOf(e) === 'endpoint';
      if (e.data !== '') yield { name: nameOf(e), data: e.data };
    }
  }
}

async function next(events: AsyncGenerator<Event, undefined>): Promise<Event> {
  const e = await events.next();
  if (e.value === undefined) throw broken('it ended its stream without an answer');
  return e.value;
}

async function endpointIn(events: AsyncGenerator<Event, undefined>, upstream: Upstream): Promise<URL> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          broken(`it opens a stream and does not say within ${ENDPOINT_MS / 1000} seconds where messages are posted`),
        ),
      ENDPOINT_MS,
    );
  });
  try {
    const first = next(events);
    first.catch(() => undefined);
    const { name, data } = await Promise.race([first, late]);
    if (name !== 'endpoint') throw broken('its stream does not begin by saying where messages are posted');
    const at = endpointOf(upstream.url, data);
    if (!at)
      throw new Problem('upstream', 'connectors/endpoint-elsewhere', {
        says: `the server at ${new URL(upstream.url).host} wants messages posted to another origin: ${data.slice(0, 100)}`,
        fix: 'its address for messages must be of the same origin as its stream, because the credential goes there',
      });
    return at;
  } finally {
    clearTimeout(timer);
  }
}

function messageIn(data: string): Record<string, unknown> {
  let message: unknown;
  try {
    message = parseJsonText(data);
  } catch (e) {
    throw broken(`its answer is not JSON that means one thing (${asProblem(e).says})`, e);
  }
  if (!isRecord(message)) throw broken('one of its messages is not an object');
  return message;
}
