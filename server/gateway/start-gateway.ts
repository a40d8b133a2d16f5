import type { IncomingMessage, ServerResponse } from 'node:http';
import { openVerifier, type Verifier } from '#authorization/live-grant.ts';
import type { Credentials } from '#vault/credentials.ts';
import type { World } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { asProblem, Problem } from '#kernel/problem.ts';
import type { Metrics } from '#kernel/telemetry.ts';
import { startShadow, type Shadow, type ShadowOptions } from '#policy/shadow.ts';
import { startVersions, type Versions } from '#kernel/versions.ts';
import { startCallWriter, type CallWriter } from './call-writer.ts';
import { decisionWaiter, type Waiter } from './await-decision.ts';
import { argsHasher } from './args-hash.ts';
import { openCallers, type Callers } from './caller.ts';
import { holdsOf, type Holds } from './hold.ts';
import { erasOf, type Eras } from './eras/era-sender.ts';
import { FairUse } from './limits/fair-use.ts';
import { Refusals } from './limits/refusals.ts';
import { KeptLists } from './kept-lists.ts';
import { gatewayMetrics, type GatewayMetrics } from './metrics.ts';
import { openStreams } from './open-streams.ts';
import { orgViews, type OrgView, type Place } from './org-view.ts';
import { refuse, Reply } from './reply.ts';
import { HOLD_MS } from './seek-approval.ts';
import { serveRequest, type About } from './serve-request.ts';
import { SESSION_MS, sessionIds } from './session-id.ts';
import { SessionReads } from './session-reads.ts';

export type GatewayDeps = {
  /** The vault, which opens what is behind connections. */
  credentials?: Credentials;
  /** Shared with whoever else remembers things by version; made and closed here where it is absent. */
  versions?: Versions;
  verifier?: Verifier;
  metrics?: Metrics;
  /** Its name among the nodes; made here where it is absent. */
  node?: Id<'nod'>;
  /** Where other nodes reach this one. */
  address?: string;
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
  lists: KeptLists;
  metrics: GatewayMetrics;
  hashArgs(args: unknown): string;
  holds: Holds;
  reads: SessionReads;
  fairUse: FairUse;
  refusals: Refusals;
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

/** The MCP front of one node: `/mcp/{connector}` on node's own request and response, because every byte and every pause counts here. */
export async function startGateway(world: World, deps: GatewayDeps = {}): Promise<Gateway> {
  const versions = deps.versions ?? (await startVersions({ pool: world.db.pool, log: world.log }));
  const streams = openStreams(versions, world.log);
  const node = deps.node ?? newId('nod', world.now().getTime());
  const gate: Gate = {
    world,
    callers: openCallers(world, versions, deps.verifier ?? openVerifier(world, versions)),
    credentials: deps.credentials ?? closedVault,
    views: orgViews(world, versions),
    writer: await startCallWriter(world, node, deps.wake, deps.address),
    reads: new SessionReads(),
    fairUse: new FairUse(),
    refusals: new Refusals(world.log),
    shadow: startShadow(world, deps.metrics, deps.shadow),
    streams,
    versions,
    sessions: sessionIds(world.seal),
    eras: erasOf(world, node),
    lists: new KeptLists(),
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
      serveRequest(gate, { host, origin }, req, reply, path, about).catch((e: unknown) => {
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
      await gate.refusals.settle();
      await gate.shadow.stop();
      await gate.writer.stop();
    },
  };
}
