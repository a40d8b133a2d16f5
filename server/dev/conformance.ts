import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';

/** What the suite found. `failed` and `warned` name scenario and check, sorted, so that two runs can be compared. */
export type Conformance = { passed: number; failed: string[]; warned: string[]; ran: string[]; output: string };

const Checks = z.array(z.object({ id: z.string(), status: z.string() }));

/**
 * Runs the server suite of `@modelcontextprotocol/conformance` against `url`, which must be on a loopback name.
 * @param args what selects scenarios, e.g. `['--requirements', '2025-11-25']` or `['--suite', 'all', '--spec-version', '2026-07-28']`
 */
export const runConformance = (url: string, args: readonly string[]): Promise<Conformance> =>
  runSuite(['server', '--url', url, ...args]);

/** Runs the client suite: `command` is started for each scenario, with the address of its server behind it. */
export const runClientConformance = (command: readonly string[], args: readonly string[]): Promise<Conformance> =>
  // On a machine where everything is slow, nothing of this must be a failure.
  runSuite(['client', '--command', command.join(' '), '--timeout', '240000', ...args]);

async function runSuite(args: readonly string[]): Promise<Conformance> {
  const into = await mkdtemp(join(tmpdir(), 'conformance-'));
  try {
    const bin = createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/dist/index.js');
    const child = spawn(process.execPath, [bin, ...args, '-o', into], { cwd: into, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (c: Buffer) => (output += c.toString()));
    child.stderr.on('data', (c: Buffer) => (output += c.toString()));
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => resolve());
    });
    const total = /Total: (\d+) passed, (\d+) failed/.exec(output);
    // A suite that broke off is not a suite that passed.
    if (!total) throw new Error(`the conformance suite did not come to its end:\n${output}`);
    const failed: string[] = [];
    const warned: string[] = [];
    const scenarios = new Set<string>();
    for (const file of await readdir(into, { recursive: true })) {
      if (!file.endsWith('/checks.json')) continue;
      const scenario = dirname(file)
        .replace(/^server-/, '')
        .replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, '');
      scenarios.add(scenario);
      const checks = Checks.parse(JSON.parse(await readFile(join(into, file), 'utf8')));
      for (const c of checks) {
        if (c.status === 'FAILURE') failed.push(`${scenario}: ${c.id}`);
        if (c.status === 'WARNING') warned.push(`${scenario}: ${c.id}`);
      }
    }
    const ran = [...scenarios].sort();
    return { passed: Number(total[1]), failed: failed.sort(), warned: warned.sort(), ran, output };
  } finally {
    await rm(into, { recursive: true, force: true });
  }
}

/**
 * The suite cannot sign in, so this adds the bearer token and nothing else. What the suite says of its own host it says to the gateway as
 * the gateway's host, and a foreign host or origin stays as foreign as it was.
 */
export function bearerProxy(to: string, token: string): Promise<Server> {
  const target = new URL(to);
  const server = createServer((req, res) => {
    const { port } = server.address() as AddressInfo;
    const own = (v: string | undefined): string | undefined => v?.replaceAll(`localhost:${port}`, target.host);
    const headers: Record<string, string | string[] | undefined> = {
      ...req.headers,
      authorization: `Bearer ${token}`,
      host: own(req.headers.host),
      origin: own(req.headers.origin),
    };
    if (headers['origin'] === undefined) delete headers['origin'];
    const up = request(
      target,
      { method: req.method ?? 'GET', path: req.url === '/mcp' ? target.pathname : (req.url ?? '/'), headers },
      (r) => {
        res.writeHead(r.statusCode ?? 502, r.headers);
        r.pipe(res);
      },
    );
    up.on('error', () => res.destroy());
    res.on('close', () => up.destroy());
    req.pipe(up);
  });
  return new Promise((resolve) => server.listen(0, 'localhost', () => resolve(server)));
}
