import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startEmbedded } from '#kernel/embedded.ts';
import { makeLog } from '#kernel/log.ts';
import { Problem } from '#kernel/problem.ts';

/**
 * One PostgreSQL for all test processes of a checkout. The first that needs it starts this file as a process of its own, which keeps the
 * cluster running and stops it after ten minutes without a connection. Starting twice is harmless: the folder's lock lets one win.
 */
const shared = fileURLToPath(new URL('../../.gatehouse/test-18', import.meta.url));
const sheetIn = (folder: string): string => join(folder, 'cluster.json');
const outIn = (folder: string): string => join(folder, 'cluster.log');

const IDLE_MS = 10 * 60_000;
const START_MS = 60_000;
/** Exit status of a keeper that found another one at work. */
const ANOTHER = 3;

/** Logins of the running cluster. `at` replaces the database in one of them. */
export type Cluster = { keeper: number; superUrl: string; ownerUrl: string; appUrl: string };

/** The same login on another database of the cluster. */
export const at = (url: string, database: string): string => {
  const u = new URL(url);
  u.pathname = `/${database}`;
  return u.href;
};

function known(folder: string): Cluster | undefined {
  try {
    return JSON.parse(readFileSync(sheetIn(folder), 'utf8')) as Cluster;
  } catch {
    return undefined;
  }
}

async function answers(cluster: Cluster): Promise<boolean> {
  const client = new pg.Client({ connectionString: cluster.superUrl, connectionTimeoutMillis: 5000 });
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * The running cluster; starts it if there is none.
 * @param folder another than the shared one, for tests of this file
 * @param idleMs after how long without a client it stops by itself
 */
export async function testCluster(folder: string = shared, idleMs: number = IDLE_MS): Promise<Cluster> {
  const outFile = outIn(folder);
  const until = Date.now() + START_MS;
  for (;;) {
    const cluster = known(folder);
    if (cluster && (await answers(cluster))) return cluster;
    mkdirSync(folder, { recursive: true });
    const out = openSync(outFile, 'a');
    const from = statSync(outFile).size;
    const keeper = spawn(process.execPath, [fileURLToPath(import.meta.url), 'keep', folder, String(idleMs)], {
      detached: true,
      stdio: ['ignore', out, out],
      cwd: folder,
      // The runner of node:test speaks to its own children through this; the keeper is not one of them.
      env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined },
    });
    closeSync(out);
    const ended = new Promise<number | string>((resolve) => {
      keeper.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
      keeper.once('error', (e) => resolve(e.message));
    });
    keeper.unref();
    let status: number | string | undefined;
    while (Date.now() < until && known(folder)?.keeper !== keeper.pid) {
      status = await Promise.race([ended, sleep(50, undefined)]);
      if (status !== undefined) break;
    }
    if (Date.now() >= until || (status !== undefined && status !== ANOTHER))
      throw new Error(
        `the test cluster did not start (${status ?? 'too slow'}); ${outFile} says:\n${readFileSync(outFile, 'utf8').slice(from)}`,
      );
    if (status === ANOTHER) await sleep(100);
  }
}

/** Stops the cluster if it runs. The next test that needs it starts it again. */
export async function stopTestCluster(folder: string = shared): Promise<void> {
  const cluster = known(folder);
  if (!cluster) return;
  try {
    process.kill(cluster.keeper, 'SIGTERM');
  } catch {
    // The keeper was killed and PostgreSQL may still be there: a start takes it over, so it can be stopped.
    const taken = await startEmbedded({ folder, log: makeLog('error') });
    await taken.stop();
    rmSync(sheetIn(folder), { force: true });
    return;
  }
  for (const until = Date.now() + 30_000; known(folder)?.keeper === cluster.keeper; await sleep(20))
    if (Date.now() > until)
      throw new Error(`the test cluster (process ${cluster.keeper}) does not stop; see ${outIn(folder)}`);
}

async function keep(folder: string, idleMs: number): Promise<void> {
  const sheet = sheetIn(folder);
  const log = makeLog('info');
  let cluster;
  try {
    cluster = await startEmbedded({ folder, log, settings: { max_connections: '400', shared_buffers: '256MB' } });
  } catch (e) {
    if (e instanceof Problem && e.code === 'embedded/in-use') process.exit(ANOTHER);
    throw e;
  }
  const { superUrl, ownerUrl, appUrl } = cluster;
  const write = (c: Cluster): void => {
    writeFileSync(`${sheet}.new`, JSON.stringify(c), { mode: 0o600 });
    renameSync(`${sheet}.new`, sheet);
  };
  write({ keeper: process.pid, superUrl, ownerUrl, appUrl });
  let stop = (): void => undefined;
  const told = new Promise<void>((resolve) => (stop = resolve));
  process.once('SIGTERM', stop).once('SIGINT', stop);
  let idleSince = Date.now();
  const watch = setInterval(
    () => {
      void (async () => {
        const client = new pg.Client({ connectionString: superUrl });
        try {
          await client.connect();
          const { rowCount } = await client.query(
            `select from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
          );
          if (rowCount) idleSince = Date.now();
        } catch {
          // busy or being revived: that is not idle
          idleSince = Date.now();
        } finally {
          await client.end().catch(() => undefined);
        }
        if (Date.now() - idleSince > idleMs) stop();
      })();
    },
    Math.min(15_000, idleMs / 2),
  );
  await told;
  clearInterval(watch);
  await cluster.stop();
  rmSync(sheet, { force: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , what, folder = shared, idleMs = IDLE_MS] = process.argv;
  if (what === 'keep') await keep(folder, Number(idleMs));
  if (what === 'stop') await stopTestCluster(folder);
}
