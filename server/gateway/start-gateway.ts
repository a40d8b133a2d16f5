import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { openVerifier, type Verifier } from '#authorization/live-grant.ts';
import { placeOf } from '#authorization/resource.ts';
import type { Credentials } from '#vault/credentials.ts';
import type { OrgCtx, World } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { MAX_MCP_REQUEST_BYTES } from '#kernel/limits.ts';
import { asProblem, Problem } from '#kernel/problem.ts';
import type { Metrics } from '#kernel/telemetry.ts';
import { startShadow, type Shadow, type ShadowOptions } from '#policy/shadow.ts';
import { startVersions, type Versions } from '#kernel/versions.ts';
import { startCallWriter, type CallWriter } from './call-writer.ts';
import { decisionWaiter, type Waiter } from './await-decision.ts';
import { argsHasher } from './args-hash.ts';
import { openCallers, type Callers, type Known } from './caller.ts';
import { allConnectors, isAll } from './aggregate/all-connectors.ts';
import { routeCall } from './aggregate/route-call.ts';
import { olderGreeting } from './aggregate/send-all.ts';
import { checkHeaders } from './check-headers.ts';
import { giveSession, type Exchange } from './exchange.ts';
import { holdsOf, type Holds } from './hold.ts';
import { erasOf, greetingOf, type Eras } from './eras/era-sender.ts';
import { hasEnded } from './eras/up.ts';
import { checkHost } from './host.ts';
import { readMessage, type Message, type RpcId } from './message.ts';
import { gatewayMetrics, type GatewayMetrics } from './metrics.ts';
import { openStreams } from './open-streams.ts';
import { orgViews, type OrgView, type Place } from './org-view.ts';
import { passThrough } from './pass-through.ts';
import { refuse, Reply } from './reply.ts';
import { serveCall } from './serve-call.ts';
import { HOLD_MS } from './seek-approval.ts';
import { SESSION_MS, sessionIds, type SessionBody } from './session-id.ts';
import { SessionReads } from './session-reads.ts';
import { callMethods } from './tool-call.ts';

export type GatewayDeps = {
  /** The vault, which opens what is behind connections. */
  credentials?: Credentials;
  /** Shared with whoever else remembers things by version; made and closed here where it is absent. */
  versions?: Versions;
  verifier?: Verifier;
  metrics?: Metrics;
  /** Tells the sequencer of this process that the inbox has something, so that it need not wait for its next look. */
  wake?: () => void;
  /** How decisions are asked again of cedar-wasm; a test asks more often. */
  shadow?: ShadowOptions;
  /** Longest time of a call, in milliseconds. */
  callMs?: number;
  /** Longest time that a client may take to send its message, in milliseconds. */
  bodyMs?: number;
  /** How long a held call that comes again waits for its decision, in milliseconds. */
  holdMs?: number;
};

/** What every request to the gateway uses. */
export type Gate = {
  world: World;
  callers: Callers;
  credentials: Credentials;
  views(place: Place): Promise<OrgView> | OrgView;
  writer: CallWriter;
  shadow: Shadow;
  streams: ReturnType<typeof openStreams>;
  versions: Versions;
  sessions: ReturnType<typeof sessionIds>;
  eras: Eras;
  metrics: GatewayMetrics;
  hashArgs(args: unknown): string;
  holds: Holds;
  reads: SessionReads;
  waitFor: Waiter;
  callMs: number;
  bodyMs: number;
  holdMs: number;
  sessionMs: number;
};

export type Gateway = {
  /** Whether a path is the gateway's. */
  handles(path: string): boolean;
  /** Answers on the raw request, before anything has read its body. */
  handle(req: IncomingMessage, res: ServerResponse): void;
  /** Resolves when the decisions that were taken for it have been asked again of cedar-wasm. */
  settled(): Promise<void>;
  /** Waits until what is under way is recorded and gives up the lease. */
  stop(): Promise<void>;
};

