// Over 300 lines: one list of everything that may happen to the folder and its processes, with one way to start and kill them.
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startEmbedded } from './embedded.ts';
import { choosePlace, findBinaries, packageFolder } from './embedded-files.ts';
import { takeLock } from './embedded-lock.ts';
import { stopOrphan } from './embedded-process.ts';
import { silentLog } from './log.ts';
import { Problem } from './problem.ts';

const program = fileURLToPath(new URL('../dev/embedded-child.ts', import.meta.url));
const root = process.getuid?.() === 0;
const base = mkdtempSync(join(tmpdir(), 'gatehouse-embedded-'));
chmodSync(base, 0o755);
let folders = 0;
const newFolder = (): string => join(base, `f${++folders}`);
const children = new Set<ChildProcess>();
after(async () => {
  for (const c of children) {
    if (c.exitCode !== null || c.signalCode !== null) continue;
    c.kill('SIGTERM');
    await once(c, 'exit');
  }
  // A test that failed half-way may leave an orphan.
  for (const f of readdirSync(base)) {
    const pidFile = join(base, f, 'pg', 'postmaster.pid');
    if (existsSync(pidFile)) await stopOrphan(choosePlace(join(base, f)), silentLog, 5000).catch(() => undefined);
  }
  rmSync(base, { recursive: true, force: true });
});

type Running = { folder: string; port: number; pid: number; superUrl: string; ownerUrl: string; appUrl: string };
type Said = { running?: Running; refused?: { code: string; says: string; fix: string; more?: { pid: number } } };

