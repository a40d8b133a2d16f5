import { randomUUID } from 'node:crypto';
import { asEvent } from '#kernel/event-stream.ts';
import { isParams, type Params } from '../message.ts';
import { Broken, type Sender, type Sending, type UpstreamRequest, type UpstreamSink } from '../upstream.ts';
import { strict } from './ask-http.ts';
import { greetOlder } from './greet.ts';
import { listenDown } from './listen-down.ts';
import { asks, exchange, ownerOf, type Down, type Scene } from './older-call.ts';
import type { OlderSession } from './older-session.ts';
import { digestOf } from './parked-state.ts';
import {
  asOlder,
  envelopeOf,
  MODERN,
  modernAnswer,
  modernCapabilities,
  resultOf,
  SERVER_INFO,
  withId,
  wrongEnvelope,
} from './rewrite.ts';
import { json, tell } from './tell.ts';

/**
 * Sends what a client of the stateless revision asks to a server of an older one: in a session that is this person's agent's own, under an id that no
 * other request has there. What the server asks the client meanwhile becomes `input_required`, and the stream waits (parked.ts) until the
 * client comes again with its answers.
 */
export const sendDown =
  (to: Down): Sender =>
  (r, sink) => {
    const end = new AbortController();
    let inner: Sending | undefined;
    const signal = AbortSignal.any([r.signal, end.signal]);
    const done = down(to, { ...r, signal }, sink, (s) => (inner = s));
    return {
      done,
      resume: () => inner?.resume(),
      abort: (why) => end.abort(why),
    };
  };

async function down(to: Down, given: UpstreamRequest, sink: UpstreamSink, began: (s: Sending) => void): Promise<void> {
  const text = (given.body ?? Buffer.alloc(0)).toString('utf8');
  const message = strict(text);
  const { id, method } = message;
  const params = isParams(message['params']) ? message['params'] : {};
  const wrong = wrongEnvelope(params);
  if (wrong && (typeof id === 'string' || typeof id === 'number')) {
    sink.head(400, { 'content-type': 'application/json' });
    sink.data(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, error: wrong })));
    return;
  }
  const { capabilities, level } = envelopeOf(params);
  const over = to.over?.({ capabilities, level });
  const r = over ? { ...given, send: ((q, s) => over({ ...q, send: given.send }, s)) satisfies Sender } : given;
  // A session of one transport is none of the other.
  const owner = over ? { ...to.owner, connector: `${to.owner.connector}/sse` } : to.owner;
  const session = (lost?: OlderSession): Promise<OlderSession> =>
    to.sessions.get(owner, capabilities, () => greeted(to, r, capabilities), lost);
  if (typeof method !== 'string' || (typeof id !== 'string' && typeof id !== 'number')) {
    // A notification. What a client of the newer revision cancels, it cancels by leaving.
    sink.head(202, {});
    return;
  }
  if (gone.has(method)) {
    // What the stateless revision has no more, also where the server would still know it.
    sink.head(404, { 'content-type': 'application/json' });
    sink.data(
      Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } })),
    );
    return;
  }
  if (method === 'server/discover') return json(sink, resultOf(id, discovered(await session())));
  if (method === 'subscriptions/listen')
    return listenDown(to.owner.place, to.ears, r, sink, await session(), { id, params });

  const scene: Scene = { to, r, sink, id, method, capabilities, level, older: asOlder(text, id), began };
  const state = params['requestState'];
  if (to.states.isOurs(state)) return goOn(scene, await session(), state, params['inputResponses']);
  return call(scene, await session(), () => session);
}

async function greeted(to: Down, r: UpstreamRequest, capabilities: Params): Promise<OlderSession> {
  try {
    return await greetOlder(r, capabilities);
  } catch (e) {
    if (e instanceof Broken && e.why === 'upstream_error') to.contradicted();
    throw e;
  }
}

const gone = new Set(['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe']);

/** The answer to `server/discover` of a server that was greeted. */
const discovered = (s: OlderSession): object => ({
  resultType: 'complete',
  supportedVersions: [MODERN],
  capabilities: modernCapabilities(s.capabilities),
  ...(s.instructions === undefined ? {} : { instructions: s.instructions }),
  ttlMs: 0,
  cacheScope: 'private',
  _meta: { [SERVER_INFO]: s.serverInfo },
});

/** One request in the session; asked again in a new one where the server does not know the session, for then it did nothing. */
async function call(
  x: Scene,
  session: OlderSession,
  renew: () => (lost?: OlderSession) => Promise<OlderSession>,
): Promise<void> {
  if (x.level !== undefined && isParams(session.capabilities['logging'])) await setLevel(x.r, session, x.level);
  const own = `gh-${randomUUID()}`;
  const body = Buffer.from(withId(x.older, own));
  const went = await exchange(x, session, own, body);
  if (went === 'lost') {
    const again = await renew()(session);
    if ((await exchange(x, again, own, body)) === 'lost')
      throw new Broken('upstream_error', 'the connector does not know the session that it has just begun');
  }
}

/** The client comes again: its answers go to the server, and what the server says after them is the answer. */
async function goOn(x: Scene, session: OlderSession, state: string, responses: unknown): Promise<void> {
  const { to, sink } = x;
  const claims = to.states.open(ownerOf(to.owner), state);
  if (!claims)
    throw new Broken(
      'state_refused',
      'the requestState was altered, or was given to somebody else or for another connector',
    );
  if (claims.digest !== digestOf(x.method, withId(x.older, 0)))
    throw new Broken('state_refused', 'the requestState belongs to another call');
  if (claims.expires <= to.now().getTime())
    throw new Broken('state_refused', 'the connector waits for its answers no more');
  if (!(await to.parking.claim(to.owner.place, claims.exchange, claims.round)))
    throw new Broken('state_refused', 'the requestState was used before');
  const given = isParams(responses) ? responses : {};
  for (const [name, id] of Object.entries(claims.asked)) {
    const reply = isParams(given[name])
      ? { id, result: given[name] }
      : { id, error: { code: -32603, message: 'the client gave no answer' } };
    if (!(await tell(x.r, session, reply))) throw new Broken('upstream_error', 'the connector did not take the answer');
  }
  const { saw, stop } = await to.parking.next(to.owner.place, claims, x.r.signal);
  sink.head(200, { 'content-type': 'text/event-stream' });
  for (const e of saw) sink.data(Buffer.from(asEvent(e)));
  if (stop.kind === 'broken') throw new Broken('upstream_error', stop.says);
  const text =
    stop.kind === 'answer'
      ? modernAnswer(stop.text, x.id, x.method)
      : resultOf(x.id, asks(x, claims.exchange, claims.round + 1, stop, claims.node));
  sink.data(Buffer.from(asEvent(text)));
}

/** The level is the session's with older servers, so it is said before the call that wants it. */
async function setLevel(r: UpstreamRequest, session: OlderSession, level: string): Promise<void> {
  await tell(r, session, { id: `gh-${randomUUID()}`, method: 'logging/setLevel', params: { level } });
}
