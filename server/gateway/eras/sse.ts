import { asEvent } from '#kernel/event-stream.ts';
import { isParams, type Params, type RpcId } from '../message.ts';
import { Broken, type Sender, type UpstreamRequest, type UpstreamSink } from '../upstream.ts';
import { strict } from './ask-http.ts';
import { greeting } from './greet.ts';
import { NoLine, openLine, postTo, type Line } from './sse-line.ts';
import { json } from './tell.ts';

/** What every stream is told of the client, because each is a session of its own. */
export type OverSse = {
  capabilities: Params;
  level: string | undefined;
  /** The address does not speak this transport any more. */
  contradicted(): void;
};

/** A server that is slow to take a message, or to greet, has something else to do. */
const STEP_MS = 10_000;
/** For telling a server that nobody waits any more. */
const CANCEL_MS = 2000;
/** A stream that asks more than this is no conversation. */
const MAX_QUESTIONS = 100;
/** In whose midst a server may ask something (2026-07-28, basic/utilities/mrtr). */
const mayAsk = new Set(['tools/call', 'prompts/get', 'resources/read']);

/**
 * Makes a server of the HTTP+SSE transport (MCP 2024-11-05) one of streamable HTTP that keeps no sessions, for the rest of this folder. Each
 * request has a stream of its own, which is opened, greeted, asked once and closed: no two people, and no two nodes, ever share one.
 */
export const sendSse =
  (to: OverSse): Sender =>
  (r, sink) => {
    const end = new AbortController();
    let line: Line | undefined;
    const signal = AbortSignal.any([r.signal, end.signal]);
    return {
      done: serve(to, { ...r, signal }, sink, (opened) => (line = opened)),
      resume: () => line?.resume(),
      abort: (why) => end.abort(why),
    };
  };

async function serve(to: OverSse, r: UpstreamRequest, sink: UpstreamSink, opened: (l: Line) => void): Promise<void> {
  if (r.method !== 'POST') return sink.head(405, {});
  const text = (r.body ?? Buffer.alloc(0)).toString('utf8');
  const m = strict(text);
  const { id, method } = m;
  if (typeof method !== 'string') {
    const asked = addressOf(id);
    if (!asked) return sink.head(404, {});
    return sink.head(await postTo(r, asked.endpoint, JSON.stringify({ ...m, id: asked.id })), {});
  }
  // A notification belongs to a session, and ours is over with its one request; what is cancelled is cancelled by leaving.
  if (typeof id !== 'string' && typeof id !== 'number') return sink.head(202, {});
  // Said anew on every stream.
  if (method === 'logging/setLevel') return json(sink, JSON.stringify({ jsonrpc: '2.0', id, result: {} }));
  try {
    await ask(to, r, sink, { id, method, text }, opened);
  } catch (e) {
    if (e instanceof Refused) return sink.head(e.status, {});
    if (!(e instanceof NoLine)) throw e;
    if (e.status === 401 || e.status === 403 || e.status === 429 || e.status >= 500) return sink.head(e.status, {});
    to.contradicted();
    throw new Broken('upstream_error', `the connector opens no stream any more (status ${e.status})`, e);
  }
}

/** A message was not taken; nothing has happened. */
class Refused extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`not taken (status ${status})`);
    this.status = status;
  }
}

type Asked = { id: RpcId; method: string; text: string };

