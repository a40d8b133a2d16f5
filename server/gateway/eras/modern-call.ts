import type { IncomingHttpHeaders } from 'node:http';
import { MAX_MCP_RESULT_BYTES } from '#kernel/limits.ts';
import { mirrorHeaders } from '../check-headers.ts';
import { asEvent, eventCutter } from '#kernel/event-stream.ts';
import type { Params, RpcId } from '../message.ts';
import type { CalledTool } from '../org-view.ts';
import { Broken, sendUpstream, type Sending, type UpstreamRequest } from '../upstream.ts';
import { strict, typeOf } from './ask-http.ts';
import { MODERN } from './rewrite.ts';

/** A request of an older client, as it was read. */
export type Request = { id: RpcId; method: string; params: Params; text: string };

/** What it came to. */
export type Came = { status: number; headers: IncomingHttpHeaders; text: string; message: Params | undefined };

/** Sends it once; what comes before the answer goes on at once, the answer is given back. */
export function sendModern(
  known: CalledTool | undefined,
  r: UpstreamRequest,
  q: Request,
  text: string,
  began: (s: Sending) => void,
  pass: (event: string) => boolean,
): Promise<Came> {
  return new Promise((resolve, reject) => {
    let status = 0;
    let headers: IncomingHttpHeaders = {};
    let stream = false;
    let size = 0;
    const body: Buffer[] = [];
    const cutter = eventCutter(MAX_MCP_RESULT_BYTES);
    let settled = false;
    const sent = (r.send ?? sendUpstream)(
      // The revision knows no other method, whatever an older client asked with.
      { ...r, method: 'POST', headers: modernHeaders(known, r, q), body: Buffer.from(text) },
      {
        head(s, h) {
          status = s;
          headers = h;
          stream = s === 200 && typeOf(h) === 'text/event-stream';
        },
        data(chunk) {
          if (settled) return true;
          if (!stream) {
            size += chunk.length;
            if (size > MAX_MCP_RESULT_BYTES)
              throw new Broken('too_large', 'the connector answers with more than is passed on');
            body.push(chunk);
            return true;
          }
          let flows = true;
          for (const e of cutter.push(chunk)) {
            if (e.data === '') continue;
            const m = strict(e.data);
            if ('method' in m) flows = pass(asEvent(e.data)) && flows;
            else if (m['id'] === q.id) {
              settled = true;
              resolve({ status, headers: { 'content-type': 'application/json' }, text: e.data, message: m });
            } else throw new Broken('malformed', 'the connector answered a request that was not asked here');
          }
          return flows;
        },
      },
    );
    began(sent);
    sent.done.then(
      () => {
        if (settled) return;
        if (stream) return reject(new Broken('malformed', 'the connector ended its stream without an answer'));
        const whole = Buffer.concat(body).toString('utf8');
        try {
          const message = typeOf(headers) === 'application/json' && whole !== '' ? strict(whole) : undefined;
          // An error under its own status is one that an older client would take for a lost session.
          const code = message && 'error' in message ? 200 : status;
          resolve({ status: code, headers, text: whole, message });
        } catch (e) {
          reject(e instanceof Error ? e : new Error('unreadable'));
        }
      },
      (e: unknown) => (settled ? undefined : reject(e instanceof Error ? e : new Error('broken'))),
    );
  });
}

/** The headers that the stateless revision asks for, from the body and from nothing else. */
function modernHeaders(
  known: CalledTool | undefined,
  r: UpstreamRequest,
  q: Pick<Request, 'method' | 'params'>,
): Record<string, string> {
  const { 'mcp-session-id': _, 'last-event-id': __, ...rest } = r.headers;
  const wanted: IncomingHttpHeaders = { 'mcp-name': 'x' };
  for (const [header] of known?.paramHeaders ?? []) wanted[`mcp-param-${header.toLowerCase()}`] = 'x';
  const said = mirrorHeaders(q.method, q.params, wanted, known);
  const out: Record<string, string> = {
    ...rest,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': MODERN,
    'mcp-method': q.method,
  };
  for (const [name, value] of Object.entries(said)) if (typeof value === 'string' && value !== 'x') out[name] = value;
  return out;
}
