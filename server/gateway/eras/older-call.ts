import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { MAX_MCP_RESULT_BYTES } from '#kernel/limits.ts';
import { asEvent, eventCutter } from '#kernel/event-stream.ts';
import { isParams, type Params, type RpcId } from '../message.ts';
import {
  Broken,
  sendUpstream,
  type Sender,
  type Sending,
  type UpstreamRequest,
  type UpstreamSink,
} from '../upstream.ts';
import { strict, typeOf } from './ask-http.ts';
import type { Ears } from './ears.ts';
import { olderHeaders } from './older-headers.ts';
import type { OlderSession, OlderSessions, SessionOwner } from './older-session.ts';
import { PARKED_MS, type Parking, type Stop } from './parked.ts';
import { digestOf, type Owner, type parkedStates } from './parked-state.ts';
import { modernAnswer, resultOf, withId } from './rewrite.ts';
import { tell } from './tell.ts';

/** What translating for an older server needs beside the request. */
export type Down = {
  owner: SessionOwner;
  sessions: OlderSessions;
  parking: Parking;
  ears: Ears;
  states: ReturnType<typeof parkedStates>;
  now(): Date;
  /** For a server of another transport than streamable HTTP: how what the client can do, and wants to read of its log, goes over that. */
  over: ((told: Pick<Scene, 'capabilities' | 'level'>) => Sender) | undefined;
  /** The server takes nothing where an older one would. */
  contradicted(): void;
};

/** One request on its way down. */
export type Scene = {
  to: Down;
  r: UpstreamRequest;
  sink: UpstreamSink;
  id: RpcId;
  method: string;
  capabilities: Params;
  level: string | undefined;
  /** The request without id as the server gets it; see `asOlder`. */
  older: string;
  began: (s: Sending) => void;
};

export const ownerOf = (o: SessionOwner): Owner => ({
  org: o.place.org,
  member: o.member,
  client: o.client,
  connector: o.connector,
});

/** Runs until the answer, or until the server asks for something. `lost`: the server does not know the session. */
export async function exchange(
  x: Scene,
  session: OlderSession,
  own: string,
  body: Buffer,
): Promise<'lost' | undefined> {
  const mayAsk = Object.values(questions).some((q) => isParams(x.capabilities[q]));
  let heard: (question: Params) => boolean = () => false;
  const deaf = mayAsk
    ? await x.to.ears.during(x.to.owner.place, x.r, session, (question) => heard(question))
    : () => undefined;
  return run(x, session, own, body, { deaf, hears: (take) => (heard = take) });
}

type Ear = { deaf(): void; hears(take: (question: Params) => boolean): void };

