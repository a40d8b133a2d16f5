import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { asEvent } from '#kernel/event-stream.ts';
import { isParams, type Params, type RpcId } from '../message.ts';
import type { CalledTool, Place } from '../org-view.ts';
import { Broken, type Sender, type Sending, type UpstreamRequest, type UpstreamSink } from '../upstream.ts';
import { strict } from './ask-http.ts';
import { sendModern, type Request } from './modern-call.ts';
import type { Carried } from './carried.ts';
import { json } from './tell.ts';
import { wants, type Filter } from './listen-down.ts';
import { asModern, resultOf, SUBSCRIPTION, type Greeting, type Retry } from './rewrite.ts';

/** What translating for a client of an older revision needs beside the request. */
export type Up = {
  place: Place;
  /** Of the client's session, which is ours: what it said in its greeting, and a name for what nodes leave for each other about it. */
  greeting: Greeting;
  session: string;
  carried: Carried;
  /** Whether the client takes a stream as an answer. */
  streams: boolean;
  /** The tool that is called, for headers that repeat its arguments. */
  known: CalledTool | undefined;
};

/** A client that does not answer is not waited for longer than a call may last. */
const ASKED_MS = 5 * 60_000;
const SESSION_MS = 12 * 60 * 60_000;
/** A server that asks on and on is not asked any more. */
const MAX_ROUNDS = 10;

/** What a session of an older client has set, which the stateless revision says with every request. */
const Set_ = z.object({
  level: z.string().optional(),
  uris: z.array(z.string()).optional(),
  ended: z.boolean().optional(),
});
type SessionState = z.infer<typeof Set_>;
const stateKey = (up: Pick<Up, 'session'>): string => `state/${up.session}`;
export const answerKey = (session: string, id: string): string => `answer/${session}/${id}`;
const cancelKey = (session: string, id: unknown): string => `cancel/${session}/${JSON.stringify(id).slice(0, 200)}`;

/**
 * Sends what a client of an older revision asks to a server of the stateless one: with what the client said in its greeting, and what the server
 * wants to know asked on the stream of the call. The client's answers may come to any node.
 */
export const sendUp =
  (up: Up): Sender =>
  (r, sink) => {
    const end = new AbortController();
    let inner: Sending | undefined;
    const signal = AbortSignal.any([r.signal, end.signal]);
    return {
      done: serve(up, { ...r, signal }, sink, (s) => (inner = s)),
      resume: () => inner?.resume(),
      abort: (why) => end.abort(why),
    };
  };

async function serve(up: Up, r: UpstreamRequest, sink: UpstreamSink, began: (s: Sending) => void): Promise<void> {
  if (r.method === 'DELETE') {
    await keep(up, () => ({ ended: true }));
    return sink.head(200, {});
  }
  if (r.method === 'GET') return listenUp(up, r, sink, began);
  const text = (r.body ?? Buffer.alloc(0)).toString('utf8');
  const m = strict(text);
  const { id, method } = m;
  if (typeof method !== 'string') {
    // The answer to a question: whoever asked it may be another node.
    const answer = 'result' in m ? { result: m['result'] } : { error: m['error'] };
    await up.carried.leave(up.place, answerKey(up.session, String(id)), answer, ASKED_MS);
    return sink.head(202, {});
  }
  const params = isParams(m['params']) ? m['params'] : {};
  if (typeof id !== 'string' && typeof id !== 'number') {
    if (method === 'notifications/cancelled')
      await up.carried.leave(up.place, cancelKey(up.session, params['requestId']), true, ASKED_MS);
    return sink.head(202, {});
  }
  switch (method) {
    case 'ping':
      return json(sink, resultOf(id, {}));
    case 'logging/setLevel':
      await keep(up, (s) => ({ ...s, level: String(params['level']).slice(0, 20) }));
      return json(sink, resultOf(id, {}));
    case 'resources/subscribe':
      await keep(up, (s) => ({
        ...s,
        uris: [...new Set([...(s.uris ?? []), String(params['uri']).slice(0, 2000)])].slice(-200),
      }));
      return json(sink, resultOf(id, {}));
    case 'resources/unsubscribe':
      await keep(up, (s) => ({ ...s, uris: (s.uris ?? []).filter((u) => u !== params['uri']) }));
      return json(sink, resultOf(id, {}));
    default:
      return ask(up, r, sink, { id, method, params, text }, began);
  }
}

/** Whether the client has ended the session. */
export const hasEnded = async (up: Pick<Up, 'place' | 'carried' | 'session'>): Promise<boolean> =>
  (await stateOf(up)).ended === true;

async function stateOf(up: Pick<Up, 'place' | 'carried' | 'session'>): Promise<SessionState> {
  const state = Set_.safeParse(await up.carried.find(up.place, stateKey(up)));
  return state.success ? state.data : {};
}

async function keep(up: Up, change: (s: SessionState) => SessionState): Promise<void> {
  await up.carried.replace(up.place, stateKey(up), change(await stateOf(up)), SESSION_MS);
}

