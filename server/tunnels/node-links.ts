import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { connect as tlsConnect, TLSSocket, type TLSSocketOptions } from 'node:tls';
import { Line } from '@gatehouse/contract/tunnel/line.ts';
import type { World } from '#kernel/ctx.ts';
import type { LocalAgents } from './local-agents.ts';
import { listenTo, portOf } from './framed-socket.ts';
import { NO_AGENT, relayStream } from './relay-stream.ts';

/** Where nodes call each other, on the port that they listen on for everybody. */
export const NODE_PATH = '/tunnel/node';
const PROTOCOL = 'gatehouse-node';
/** A node that lives answers at once. */
const CONNECT_MS = 3000;
const PING_MS = 5000;

/**
 * TLS by a key that every node of a deployment derives and nobody else has: who cannot make it up neither reads nor speaks. The exchange is
 * ephemeral, so that a key that leaks later opens nothing of today. Both nodes' names are in what is proved, so that a node that took over an
 * address of another is not mistaken for it.
 */
const cipher = { ciphers: 'ECDHE-PSK-CHACHA20-POLY1305', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;

export type NodeLinks = {
  /** A line to a node at its address, made where there is none. */
  to(node: string, address: string): Promise<Line>;
  /** Another node calls. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  stop(): void;
};

/**
 * Lines between nodes, for requests whose agent is connected to another one. They do not go through egress: their addresses are no
 * configuration of anybody, and what answers there proves that it is the node that is meant before a byte of a request is sent.
 */
export function nodeLinks(world: Pick<World, 'seal' | 'log'>, self: string, agents: LocalAgents): NodeLinks {
  const psk = world.seal.derive('tunnels between nodes');
  const links = new Map<string, Promise<Line>>();
  const open = new Set<Line>();
  let stopped = false;

  const onFault = (err: unknown): void => world.log.error({ err }, 'a line between nodes broke over what came');
  const keep = (line: Line): Line => {
    open.add(line);
    return line;
  };

  const dial = (node: string, address: string): Promise<Line> =>
    new Promise((resolve, reject) => {
      const url = new URL(NODE_PATH, address);
      const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
      // The certificate of the outer TLS is made for the public name; the inner one proves who it is.
      const req = request(url, {
        agent: false,
        rejectUnauthorized: false,
        headers: { connection: 'Upgrade', upgrade: PROTOCOL },
        timeout: CONNECT_MS,
      });
      const timer = setTimeout(() => req.destroy(new Error('the node did not answer in time')), CONNECT_MS);
      const fail = (e: Error): void => {
        clearTimeout(timer);
        reject(e);
      };
      req.once('error', fail);
      req.once('response', (res) => {
        res.resume();
        fail(new Error(`the node answered ${res.statusCode}`));
      });
      req.once('upgrade', (_res, socket, head) => {
        if (head.length > 0) socket.unshift(head);
        const secure = tlsConnect({
          socket,
          ...cipher,
          pskCallback: () => ({ psk, identity: `${self}>${node}` }),
          checkServerIdentity: () => undefined,
        });
        const slow = setTimeout(() => secure.destroy(new Error('the node did not prove itself in time')), CONNECT_MS);
        secure.once('error', (e) => {
          clearTimeout(slow);
          fail(e);
        });
        secure.once('secureConnect', () => {
          clearTimeout(timer);
          clearTimeout(slow);
          const line = keep(
            new Line({
              port: portOf(secure),
              role: 'asks',
              onFault,
              // It stops: what is under way ends there, and nothing new is begun.
              onLeaving: () => links.delete(node),
              onEnd(reason) {
                clearInterval(beats);
                open.delete(line);
                links.delete(node);
                world.log.info({ node, why: reason.code }, 'a line to another node ended');
              },
            }),
          );
          const beats = setInterval(() => {
            if (!line.ping()) line.end({ code: 'silent', says: 'the node does not answer' });
          }, PING_MS).unref();
          listenTo(secure, line);
          resolve(line);
        });
      });
      req.end();
    });

  return {
    to(node, address) {
      const known = links.get(node);
      if (known) return known;
      const made = dial(node, address);
      links.set(node, made);
      made.catch(() => links.delete(node));
      return made;
    },
    upgrade(req, socket, head) {
      if (stopped || req.headers.upgrade !== PROTOCOL) {
        socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
        return;
      }
      socket.on('error', () => undefined);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${PROTOCOL}\r\n\r\n`);
      if (head.length > 0) socket.unshift(head);
      // The types do not know of keys shared before; the documentation does.
      const options: TLSSocketOptions & { pskCallback(s: TLSSocket, identity: string): Buffer | null } = {
        isServer: true,
        ...cipher,
        pskCallback: (_s, identity) => (identity.endsWith(`>${self}`) ? psk : null),
      };
      const secure = new TLSSocket(asSocket(socket), options);
      const timer = setTimeout(() => secure.destroy(), CONNECT_MS);
      secure.on('error', (err) => {
        clearTimeout(timer);
        world.log.warn({ err }, 'somebody who is no node of this deployment called as one');
        secure.destroy();
      });
      secure.once('secure', () => {
        clearTimeout(timer);
        const line = keep(
          new Line({
            port: portOf(secure),
            role: 'answers',
            onFault,
            onOpen(asked, stream) {
              const agent = asked.via === undefined ? undefined : agents.pick(asked.via, new URL(asked.url));
              if (agent) return relayStream(stream, agent.line, asked);
              stream.reset({ code: NO_AGENT, says: 'no agent of this tunnel is connected here' });
              return { head() {}, data() {}, end() {}, drain() {}, reset() {} };
            },
            onEnd: () => open.delete(line),
          }),
        );
        listenTo(secure, line);
      });
    },
    stop() {
      stopped = true;
      for (const line of open) line.end({ code: 'restart', says: 'the node stops' });
    },
  };
}

/** What node's server hands over is always a socket; its type does not say so. */
const asSocket = (d: Duplex): Socket => d as Socket;