function run(x: Scene, session: OlderSession, own: string, body: Buffer, ear: Ear): Promise<'lost' | undefined> {
  const { to, sink } = x;
  // It outlives the client's request where the server asks: what ends it then is the parking.
  const life = new AbortController();
  const exchangeId = randomUUID();
  return new Promise((resolve, reject) => {
    let mode: 'body' | 'stream' | 'lost' = 'body';
    const pieces: Buffer[] = [];
    let size = 0;
    let over = false;
    /** Whether our own head went out, because a question came before the server's answer began. */
    let told = false;
    const cutter = eventCutter(MAX_MCP_RESULT_BYTES);
    let parked: ReturnType<Parking['park']> | undefined;
    ear.hears((question) => {
      const s = askedOf(x, session, question);
      if (s) stop(s);
      return true;
    });
    const finish = (e?: unknown): void => {
      if (over) return;
      over = true;
      x.r.signal.removeEventListener('abort', left);
      if (e === undefined) resolve(mode === 'lost' ? 'lost' : undefined);
      else reject(e instanceof Error ? e : new Error('broken'));
    };
    const left = (): void => {
      const why = x.r.signal.reason instanceof Error ? x.r.signal.reason : new Broken('client_left', 'the client left');
      finish(why);
      if (!parked) {
        life.abort(why);
        void tell(x.r, session, {
          method: 'notifications/cancelled',
          params: { requestId: own, reason: 'the client left' },
        });
      }
    };
    x.r.signal.addEventListener('abort', left, { once: true });

    const stop = (s: Stop): void => {
      if (parked) return parked.stopped(s);
      if (s.kind === 'answer') {
        sink.data(Buffer.from(asEvent(modernAnswer(s.text, x.id, x.method))));
        finish();
        return;
      }
      if (s.kind === 'broken') return finish(new Broken('malformed', s.says));
      parked = to.parking.park(to.owner.place, exchangeId, {
        end: (why) => {
          life.abort(why);
          void tell(x.r, session, { method: 'notifications/cancelled', params: { requestId: own, reason: why.says } });
        },
      });
      if (!told) sink.head(200, { 'content-type': 'text/event-stream' });
      told = true;
      sink.data(Buffer.from(asEvent(resultOf(x.id, asks(x, exchangeId, 0, s)))));
      finish();
    };

    const sent = (x.r.send ?? sendUpstream)(
      { ...x.r, method: 'POST', headers: olderHeaders(x.r, session), body, signal: life.signal },
      {
        head(status, headers) {
          if (status === 405 || (status === 404 && session.id === undefined)) to.contradicted();
          if (status === 404 && session.id !== undefined) {
            mode = 'lost';
            return;
          }
          mode = status === 200 && typeOf(headers) === 'text/event-stream' ? 'stream' : 'body';
          if (told) return;
          told = true;
          sink.head(status, mode === 'stream' ? { 'content-type': 'text/event-stream' } : plain(headers));
        },
        data(chunk) {
          if (mode === 'lost') return true;
          size += chunk.length;
          if (mode === 'body') {
            if (size > MAX_MCP_RESULT_BYTES)
              throw new Broken('too_large', 'the connector answers with more than is passed on');
            pieces.push(chunk);
            return true;
          }
          let flows = true;
          for (const e of cutter.push(chunk)) {
            if (e.data === '') continue;
            const m = strict(e.data);
            const asked = 'method' in m && (typeof m['id'] === 'string' || typeof m['id'] === 'number');
            if (!('method' in m)) {
              if (m['id'] === own) stop({ kind: 'answer', text: e.data });
            } else if (!asked) {
              if (!passes(m, x.level)) continue;
              if (parked) parked.saw(e.data);
              else flows = sink.data(Buffer.from(asEvent(e.data))) && flows;
            } else {
              const s = askedOf(x, session, m);
              if (s) stop(s);
            }
          }
          return flows;
        },
      },
    );
    x.began(sent);
    sent.done.then(ear.deaf, ear.deaf);
    sent.done.then(
      () => {
        if (mode === 'body' && parked) {
          const text = Buffer.concat(pieces).toString('utf8');
          return stop(
            text === '' ? { kind: 'broken', says: 'the connector gave no answer' } : { kind: 'answer', text },
          );
        }
        if (mode === 'body' && !over) {
          const whole = Buffer.concat(pieces);
          try {
            if (whole.length > 0) sink.data(answered(whole, own, x));
            finish();
          } catch (e) {
            finish(e);
          }
          return;
        }
        if (mode === 'stream') stop({ kind: 'broken', says: 'the connector ended its stream without an answer' });
        finish();
      },
      (e: unknown) => {
        if (parked) parked.stopped({ kind: 'broken', says: e instanceof Broken ? e.says : 'the connector broke off' });
        finish(e);
      },
    );
  });
}

/** The answer as a body: under the client's id, in the words of its revision. What is no message goes on as it is, for relay to judge. */
function answered(whole: Buffer, own: string, x: Scene): Buffer {
  const text = whole.toString('utf8');
  if (!text.trimStart().startsWith('{')) return whole;
  const m = strict(text);
  return m['id'] === own ? Buffer.from(modernAnswer(text, x.id, x.method)) : whole;
}

/** What a server may say on the stream of a call. That a list has changed belongs to those who listen for it. */
const passes = (m: Params, level: string | undefined): boolean =>
  m['method'] === 'notifications/progress' || (m['method'] === 'notifications/message' && level !== undefined);

const questions: Record<string, string> = {
  'elicitation/create': 'elicitation',
  'sampling/createMessage': 'sampling',
  'roots/list': 'roots',
};

/** A question of the server: for the client where it can answer it, else answered at once as such a client would. */
function askedOf(x: Scene, session: OlderSession, m: Params): Stop | undefined {
  const { id, method, params } = m;
  if (typeof id !== 'string' && typeof id !== 'number') return undefined;
  const needs = questions[String(method)];
  if (needs === undefined || !isParams(x.capabilities[needs])) {
    const reply =
      method === 'ping'
        ? { id, result: {} }
        : { id, error: { code: -32601, message: `the client has no ${String(method).slice(0, 60)}` } };
    void tell(x.r, session, reply);
    return undefined;
  }
  const { elicitationId: _, ...rest } = isParams(params) ? params : {};
  return { kind: 'asks', asked: id, request: { method: String(method), params: rest } };
}

/** What the client is told when the server has asked: what for, and with which state it comes again. */
export function asks(
  x: Scene,
  exchange: string,
  round: number,
  s: Stop & { kind: 'asks' },
  node = x.to.parking.node,
): object {
  const name = `input-${round + 1}`;
  return {
    resultType: 'input_required',
    inputRequests: { [name]: s.request },
    requestState: x.to.states.seal(ownerOf(x.to.owner), {
      exchange,
      round,
      node,
      asked: { [name]: s.asked },
      digest: digestOf(x.method, withId(x.older, 0)),
      expires: x.to.now().getTime() + PARKED_MS,
    }),
  };
}

/** The head of an answer, without the session that the client is not in. */
function plain(h: IncomingHttpHeaders): IncomingHttpHeaders {
  const { 'mcp-session-id': _, ...rest } = h;
  return rest;
}
