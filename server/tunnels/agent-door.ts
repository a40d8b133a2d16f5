import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import {
  decode,
  encode,
  MAX_FRAME,
  PROTOCOL,
  Refused,
  type Hello,
  type Reason,
} from '@gatehouse/contract/tunnel/frame.ts';
import { Line, type Port } from '@gatehouse/contract/tunnel/line.ts';
import { clientAddress } from '#kernel/client-address.ts';
import { systemCtx, type OrgCtx, type World } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import type { Versions } from '#kernel/versions.ts';
import { joinAgent } from './join-agent.ts';
import { leaveAgent } from './leave-agent.ts';
import type { LocalAgent, LocalAgents } from './local-agents.ts';
import { generationOf, staysUntil, tunnelOf, type TunnelAgent } from './tunnel.ts';
import { findTunnel, lookupTunnel, type FoundTunnel } from './tunnel.sql.ts';

/** Where agents connect. */
export const AGENT_PATH = '/tunnel';
/** A stranger has this long to say who it is. */
const HELLO_MS = 10_000;
/** Strangers at once; an agent is one for a moment only. */
const MAX_STRANGERS = 200;
const PING_MS = 15_000;
/** Nobody who was read a moment ago is read again sooner because the database did not answer. */
const AGAIN_MS = 500;
/** What is under way when a node stops has this long. */
const LINGER_MS = 3000;

export type AgentDoor = {
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  stop(): Promise<void>;
};

type Deps = { world: World; versions: Versions; node: string; agents: LocalAgents };

const portOver = (ws: WebSocket): Port => ({
  send: (bytes) => ws.readyState === ws.OPEN && ws.send(bytes),
  close(reason) {
    ws.close(1000, reason.code);
    setTimeout(() => ws.terminate(), 1000).unref();
  },
});

/** The one message that a WebSocket gave, if it is binary and in one piece; text is no frame. */
const bytesOf = (data: RawData, binary: boolean): Uint8Array =>
  binary && Buffer.isBuffer(data) ? data : new Uint8Array();