/** A tool that thinks for longer than this should report a task. */
const CALL_MS = 5 * 60_000;
/** A client has this long to send its message. */
const BODY_MS = 30_000;
/** A gateway that was given no vault opens nothing. */
const closedVault: Credentials = {
  unlock: () =>
    Promise.reject(new Problem('unavailable', 'vault/app', { says: 'this node has no vault to open credentials' })),
};
const isCall = new Map<string, (typeof callMethods)[number]>(callMethods.map((m) => [m, m]));

/** The MCP front of one node: `/mcp/{connector}` on node's own request and response, because every byte and every pause counts here. */
export async function startGateway(world: World, deps: GatewayDeps = {}): Promise<Gateway> {
  const versions = deps.versions ?? (await startVersions({ pool: world.db.pool, log: world.log }));
  const streams = openStreams(versions, world.log);
  const node = newId('nod', world.now().getTime());
  const gate: Gate = {
    world,
    callers: openCallers(world, versions, deps.verifier ?? openVerifier(world, versions)),
    credentials: deps.credentials ?? closedVault,
    views: orgViews(world, versions),
    writer: await startCallWriter(world, node, deps.wake),
    reads: new SessionReads(),
    shadow: startShadow(world, deps.metrics, deps.shadow),
    streams,
    versions,
    sessions: sessionIds(world.seal),
    eras: erasOf(world, node),
    metrics: gatewayMetrics(deps.metrics, () => streams.size()),
    hashArgs: argsHasher(world.seal.derive('gateway/arguments')),
    callMs: deps.callMs ?? CALL_MS,
    bodyMs: deps.bodyMs ?? BODY_MS,
    holdMs: deps.holdMs ?? HOLD_MS,
    holds: holdsOf(world.seal),
    waitFor: decisionWaiter(world),
    sessionMs: SESSION_MS,
  };
  const { host, origin } = new URL(world.origin);
  return {
    handles: (path) => path === '/mcp' || path.startsWith('/mcp/'),
    handle(req, res) {
      const reply = new Reply(res, newId('req', world.now().getTime()));
      const path = (req.url ?? '').split('?')[0] ?? '';
      const about: About = { id: null, modern: false };
      serve(gate, { host, origin }, req, reply, path, about).catch((e: unknown) => {
        const p = asProblem(e);
        // A method that does not exist is 404 to clients of the new revision; to the others that says that their session is gone.
        const older = p.code === 'gateway/unknown-method' && !about.modern;
        refuse(world, reply, path, p, about.id, older ? 200 : undefined);
        if (!req.complete) req.resume();
      });
    },
    settled: () => gate.shadow.settled(),
    async stop() {
      streams.close();
      gate.eras.parking.close();
      gate.eras.ears.close();
      if (!deps.versions) await versions.close();
      await gate.shadow.stop();
      await gate.writer.stop();
    },
  };
}

/** What a refusal needs to know of the message, as far as it was read. */
type About = { id: RpcId | null; modern: boolean };

async function serve(
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

function readBody(req: IncomingMessage, ms: number): Promise<Buffer> {
  const tooLarge = (): Problem =>
    new Problem('too_large', 'gateway/too-large', {
      says: `the message is larger than ${MAX_MCP_REQUEST_BYTES} bytes`,
      fix: 'send less at once, or a link to it',
    });
  if (Number(req.headers['content-length'] ?? 0) > MAX_MCP_REQUEST_BYTES) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => {
      stop();
      reject(
        new Problem('invalid', 'gateway/too-slow', {
          says: `the message was not complete after ${ms / 1000} seconds`,
          fix: 'send it faster',
        }),
      );
    }, ms);
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > MAX_MCP_REQUEST_BYTES) {
        stop();
        reject(tooLarge());
      } else chunks.push(chunk);
    };
    const onEnd = (): void => {
      stop();
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
    };
    const onGone = (): void => {
      stop();
      reject(
        new Problem('invalid', 'gateway/cut-off', { says: 'the connection ended before the message was complete' }),
      );
    };
    const stop = (): void => {
      clearTimeout(timer);
      req.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
    };
    req.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}
