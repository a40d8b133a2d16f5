// Calls per second and added time of a tool call: upstream direct, a bare Node byte proxy, Gatehouse with policy, DLP, durable audit and
// sequencer on, and a gateway that ends MCP with the SDK. Load generator, upstream, gateway and PostgreSQL share this machine.
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    only: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const children: ChildProcess[] = [];

/** Keep the heap small: V8 takes twice the memory for a few percent of speed otherwise. What `npm start` should give too. */
const startFlags = ['--max-semi-space-size=4', '--max-old-space-size=1024'];

type Part = { url: string; token?: string; pid: number };
async function start(role: string, upstream = ''): Promise<Part> {
  const flags = process.env['BENCH_NODE_FLAGS']?.split(' ') ?? startFlags;
  const child = spawn(
    process.execPath,
    [...(role === 'gatehouse' ? flags : []), here('gateway-part.ts'), role, upstream],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  children.push(child);
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${role} ended with ${code}`)));
    createInterface({ input: child.stdout }).once('line', (l) => resolve(JSON.parse(l) as Part));
  });
}

type Figures = { rate: number; p50: number; p99: number };
function load(part: Part, connections: number): Promise<Figures> {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name: 'echo',
      arguments: { text: 'the quarterly figures of the northern region' },
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  });
  const args = ['--url', part.url, '--body', body, '--connections', String(connections), '--seconds', values.seconds];
  const child = spawn(
    process.execPath,
    [here('gateway-load.ts'), ...args, ...(part.token ? ['--token', part.token] : [])],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (l) => resolve(JSON.parse(l) as Figures));
    child.once('exit', (code) => code && reject(new Error(`the load generator ended with ${code}`)));
  });
}

const resident = (pid: number): number => {
  const kib = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kib ?? 0) / 1024);
};

/** Processor time of a process so far, in microseconds (proc(5): fields 14 and 15, in ticks of 10 ms). */
const cpu = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
};

const upstream = await start('upstream');
const names = { bare: 'bare Node byte proxy', gatehouse: 'Gatehouse', sdk: 'SDK-terminating gateway' } as const;
const wanted = (Object.keys(names) as (keyof typeof names)[]).filter(
  (n) => values.only === undefined || values.only === n,
);

const direct = { 1: await load(upstream, 1), 32: await load(upstream, 32) };
const fixed = (n: number, digits = 2): string => n.toFixed(digits).padStart(9);
console.log(`1 KB results, ${values.seconds} s each; added time is over the upstream direct\n`);
console.log('                          c    calls/s  p50 ms   p99 ms   added p50  added p99  CPU us/call  peak MiB');
const line = (name: string, c: 1 | 32, f: Figures, us?: number, mib?: number): void =>
  console.log(
    `${name.padEnd(24)} ${String(c).padStart(3)} ${fixed(f.rate, 0)} ${fixed(f.p50)} ${fixed(f.p99)} ${fixed(f.p50 - direct[c].p50)}  ${fixed(f.p99 - direct[c].p99)}  ${us === undefined ? '' : fixed(us, 0)}  ${mib === undefined ? '' : fixed(mib, 0)}`,
  );
line('upstream direct', 1, direct[1]);
line('upstream direct', 32, direct[32]);
for (const role of wanted) {
  const part = await start(role, upstream.url);
  for (const c of [1, 32] as const) {
    const before = cpu(part.pid);
    const f = await load(part, c);
    // The second of warming up is in the processor time but not in the calls that were counted.
    const calls = f.rate * (Number(values.seconds) + 1);
    line(names[role], c, f, (cpu(part.pid) - before) / calls, c === 32 ? resident(part.pid) : undefined);
  }
}
console.log(
  '\ntargets for Gatehouse on 2 cores, everything above included: >= 2000 calls/s at 32, added p50 <= 1.5 ms at 1, <= 250 MiB',
);
for (const c of children) c.stdin?.end();
process.exit(0);
