import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { placeOf } from '#authorization/resource.ts';
import type { OrgCtx, World } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import { allConnectors, isAll } from './aggregate/all-connectors.ts';
import { routeCall } from './aggregate/route-call.ts';
import { olderGreeting } from './aggregate/send-all.ts';
import type { Known } from './caller.ts';
import { checkHeaders } from './check-headers.ts';
import { greetingOf } from './eras/era-sender.ts';
import { hasEnded } from './eras/up.ts';
import { giveSession, type Exchange } from './exchange.ts';
import { checkHost } from './host.ts';
import { readMessage, type Message, type RpcId } from './message.ts';
import { passThrough } from './pass-through.ts';
import { readBody } from './read-body.ts';
import type { Reply } from './reply.ts';
import { serveCall } from './serve-call.ts';
import type { SessionBody } from './session-id.ts';
import type { Gate } from './start-gateway.ts';
import { callMethods } from './tool-call.ts';

const isCall = new Map<string, (typeof callMethods)[number]>(callMethods.map((m) => [m, m]));

/** What a refusal needs to know of the message, as far as it was read. */
export type About = { id: RpcId | null; modern: boolean };

/** Reads one request, finds out who sends it and to whom, and has it served. */
export async function serveRequest(
  gate: Gate,
  self: { host: string; origin: string },
  req: IncomingMessage,
  reply: Reply,
  path: string,
  about: About,
): Promise<void> {
  checkHost(req, self);
  const place = placeOf(path);
  if (!place)
    throw new Problem('missing', 'gateway/no-such-path', {
      says: `there is nothing at ${path.slice(0, 100)}`,
      fix: 'connectors are at /mcp/{connector}',
    });
  const who = await gate.callers.admitted(req, path);
  if (!who.token.scopes.includes('mcp:read'))
    throw new Problem('forbidden', 'gateway/scope', {
      says: 'the token lacks the scope mcp:read',
      fix: 'sign in again and allow it',
    });
  const view = await gate.views(who.caller);
  const connector = place.connector === undefined ? allConnectors() : view.connectors.get(place.connector);
  if (connector?.state !== 'on')
    throw new Problem('missing', 'gateway/no-connector', {
      says: connector
        ? `the connector ${connector.slug} is switched off`
        : `this organization has no connector ${JSON.stringify(place.connector)}`,
      fix: 'ask an administrator which connectors there are',
    });
  const x: Exchange = {
    gate,
    req,
    headers: req.headers,
    reply,
    path,
    ctx: ctxOf(gate.world, who, reply.request),
    who,
    view,
    connector,
    session: undefined,
    body: undefined,
    message: undefined,
    end: new AbortController(),
  };
  x.session = sessionOf(x);
  if (
    x.session?.kind === 'ours' &&
    (await hasEnded({ place: who.caller, carried: gate.eras.carried, session: x.session.id }))
  )
    throw noSession();
  if (req.method === 'GET' || req.method === 'DELETE') return passThrough(x);
  if (req.method !== 'POST')
    throw new Problem('method', 'gateway/method', {
      says: `${String(req.method)} is not possible here`,
      fix: 'MCP uses POST, and GET and DELETE for sessions',
    });
  const type = (req.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json')
    throw new Problem('unsupported', 'gateway/media-type', {
      says: 'the body is not application/json',
      fix: 'set Content-Type: application/json',
    });
  if (req.headers['content-encoding'] !== undefined)
    throw new Problem('unsupported', 'gateway/packed', {
      says: 'the body is packed',
      fix: 'send it without Content-Encoding',
    });

  x.body = await readBody(req, gate.bodyMs);
  const version = req.headers['mcp-protocol-version'];
  const message = readMessage(x.body, typeof version === 'string' ? version : undefined);
  x.message = message;
  if (message.kind === 'request') about.id = message.id;
  about.modern = message.modern;
  checkHeaders(message, req.headers);
  const call = message.kind === 'request' ? isCall.get(message.method) : undefined;
  if (call !== undefined && message.kind === 'request') {
    if (call === 'tools/call' && typeof message.params['name'] !== 'string')
      throw new Problem('invalid', 'gateway/params', {
        says: 'params.name, the name of the tool, is missing',
        fix: 'send it as a string',
      });
    if (!isAll(connector)) return serveCall(x, message, call);
    const routed = routeCall(x, message, call);
    return serveCall(routed.x, routed.message, call);
  }
  if (isAll(connector) && message.kind === 'request' && message.method === 'initialize' && !message.modern)
    return greetForAll(x, message);
  return passThrough(x);
}

/** The greeting of a client of an older revision where all connectors are one: a session that only we know of. */
async function greetForAll(x: Exchange, m: Message & { kind: 'request' }): Promise<void> {
  const greeting = greetingOf(m.params);
  giveSession(x, { kind: 'ours', id: randomUUID(), greeting });
  x.reply.json(200, await olderGreeting(x, m.id, greeting));
}

function ctxOf(world: World, { caller }: Known, request: string): OrgCtx {
  const { now, ...rest } = world;
  return { ...rest, actor: caller.actor, parent: caller.parent, org: caller.org, now: now(), request };
}

function sessionOf(x: Exchange): SessionBody | undefined {
  const given = x.req.headers['mcp-session-id'];
  if (given === undefined) return undefined;
  // The stateless revision has no sessions and tells servers to ignore the header.
  const version = x.req.headers['mcp-protocol-version'];
  if (typeof version === 'string' && version >= '2026-07-28') return undefined;
  const upstream = x.gate.sessions.open(String(given), x.who.caller.member, x.connector.id, x.ctx.now);
  if (upstream === undefined) throw noSession();
  return upstream;
}

const noSession = (): Problem =>
  new Problem('missing', 'gateway/no-session', {
    says: 'there is no such session: it is over, was altered, or is another person\u2019s',
    fix: 'initialize again',
  });
