// What a tool call, a list and a listening client cost: an upstream direct, proxies that only pass bytes, Gatehouse with policy, DLP, durable audit
// and sequencer on, and peers. Load generator, upstream, gateway and PostgreSQL share this machine, so ratios within one run are what counts.
// Longer than 300 lines: the parts share how they start servers and print lines.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { withPeers } from './gateway-peers.ts';

const parts = ['calls', 'sizes', 'lists', 'listen', 'peers'] as const;
const { values } = parseArgs({
  options: {
    /** Of each line, after a second of warming up. */
    seconds: { type: 'string', default: '3' },
    only: { type: 'string' },
    streams: { type: 'string', default: '10000' },
    connections: { type: 'string', default: '1,32,256' },
  },
});
const wanted = parts.filter((p) => values.only === undefined || values.only.split(',').includes(p));
if (wanted.length === 0) {
  console.error(
    `npm run bench -- gateway [--only ${parts.join('|')}] [--seconds 3] [--streams 10000] [--connections 1,32,256]`,
  );
  process.exit(2);
}
const connections = values.connections.split(',').map(Number);
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const children: ChildProcess[] = [];
const began = performance.now();
const progress = (says: string): void =>
  void process.stderr.write(`${`[${Math.round((performance.now() - began) / 1000)} s]`.padStart(8)} ${says}\n`);

/** As `npm start` gives: V8 takes twice the memory for a few percent of speed otherwise. */
const startFlags = ['--max-semi-space-size=4', '--max-old-space-size=1024'];

type Part = { url: string; all: string; token?: string; tokenAll?: string; pid: number };
/** With as many open files as this machine lets a process have. */
async function start(role: string, upstream = '', extent = ''): Promise<Part> {
  progress(`starting ${role}${extent === '' ? '' : ` (${extent})`}`);
  const flags = process.env['BENCH_NODE_FLAGS']?.split(' ') ?? startFlags;
  const node = [...(role === 'gatehouse' ? flags : []), here('gateway-part.ts'), role, upstream, extent];
  const child = spawn(
    'sh',
    ['-c', 'ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"; exec "$0" "$@"', process.execPath, ...node],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  children.push(child);
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${role} ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (l) => {
      if (l.startsWith('{')) resolve(JSON.parse(l) as Part);
    });
  });
}

/** Debian's nginx, or where others put it, passing everything on over kept connections; undefined: this machine has none. */
async function nginx(upstream: string): Promise<Part | undefined> {
  const bin = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx', '/opt/homebrew/bin/nginx'].find((p) =>
    existsSync(p),
  );
  if (bin === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-nginx-'));
  const port = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const at = probe.address() as AddressInfo;
      probe.close(() => resolve(at.port));
    });
  });
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((n) => `${n}_temp_path ${folder}/${n};`)
    .join(' ');
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log; daemon off;
events { worker_connections 2048; }
http { access_log off; keepalive_requests 1000000; ${temp} client_max_body_size 8m; proxy_buffers 16 64k; proxy_buffer_size 64k; proxy_busy_buffers_size 128k;
  upstream echo { server ${new URL(upstream).host}; keepalive 256; keepalive_requests 1000000; }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://echo; proxy_http_version 1.1; proxy_set_header Connection ""; } } }\n`,
  );
  const child = spawn(bin, ['-c', file, '-p', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  children.push(child);
  for (let i = 0; i < 100; i++) {
    const up = await new Promise<boolean>((resolve) => {
      const s = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      s.once('connect', () => s.destroy());
    });
    if (up) return { url: `http://127.0.0.1:${port}/mcp`, all: '', pid: child.pid ?? 0 };
    await new Promise((r) => setTimeout(r, 50));
  }
  return undefined;
}

const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
type Ask = { url: string; body: string; headers: Record<string, string>; expect?: string };
/** One request of an MCP client of either revision. */
function ask(
  at: string,
  token: string | undefined,
  era: 'modern' | 'older',
  method: string,
  params: Record<string, unknown>,
): Ask {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method,
    params: { ...params, ...(era === 'modern' ? { _meta: modernMeta } : {}) },
  });
  const headers = {
    ...(era === 'modern'
      ? {
          'MCP-Protocol-Version': '2026-07-28',
          'Mcp-Method': method,
          ...(typeof params['name'] === 'string' ? { 'Mcp-Name': params['name'] } : {}),
        }
      : { 'MCP-Protocol-Version': '2025-11-25' }),
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
  return { url: at, body, headers };
}
const args = { text: 'the quarterly figures of the northern region' };
const call = (
  at: string,
  token: string | undefined,
  era: 'modern' | 'older' = 'modern',
  bytes = 900,
  name = 'echo',
): Ask => ask(at, token, era, 'tools/call', { name, arguments: { ...args, bytes } });

