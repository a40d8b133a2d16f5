import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandOf, didNotStart, env, give, lastLines, pathsOf, type Binaries, type Place } from './embedded-files.ts';
import { MiB } from './limits.ts';
import type { Log } from './log.ts';
import { Problem } from './problem.ts';

/** For a small machine and many small commits. What makes a commit durable (fsync, synchronous_commit, full_page_writes) is as PostgreSQL ships it: on. */
const ours: Record<string, string> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '128MB',
  effective_cache_size: '1GB',
  work_mem: '8MB',
  maintenance_work_mem: '64MB',
  wal_buffers: '16MB',
  wal_compression: 'on',
  min_wal_size: '128MB',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  // The inbox of the audit log is written and emptied all the time.
  autovacuum_naptime: '20s',
  random_page_cost: '1.1',
  jit: 'off',
  password_encryption: 'scram-sha-256',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
  log_checkpoints: 'off',
  cluster_name: 'gatehouse',
};

const READY_MS = 120_000; // recovery after a crash replays at most max_wal_size
const STOP_MS = 30_000; // a fast shutdown writes one checkpoint

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/s.test(existsSync('/proc/self/stat') ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '');
  } catch (e) {
    return e instanceof Error && 'code' in e && e.code === 'EPERM';
  }
};

/**
 * Ends a PostgreSQL that outlived the process that had started it. We stop it and do not adopt it, so that it always runs with
 * this version's programs and settings, as our child.
 */
export async function stopOrphan(place: Place, log: Log, patience: number = STOP_MS): Promise<void> {
  const { pidFile } = pathsOf(place);
  if (!existsSync(pidFile)) return;
  let lines = readFileSync(pidFile, 'utf8').split('\n');
  if (!lines[0]) {
    // It is being written, or its writer was killed just then; PostgreSQL would ask a person to remove it.
    await sleep(500);
    lines = existsSync(pidFile) ? readFileSync(pidFile, 'utf8').split('\n') : [];
    if (!lines[0]) return rmSync(pidFile, { force: true });
  }
  const pid = Number(lines[0]);
  if (!(pid > 1) || !alive(pid)) return; // PostgreSQL itself clears a file like this, after a look at the shared memory
  if (!commandOf(pid)?.includes(place.pg)) {
    // The pid is now somebody else's. PostgreSQL would believe in it and refuse to start; it takes its parent's pid (ours) for stale. The
    // rest of the file stays, because by it PostgreSQL finds out whether backends of the dead one are still at the data.
    rmSync(pidFile);
    writeFileSync(pidFile, [String(process.pid), ...lines.slice(1)].join('\n'), { flag: 'wx', mode: 0o600 });
    give(pidFile, place.as);
    return;
  }
  log.warn({ pid }, 'stopping the PostgreSQL that an earlier Gatehouse left behind');
  for (const [signal, ms] of [
    ['SIGINT', patience],
    ['SIGQUIT', patience / 3],
  ] as const) {
    process.kill(pid, signal);
    for (const until = Date.now() + ms; Date.now() < until; await sleep(20))
      if (!existsSync(pidFile) || !alive(pid)) return;
  }
  throw new Problem('conflict', 'embedded/orphan', {
    says: `a PostgreSQL (process ${pid}) that an earlier Gatehouse left behind does not stop`,
    fix: `find out what it waits for (a disk that hangs?), end it with "kill ${pid}", and start again; do not use kill -9`,
  });
}

/** Whether we could listen on this port of the loopback address; 0 finds one. */
const freePort = (port: number): Promise<number | undefined> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(undefined));
    probe.listen(port, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
    });
  });

/** The port of last time; for a new folder one that follows from its name, below the range that systems give to outgoing connections. */
async function choosePort(place: Place): Promise<number> {
  const { port: file } = pathsOf(place);
  const recorded = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  const first =
    recorded > 0 && recorded < 65536
      ? recorded
      : 15_000 + (createHash('sha256').update(place.root).digest().readUInt16BE(0) % 15_000);
  for (const candidate of [first, first + 1, first + 2, 0]) {
    const port = await freePort(candidate);
    if (port !== undefined) return port;
  }
  return first; // PostgreSQL will say what forbids it
}

export type Running = { readonly port: number; readonly pid: number; stop(): Promise<void> };
type Attempt = { child: ChildProcess; ended: Promise<string> } | { failed: string; said: string };

