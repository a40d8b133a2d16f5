import type { IncomingHttpHeaders } from 'node:http';
import { ENDPOINT_MS, endpointOf, MAX_BEFORE_ENDPOINT } from '#connectors/sse-endpoint.ts';
import { eventCutter, nameOf, type StreamEvent } from '#kernel/event-stream.ts';
import { MAX_MCP_RESULT_BYTES } from '#kernel/limits.ts';
import { MAX_STREAM_BYTES } from '../relay.ts';
import { Broken, sendUpstream, type UpstreamRequest } from '../upstream.ts';
import { typeOf } from './ask-http.ts';

/** A stream of the HTTP+SSE transport (MCP 2024-11-05, basic/transports), which is a session of its own, and where messages for it are posted. */
export type Line = {
  endpoint: string;
  /** Settles when the stream has ended. */
  done: Promise<void>;
  resume(): void;
  close(): void;
};

/** The address does not open such a stream: what it answered instead. */
export class NoLine extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`no stream of the HTTP+SSE transport (status ${status})`);
    this.name = 'NoLine';
    this.status = status;
  }
}

/** Opens a stream; resolves when the server has said where messages are posted. `hear` gets each message, and may say to pause. */
export function openLine(r: UpstreamRequest, hear: (message: string) => boolean): Promise<Line> {
  return new Promise((resolve, reject) => {
    const end = new AbortController();
    const cutter = eventCutter(MAX_MCP_RESULT_BYTES);
    let endpoint: string | undefined;
    let size = 0;
    const late = setTimeout(() => {
      end.abort(
        new Broken(
          'timeout',
          `the connector did not say within ${ENDPOINT_MS / 1000} seconds where messages are posted`,
        ),
      );
    }, ENDPOINT_MS);
    late.unref();
    const heard = (e: StreamEvent): boolean => {
      const name = nameOf(e);
      if (e.data === '' || (name !== 'endpoint' && name !== 'message')) return true;
      if (name === 'message') {
        if (endpoint === undefined)
          throw new Broken('malformed', 'the connector speaks before it says where messages are posted');
        return hear(e.data);
      }
      if (endpoint !== undefined)
        throw new Broken('malformed', 'the connector names a second address for messages on one stream');
      const at = endpointOf(r.origin + r.path, e.data);
      if (!at)
        throw new Broken(
          'malformed',
          `the connector wants messages posted outside ${r.origin}: ${e.data.slice(0, 100)}`,
        );
      endpoint = at.pathname + at.search;
      clearTimeout(late);
      resolve({
        endpoint,
        done: sent.done,
        resume: () => sent.resume(),
        close: () => end.abort(new Broken('client_left', 'the exchange is over')),
      });
      return true;
    };
    const sent = (r.send ?? sendUpstream)(
      {
        ...r,
        method: 'GET',
        headers: sseHeaders(r.headers, 'text/event-stream'),
        body: undefined,
        signal: AbortSignal.any([r.signal, end.signal]),
      },
      {
        head(status, headers) {
          checkPacking(headers);
          if (status !== 200 || typeOf(headers) !== 'text/event-stream') throw new NoLine(status);
        },
        data(chunk) {
          size += chunk.length;
          if (size > (endpoint === undefined ? MAX_BEFORE_ENDPOINT : MAX_STREAM_BYTES))
            throw new Broken('too_large', 'the stream of the connector is longer than is read');
          let events: StreamEvent[];
          try {
            events = cutter.push(chunk);
          } catch (e) {
            throw new Broken('too_large', `an event of the connector is larger than ${MAX_MCP_RESULT_BYTES} bytes`, e);
          }
          let flows = true;
          for (const e of events) flows = heard(e) && flows;
          return flows;
        },
      },
    );
    sent.done.then(
      () => {
        clearTimeout(late);
        reject(new Broken('malformed', 'the connector ended its stream before it said where messages are posted'));
      },
      (e: unknown) => {
        clearTimeout(late);
        reject(e instanceof Error ? e : new Error('broken'));
      },
    );
  });
}

/** Answers to a post are on the stream; its own says only whether it was taken. */
const MAX_TAKEN = 64 * 1024;

/** Posts one message, once; resolves with the status. */
export function postTo(r: UpstreamRequest, endpoint: string, message: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let size = 0;
    const sent = (r.send ?? sendUpstream)(
      {
        ...r,
        method: 'POST',
        path: endpoint,
        headers: { ...sseHeaders(r.headers, '*/*'), 'content-type': 'application/json' },
        body: Buffer.from(message),
      },
      {
        head: (status) => resolve(status),
        data(chunk) {
          size += chunk.length;
          if (size > MAX_TAKEN) throw new Broken('too_large', 'the connector says too much where it takes messages');
          return true;
        },
      },
    );
    sent.done.catch((e: unknown) => reject(e instanceof Error ? e : new Error('broken')));
  });
}

function sseHeaders(h: Record<string, string>, accept: string): Record<string, string> {
  const { 'user-agent': agent = 'gatehouse', traceparent, tracestate } = h;
  return {
    'user-agent': agent,
    'accept-encoding': 'identity',
    accept,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(tracestate === undefined ? {} : { tracestate }),
  };
}

function checkPacking(h: IncomingHttpHeaders): void {
  const encoding = h['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    throw new Broken('malformed', 'the connector packed its answer, which it was asked not to do');
}