async function ask(
  to: OverSse,
  r: UpstreamRequest,
  sink: UpstreamSink,
  q: Asked,
  opened: (l: Line) => void,
): Promise<void> {
  // The stream ends after the server was told that nobody waits, so it has an end of its own.
  const life = new AbortController();
  const own = { ...r, signal: life.signal };
  let left = (): void => undefined;
  const gone = new Promise<never>((_, reject) => {
    left = () =>
      reject(r.signal.reason instanceof Error ? r.signal.reason : new Broken('client_left', 'the client left'));
    r.signal.addEventListener('abort', left, { once: true });
    if (r.signal.aborted) left();
  });
  gone.catch(() => undefined);

  let over = false;
  let begun = false;
  let questions = 0;
  let line: Line | undefined;
  let wanted: { id: RpcId; take(text: string, m: Params): void } | undefined;
  const pass = (text: string): boolean => {
    if (!begun) sink.head(200, { 'content-type': 'text/event-stream' });
    begun = true;
    return sink.data(Buffer.from(asEvent(text)));
  };
  const hear = (text: string): boolean => {
    if (over) return true;
    const m = strict(text);
    if (!('method' in m)) {
      if (!wanted || m['id'] !== wanted.id)
        throw new Broken('malformed', 'the connector answered a request that was not asked here');
      const { take } = wanted;
      wanted = undefined;
      take(text, m);
      return true;
    }
    // Of a greeting nobody hears but its answer.
    if (q.method === 'initialize' || !line) return true;
    if (typeof m['id'] !== 'string' && typeof m['id'] !== 'number') return pass(text);
    if (++questions > MAX_QUESTIONS) throw new Broken('too_large', 'the connector asks too much in one call');
    return pass(JSON.stringify({ ...m, id: addressed(line.endpoint, m['id']) }));
  };

  let asked = false;
  try {
    const opening = openLine(own, hear);
    opening.catch(() => undefined);
    line = await Promise.race([opening, gone]);
    opened(line);
    const { endpoint, done } = line;
    const ended = done.then((): never => {
      throw new Broken('malformed', 'the connector ended its stream without an answer');
    });
    ended.catch(() => undefined);
    const within = <T>(work: Promise<T>): Promise<T> => Promise.race([work, ended, gone]);
    const post = async (text: string): Promise<void> => {
      const status = await postTo(
        { ...own, signal: AbortSignal.any([own.signal, AbortSignal.timeout(STEP_MS)]) },
        endpoint,
        text,
      );
      if (status >= 300) throw new Refused(status);
    };
    const say = async (id: RpcId, text: string): Promise<{ text: string; m: Params }> => {
      const answer = new Promise<{ text: string; m: Params }>((resolve) => {
        wanted = { id, take: (t, m) => resolve({ text: t, m }) };
      });
      // The answer may be on the stream before the post is said to be taken.
      return within(Promise.race([answer, post(text).then(() => answer)]));
    };
    if (q.method === 'initialize') return json(sink, unheard((await soon(say(q.id, q.text))).m));

    const hello = await soon(say('gh-greeting', greeting('gh-greeting', mayAsk.has(q.method) ? to.capabilities : {})));
    const result = hello.m['result'];
    if (!isParams(result) || typeof result['protocolVersion'] !== 'string')
      throw new Broken('upstream_error', 'the connector did not take the greeting on its stream');
    await within(post(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })));
    const can = isParams(result['capabilities']) ? result['capabilities'] : {};
    if (to.level !== undefined && isParams(can['logging'])) {
      const level = { jsonrpc: '2.0', id: 'gh-level', method: 'logging/setLevel', params: { level: to.level } };
      await soon(say('gh-level', JSON.stringify(level)));
    }
    asked = true;
    pass((await say(q.id, q.text)).text);
    asked = false;
  } catch (e) {
    // What was begun has its head already, so a status can say no more.
    throw begun && e instanceof Refused
      ? new Broken('upstream_error', `the connector answered with status ${e.status}`)
      : e;
  } finally {
    over = true;
    r.signal.removeEventListener('abort', left);
    const close = (): void => {
      line?.close();
      life.abort(new Broken('client_left', 'the exchange is over'));
    };
    if (asked && line && r.signal.aborted) {
      const cancelled = {
        jsonrpc: '2.0',
        method: 'notifications/cancelled',
        params: { requestId: q.id, reason: 'nobody waits' },
      };
      const signal = AbortSignal.timeout(CANCEL_MS);
      postTo({ ...r, signal }, line.endpoint, JSON.stringify(cancelled)).then(close, close);
    } else close();
  }
}

/** What is ours to ask has an answer at once. */
async function soon<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Broken('timeout', 'the connector did not answer the greeting on its stream in time')),
      STEP_MS,
    );
    timer.unref();
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** A greeting's answer without what only a lasting stream could tell: nobody is promised what he will not hear. */
function unheard(m: Params): string {
  const { result } = m;
  if (!isParams(result) || !isParams(result['capabilities'])) return JSON.stringify(m);
  const capabilities = Object.fromEntries(
    Object.entries(result['capabilities']).map(([of, can]) => {
      if (!isParams(can)) return [of, can];
      const { listChanged: _, subscribe: __, ...rest } = can;
      return [of, rest];
    }),
  );
  return JSON.stringify({ ...m, result: { ...result, capabilities } });
}

const QUESTION = 'gh-sse:';
/**
 * A question's id, which says where its answer is posted: whichever node gets the answer, it goes to the stream that asked. It is carried sealed
 * (parked-state.ts) and never comes from a client.
 */
const addressed = (endpoint: string, id: RpcId): string => QUESTION + JSON.stringify([endpoint, id]);

function addressOf(id: unknown): { endpoint: string; id: RpcId } | undefined {
  if (typeof id !== 'string' || !id.startsWith(QUESTION)) return undefined;
  const [endpoint, own] = JSON.parse(id.slice(QUESTION.length)) as [string, RpcId];
  return { endpoint, id: own };
}