/** Takes the connections of agents. INVARIANT (no name without a secret): until its first frame was believed, a connection is a stranger, and nothing is kept of it. */
export function agentDoor({ world, versions, node, agents }: Deps): AgentDoor {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME,
    perMessageDeflate: false,
    clientTracking: false,
  });
  const { host } = new URL(world.origin);
  const strangers = new Set<WebSocket>();
  const judges = new Map<LocalAgent, () => void>();
  const leaving = new Set<Promise<unknown>>();
  let stopped = false;

  const refuse = (socket: Duplex, status: string, says: string): void => {
    socket.end(
      `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(says)}\r\n\r\n${says}`,
    );
  };

  const ctxOf = (t: FoundTunnel, address: string | undefined): OrgCtx => ({
    ...systemCtx(world, 'tunnels.agent', { parent: t.parent, org: t.org }),
    org: t.org,
    ...(address === undefined ? {} : { address }),
  });

  /** Who shows a good secret; a reason for everybody else, which tells nothing that is not theirs. */
  const known = async (
    hello: Hello,
  ): Promise<{ tunnel: Id<'tun'>; found: FoundTunnel; generation: number } | Reason> => {
    if (hello.protocol !== PROTOCOL)
      return {
        code: 'protocol',
        says: `this server speaks version ${PROTOCOL} of the tunnel's protocol and the agent ${hello.protocol}; use the agent of the same version of Gatehouse`,
      };
    const tunnel = tunnelOf(hello.secret);
    const found = tunnel && (await world.db.lookup(lookupTunnel(tunnel)));
    const generation = found && generationOf(hello.secret, found.hashes, world.now());
    if (!tunnel || !found || generation === undefined) {
      world.log.warn(
        { tunnel: found ? tunnel : undefined, agent: hello.name },
        'an agent showed a secret that is not good',
      );
      return {
        code: 'secret',
        says: 'this secret opens no tunnel, or its time is over; put the newest secret of the tunnel into the secret file',
      };
    }
    if (found.revoked)
      return { code: 'revoked', says: `the tunnel “${found.name}” was revoked; an administrator must make a new one` };
    return { tunnel, found, generation };
  };

  const admit = async (ws: WebSocket, address: string | undefined, first: Uint8Array): Promise<void> => {
    const frame = decode(first);
    if (frame.type !== 'hello') throw new Refused('order', 'the first frame says who comes');
    const who = await known(frame.hello);
    if ('code' in who) throw new Refused(who.code, who.says);
    const { name, version, allow } = frame.hello;
    const agent: TunnelAgent = {
      id: newId('tag', world.now().getTime()),
      tunnel: who.tunnel,
      node,
      name,
      version,
      address: address ?? '',
      allow,
      generation: who.generation,
      joined: world.now(),
    };
    const ctx = ctxOf(who.found, address);
    // Before the row is read again, so that no change between the two is missed.
    versions.stamp(who.found.org);
    const refused = await joinAgent(ctx, agent);
    if (refused) throw new Refused(refused.code, refused.says);
    begin(ws, ctx, who.found, agent);
  };

  /** Its organization may have another parent by now. */
  const leave = async (agent: TunnelAgent, found: FoundTunnel, why: string): Promise<void> =>
    leaveAgent(ctxOf((await world.db.lookup(lookupTunnel(agent.tunnel))) ?? found, agent.address), agent, why);

  const begin = (ws: WebSocket, ctx: OrgCtx, found: FoundTunnel, agent: TunnelAgent): void => {
    let timer: NodeJS.Timeout | undefined;
    const line = new Line({
      port: portOver(ws),
      role: 'asks',
      onFault: (err) => world.log.error({ err, agent: agent.id }, 'a line to an agent broke over what came'),
      onEnd(reason) {
        clearInterval(beats);
        clearTimeout(timer);
        agents.remove(local);
        judges.delete(local);
        const left = leave(agent, found, reason.code)
          .catch((err: unknown) => world.log.warn({ err, agent: agent.id }, 'that an agent left was not written down'))
          .finally(() => leaving.delete(left));
        leaving.add(left);
      },
    });
    const beats = setInterval(() => {
      if (!line.ping()) line.end({ code: 'silent', says: 'the agent does not answer' });
    }, PING_MS).unref();
    const local: LocalAgent = {
      id: agent.id,
      org: found.org,
      parent: found.parent,
      tunnel: agent.tunnel,
      generation: agent.generation,
      allow: agent.allow,
      line,
    };
    /** INVARIANT (access ends): whenever something of its org changes, and when its secret's time is over, an agent is judged again. */
    const judge = async (): Promise<void> => {
      clearTimeout(timer);
      if (!judges.has(local)) return;
      try {
        const t = await world.db.read(ctx, (db) => findTunnel(db, agent.tunnel));
        const until = t ? staysUntil(t, agent.generation, world.now()) : false;
        if (until === false)
          line.end(
            !t || t.revoked
              ? { code: 'revoked', says: `the tunnel “${found.name}” was revoked` }
              : { code: 'secret', says: 'the secret that this agent came with is good no more' },
          );
        else if (until)
          timer = setTimeout(
            () => void judge(),
            Math.min(until.getTime() - world.now().getTime() + 1, 2 ** 31 - 1),
          ).unref();
      } catch (err) {
        // Nothing goes through it meanwhile: each request reads the tunnel, too.
        world.log.warn({ err, agent: agent.id }, 'an agent could not be judged again');
        timer = setTimeout(() => void judge(), AGAIN_MS).unref();
      }
    };
    ws.on('message', (data, binary) => line.receive(bytesOf(data, binary)));
    const gone = (): void => line.closed({ code: 'gone', says: 'the connection ended' });
    ws.on('close', gone);
    ws.send(
      encode({
        type: 'welcome',
        welcome: {
          protocol: PROTOCOL,
          tunnel: agent.tunnel,
          name: found.name,
          agent: agent.id,
          pingSeconds: PING_MS / 1000,
        },
      }),
    );
    judges.set(local, () => void judge());
    agents.add(local);
    // Closed while it was written down: nobody would tell.
    if (ws.readyState !== ws.OPEN) gone();
    else if (stopped) line.leave({ code: 'restart', says: 'the node stops' });
    else void judge();
  };

  const unwatch = versions.onChange((scope) => {
    for (const [a, judge] of judges) if (scope === undefined || scope === a.org || scope === a.parent) judge();
  });

  return {
    upgrade(req, socket, head) {
      socket.on('error', () => undefined);
      if (stopped) return refuse(socket, '503 Service Unavailable', 'this node is stopping\n');
      if (req.headers.host?.toLowerCase() !== host)
        return refuse(socket, '421 Misdirected Request', 'this is another host\n');
      // A browser says where its page is from; an agent is no page.
      if (req.headers.origin !== undefined)
        return refuse(socket, '403 Forbidden', 'agents only; no page may come here\n');
      if (new URL(req.url ?? '/', world.origin).search !== '')
        return refuse(socket, '400 Bad Request', 'nothing of an agent belongs into the address, its secret least\n');
      if (strangers.size >= MAX_STRANGERS)
        return refuse(socket, '503 Service Unavailable', 'too many who are not known\n');
      const address = clientAddress(
        req.socket.remoteAddress,
        req.headersDistinct['x-forwarded-for']?.join(','),
        world.trustedProxies ?? [],
      );
      sockets.handleUpgrade(req, socket, head, (ws) => {
        strangers.add(ws);
        const timer = setTimeout(() => ws.close(1008, 'hello'), HELLO_MS).unref();
        const known = (): void => {
          clearTimeout(timer);
          strangers.delete(ws);
        };
        ws.on('error', () => undefined);
        ws.once('close', known);
        ws.once('message', (data, binary) => {
          clearTimeout(timer);
          // Nothing more before the welcome.
          const early = (): void => ws.close(1008, 'order');
          ws.once('message', early);
          admit(ws, address, bytesOf(data, binary))
            .catch((e: unknown) => {
              const reason =
                e instanceof Refused ? e.reason : { code: 'later', says: 'this node cannot look the secret up now' };
              if (!(e instanceof Refused)) world.log.warn({ err: e }, 'an agent could not be let in');
              if (ws.readyState === ws.OPEN) ws.send(encode({ type: 'bye', reason }));
              ws.close(1008, reason.code);
            })
            .finally(() => {
              ws.off('message', early);
              known();
            });
        });
      });
    },
    async stop() {
      stopped = true;
      unwatch();
      for (const ws of strangers) ws.terminate();
      const all = agents.all();
      // They come to another node at once; what is under way here has a moment.
      for (const a of all) a.line.leave({ code: 'restart', says: 'the node stops' });
      const end = performance.now() + LINGER_MS;
      while (all.some((a) => a.line.open > 0) && performance.now() < end) await new Promise((r) => setTimeout(r, 20));
      for (const a of all) a.line.end({ code: 'restart', says: 'the node stops' });
      await Promise.all(leaving);
    },
  };
}
