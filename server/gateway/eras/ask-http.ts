import { MAX_MCP_RESULT_BYTES } from '#kernel/limits.ts';
import type { IncomingHttpHeaders } from 'node:http';
import { eventCutter } from '#kernel/event-stream.ts';
import type { Params } from '../message.ts';
import { Broken, sendUpstream, type UpstreamRequest } from '../upstream.ts';
import { objectOf } from './rewrite.ts';

export type Asked = { status: number; headers: IncomingHttpHeaders; message: Params | undefined; text: string };

/** Asks and waits for the one answer, whether it comes as JSON or as the first answer of a stream. For what is ours to ask, not for calls. */
export function askHttp(r: UpstreamRequest): Promise<Asked> {
  return new Promise((resolve, reject) => {
    let status = 0;
    let headers: IncomingHttpHeaders = {};
    let stream = false;
    let size = 0;
    const body: Buffer[] = [];
    const cutter = eventCutter(MAX_MCP_RESULT_BYTES);
    let settled = false;
    const settle = (message: Params | undefined, text: string): void => {
      settled = true;
      resolve({ status, headers, message, text });
    };
    const sent = (r.send ?? sendUpstream)(r, {
      head(s, h) {
        status = s;
        headers = h;
        stream = s === 200 && typeOf(h) === 'text/event-stream';
      },
      data(chunk) {
        if (settled) return true;
        size += chunk.length;
        if (size > MAX_MCP_RESULT_BYTES) throw new Broken('too_large', 'the connector answers with more than is read');
        if (!stream) body.push(chunk);
        else
          for (const e of cutter.push(chunk)) {
            const message = e.data === '' ? undefined : strict(e.data);
            if (message && !('method' in message)) {
              settle(message, e.data);
              sent.abort(new Broken('client_left', 'the answer is here'));
              return true;
            }
          }
        return true;
      },
    });
    sent.done.then(
      () => {
        if (settled) return;
        const text = Buffer.concat(body).toString('utf8');
        try {
          settle(typeOf(headers) === 'application/json' && text !== '' ? strict(text) : undefined, text);
        } catch (e) {
          reject(e instanceof Error ? e : new Error('unreadable'));
        }
      },
      (e: unknown) => {
        if (!settled) reject(e instanceof Error ? e : new Error('broken'));
      },
    );
  });
}

/** INVARIANT (one reading): an answer that could be read in two ways is none. */
export function strict(text: string): Params {
  let value: Params | undefined;
  try {
    value = objectOf(text);
  } catch (e) {
    throw new Broken('malformed', "the connector's answer cannot be read in one way only", e);
  }
  if (value?.['jsonrpc'] !== '2.0')
    throw new Broken('malformed', "the connector's answer is not a JSON-RPC 2.0 message");
  return value;
}

export const typeOf = (h: IncomingHttpHeaders): string =>
  (h['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