function launch(folder: string, as: { uid?: number; gid?: number } = {}) {
  const child = spawn(process.execPath, [program, folder], {
    ...as,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  children.add(child);
  let text = '';
  const said = new Promise<Said>((resolve, reject) => {
    child.stdout.on('data', (d: Buffer) => {
      text += d.toString();
      if (text.includes('\n')) resolve(JSON.parse(text) as Said);
    });
    child.once('exit', () => reject(new Error(`it ended and said: ${text}`)));
  });
  said.catch(() => undefined);
  return { child, said };
}

async function running(folder: string, as?: { uid: number; gid: number }): Promise<Running & { child: ChildProcess }> {
  const { child, said } = launch(folder, as);
  const s = await said;
  assert.ok(s.running, `it refused: ${JSON.stringify(s.refused)}`);
  return { ...s.running, child };
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal);
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

const gone = (pid: number): boolean =>
  spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
    .stdout.trim()
    .replace(/^Z.*/, '') === '';

async function refusal(work: Promise<unknown> | (() => unknown)): Promise<Problem> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (e) {
    assert.ok(e instanceof Problem, String(e));
    assert.ok(e.says && e.fix, 'a refusal says what to do next');
    return e;
  }
  return assert.fail('it was not refused');
}

test('a first start makes a database with checksums, UTF-8 and durable commits, that only passwords open', async () => {
  const e = await startEmbedded({ folder: newFolder(), log: silentLog });
  try {
    const [row] = await query(
      e.superUrl,
      `select current_setting('data_checksums') sums, current_setting('fsync') fsync, current_setting('synchronous_commit') commit,
              current_setting('full_page_writes') pages, current_setting('listen_addresses') listen, current_setting('unix_socket_directories') sockets,
              (select pg_encoding_to_char(encoding) || ' ' || datlocprovider::text || ' ' || datlocale from pg_database where datname = 'gatehouse') as locale,
              (select rolname from pg_roles r join pg_database d on d.datdba = r.oid where datname = 'gatehouse') as owner`,
    );
    assert.deepEqual(row, {
      sums: 'on',
      fsync: 'on',
      commit: 'on',
      pages: 'on',
      listen: '127.0.0.1',
      sockets: '',
      locale: 'UTF8 b C.UTF-8',
      owner: 'gatehouse_owner',
    });
    await assert.rejects(query(e.appUrl.replace(/:[^:@]+@/, ':wrong@'), 'select 1'), /password authentication failed/);
    assert.equal(statSync(join(e.folder, 'pg', 'gatehouse-passwords.json')).mode & 0o777, 0o600);
  } finally {
    await e.stop();
  }
});

test('what was committed is there after kill -9 of Gatehouse, and the PostgreSQL that it left behind is replaced', async () => {
  const folder = newFolder();
  const first = await running(folder);
  await query(first.ownerUrl, 'create table kept (x int); insert into kept values (7)');
  await kill(first.child, 'SIGKILL');
  assert.ok(!gone(first.pid), 'PostgreSQL runs on as an orphan');
  const second = await running(folder);
  assert.deepEqual(await query(second.ownerUrl, 'select x from kept'), [{ x: 7 }]);
  assert.ok(gone(first.pid));
  assert.notEqual(second.pid, first.pid);
  await kill(second.child, 'SIGTERM');
});

test('what was committed is there after kill -9 of Gatehouse and of PostgreSQL with a client connected', async () => {
  const folder = newFolder();
  const first = await running(folder);
  const client = new pg.Client(first.ownerUrl);
  client.on('error', () => undefined);
  await client.connect();
  await client.query('create table kept (x int); insert into kept values (8)');
  process.kill(first.pid, 'SIGKILL');
  await kill(first.child, 'SIGKILL');
  const second = await running(folder);
  assert.deepEqual(await query(second.ownerUrl, 'select x from kept'), [{ x: 8 }]);
  await kill(second.child, 'SIGTERM');
});

test('a PostgreSQL that is killed comes back at the same address with everything that was committed', async () => {
  const e = await running(newFolder());
  await query(e.ownerUrl, 'create table kept (x int); insert into kept values (9)');
  process.kill(e.pid, 'SIGKILL');
  let rows: unknown;
  for (const until = Date.now() + 15_000; Date.now() < until && !rows; await sleep(50))
    rows = await query(e.ownerUrl, 'select x from kept').catch(() => undefined);
  assert.deepEqual(rows, [{ x: 9 }]);
  await kill(e.child, 'SIGTERM');
});

for (const [moment, whom] of [30, 120, 230, 350, 500, 650, 850].map(
  (ms, i) => [ms, i % 2 ? 'Gatehouse and all its children' : 'Gatehouse'] as const,
))
  test(`a first start whose ${whom} died after ${moment} ms leaves a folder that the next start can use`, async () => {
    const folder = newFolder();
    const { child } = launch(folder);
    await sleep(moment + 60); // Node itself needs about that long to begin
    if (whom === 'Gatehouse') await kill(child, 'SIGKILL');
    else {
      process.kill(-child.pid!, 'SIGKILL');
      if (child.signalCode === null) await once(child, 'exit');
    }
    const next = await running(folder);
    assert.deepEqual(await query(next.appUrl, 'select current_user::text as who'), [{ who: 'gatehouse' }]);
    await kill(next.child, 'SIGTERM');
    // An orphaned initdb may have outlived that start; what it left is gone after one more.
    const third = await running(folder);
    assert.deepEqual(
      readdirSync(third.folder).filter((f) => f.includes('.new-')),
      [],
    );
    await kill(third.child, 'SIGTERM');
  });

test('a stale pid file whose pid now belongs to an innocent process neither stops the start nor that process', async () => {
  const folder = newFolder();
  const first = await running(folder);
  await kill(first.child, 'SIGKILL');
  process.kill(first.pid, 'SIGKILL');
  while (!gone(first.pid)) await sleep(10);
  const pgFolder = join(first.folder, 'pg');
  const { uid, gid } = statSync(pgFolder);
  const innocent = spawn('sleep', ['60'], root ? { uid, gid } : {});
  const pidFile = join(pgFolder, 'postmaster.pid');
  writeFileSync(pidFile, readFileSync(pidFile, 'utf8').replace(/^\d+/, String(innocent.pid)));
  const second = await running(folder);
  assert.ok(!gone(innocent.pid!));
  innocent.kill();
  await kill(second.child, 'SIGTERM');
});

test('with its port of last time taken it starts on another one', async () => {
  const folder = newFolder();
  const first = await running(folder);
  await kill(first.child, 'SIGTERM');
  const again = await running(folder);
  assert.equal(again.port, first.port, 'it prefers the port of last time');
  await kill(again.child, 'SIGTERM');
  const squatter = createServer().listen(first.port, '127.0.0.1');
  await once(squatter, 'listening');
  const second = await running(folder);
  assert.notEqual(second.port, first.port);
  await kill(second.child, 'SIGTERM');
  squatter.close();
});

test('two folders started at once serve side by side, each its own data', async () => {
  const [a, b] = await Promise.all([running(newFolder()), running(newFolder())]);
  await query(a.ownerUrl, 'create table only_here (x int)');
  await assert.rejects(query(b.ownerUrl, 'select from only_here'), /does not exist/);
  await assert.rejects(query(a.ownerUrl.replace(`:${a.port}/`, `:${b.port}/`), 'select 1'), /password/);
  await Promise.all([kill(a.child, 'SIGTERM'), kill(b.child, 'SIGTERM')]);
});

test('a lock is kept although its process has forgotten it and collects its garbage', async () => {
  const folder = newFolder();
  mkdirSync(folder, { recursive: true });
  const lock = new URL('./embedded-lock.ts', import.meta.url).href;
  const script = `const { takeLock } = await import(${JSON.stringify(lock)}); takeLock(${JSON.stringify(folder)});
    for (let i = 0; i < 5; i++) { gc(); await new Promise((r) => setTimeout(r, 20)); } console.log('held'); setInterval(() => 0, 1000);`;
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(child.stdout, 'data');
    assert.deepEqual(takeLock(folder), { holder: child.pid });
  } finally {
    await kill(child, 'SIGKILL');
  }
});