type Figures = { rate: number; p50: number; p99: number; mbs: number; cpu: number; mib: number };
async function load(a: Ask, c: number, pid: number): Promise<Figures> {
  const options = {
    url: a.url,
    body: a.body,
    headers: JSON.stringify(a.headers),
    connections: String(c),
    seconds: values.seconds,
    ...(a.expect === undefined ? {} : { expect: a.expect }),
  };
  const before = cpu(pid);
  const child = spawn(
    process.execPath,
    [here('gateway-load.ts'), ...Object.entries(options).flatMap(([k, v]) => [`--${k}`, v])],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const f = await new Promise<Omit<Figures, 'cpu' | 'mib'>>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (l) => resolve(JSON.parse(l) as Figures));
    child.once('exit', (code) => code !== 0 && reject(new Error(`the load generator ended with ${code}`)));
    // A peer that leaves one answer out would be waited for without end.
    setTimeout(() => child.kill(), (Number(values.seconds) + 30) * 1000).unref();
  });
  // The second of warming up is in the processor time but not in the calls that were counted.
  return { ...f, cpu: (cpu(pid) - before) / (f.rate * (Number(values.seconds) + 1)), mib: resident(pid, 'VmHWM') };
}

const resident = (pid: number, what: 'VmHWM' | 'VmRSS'): number => {
  const kib = new RegExp(`^${what}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kib ?? 0) / 1024);
};
/** Processor time of a process so far, in microseconds (proc(5): fields 14 and 15, in ticks of 10 ms). */
const cpu = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
};

const fixed = (n: number, digits = 2, width = 9): string =>
  (Number.isFinite(n) ? n.toFixed(digits) : '-').padStart(width);
const head = (title: string): void =>
  console.log(
    `\n${title}\n${'what'.padEnd(42)}    c   calls/s   p50 ms   p99 ms  added p50  added p99   of bare    MB/s  CPU us  MiB`,
  );
/** `direct` and `bare` at the same number of connections are what a line is measured by. */
const line = (
  name: string,
  c: number,
  f: Figures,
  by: { direct?: Figures | undefined; bare?: Figures | undefined } = {},
): void =>
  console.log(
    `${name.padEnd(42)} ${String(c).padStart(4)} ${fixed(f.rate, 0)}${fixed(f.p50)}${fixed(f.p99)}  ${fixed(f.p50 - (by.direct?.p50 ?? NaN))}  ${fixed(f.p99 - (by.direct?.p99 ?? NaN))} ${fixed((100 * f.rate) / (by.bare?.rate ?? NaN), 0, 8)}% ${fixed(f.mbs, 1, 7)} ${fixed(f.cpu, 0, 7)} ${fixed(f.mib, 0, 4)}`,
  );

console.log(
  `on ${cpus().length} processors of ${cpus()[0]?.model ?? 'unknown make'}; ${values.seconds} s each after one of warming up`,
);
const upstream = await start('upstream');
const at = (path: string): string => new URL(path, upstream.url).href;

if (wanted.some((p) => p === 'calls' || p === 'sizes')) {
  const bare = await start('bare', upstream.url);
  const floor = await nginx(upstream.url);
  const house = await start('gatehouse', upstream.url);
  const floors = async (c: number, bytes: number, era: 'modern' | 'older' = 'modern') => {
    const direct = await load(call(upstream.url, undefined, era, bytes), c, upstream.pid);
    return { direct, bare: await load(call(bare.url, undefined, era, bytes), c, bare.pid) };
  };
  if (wanted.includes('calls')) {
    const sdk = await start('sdk', upstream.url);
    head('a call with a result of 1 KB');
    for (const c of connections) {
      progress(`calls at ${c} connections`);
      const by = await floors(c, 900);
      line('upstream direct', c, by.direct, by);
      line('bare Node byte proxy', c, by.bare, by);
      if (floor) line('nginx', c, await load(call(floor.url, undefined), c, floor.pid), by);
      for (const era of ['modern', 'older'] as const)
        line(`Gatehouse, ${era} client`, c, await load(call(house.url, house.token, era), c, house.pid), by);
      if (c <= 32) line('gateway that ends MCP with the SDK', c, await load(call(sdk.url, undefined), c, sdk.pid), by);
    }
  }
  if (wanted.includes('sizes')) {
    head('calls by the size of their result');
    for (const [says, bytes] of [
      ['1 KB', 900],
      ['64 KB', 65_536],
      ['1 MB', 1_048_576],
    ] as const)
      // prettier-ignore
      for (const c of connections) {
        progress(`results of ${says} at ${c} connections`);
        const by = await floors(c, bytes);
        line(`${says}, upstream direct`, c, by.direct, by);
        line(`${says}, bare Node byte proxy`, c, by.bare, by);
        if (floor) line(`${says}, nginx`, c, await load(call(floor.url, undefined, 'modern', bytes), c, floor.pid), by);
        line(`${says}, Gatehouse`, c, await load(call(house.url, house.token, 'modern', bytes), c, house.pid), by);
      }
  }
  if (!floor) console.log('nginx is not on this machine (Debian package nginx); its lines are left out');
}

if (wanted.includes('lists')) {
  const bare = await start('bare', upstream.url);
  const house = await start('gatehouse', upstream.url, 'many');
  const list = (url: string, token: string | undefined, era: 'modern' | 'older' = 'modern'): Ask =>
    ask(url, token, era, 'tools/list', {});
  head('lists, and calls where all connectors are one (20 connectors, 340 tools)');
  for (const c of connections) {
    progress(`lists at ${c} connections`);
    const by = {
      direct: await load(list(at('/all'), undefined), c, upstream.pid),
      bare: await load(list(new URL('/all', bare.url).href, undefined), c, bare.pid),
    };
    line('list of 340 tools, upstream direct', c, by.direct, by);
    line('list of 340 tools, bare Node byte proxy', c, by.bare, by);
    if (c <= 32) {
      line('list of 340 tools at /mcp', c, await load(list(house.all, house.tokenAll), c, house.pid), by);
      line(
        'list of 17 tools at /mcp/{connector}',
        c,
        await load(list(`${house.all}/c0`, house.tokenAll), c, house.pid),
        by,
      );
    }
    for (const era of ['modern', 'older'] as const)
      line(
        `call at /mcp, ${era} client`,
        c,
        await load(call(house.all, house.tokenAll, era, 900, 'c0__echo'), c, house.pid),
      );
  }
}

if (wanted.includes('listen')) {
  const house = await start('gatehouse', upstream.url);
  const a = ask(house.url, house.token, 'modern', 'subscriptions/listen', {
    notifications: { toolsListChanged: true },
  });
  await load(call(house.url, house.token), 1, house.pid);
  const empty = resident(house.pid, 'VmRSS');
  progress(`opening ${values.streams} listen streams`);
  const options = { url: a.url, body: a.body, headers: JSON.stringify(a.headers), streams: values.streams };
  const child = spawn(
    'sh',
    [
      '-c',
      'ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"; exec "$0" "$@"',
      process.execPath,
      here('gateway-listen.ts'),
      ...Object.entries(options).flatMap(([k, v]) => [`--${k}`, v]),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  children.push(child);
  const opened = await new Promise<{ open: number; why: string; ms: number }>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (l) =>
      resolve(JSON.parse(l) as { open: number; why: string; ms: number }),
    );
    child.once('exit', (code) => reject(new Error(`the listeners ended with ${code}`)));
  });
  const before = cpu(house.pid);
  await new Promise((r) => setTimeout(r, 10_000));
  const idle = (cpu(house.pid) - before) / 100_000;
  console.log(
    `\nlisten streams\n${opened.open} open after ${(opened.ms / 1000).toFixed(1)} s, each with its stream at the connector${opened.why === '' ? '' : `; then: ${opened.why}`}\n${resident(house.pid, 'VmRSS')} MiB with them, ${empty} MiB before; idle they take ${idle.toFixed(1)} % of a processor`,
  );
  head(`a call beside ${opened.open} listen streams`);
  line('Gatehouse', 1, await load(call(house.url, house.token), 1, house.pid));
}

if (wanted.includes('peers')) {
  const bare = await start('bare', upstream.url);
  head('peers, a call with a result of 1 KB');
  const by = new Map<number, { direct: Figures; bare: Figures }>();
  for (const c of connections.filter((n) => n <= 32)) {
    const direct = await load(call(upstream.url, undefined), c, upstream.pid);
    by.set(c, { direct, bare: await load(call(bare.url, undefined), c, bare.pid) });
  }
  await withPeers(upstream.url, here('gateway-part.ts'), async (p) => {
    if ('cannot' in p) return console.log(`${p.name}: not measured: ${p.cannot}`);
    progress(p.name);
    for (const [c, floors] of by)
      if (c <= (p.most ?? c)) line(`${p.name} (${p.says})`.slice(0, 42), c, await load(p, c, p.pid), floors);
    console.log(`  ${p.name}: ${p.says}`);
  });
}

console.log(
  '\nwanted of Gatehouse on 2 processors: >= 2500 calls/s at 32 connections, added p50 <= 1.2 ms and p99 <= 8 ms at 1, results of 1 MB at >= 60 % of the bare proxy,\na list of 340 tools in <= 10 ms, 10,000 idle streams in <= 400 MiB',
);
for (const c of children)
  if (c.stdin) c.stdin.end();
  else c.kill();
process.exit(0);
