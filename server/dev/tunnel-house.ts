import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addConnector } from '#connectors/add-connector.ts';
import { listToolsOf } from '#connectors/tool.sql.ts';
import { reviewTools } from '#connectors/review-tools.ts';
import { scopeOf } from '#kernel/ctx.ts';
import { makeEgress } from '#kernel/egress.ts';
import { newId, type Id } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { startVersions } from '#kernel/versions.ts';
import { createTunnel } from '#tunnels/create-tunnel.ts';
import { makeTunnels, type Tunnels } from '#tunnels/start-tunnels.ts';
import { listAgents } from '#tunnels/tunnel.sql.ts';
import type { Tunnel } from '#tunnels/tunnel.ts';
import { gatewayHouse, type GatewayHouse } from './gateway-house.ts';

/** An agent of a tunnel in a process of its own, as an administrator starts it. */
export type AgentProcess = {
  /** What it wrote, so far. */
  lines(): string[];
  /** Resolves with the first line that fits, said already or not. */
  said(what: RegExp): Promise<string>;
  signal(name: NodeJS.Signals): void;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** Its exit status, when it has ended. */
  ended: Promise<number | null>;
};

export type TunnelHouse = {
  g: GatewayHouse;
  tunnels: Tunnels;
  node: Id<'nod'>;
  make(name: string, destinations: string[]): Promise<{ tunnel: Tunnel; secret: string; secretFile: string }>;
  /** `names`: what only the agent resolves. */
  agent(o: {
    url?: string;
    secretFile: string;
    allow: string[];
    names?: Record<string, string>;
  }): Promise<AgentProcess>;
  /** A connector through a tunnel, reviewed and allowed to everyone. */
  connect(slug: string, url: string, tunnel: Id<'tun'>, bearer?: string): Promise<Id<'con'>>;
  /** Waits until so many agents of a tunnel are written down with nodes that live. */
  online(tunnel: Id<'tun'>, n: number): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Until something is so; on a loaded machine that takes what it takes. */
export async function until(what: () => Promise<boolean> | boolean, says: string): Promise<void> {
  const end = performance.now() + 60_000;
  while (!(await what())) {
    if (performance.now() > end) throw new Error(`it never came to this: ${says}`);
    await new Promise((r) => setTimeout(r, 20));
  }
}

const cli = new URL('../../apps/cli/gatehouse.ts', import.meta.url).pathname;
/** Has a process resolve names of its own, as a resolver inside a network would. */
export const knowing = (names: Record<string, string>): string =>
  `--import=data:text/javascript,${encodeURIComponent(
    `import dns from 'node:dns/promises'; import { syncBuiltinESMExports } from 'node:module';
     const names = ${JSON.stringify(names)}; const real = dns.lookup;
     dns.lookup = async (h, o) => names[h] ? [{ address: names[h], family: names[h].includes(':') ? 6 : 4 }] : real(h, o);
     syncBuiltinESMExports();`,
  )}`;

/** A gateway whose node takes agents of tunnels and goes through them. */
export async function tunnelHouse(): Promise<TunnelHouse> {
  const tunnels = makeTunnels();
  const egress = makeEgress({ log: silentLog, ways: tunnels.way });
  const node = newId('nod');
  const g = await gatewayHouse({ over: { egress }, deps: (world) => ({ node, address: world.origin }) });
  const versions = await startVersions({ pool: g.house.world.db.pool, log: silentLog });
  tunnels.start({ world: g.house.world, versions, node });
  g.house.also.upgrading = tunnels;
  const folder = await mkdtemp(join(tmpdir(), 'tunnel-'));
  const agents = new Set<AgentProcess>();
  return {
    g,
    tunnels,
    node,
    async make(name, destinations) {
      const made = await createTunnel(g.ctx, { name, destinations });
      const secretFile = join(folder, made.tunnel.id);
      await writeFile(secretFile, `${made.secret}\n`, { mode: 0o600 });
      return { ...made, secretFile };
    },
    agent({ url = g.house.origin, secretFile, allow, names }) {
      const child = spawn(
        process.execPath,
        [
          ...(names ? [knowing(names)] : []),
          cli,
          'tunnel',
          '--url',
          url,
          '--secret-file',
          secretFile,
          ...allow.flatMap((a) => ['--allow', a]),
        ],
        { stdio: ['ignore', 'ignore', 'pipe'] },
      );
      let text = '';
      const looks = new Set<() => void>();
      child.stderr.on('data', (c: Buffer) => {
        text += c.toString();
        for (const look of looks) look();
      });
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
      const self: AgentProcess = {
        lines: () => text.split('\n'),
        said: (what) =>
          new Promise((resolve, reject) => {
            const look = (): void => {
              const line = text.split('\n').find((l) => what.test(l));
              if (line === undefined) return;
              looks.delete(look);
              resolve(line);
            };
            looks.add(look);
            look();
            void ended.then(() => reject(new Error(`the agent ended without saying ${String(what)}:\n${text}`)));
          }),
        signal: (name) => void child.kill(name),
        async kill() {
          child.kill('SIGKILL');
          await ended;
          agents.delete(self);
        },
        ended,
      };
      agents.add(self);
      return Promise.resolve(self);
    },
    async connect(slug, url, tunnel, bearer) {
      const { connector } = await addConnector(g.ctx, { slug, name: slug, url, tunnel, bearer });
      const tools = await g.house.world.db.read(scopeOf(g.ctx), (db) => listToolsOf(db, connector.id));
      if (tools.length > 0)
        await reviewTools(
          g.ctx,
          connector.id,
          tools.map((t) => ({ name: t.name, pin: t.pin, class: 'read' as const })),
        );
      await g.rule({
        name: `everyone uses ${slug}`,
        who: { kind: 'everyone' },
        connector: connector.id,
        tools: { classes: ['read', 'write', 'destructive'] },
        effect: 'allow',
        asks: 'never',
      });
      return connector.id;
    },
    online: (tunnel, n) =>
      until(
        async () => (await g.house.world.db.read(scopeOf(g.ctx), (db) => listAgents(db, [tunnel]))).length === n,
        `${n} agents of the tunnel`,
      ),
    async [Symbol.asyncDispose]() {
      await Promise.all([...agents].map((a) => a.kill()));
      await tunnels.stop();
      await versions.close();
      await g[Symbol.asyncDispose]();
      await egress.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
