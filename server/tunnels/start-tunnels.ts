import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Dispatcher } from 'undici';
import type { World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Metrics } from '#kernel/telemetry.ts';
import type { Versions } from '#kernel/versions.ts';
import { AGENT_PATH, agentDoor, type AgentDoor } from './agent-door.ts';
import { askThrough, type Asking } from './ask-through.ts';
import { LocalAgents } from './local-agents.ts';
import { NODE_PATH, nodeLinks } from './node-links.ts';

export type TunnelParts = {
  world: World;
  versions: Versions;
  /** As it is in the lease by which other nodes find it. */
  node: Id<'nod'>;
  metrics?: Metrics | undefined;
};

export type Tunnels = {
  /** For egress: the way of a tunnel's id. It works once `start` was called. */
  way(via: string): Dispatcher;
  /** From now on this node asks through tunnels and, if it is asked to, holds agents. */
  start(p: TunnelParts): void;
  /** Whether a request for an upgrade is for here. */
  handles(path: string): boolean;
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Sends its agents to other nodes and ends what they do after a moment. */
  stop(): Promise<void>;
};

/** What undici's callers see of a tunnel. */
class Way extends Dispatcher {
  readonly #ask: (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => void;
  constructor(ask: (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => void) {
    super();
    this.#ask = ask;
  }
  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    this.#ask(options, handler);
    return true;
  }
}

/** Tunnels of one node. Made before the world, because the world's egress leads through them. */
export function makeTunnels(): Tunnels {
  let running: { asking: Asking; door: AgentDoor } | undefined;
  const notYet = (): Problem =>
    new Problem('unavailable', 'tunnels/not-started', {
      says: 'this process does not go through tunnels',
      fix: 'ask a running server',
    });
  return {
    way: (via) =>
      new Way((options, handler) => {
        if (!running) throw notYet();
        askThrough(running.asking, via, options, handler);
      }),
    start({ world, versions, node, metrics }) {
      const agents = new LocalAgents();
      const links = nodeLinks(world, node, agents);
      running = {
        asking: { world, node, agents, links, orgs: new Map() },
        door: agentDoor({ world, versions, node, agents }),
      };
      const held = metrics?.gauge('gatehouse_tunnel_agents', 'Agents of tunnels that are connected to this node.');
      const open = metrics?.gauge('gatehouse_tunnel_requests', 'Requests that are under way in tunnels of this node.');
      if (held) Object.assign(held, { collect: () => held.set(agents.all().length) });
      if (open) Object.assign(open, { collect: () => open.set(agents.all().reduce((n, a) => n + a.line.open, 0)) });
    },
    handles: (path) => path === AGENT_PATH || path === NODE_PATH,
    upgrade(req, socket, head) {
      if (!running) return void socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n');
      const path = (req.url ?? '/').split('?')[0];
      if (path === NODE_PATH) running.asking.links.upgrade(req, socket, head);
      else running.door.upgrade(req, socket, head);
    },
    async stop() {
      await running?.door.stop();
      running?.asking.links.stop();
      running = undefined;
    },
  };
}
