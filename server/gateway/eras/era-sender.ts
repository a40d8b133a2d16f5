import { randomUUID } from 'node:crypto';
import type { World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { giveSession, type Exchange } from '../exchange.ts';
import { isParams, type Params } from '../message.ts';
import { type Sender, type UpstreamRequest, type UpstreamSink } from '../upstream.ts';
import { askHttp } from './ask-http.ts';
import { carriedBy, type Carried } from './carried.ts';
import { isNodeAlive } from './carried.sql.ts';
import { sendDown } from './down.ts';
import { json } from './tell.ts';
import { earsOf, type Ears } from './ears.ts';
import { greetOlder } from './greet.ts';
import { olderSessions, type OlderSession, type OlderSessions } from './older-session.ts';
import { parkingOf, type Parking } from './parked.ts';
import { parkedStates } from './parked-state.ts';
import { modernCapabilities, olderVersions, resultOf, type Greeting } from './rewrite.ts';
import { sendSse } from './sse.ts';
import { sendUp } from './up.ts';
import { discover, eraVerdicts, type Speech, type Verdicts } from './verdict.ts';

/** What a node has for clients and servers that speak different revisions of the protocol. */
export type Eras = {
  verdicts: Verdicts;
  sessions: OlderSessions;
  carried: Carried;
  parking: Parking;
  ears: Ears;
  states: ReturnType<typeof parkedStates>;
};

export function erasOf(world: World, node: Id<'nod'>): Eras {
  const carried = carriedBy(world);
  return {
    verdicts: eraVerdicts(),
    sessions: olderSessions(carried),
    carried,
    ears: earsOf(carried),
    parking: parkingOf(
      node,
      carried,
      async (other) => (await world.db.read({}, (db) => isNodeAlive(db, other)))?.alive === true,
      (err) => world.log.warn({ err }, 'how a call went on could not be left for other nodes'),
    ),
    states: parkedStates(world.seal),
  };
}

/**
 * How a request goes to a server that may speak another revision than the client; undefined: as it is. Who speaks the same is never translated:
 * a client of the older revision is passed through wherever the server takes its greeting.
 */
export async function eraSender(x: Exchange, base: UpstreamRequest): Promise<Sender | undefined> {
  const translated = await translation(x, base);
  // Underneath it goes as it would have gone.
  return translated && ((r, sink) => translated({ ...r, send: base.send }, sink));
}

async function translation(x: Exchange, r: UpstreamRequest): Promise<Sender | undefined> {
  const { eras } = x.gate;
  const m = x.message;
  const speaks = (): Promise<Speech> => eras.verdicts.speaks(x.connector.id, r);
  // A session of ours before a server of an older revision: the client greeted all connectors at once.
  if (x.session?.kind === 'ours') return sendUpTo(x, down(x, await speaks()));
  if (m?.kind === 'request' && m.method === 'initialize' && !m.modern) return sendGreeting(x);
  return m?.modern ? down(x, await speaks()) : undefined;
}

/** Undefined: it speaks the stateless revision itself. */
function down(x: Exchange, speaks: Speech): Sender | undefined {
  if (speaks === 'modern') return undefined;
  const { eras, world } = x.gate;
  const { caller } = x.who;
  return sendDown({
    owner: { place: caller, member: caller.member, client: caller.client, connector: x.connector.id },
    sessions: eras.sessions,
    parking: eras.parking,
    ears: eras.ears,
    states: eras.states,
    now: () => world.now(),
    over: speaks === 'sse' ? (told) => sendSse({ ...told, contradicted: contradicted(x) }) : undefined,
    contradicted: contradicted(x),
  });
}

const contradicted =
  (x: Exchange): (() => void) =>
  () =>
    x.gate.eras.verdicts.contradicted(x.connector.id);

/** For a client of an older revision in a session of ours; `via`: how it goes on from there, in the stateless revision. */
export function sendUpTo(x: Exchange, via: Sender | undefined): Sender {
  if (x.session?.kind !== 'ours') throw new TypeError('only for a session of ours');
  const up = sendUp({
    place: x.who.caller,
    greeting: x.session.greeting,
    session: x.session.id,
    carried: x.gate.eras.carried,
    streams: (x.headers.accept ?? '').includes('text/event-stream'),
    known: toolOf(x),
  });
  // What goes down from here goes as the request would have gone by itself.
  return (r, sink) => up(via ? { ...r, send: (q, to) => via({ ...q, send: r.send }, to) } : r, sink);
}

const toolOf = (x: Exchange): ReturnType<Exchange['connector']['tools']['get']> =>
  x.message?.kind === 'request' && x.message.method === 'tools/call'
    ? x.connector.tools.get(String(x.message.params['name']))
    : undefined;

/**
 * The greeting of a client of an older revision: passed through where the server takes it, else answered by us from what the server says of
 * itself in the stateless revision, in a session that is ours.
 */
const sendGreeting =
  (x: Exchange): Sender =>
  (r, sink) => {
    const end = new AbortController();
    const signal = AbortSignal.any([r.signal, end.signal]);
    return { done: greeted(x, { ...r, signal }, sink), resume: () => undefined, abort: (why) => end.abort(why) };
  };

async function greeted(x: Exchange, r: UpstreamRequest, sink: UpstreamSink): Promise<void> {
  const own = await askHttp(r);
  const refused = own.status >= 400 && own.status < 500 && ![401, 403, 429].includes(own.status);
  if (isParams(own.message?.['result']) || !(refused || isParams(own.message?.['error']))) {
    sink.head(own.status, { ...own.headers, 'content-type': own.text === '' ? undefined : 'application/json' });
    if (own.text !== '') sink.data(Buffer.from(own.text));
    return;
  }
  const m = x.message;
  const said = m?.kind === 'request' ? ((await discover(r)) ?? (await greetedOverSse(x, r, m.params))) : undefined;
  if (!said || m?.kind !== 'request') {
    sink.head(own.status, own.headers);
    if (own.text !== '') sink.data(Buffer.from(own.text));
    return;
  }
  const greeting = greetingOf(m.params);
  giveSession(x, { kind: 'ours', id: randomUUID(), greeting });
  json(
    sink,
    resultOf(m.id, {
      protocolVersion: greeting.version,
      capabilities: modernCapabilities(said.capabilities),
      serverInfo: said.serverInfo ?? { name: x.connector.slug, version: 'unknown' },
      ...(typeof said.instructions === 'string' ? { instructions: said.instructions } : {}),
    }),
  );
}

/** What a server of the transport of 2024-11-05 says of itself; undefined: it is none. */
async function greetedOverSse(x: Exchange, r: UpstreamRequest, params: Params): Promise<OlderSession | undefined> {
  // It refused a greeting over streamable HTTP just now: what was believed before counts no more.
  const { verdicts } = x.gate.eras;
  if ((await verdicts.speaks(x.connector.id, r)) === 'older') verdicts.contradicted(x.connector.id);
  if ((await verdicts.speaks(x.connector.id, r)) !== 'sse') return undefined;
  const { capabilities } = greetingOf(params);
  const over = sendSse({ capabilities, level: undefined, contradicted: contradicted(x) });
  return greetOlder({ ...r, send: (q, sink) => over({ ...q, send: r.send }, sink) }, capabilities);
}

/** A version that we do not know becomes the newest of the older ones (2025-11-25, basic/lifecycle). */
export function greetingOf(params: Params): Greeting {
  const asked = params['protocolVersion'];
  const capabilities = isParams(params['capabilities']) ? params['capabilities'] : {};
  const known = ['elicitation', 'sampling', 'roots', 'extensions'];
  const info = isParams(params['clientInfo']) ? params['clientInfo'] : undefined;
  return {
    version: olderVersions.find((v) => v === asked) ?? olderVersions[0],
    capabilities: Object.fromEntries(known.flatMap((k) => (isParams(capabilities[k]) ? [[k, capabilities[k]]] : []))),
    info: info && { name: String(info['name']).slice(0, 100), version: String(info['version']).slice(0, 100) },
  };
}
