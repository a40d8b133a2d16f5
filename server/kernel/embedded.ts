import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDatabase, type Passwords } from './embedded.sql.ts';
import { choosePlace, fileProblem, findBinaries, pathsOf, type Binaries, type Place } from './embedded-files.ts';
import { initData } from './embedded-init.ts';
import { takeLock } from './embedded-lock.ts';
import { keepRunning, type Running } from './embedded-process.ts';
import type { Log } from './log.ts';
import { rolesSql } from './migrate.ts';
import { Problem } from './problem.ts';

export type Embedded = {
  readonly ownerUrl: string;
  readonly appUrl: string;
  readonly superUrl: string;
  /** Everything that must be kept is in this one folder; it may differ from the one asked for (see `choosePlace`). */
  readonly folder: string;
  readonly port: number;
  /** Of the postmaster; changes when PostgreSQL died and was started again. */
  readonly pid: number;
  /** Ends PostgreSQL cleanly and waits for it. */
  stop(): Promise<void>;
};

export type StartEmbedded = {
  folder: string;
  log: Log;
  /** PostgreSQL settings that differ from ours. */
  settings?: Record<string, string>;
  /** Begin with an empty database, whatever was there: for the demo, which tells its story from the beginning each time. */
  fresh?: boolean;
};

/**
 * Starts the PostgreSQL that came with npm on the data in `folder`, making it first if there is none, and keeps it running: if it dies it
 * is started again. It ends with `stop()`; on SIGINT and SIGTERM it is stopped for whoever has no handler of his own for them.
 * A start that was killed at any moment leaves a folder that the next start can use.
 */
export async function startEmbedded({ folder, log, settings = {}, fresh = false }: StartEmbedded): Promise<Embedded> {
  const place = choosePlace(folder);
  let lock;
  try {
    lock = takeLock(place.root);
  } catch (e) {
    throw fileProblem(e, place.root);
  }
  if ('holder' in lock)
    throw new Problem('conflict', 'embedded/in-use', {
      says: `the data in ${place.root} is in use by ${lock.holder ? `process ${lock.holder}` : 'another process'}`,
      fix: `stop that Gatehouse first${lock.holder ? ` (kill ${lock.holder})` : ''}, or give this one a folder of its own`,
      more: { pid: lock.holder },
    });
  try {
    const binaries = findBinaries(place);
    sweepHalves(place);
    if (!existsSync(place.pg)) {
      await initData(place, binaries);
      sweepHalves(place);
    }
    checkVersion(place, binaries);
    const running = await keepRunning(place, binaries, settings, log);
    try {
      return await complete(place, running, lock.release, fresh);
    } catch (e) {
      await running.stop();
      throw e;
    }
  } catch (e) {
    lock.release();
    throw fileProblem(e, place.root);
  }
}

/**
 * Takes away what starts that were killed had half made. An initdb whose Gatehouse is gone may still be writing, so it is looked for again
 * when ours is done; whatever outlives even that goes at the next start.
 */
function sweepHalves(place: Place): void {
  for (const f of readdirSync(place.root))
    if (/\.new-[0-9a-f]{8}$/.test(f)) rmSync(join(place.root, f), { recursive: true, force: true, maxRetries: 3 });
}

function checkVersion(place: Place, binaries: Binaries): void {
  const made = Number(readFileSync(join(place.pg, 'PG_VERSION'), 'utf8'));
  if (made !== binaries.major)
    throw new Problem('conflict', 'embedded/other-version', {
      says: `the data in ${place.root} was made by PostgreSQL ${made}, and this Gatehouse brings PostgreSQL ${binaries.major}`,
      fix: `start the Gatehouse that made it, or move the data with pg_upgrade or with pg_dump of version ${binaries.major}; it was not touched`,
    });
}

/**
 * The database of a Gatehouse that runs now on the data in `folder`: for commands beside it, which must not start a second one. Only the
 * user who started it (or root) can read the passwords.
 */
export function joinEmbedded(folder: string): Pick<Embedded, 'ownerUrl' | 'appUrl' | 'superUrl' | 'folder' | 'port'> {
  const place = choosePlace(folder);
  const at = pathsOf(place);
  try {
    return urlsOf(
      place,
      Number(readFileSync(at.port, 'utf8')),
      JSON.parse(readFileSync(at.passwords, 'utf8')) as Passwords,
    );
  } catch (e) {
    throw fileProblem(e, place.root);
  }
}

function urlsOf(place: Place, port: number, passwords: Passwords) {
  const url = (user: string, password: string, name: string): string =>
    `postgres://${user}:${password}@127.0.0.1:${port}/${name}`;
  return {
    superUrl: url('postgres', passwords.superuser, 'postgres'),
    ownerUrl: url('gatehouse_owner', passwords.owner, 'gatehouse'),
    appUrl: url('gatehouse', passwords.app, 'gatehouse'),
    folder: place.root,
    port,
  };
}

/** The last part of a first start: roles and database. The mark names the roles.sql that was applied, so a newer one is applied too. */
async function complete(place: Place, running: Running, release: () => void, fresh: boolean): Promise<Embedded> {
  const at = pathsOf(place);
  if (!existsSync(at.passwords))
    throw new Problem('conflict', 'embedded/no-passwords', {
      says: `the file ${at.passwords} is missing, so Gatehouse cannot sign in to its own database`,
      fix: 'bring it back from the backup of that folder',
    });
  const passwords = JSON.parse(readFileSync(at.passwords, 'utf8')) as Passwords;
  const urls = urlsOf(place, running.port, passwords);
  const mark = createHash('sha256').update(rolesSql()).digest('hex');
  if (fresh || !existsSync(at.complete) || readFileSync(at.complete, 'utf8') !== mark) {
    await ensureDatabase(urls.superUrl, passwords, fresh);
    writeFileSync(at.complete, mark);
  }
  let stopped: Promise<void> | undefined;
  return {
    ...urls,
    get pid() {
      return running.pid;
    },
    stop: () => (stopped ??= running.stop().finally(release)),
  };
}