/** Starts PostgreSQL and starts it again when it dies, until stopped. */
export async function keepRunning(
  place: Place,
  binaries: Binaries,
  settings: Record<string, string>,
  log: Log,
): Promise<Running> {
  const at = pathsOf(place);
  if (existsSync(at.log) && statSync(at.log).size > 10 * MiB) renameSync(at.log, `${at.log}.1`);

  /** One start; comes back when PostgreSQL takes connections, or has given up. */
  const attempt = async (port: number): Promise<Attempt> => {
    const out = openSync(at.log, 'a', 0o600);
    const from = statSync(at.log).size;
    const args = Object.entries({ ...ours, ...settings, port: String(port) }).flatMap(([k, v]) => ['-c', `${k}=${v}`]);
    // A session of its own: Ctrl-C in the terminal is for Gatehouse, which then lets requests finish before it stops PostgreSQL.
    const child = spawn(binaries.postgres, ['-D', place.pg, ...args], {
      ...place.as,
      env,
      cwd: place.pg,
      detached: true,
      stdio: ['ignore', out, out],
    });
    closeSync(out);
    let end: string | undefined;
    const ended = new Promise<string>((resolve) => {
      child.once('error', (e) => resolve((end = e.message)));
      child.once('exit', (code, signal) => resolve((end = `it ended with ${code ?? signal}`)));
    });
    for (const until = Date.now() + READY_MS; Date.now() < until;) {
      if ((await Promise.race([sleep(15, 'waiting'), ended])) !== 'waiting') break;
      const lines = existsSync(at.pidFile) ? readFileSync(at.pidFile, 'utf8').split('\n') : [];
      if (Number(lines[0]) === child.pid && lines[7]?.startsWith('ready')) return { child, ended };
    }
    if (end === undefined && child.kill('SIGQUIT'))
      await Promise.race([ended, sleep(STOP_MS, undefined, { ref: false })]);
    const failed = end ?? `it was not ready after ${READY_MS / 1000} s`;
    return { failed, said: readFileSync(at.log, 'utf8').slice(from) || failed };
  };

  const start = async (): Promise<{ child: ChildProcess; ended: Promise<string>; port: number }> => {
    for (let tries = 1; ; tries++) {
      // Each time: an orphan that was itself only starting shows up when it has made our attempt fail.
      await stopOrphan(place, log);
      const port = await choosePort(place);
      const a = await attempt(port);
      if ('child' in a) {
        writeFileSync(at.port, `${port}\n`);
        return { ...a, port };
      }
      // Somebody took the port between our look and PostgreSQL's; or the backends of a killed postmaster are still leaving.
      const passing = /could not bind|pre-existing shared memory block|lock file .* already exists/.test(a.said);
      if (!passing || tries >= 20) throw didNotStart(place, a.said, a.failed);
      await sleep(250);
    }
  };

  const first = await start();
  const { port } = first;
  let { child, ended } = first;
  let stopping: Promise<void> | undefined;

  /** INVARIANT (the port stays): URLs were given out, so PostgreSQL comes back where it was or not at all. */
  const revive = async (): Promise<void> => {
    for (let deaths = 0; ;) {
      const began = Date.now();
      const how = await ended;
      if (stopping) return;
      log.error({ how, log: at.log }, 'PostgreSQL died; starting it again');
      deaths = Date.now() - began > 60_000 ? 1 : deaths + 1;
      for (; ; deaths++) {
        if (deaths > 10) {
          log.fatal({ log: at.log }, 'PostgreSQL keeps dying; giving up');
          return;
        }
        await sleep(deaths * 200);
        if (stopping) return;
        const a = await attempt(port);
        if ('child' in a) {
          ({ child, ended } = a);
          break;
        }
        log.error({ how: a.failed, said: lastLines(a.said) }, 'PostgreSQL did not start');
      }
    }
  };
  const revived = revive();

  const stop = (): Promise<void> =>
    (stopping ??= (async () => {
      process.off('exit', last);
      for (const s of signals) process.off(s, onSignal);
      for (const [signal, ms] of [
        ['SIGINT', STOP_MS],
        ['SIGQUIT', 10_000],
        ['SIGKILL', 5_000],
      ] as const) {
        if (child.exitCode !== null || child.signalCode !== null) break;
        child.kill(signal);
        await Promise.race([ended, sleep(ms, undefined, { ref: false })]);
      }
      await revived;
    })());

  // We cannot wait in an exit handler, but PostgreSQL finishes a fast shutdown alone.
  const last = (): void => void child.kill('SIGINT');
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) return; // another handler decides when the time has come, and calls stop()
    void stop().finally(() => process.kill(process.pid, signal));
  };
  process.once('exit', last);
  for (const s of signals) process.on(s, onSignal);

  return {
    port,
    get pid() {
      return child.pid ?? 0;
    },
    stop,
  };
}