test('of two starts on one folder the second is told which process has it', async () => {
  const folder = newFolder();
  const both = [launch(folder), launch(folder)];
  const said = await Promise.all(both.map((b) => b.said));
  const winner = both[said.findIndex((s) => s.running)]!;
  const loser = said.find((s) => s.refused)!.refused!;
  assert.equal(loser.code, 'embedded/in-use');
  // Both came within the same millisecond, so the winner may not have signed yet; a later one reads the name.
  const late = (await launch(folder).said).refused!;
  assert.equal(late.more?.pid, winner.child.pid);
  assert.match(late.says, new RegExp(`in use by process ${winner.child.pid}`));
  await kill(winner.child, 'SIGTERM');
});

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  test(`${signal} stops PostgreSQL cleanly before the process ends by that signal`, async () => {
    const e = await running(newFolder());
    await kill(e.child, signal);
    assert.equal(e.child.signalCode, signal);
    assert.ok(gone(e.pid));
    assert.match(readFileSync(join(e.folder, 'postgres.log'), 'utf8'), /database system is shut down\n$/);
  });

test('data of another major version is refused untouched: "made by PostgreSQL 17"', async () => {
  const folder = newFolder();
  const e = await startEmbedded({ folder, log: silentLog });
  await e.stop();
  writeFileSync(join(e.folder, 'pg', 'PG_VERSION'), '17\n');
  const p = await refusal(startEmbedded({ folder, log: silentLog }));
  assert.equal(p.code, 'embedded/other-version');
  assert.match(p.says, /made by PostgreSQL 17, and this Gatehouse brings PostgreSQL 18/);
  writeFileSync(join(e.folder, 'pg', 'PG_VERSION'), '18\n');
  await (await startEmbedded({ folder, log: silentLog })).stop();
});

test('a PostgreSQL that does not start is quoted, and the next start works when the reason is gone', async () => {
  const folder = newFolder();
  const p = await refusal(startEmbedded({ folder, log: silentLog, settings: { shared_buffers: 'plenty' } }));
  assert.equal(p.code, 'embedded/did-not-start');
  assert.match(p.says, /invalid value for parameter "shared_buffers": "plenty"/);
  await (await startEmbedded({ folder, log: silentLog })).stop();
});

test('a lost file of passwords is named, and nothing else is tried', async () => {
  const folder = newFolder();
  const e = await startEmbedded({ folder, log: silentLog });
  await e.stop();
  rmSync(join(e.folder, 'pg', 'gatehouse-passwords.json'));
  assert.equal((await refusal(startEmbedded({ folder, log: silentLog }))).code, 'embedded/no-passwords');
  assert.ok(gone(e.pid));
});

test('an orphan that hangs is left alone and named', async () => {
  const folder = newFolder();
  const e = await running(folder);
  await kill(e.child, 'SIGKILL');
  process.kill(e.pid, 'SIGSTOP');
  const p = await refusal(stopOrphan(choosePlace(folder), silentLog, 300));
  assert.equal(p.code, 'embedded/orphan');
  assert.match(p.says, new RegExp(`process ${e.pid}`));
  process.kill(e.pid, 'SIGCONT');
  await kill((await running(folder)).child, 'SIGTERM');
});

test('a folder that cannot be made is refused with its name', async () => {
  const file = newFolder();
  writeFileSync(file, '');
  const p = await refusal(startEmbedded({ folder: join(file, 'below'), log: silentLog }));
  assert.equal(p.code, 'embedded/not-writable');
  assert.ok(p.says.includes(join(file, 'below')));
});

test('data that belongs to another user is refused to an ordinary one', async () => {
  const folder = newFolder();
  mkdirSync(join(folder, 'pg'), { recursive: true });
  const p = await refusal(() => choosePlace(folder, (process.getuid?.() ?? 0) + 4321));
  assert.equal(p.code, 'embedded/not-yours');
});

test('a machine without an unprivileged user is told how to make one', async () => {
  const passwd = newFolder();
  writeFileSync(passwd, 'root:x:0:0:root:/root:/bin/sh\n');
  assert.equal((await refusal(() => choosePlace(newFolder(), 0, passwd))).code, 'embedded/no-user');
});