/** One request, as often as the server asks for more. */
async function ask(
  up: Up,
  r: UpstreamRequest,
  sink: UpstreamSink,
  q: Request,
  began: (s: Sending) => void,
): Promise<void> {
  const { level } = await stateOf(up);
  const life = new AbortController();
  const signal = AbortSignal.any([r.signal, life.signal]);
  // A client of the older revision cancels by a message, which may come to another node.
  void up.carried.await(up.place, cancelKey(up.session, q.id), signal).then((cancelled) => {
    if (cancelled === true) life.abort(new Broken('client_left', 'the client cancelled the call'));
  });
  try {
    let streaming = false;
    const stream = (): void => {
      if (!streaming) sink.head(200, { 'content-type': 'text/event-stream' });
      streaming = true;
    };
    let retry: Retry | undefined;
    for (let round = 0; ; round++) {
      const came = await sendModern(
        up.known,
        { ...r, signal },
        q,
        asModern(q.text, up.greeting, level, retry),
        began,
        (event) => {
          stream();
          return sink.data(Buffer.from(event));
        },
      );
      const result = came.message?.['result'];
      if (!isParams(result) || result['resultType'] !== 'input_required') {
        if (streaming && came.text !== '') sink.data(Buffer.from(asEvent(came.text)));
        else if (!streaming) {
          sink.head(came.status, came.headers);
          if (came.text !== '') sink.data(Buffer.from(came.text));
        }
        return;
      }
      if (round >= MAX_ROUNDS) throw new Broken('upstream_error', `the connector asked more than ${MAX_ROUNDS} times`);
      const requests = isParams(result['inputRequests']) ? result['inputRequests'] : {};
      const state = result['requestState'];
      const cannot = unanswerable(up, requests);
      if (cannot !== undefined) {
        const says = { content: [{ type: 'text', text: cannot }], isError: true };
        const text = q.method === 'tools/call' ? resultOf(q.id, says) : error(q.id, cannot);
        if (streaming) sink.data(Buffer.from(asEvent(text)));
        else json(sink, text);
        return;
      }
      const exchange = randomUUID();
      const answers = Object.entries(requests).map(async ([name, request], i): Promise<[string, unknown]> => {
        const id = `gh-${exchange}-${i}`;
        stream();
        sink.data(Buffer.from(asEvent(JSON.stringify({ jsonrpc: '2.0', id, ...older(request, id) }))));
        const late = AbortSignal.any([signal, AbortSignal.timeout(ASKED_MS)]);
        const answer = await up.carried.await(up.place, answerKey(up.session, id), late);
        if (!isParams(answer))
          throw signal.aborted ? signal.reason : new Broken('timeout', 'the client did not answer in time');
        return [name, 'result' in answer ? answer['result'] : { action: 'cancel' }];
      });
      retry = {
        inputResponses: Object.fromEntries(await Promise.all(answers)),
        requestState: typeof state === 'string' ? state : undefined,
      };
    }
  } finally {
    life.abort(new Broken('client_left', 'the call is over'));
  }
}

/** Why a client of the older revision cannot be asked this; undefined: it can. */
function unanswerable(up: Up, requests: Params): string | undefined {
  const needs = Object.values(requests).map((q) => {
    const method = isParams(q) ? String(q['method']) : '?';
    return (
      { 'elicitation/create': 'elicitation', 'sampling/createMessage': 'sampling', 'roots/list': 'roots' }[method] ??
      method
    );
  });
  const lacks = needs.filter((n) => !isParams(up.greeting.capabilities[n]));
  if (lacks.length > 0)
    return `The connector asks for ${[...new Set(lacks)].join(' and ')} before it goes on, and this client cannot give that. The call did not run to its end.`;
  if (!up.streams && needs.length > 0)
    return 'The connector asks something before it goes on, and this client takes no stream to be asked on. The call did not run to its end.';
  return undefined;
}

/** A question in the words of the older revision: an address to visit had a number there (2025-11-25, client/elicitation). */
function older(request: unknown, id: string): Params {
  const q = isParams(request) ? request : {};
  const params = isParams(q['params']) ? q['params'] : {};
  return {
    method: q['method'],
    params:
      q['method'] === 'elicitation/create' && params['mode'] === 'url' ? { ...params, elicitationId: id } : params,
  };
}

/** The stream of an older session beside its calls: listening, in the words of the newer revision, for what it subscribed to. */
async function listenUp(up: Up, r: UpstreamRequest, sink: UpstreamSink, began: (s: Sending) => void): Promise<void> {
  const { uris } = await stateOf(up);
  const filter: Filter = {
    toolsListChanged: true,
    promptsListChanged: true,
    resourcesListChanged: true,
    ...(uris && uris.length > 0 ? { resourceSubscriptions: uris } : {}),
  };
  const q = { id: `gh-${randomUUID()}`, method: 'subscriptions/listen', params: { notifications: filter } };
  const text = asModern(JSON.stringify({ jsonrpc: '2.0', ...q }), up.greeting, undefined);
  sink.head(200, { 'content-type': 'text/event-stream' });
  await sendModern(up.known, r, { ...q, text }, text, began, (event) => {
    const m = strict(event.slice(event.indexOf('data: ') + 6).trimEnd());
    const params = isParams(m['params']) ? m['params'] : {};
    if (!wants(filter, m['method'], params)) return true;
    const { [SUBSCRIPTION]: _, ...meta } = isParams(params['_meta']) ? params['_meta'] : {};
    const { _meta: __, ...others } = params;
    const said = { ...others, ...(Object.keys(meta).length > 0 ? { _meta: meta } : {}) };
    return sink.data(
      Buffer.from(
        asEvent(
          JSON.stringify({
            jsonrpc: '2.0',
            method: m['method'],
            ...(Object.keys(said).length > 0 ? { params: said } : {}),
          }),
        ),
      ),
    );
  });
}

const error = (id: RpcId, message: string): string =>
  JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32000, message } });
