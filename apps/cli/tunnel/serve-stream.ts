import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { covers, type Destination } from '@gatehouse/contract/tunnel/destination.ts';
import type { Headers, Reason, RequestHead } from '@gatehouse/contract/tunnel/frame.ts';
import { Refused } from '@gatehouse/contract/tunnel/frame.ts';
import type { Ear, Stream } from '@gatehouse/contract/tunnel/line.ts';
import { addressOf, Forbidden } from './forbidden.ts';

/** Finding and reaching a host inside a network. */
const CONNECT_MS = 10_000;

/** Of one connection, or what node makes itself. */
const hop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'expect',
]);

/**
 * Does one request of the server and sends back what comes of it. INVARIANT (the own list): what this command line does not allow is refused, whatever
 * the server wants. A redirect is an answer like any other and is not followed. A request has a connection of its own: one that is kept may
 * be closed by the other side in the very moment, and nobody could tell whether the request had its effect.
 */
export function serveStream(allow: readonly Destination[], head: RequestHead, stream: Stream): Ear {
  let owed = 0;
  let over = false;
  let answer: IncomingMessage | undefined;
  let request: ReturnType<typeof httpRequest> | undefined;
  const waiting: Uint8Array[] = [];
  let ended = false;

  const fail = (reason: Reason): void => {
    if (over) return;
    over = true;
    stream.reset(reason);
    request?.destroy();
  };
  const url = URL.canParse(head.url) ? new URL(head.url) : undefined;
  if (!url || url.username || url.password || url.hash || !allow.some((d) => covers(d, url))) {
    fail({ code: 'not_allowed', says: `this agent was not started with --allow ${url?.origin ?? 'such an address'}` });
    return { head() {}, data() {}, end() {}, drain() {}, reset() {} };
  }

  const begin = async (): Promise<void> => {
    const { address, family } = await addressOf(url.hostname);
    if (over) return;
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const headers: Record<string, string | string[]> = {};
    for (const [name, value] of head.headers) {
      const key = name.toLowerCase();
      if (!hop.has(key)) headers[key] = [...[headers[key] ?? []].flat(), value];
    }
    const r = (request = send(url, {
      method: head.method,
      agent: false,
      headers: Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, v.length === 1 ? (v[0] ?? '') : v])),
      // The very address that was judged, whatever the name means by now.
      lookup: (_host, o, done) => (o.all === true ? done(null, [{ address, family }]) : done(null, address, family)),
    }));
    const slow = setTimeout(
      () => r.destroy(Object.assign(new Error('it did not answer the connection'), { code: 'ETIMEDOUT' })),
      CONNECT_MS,
    );
    let sent = false;
    r.once('socket', (socket) => socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
      clearTimeout(slow);
      sent = true;
    })); // prettier-ignore
    r.on('error', (e) => {
      clearTimeout(slow);
      fail(reasonOf(e, sent));
    });
    r.on('drain', () => took(0));
    r.on('upgrade', (_res, socket) => {
      socket.destroy();
      fail({ code: 'malformed', says: 'it wants another protocol than HTTP' });
    });
    r.on('response', (res) => {
      answer = res;
      try {
        stream.head({ status: res.statusCode ?? 502, headers: headersOf(res) });
      } catch (e) {
        return fail(e instanceof Refused ? { ...e.reason, code: 'too_large' } : reasonOf(e, true));
      }
      res.on('data', (chunk: Buffer) => {
        if (!stream.write(chunk)) res.pause();
      });
      res.on('end', () => {
        if (!res.complete) return fail({ code: 'broken', says: 'it ended in the middle of its answer' });
        over = true;
        stream.end();
        // Whoever answers before it was told everything wants no more.
        if (!r.writableFinished) r.destroy();
      });
      res.on('error', (e) => fail(reasonOf(e, true)));
    });
    for (const chunk of waiting.splice(0)) write(chunk);
    if (ended) r.end();
  };

  const took = (more: number): void => {
    stream.took(owed + more);
    owed = 0;
  };
  const write = (bytes: Uint8Array): void => {
    if (request?.write(bytes)) took(bytes.length);
    else owed += bytes.length;
  };

  begin().catch((e: unknown) => fail(reasonOf(e, false)));
  return {
    head() {},
    data(bytes) {
      if (request) write(bytes);
      // Until the name is found: a window at most.
      else waiting.push(bytes);
    },
    end() {
      ended = true;
      request?.end();
    },
    drain: () => void answer?.resume(),
    reset() {
      over = true;
      request?.destroy();
    },
  };
}

function headersOf(res: IncomingMessage): Headers {
  const out: [string, string][] = [];
  for (let i = 0; i + 1 < res.rawHeaders.length; i += 2) {
    const [name = '', value = ''] = res.rawHeaders.slice(i, i + 2);
    if (!hop.has(name.toLowerCase())) out.push([name, value]);
  }
  return out;
}

/** What went wrong, in the few words that the other side knows. */
function reasonOf(e: unknown, sent: boolean): Reason {
  if (e instanceof Forbidden) return { code: 'address', says: plain(e.message) };
  const code = e instanceof Error && 'code' in e ? String(e.code) : '';
  const says = plain(code === '' ? (e instanceof Error ? e.message : 'unknown') : code);
  if (code === 'HPE_HEADER_OVERFLOW') return { code: 'too_large', says: 'its headers are longer than is taken' };
  if (code.startsWith('HPE_')) return { code: 'malformed', says: `it does not speak HTTP as it should (${code})` };
  if (sent) return { code: 'broken', says };
  return { code: code === 'ETIMEDOUT' ? 'timeout' : 'unreachable', says };
}

const plain = (text: string): string => text.replaceAll(/[\0-\x1f\x7f]/g, ' ').slice(0, 300);
