// Peers of bench/gateway.ts that are on npm, installed on demand into a folder of this machine and never a dependency of ours. Each is started as
// its documentation says, in front of the same echo server; what cannot be had here is said by name.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Where a peer takes calls, and how; or why it does not. */
export type Peer =
  | {
      name: string;
      url: string;
      pid: number;
      body: string;
      headers: Record<string, string>;
      expect: string;
      /** More connections than this it cannot be measured with, for the reason that it says. */
      most?: number;
      says: string;
    }
  | { name: string; cannot: string };

const run = promisify(execFile);
const folder = join(tmpdir(), 'gatehouse-bench-peers');
const packages = { 'mcp-hub': '4.2.1', supergateway: '4.0.0' } as const;
const children: ChildProcess[] = [];

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });

type Manifest = { version: string; license?: string; bin?: string | Record<string, string> };
const manifestOf = (name: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')) as Manifest;

async function installed(name: keyof typeof packages): Promise<{ bin: string; says: string }> {
  mkdirSync(folder, { recursive: true });
  const there = join(folder, 'node_modules', name, 'package.json');
  if (!existsSync(there) || manifestOf(name).version !== packages[name]) {
    if (!existsSync(join(folder, 'package.json'))) writeFileSync(join(folder, 'package.json'), '{"private":true}');
    const args = [
      'install',
      '--prefix',
      folder,
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      `${name}@${packages[name]}`,
    ];
    await run('npm', args, { timeout: 120_000 });
  }
  const m = manifestOf(name);
  const bin = typeof m.bin === 'string' ? m.bin : m.bin?.[name];
  if (bin === undefined) throw new Error('it has no command');
  return {
    bin: join(folder, 'node_modules', name, bin),
    says: `${m.version}, ${m.license ?? 'its package names no licence'}`,
  };
}

function started(args: string[], cwd = folder): ChildProcess {
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'ignore', 'ignore'] });
  children.push(child);
  return child;
}

/** Asks until it is answered with what is expected. */
async function ready(url: string, body: string, headers: Record<string, string>, expect: string): Promise<void> {
  let last = 'nothing';
  for (const end = Date.now() + 30_000; Date.now() < end; await new Promise((r) => setTimeout(r, 200)))
    try {
      const r = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
      last = `${r.status} ${(await r.text()).slice(0, 200)}`;
      if (last.startsWith('200') && last.includes(expect)) return;
    } catch (e) {
      last = String(e);
    }
  throw new Error(`it does not answer: ${last}`);
}

const args = { text: 'the quarterly figures of the northern region' };
const starts: Record<
  string,
  (upstream: string, part: string) => Promise<Omit<Extract<Peer, { url: string }>, 'name'>>
> = {
  async 'mcp-hub'(upstream) {
    const { bin, says } = await installed('mcp-hub');
    const port = await freePort();
    const config = join(folder, `hub-${port}.json`);
    writeFileSync(config, JSON.stringify({ mcpServers: { echo: { url: upstream } } }));
    const child = started([bin, '--port', String(port), '--config', config]);
    const peer = {
      url: `http://127.0.0.1:${port}/api/servers/tools`,
      body: JSON.stringify({ server_name: 'echo', tool: 'echo', arguments: args }),
      headers: {},
      expect: 'quarterly',
    };
    await ready(peer.url, peer.body, peer.headers, peer.expect);
    return { ...peer, pid: child.pid ?? 0, says: `${says}; its own REST call, no MCP towards clients` };
  },
  async supergateway(_upstream, part) {
    const { bin, says } = await installed('supergateway');
    const port = await freePort();
    const child = started([
      bin,
      '--stdio',
      `${process.execPath} ${part} stdio`,
      '--outputTransport',
      'streamableHttp',
      '--stateful',
      '--port',
      String(port),
    ]);
    const url = `http://127.0.0.1:${port}/mcp`;
    const accept = { accept: 'application/json, text/event-stream' };
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } };
    const hello = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
    await ready(url, hello, accept, 'protocolVersion');
    const greeted = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...accept },
      body: hello,
    });
    await greeted.text();
    const headers = {
      ...accept,
      'mcp-session-id': greeted.headers.get('mcp-session-id') ?? '',
      'mcp-protocol-version': '2025-06-18',
    };
    await (
      await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }),
      })
    ).text();
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'echo', arguments: args },
    });
    await ready(url, body, headers, 'quarterly');
    return {
      url,
      body,
      headers,
      expect: 'quarterly',
      pid: child.pid ?? 0,
      most: 1,
      says: `${says}; an echo server on stdin behind it; calls of one session need ids of their own, so one connection`,
    };
  },
  async 'FastMCP proxy'(upstream) {
    await run('python3', ['-c', 'import fastmcp'], { timeout: 60_000 }).catch(() => {
      throw new Error('python3 has no fastmcp here');
    });
    mkdirSync(folder, { recursive: true });
    const port = await freePort();
    const script = `from fastmcp.server import create_proxy\ncreate_proxy("${upstream}").run(transport="http", host="127.0.0.1", port=${port}, stateless_http=True, json_response=True)\n`;
    const file = join(folder, 'proxy.py');
    writeFileSync(file, script);
    const child = spawn('python3', [file], { stdio: 'ignore' });
    children.push(child);
    const peer = {
      url: `http://127.0.0.1:${port}/mcp`,
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: args } }),
      headers: { accept: 'application/json, text/event-stream' },
      expect: 'quarterly',
    };
    await ready(peer.url, peer.body, peer.headers, peer.expect);
    return { ...peer, pid: child.pid ?? 0, says: 'as python3 has it' };
  },
};

/** Starts one peer after the other; `use` measures it before the next one begins. */
export async function withPeers(upstream: string, part: string, use: (p: Peer) => Promise<void>): Promise<void> {
  for (const [name, start] of Object.entries(starts)) {
    try {
      await use({ name, ...(await start(upstream, part)) });
    } catch (e) {
      await use({ name, cannot: (e instanceof Error ? e.message : String(e)).split('\n')[0] ?? '' });
    }
    for (const c of children.splice(0)) c.kill();
  }
}