test('a machine for which npm has no PostgreSQL is told to bring its own', async () => {
  const p = await refusal(() => packageFolder('plan9', 'mips'));
  assert.equal(p.code, 'embedded/no-binaries');
  assert.match(p.fix ?? '', /DATABASE_URL/);
});

/** The npm package as it is when its install script did not run: no links between the libraries. */
function unlinkedPackage(): string {
  const pkg = newFolder();
  cpSync(packageFolder(), pkg, { recursive: true });
  const links = JSON.parse(readFileSync(join(pkg, 'native', 'pg-symlinks.json'), 'utf8')) as { target: string }[];
  for (const l of links) rmSync(join(pkg, l.target));
  return pkg;
}

test('programs whose links npm did not make run from a copy that has them', async () => {
  const place = choosePlace(newFolder());
  const found = findBinaries(place, unlinkedPackage());
  assert.equal(found.major, 18);
  assert.ok(found.postgres.startsWith(place.root));
  assert.equal(findBinaries(place, unlinkedPackage()).postgres, found.postgres, 'the second start uses the same copy');
});

test('a missing shared library is named', async () => {
  const pkg = unlinkedPackage();
  for (const f of readdirSync(join(pkg, 'native', 'lib')))
    if (f.startsWith('libicuuc.')) rmSync(join(pkg, 'native', 'lib', f));
  const p = await refusal(() => findBinaries(choosePlace(newFolder()), pkg));
  assert.equal(p.code, 'embedded/broken-binaries');
  assert.match(p.says, /libicuuc/);
});

test(
  'a full disk is called that, and the start after it works',
  { skip: !root && 'needs root to mount a small disk' },
  async (t) => {
    const disk = newFolder();
    mkdirSync(disk);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=755', 'tmpfs', disk]).status !== 0)
      return t.skip('this machine lets nobody mount a small disk');
    try {
      const p = await refusal(startEmbedded({ folder: join(disk, 'data'), log: silentLog }));
      assert.equal(p.code, 'embedded/disk-full');
      spawnSync('mount', ['-o', 'remount,size=400m', disk]);
      await (await startEmbedded({ folder: join(disk, 'data'), log: silentLog })).stop();
    } finally {
      spawnSync('umount', [disk]);
    }
  },
);

test(
  'root in a place that only root may enter gets its data and programs where PostgreSQL can, every time the same',
  { skip: !root && 'needs root' },
  async () => {
    const locked = newFolder();
    mkdirSync(locked, { mode: 0o700 });
    const asked = join(locked, 'data');
    const first = await running(asked);
    try {
      assert.match(first.folder, /^\/var\/lib\/gatehouse-[0-9a-f]{12}$/);
      assert.notEqual(statSync(join(first.folder, 'pg')).uid, 0);
      await query(first.ownerUrl, 'create table kept (x int)');
      await kill(first.child, 'SIGTERM');
      const again = await running(asked);
      assert.equal(again.folder, first.folder);
      await query(again.ownerUrl, 'select x from kept');
      await kill(again.child, 'SIGTERM');
      assert.equal((await refusal(() => choosePlace(asked, 4321))).code, 'embedded/not-yours');
      const pkg = join(locked, 'package');
      cpSync(packageFolder(), pkg, { recursive: true, verbatimSymlinks: true });
      assert.ok(findBinaries(choosePlace(asked), pkg).postgres.startsWith(first.folder));
    } finally {
      rmSync(first.folder, { recursive: true, force: true });
    }
  },
);

test(
  'an ordinary user gets everything in the folder asked for, and a folder that is not theirs is refused',
  { skip: !root && 'every other test here does that already' },
  async (t) => {
    const nobody = { uid: 65534, gid: 65534 };
    if (
      spawnSync(process.execPath, ['--version'], { ...nobody, cwd: '/' }).status !== 0 ||
      spawnSync('test', ['-r', program], nobody).status !== 0
    )
      return t.skip('an ordinary user cannot read this checkout');
    const folder = newFolder();
    mkdirSync(folder);
    const refused = (await launch(folder, nobody).said).refused!;
    assert.equal(refused.code, 'embedded/not-writable');
    chownSync(folder, nobody.uid, nobody.gid);
    const e = await running(folder, nobody);
    assert.equal(e.folder, folder);
    assert.equal(statSync(join(folder, 'pg')).uid, nobody.uid);
    await kill(e.child, 'SIGKILL');
    const again = await running(folder, nobody);
    await kill(again.child, 'SIGTERM');
    // Root after an ordinary user leaves the data with its owner, so that the user can come back.
    const asRoot = await running(folder);
    assert.equal(statSync(join(folder, 'pg')).uid, nobody.uid);
    await kill(asRoot.child, 'SIGTERM');
    assert.ok(!existsSync(join(folder, 'moved-to')));
  },
);
