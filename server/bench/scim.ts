// The SCIM server with 500,000 people in the database: adding, looking up, adding to one group from many sides, a group of 100,000, pages far
// in, and how long a leaver still gets in. Load generator, server and PostgreSQL share this machine. Peer: SCIMMY, in memory, if installed.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { entraCreate, patch } from '#dev/scim-shapes.ts';
import { ask, load, type Figures, type Sent } from './scim-load.ts';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '500000' },
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '16' },
    only: { type: 'string' },
  },
});
const [users, seconds, connections] = [Number(values.users), Number(values.seconds), Number(values.connections)];
const children: ChildProcess[] = [];

const Part = z.object({
  url: z.string().optional(),
  api: z.string().optional(),
  token: z.string().optional(),
  big: z.string().optional(),
  busy: z.string().optional(),
  pid: z.number(),
  sessions: z.array(z.string()).optional(),
  missing: z.string().optional(),
});
function start(role: string, count: number): Promise<z.infer<typeof Part>> {
  const flags = process.env['BENCH_NODE_FLAGS']?.split(' ') ?? [];
  const child = spawn(
    process.execPath,
    [...flags, fileURLToPath(new URL('scim-part.ts', import.meta.url)), role, String(count)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  children.push(child);
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${role} ended with ${code}`)));
    createInterface({ input: child.stdout }).once('line', (l) => resolve(Part.parse(JSON.parse(l))));
  });
}

/**
 * Processor time so far of the server and of its connections in PostgreSQL, in milliseconds (proc(5): fields 14 and 15, in ticks of 10 ms), so
 * that the figures can be read on a machine that has something else to do as well. 0 where there is no /proc.
 */
function spent(pid: number | undefined): number {
  if (pid === undefined || !existsSync('/proc/self/stat')) return 0;
  let ticks = 0;
  for (const p of readdirSync('/proc').filter((f) => /^\d+$/.test(f)))
    try {
      if (Number(p) !== pid && !readFileSync(`/proc/${p}/cmdline`, 'utf8').includes(` t_${pid}_`)) continue;
      const fields = readFileSync(`/proc/${p}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // It has ended meanwhile.
    }
  return ticks * 10;
}

const wanted = (name: string): boolean => values.only === undefined || values.only.split(',').includes(name);
const entry = (i: number): string => `scu_${i.toString(16).padStart(32, '0')}`;
const find = (i: number): Sent => ({
  method: 'GET',
  path: `/Users?filter=${encodeURIComponent(`userName eq "Person${1 + ((i * 7919) % users)}@acme.example"`)}`,
});

console.log(`${users} users, ${connections} connections, ${seconds} s each; filling the database …`);
const g = await start('gatehouse', users);
const server = g.pid;
let used = 0;
const line = (what: string, f: Figures, target: string, of = server): void => {
  const now = spent(of);
  const each = of === server ? `${((now - used) / f.done).toFixed(2)} ms CPU` : '';
  used = now;
  console.log(
    `${what.padEnd(46)} ${f.rate.toFixed(0).padStart(7)}/s  p50 ${f.p50.toFixed(1).padStart(6)} ms  p99 ${f.p99.toFixed(1).padStart(6)} ms  ${[...f.statuses].map(([s, n]) => `${n} x ${s}`).join(', ')}  ${each}  ${target}`,
  );
};
const target = { url: g.url ?? '', ...(g.token ? { token: g.token } : {}) };
// Connections, plans and compiled code as they are in a server that runs.
await load(target, connections, find, 2);
used = spent(server);
let added = 0;
const add = (): Sent => ({ method: 'POST', path: '/Users', body: entraCreate(`new${++added}@acme.example`) });
if (wanted('post')) {
  await load(target, connections, add, 2);
  used = spent(server);
  line('POST user', await load(target, connections, add, seconds), '(>= 1,000/s)');
}
if (wanted('filter')) line('filter by userName', await load(target, connections, find, seconds), '(>= 2,500/s)');
if (wanted('get')) {
  const get = (i: number): Sent => ({ method: 'GET', path: `/Users/${entry(1 + ((i * 7919) % users))}` });
  line('GET user', await load(target, connections, get, seconds), '');
}
if (wanted('patch')) {
  const flip = (i: number): Sent => ({
    method: 'PATCH',
    path: `/Users/${entry(1 + ((i + 200) % users))}`,
    body: patch({ op: 'Replace', path: 'active', value: 'False' }),
  });
  line('PATCH active (Entra)', await load(target, connections, flip, seconds), '');
}
if (wanted('add')) {
  const member = (i: number): Sent | undefined =>
    i < users
      ? {
          method: 'PATCH',
          path: `/Groups/${g.busy}`,
          body: patch({ op: 'Add', path: 'members', value: [{ $ref: null, value: entry(i + 1) }] }),
        }
      : undefined;
  const f = await load(target, connections, member, seconds);
  line('concurrent adds to one group', f, '(>= 1,500/s, no 409, none lost)');
  const { text } = await ask(target, { method: 'GET', path: `/Groups/${g.busy}?attributes=members.value` });
  const there = text.split('"value"').length - 1;
  console.log(`${''.padEnd(46)} ${f.done} answered, ${there} in the group: ${f.done === there ? 'none lost' : 'LOST'}`);
}
if (wanted('group')) {
  const times: number[] = [];
  let size = 0;
  for (let i = 0; i < 5; i++) {
    const a = await ask(target, { method: 'GET', path: `/Groups/${g.big}` });
    times.push(a.ms);
    size = a.text.length;
  }
  times.sort((a, b) => a - b);
  console.log(
    `${'GET a group of 100,000, streamed'.padEnd(46)} median ${times[2]?.toFixed(0)} ms, best ${times[0]?.toFixed(0)} ms, ${(size / 1e6).toFixed(1)} MB  (<= 400 ms)`,
  );
}
if (wanted('page')) {
  const Next = z.object({ nextCursor: z.string().optional(), Resources: z.array(z.unknown()) });
  let cursor = '';
  for (let seen = 0; seen < Math.min(400_000, users - 1000); seen += 1000)
    cursor =
      Next.parse(
        JSON.parse(
          (await ask(target, { method: 'GET', path: `/Users?attributes=id&count=1000&cursor=${cursor}` })).text,
        ),
      ).nextCursor ?? '';
  const byCursor: number[] = [];
  const byIndex: number[] = [];
  for (let i = 0; i < 21; i++) {
    byCursor.push((await ask(target, { method: 'GET', path: `/Users?count=100&cursor=${cursor}` })).ms);
    byIndex.push(
      (await ask(target, { method: 'GET', path: `/Users?count=100&startIndex=${Math.min(400_000, users - 1000)}` })).ms,
    );
  }
  const median = (all: number[]): string => (all.sort((a, b) => a - b)[10] ?? 0).toFixed(1);
  console.log(
    `${'page of 100 at 400,000 by cursor'.padEnd(46)} median ${median(byCursor)} ms  (<= 20 ms); by startIndex ${median(byIndex)} ms`,
  );
}
if (wanted('leaver')) {
  const gone: number[] = [];
  for (const [i, cookie] of (g.sessions ?? []).entries()) {
    const api = { url: g.api ?? '', cookie };
    if ((await ask(api, { method: 'GET', path: '/me' })).status !== 200) throw new Error('a session does not work');
    const from = performance.now();
    await ask(target, {
      method: 'PATCH',
      path: `/Users/${entry(i + 1)}`,
      body: patch({ op: 'replace', path: 'active', value: false }),
    });
    while ((await ask(api, { method: 'GET', path: '/me' })).status !== 401) continue;
    gone.push(performance.now() - from);
  }
  gone.sort((a, b) => a - b);
  console.log(
    `${'deactivation sent to session dead'.padEnd(46)} median ${gone[Math.floor(gone.length / 2)]?.toFixed(1)} ms, last of ${gone.length} ${gone.at(-1)?.toFixed(1)} ms  (<= 1,000 ms)`,
  );
}
if (wanted('peer')) {
  const p = await start('scimmy', 1000);
  if (p.missing !== undefined) console.log(`peer: ${p.missing}`);
  else {
    const peer = { url: p.url ?? '' };
    await load(peer, connections, add, 2);
    line('peer SCIMMY, in memory: POST user', await load(peer, connections, add, seconds), '', p.pid);
    const few = await start('scimmy', 1000);
    const ofFew = (i: number): Sent => ({
      method: 'GET',
      path: `/Users?filter=${encodeURIComponent(`userName eq "person${1 + (i % 1000)}@acme.example"`)}`,
    });
    line(
      'peer SCIMMY, 1,000 users: filter by userName',
      await load({ url: few.url ?? '' }, connections, ofFew, seconds),
      '',
      few.pid,
    );
  }
}
for (const c of children) c.stdin?.end();
process.exit(0);
