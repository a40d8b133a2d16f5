import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { GatewayHouse } from './gateway-house.ts';

/** A node of a house's gateway in a process of its own, so that it can be killed. */
export type GatewayNode = {
  port: number;
  /** The first line that it says with this key. Never resolves when it ends without. */
  said(key: string): Promise<unknown>;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** SIGTERM, and waits until it is gone. */
  stop(): Promise<void>;
};

/** Starts `gateway-node.ts` over the house's database; it ends with us, since it holds the other end of a pipe. */
export async function gatewayNode(g: GatewayHouse, ...args: string[]): Promise<GatewayNode> {
  const script = new URL('gateway-node.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, '--url', g.house.t.url, '--origin', g.house.origin, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (l) => {
    lines.push(JSON.parse(l) as Record<string, unknown>);
    for (const look of waiting) look();
  });
  const said = (key: string): Promise<unknown> =>
    new Promise((resolve) => {
      const look = (): void => {
        const line = lines.find((l) => key in l);
        if (!line) return;
        waiting.delete(look);
        resolve(line[key]);
      };
      waiting.add(look);
      look();
    });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const early = gone.then(() => Promise.reject(new Error('a node ended before it listened')));
  early.catch(() => undefined);
  return {
    port: Number(await Promise.race([said('port'), early])),
    said,
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
    async stop() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}

/** Debian's, or where others put it. Undefined: this machine has none. */
export const haproxy = ['/usr/sbin/haproxy', '/usr/local/sbin/haproxy', '/opt/homebrew/bin/haproxy'].find((p) =>
  existsSync(p),
);
/** For `skip` of a test that needs it. */
export const noHaproxy: string | false =
  haproxy === undefined ? 'no HAProxy on this machine (Debian package haproxy)' : false;

export type ManyNodes = {
  /** Where HAProxy listens. Each answer says in `x-served-by` which node gave it: `n0`, `n1`, ... */
  url: string;
  nodes: readonly GatewayNode[];
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * Round robin for each request, no affinity. It sends a request to another node only while no byte of it was taken (`conn-failure`, the
 * default of `retry-on`), as anybody must who stands before calls that change something. The house's name is the public one, so that is
 * what it calls itself towards the nodes, and it leaves every other host or origin as foreign as it came.
 */
const configuration = (port: number, origin: URL, nodes: readonly GatewayNode[]): string => `
defaults
  mode http
  timeout connect 2s
  timeout client 10m
  timeout server 10m
  timeout queue 10s
  retries 3
  option redispatch 1
  option http-server-close
frontend front
  bind 127.0.0.1:${port}
  http-request set-header Host ${origin.host} if { req.hdr(host) 127.0.0.1:${port} }
  http-request set-header Origin ${origin.origin} if { req.hdr(origin) http://127.0.0.1:${port} }
  http-response set-header x-served-by %s
  default_backend gateways
backend gateways
  balance roundrobin
${nodes.map((n, i) => `  server n${i} 127.0.0.1:${n.port}`).join('\n')}
`;

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

/** The house's gateway as `count` nodes behind HAProxy. The house's own stays out of it: what it changes, it changes on yet another node. */
export async function manyNodes(g: GatewayHouse, count: number): Promise<ManyNodes> {
  const nodes = await Promise.all(Array.from({ length: count }, () => gatewayNode(g)));
  const folder = await mkdtemp(join(tmpdir(), 'haproxy-'));
  const file = join(folder, 'haproxy.cfg');
  const port = await freePort();
  await writeFile(file, configuration(port, new URL(g.house.origin), nodes));
  // The shell ends it when we do, however we end: its stdin is a pipe that we hold.
  const child = spawn('sh', ['-c', '"$0" -db -q -f "$1" & p=$!; read -r _; kill "$p"; wait "$p"', haproxy ?? 'haproxy', file], {
    stdio: ['pipe', 'ignore', 'pipe'],
  }); // prettier-ignore
  let complained = '';
  child.stderr.on('data', (c: Buffer) => (complained += c.toString()));
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for (let i = 0; !(await listens(port)); i++) {
    if (i > 600) throw new Error(`HAProxy does not listen:\n${complained}`);
    await new Promise((r) => setTimeout(r, 25));
  }
  return {
    url: `http://127.0.0.1:${port}`,
    nodes,
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await gone;
      await Promise.all(nodes.map((n) => n.kill()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
