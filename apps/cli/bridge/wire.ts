// What goes over the network, on node's own http: no timeout of a library ends a call that waits for an approval, and nothing has to be installed.
import { request as plain, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { request as tls } from 'node:https';

/** What a person can do something about; told in one line on stderr. */
export class BridgeError extends Error {}

export type Asked = {
  method: 'GET' | 'POST' | 'DELETE';
  headers?: OutgoingHttpHeaders;
  body?: string;
  signal?: AbortSignal;
};
export type Answered = { status: number; headers: IncomingHttpHeaders; body: IncomingMessage };

/** An answer of an authorization server has a few KiB. */
const MAX_FORM_ANSWER = 256 * 1024;
const FORM_TIMEOUT_MS = 30_000;

/** Sends a request and gives the answer as soon as its headers are there. No redirect is followed: a gateway that moves is set up again. */
export function ask(url: URL, a: Asked): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const req = (url.protocol === 'https:' ? tls : plain)(url, {
      method: a.method,
      headers: a.headers ?? {},
      ...(a.signal ? { signal: a.signal } : {}),
    });
    req.on('response', (body) => resolve({ status: body.statusCode ?? 0, headers: body.headers, body }));
    req.on('error', reject);
    req.end(a.body);
  });
}

/** All of a body, up to a limit. */
export async function textOf(body: AsyncIterable<Buffer>, most = MAX_FORM_ANSWER): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > most) throw new BridgeError(`an answer is longer than ${most} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export type Json = { [key: string]: unknown };
export const isObject = (v: unknown): v is Json => typeof v === 'object' && v !== null && !Array.isArray(v);

/** A form whose answer is one JSON object, as those of an authorization server are. */
export async function askJson(url: URL, form: URLSearchParams): Promise<{ status: number; body: Json }> {
  const r = await ask(url, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
    signal: AbortSignal.timeout(FORM_TIMEOUT_MS),
  }).catch((e: unknown) => {
    throw new BridgeError(`${url.origin} cannot be reached (${reasonOf(e)})`);
  });
  try {
    const parsed: unknown = JSON.parse(await textOf(r.body));
    if (isObject(parsed)) return { status: r.status, body: parsed };
  } catch (e) {
    if (e instanceof BridgeError) throw e;
  }
  throw new BridgeError(`${url.origin}${url.pathname} answered ${r.status}, and not as an authorization server does`);
}

/** Why something failed, in a word that holds no address and no credential. */
export const reasonOf = (e: unknown): string =>
  e instanceof Error ? ('code' in e && typeof e.code === 'string' ? e.code : e.name) : 'unknown';

/** The messages of an answer: one JSON value, or the data of each event of a stream, as they come. */
export async function* messagesOf(
  a: Pick<Answered, 'headers' | 'body'>,
  seen: (field: 'id' | 'retry', value: string) => void = () => undefined,
): AsyncGenerator<string> {
  if (!/^text\/event-stream\b/i.test(a.headers['content-type'] ?? '')) {
    const whole = (await textOf(a.body, Infinity)).trim();
    if (whole !== '') yield whole;
    return;
  }
  let data: string[] = [];
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of a.body) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        // One without data only tells its number, to be asked for again by.
        const text = data.join('\n');
        if (text !== '') yield text;
        data = [];
      } else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
      else if (line.startsWith('id:')) seen('id', line.slice(3).trim());
      else if (line.startsWith('retry:')) seen('retry', line.slice(6).trim());
    }
  }
}
