import { Refused, type Reason, type RequestHead } from '@gatehouse/contract/tunnel/frame.ts';
import type { Line } from '@gatehouse/contract/tunnel/line.ts';
import type { Dispatcher } from 'undici';
import type { World } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { busy, failureOf, notAllowedThere, offline } from './failures.ts';
import type { LocalAgents } from './local-agents.ts';
import type { NodeLinks } from './node-links.ts';
import { NO_AGENT } from './relay-stream.ts';
import { requestOf, TunnelCall } from './tunnel-call.ts';
import { checkReaches, noTunnel, reaches, type Tunnel, type TunnelAgent } from './tunnel.ts';
import { findTunnel, listAgents, listNodes, lookupTunnel } from './tunnel.sql.ts';

export type Asking = {
  world: Pick<World, 'db' | 'log'>;
  node: string;
  agents: LocalAgents;
  links: NodeLinks;
  /** In which org a tunnel is; it never moves. */
  orgs: Map<Id<'tun'>, Id<'org'>>;
};

/** Everything that a request goes by, as of now. */
type Route = {
  tunnel: Tunnel;
  agents: readonly TunnelAgent[];
  nodes: readonly { id: string; address: string | null }[];
};

/**
 * Sends one request through a tunnel and tells the handler what comes of it. INVARIANT (both sides): an address is asked for only while it is a
 * destination of the tunnel, as the database has it now, and the agent keeps a list of its own. INVARIANT (sent once): after a
 * request was given to an agent, it is given to nobody else, whatever happens.
 */
export function askThrough(
  a: Asking,
  via: string,
  options: Dispatcher.DispatchOptions,
  handler: Dispatcher.DispatchHandler,
): void {
  let fail = (r: Reason): Error => new Error(r.says);
  const call = new TunnelCall(handler, (r) => fail(r));
  void (async () => {
    const { url, headers, body } = await requestOf(options);
    const route = await routeTo(a, via);
    const { tunnel } = route;
    fail = (r) => failureOf(tunnel, url, r);
    checkReaches(tunnel, url);
    const head: RequestHead = { method: options.method, url: url.href, headers };
    for (const ask of waysOf(a, route, url)) {
      if (call.over) return;
      const line = await ask.line().catch((err: unknown) => {
        a.world.log.warn({ err, node: ask.node }, 'another node could not be asked');
      });
      if (!line?.free || call.over) continue;
      if ((await sent(call, line, ask.node === undefined ? head : { ...head, via: tunnel.id }, body)) !== 'not here')
        return;
    }
    if (!call.over) throw busy(tunnel);
  })().catch((e: unknown) => call.fail(asError(e)));
}

async function routeTo(a: Asking, via: string): Promise<Route> {
  const id = parseId('tun', via);
  const org = id && (a.orgs.get(id) ?? (await a.world.db.lookup(lookupTunnel(id)))?.org);
  if (!id || !org) throw noTunnel(via.slice(0, 60));
  a.orgs.set(id, org);
  return a.world.db.read({ org }, async (db) => {
    const tunnel = await findTunnel(db, id);
    if (!tunnel) throw noTunnel(id);
    const agents = await listAgents(db, [id]);
    return { tunnel, agents, nodes: await listNodes(db, [...new Set(agents.map((g) => g.node))]) };
  });
}

type Way = { node: string | undefined; line(): Promise<Line> };

/** An agent of this node first, then the other nodes that hold one that may, in any order. */
function waysOf(a: Asking, { tunnel, agents, nodes }: Route, url: URL): Way[] {
  if (agents.length === 0) throw offline(tunnel);
  const may = agents.filter((g) => reaches(g.allow, url));
  if (may.length === 0) throw notAllowedThere(tunnel, url);
  const local = a.agents.pick(tunnel.id, url);
  const others = nodes.flatMap(({ id, address }) =>
    id === a.node || address === null || !may.some((g) => g.node === id) ? [] : [{ id, address }],
  );
  const first = Math.floor(Math.random() * others.length);
  const order = [...others.slice(first), ...others.slice(0, first)];
  return [
    ...(local ? [{ node: undefined, line: () => Promise.resolve(local.line) }] : []),
    ...order.map(({ id, address }) => ({ node: id, line: () => a.links.to(id, address) })),
  ];
}

/** Resolves when it is clear whether this line is where the request went. */
function sent(call: TunnelCall, line: Line, head: RequestHead, body: Buffer | undefined): Promise<'here' | 'not here'> {
  return new Promise((resolve, reject) => {
    try {
      const stream = line.request(head, {
        head(h) {
          resolve('here');
          call.head(h);
        },
        data: (bytes) => call.data(bytes),
        end: () => call.end(),
        drain: () => call.drain(),
        reset(r) {
          if (r.code === NO_AGENT && head.via !== undefined) return resolve('not here');
          resolve('here');
          call.reset(r);
        },
      });
      call.sentOn(stream);
      if (body !== undefined && body.length > 0) stream.write(body);
      stream.end();
    } catch (e) {
      if (e instanceof Refused && e.reason.code === 'busy') resolve('not here');
      else reject(e instanceof Error ? e : new Error('not sent'));
    }
  });
}

function asError(e: unknown): Error {
  if (e instanceof Refused)
    return new Problem('invalid', 'tunnels/not-to-be-sent', {
      says: `the request cannot go through a tunnel: ${e.message}`,
      fix: 'use fewer or shorter headers, and an address of ASCII',
    });
  return e instanceof Error ? e : new Error('not sent');
}
