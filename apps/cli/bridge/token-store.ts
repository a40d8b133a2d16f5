import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isObject } from './wire.ts';

/** What is kept between starts: what the person gave us at the server. */
export type Kept = { access?: string; expires?: number; refresh?: string };

/** How long a lock may be empty: its writer needs microseconds. */
const EMPTY_LOCK_MS = 5000;

/** The folder for settings of the person who runs this. */
export const configFolder = (): string =>
  process.platform === 'win32'
    ? join(homedir(), 'AppData', 'Roaming', 'gatehouse')
    : process.platform === 'darwin'
      ? join(homedir(), 'Library', 'Application Support', 'gatehouse')
      : join(homedir(), '.config', 'gatehouse');

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (e) {
    return e instanceof Error && 'code' in e && e.code === 'EPERM';
  }
};

/**
 * Tokens in a file that only its owner may read, one per server and scope. INVARIANT (one at a time): several bridges share it, and a refresh
 * token works once, so whoever changes it holds the lock and has read the file under it.
 */
export class TokenStore {
  readonly file: string;
  readonly #folder: string;

  constructor(folder: string, server: string, scope: string) {
    this.#folder = folder;
    const name = createHash('sha256').update(`${server}\n${scope}`).digest('hex').slice(0, 32);
    this.file = join(folder, `bridge-${name}.json`);
  }

  async read(): Promise<Kept | undefined> {
    const text = await readFile(this.file, 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    try {
      const v: unknown = JSON.parse(text);
      if (!isObject(v)) return undefined;
      const { access, expires, refresh } = v;
      return {
        ...(typeof access === 'string' ? { access } : {}),
        ...(typeof expires === 'number' ? { expires } : {}),
        ...(typeof refresh === 'string' ? { refresh } : {}),
      };
    } catch {
      // Half a file of a machine that lost power: the person signs in again.
      return undefined;
    }
  }

  async write(kept: Kept): Promise<void> {
    const next = `${this.file}.${process.pid}`;
    await writeFile(next, `${JSON.stringify(kept)}\n`, { mode: 0o600 });
    await rename(next, this.file);
  }

  forget(): Promise<void> {
    return rm(this.file, { force: true });
  }

  /** Does something alone among all bridges of this person. A lock whose process is gone counts for nothing. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const lock = `${this.file}.lock`;
    for (;;) {
      try {
        const handle = await open(lock, 'wx', 0o600);
        await handle.writeFile(String(process.pid));
        await handle.close();
        break;
      } catch (e) {
        if (!(e instanceof Error && 'code' in e && e.code === 'EEXIST')) throw e;
        const holder = Number(await readFile(lock, 'utf8').catch(() => ''));
        const old = await stat(lock).catch(() => undefined);
        // One without a number is of a bridge that ended between two steps.
        const dead = holder > 0 ? !alive(holder) : old !== undefined && Date.now() - old.mtimeMs > EMPTY_LOCK_MS;
        if (dead) await rm(lock, { force: true });
        else await sleep(100);
      }
    }
    try {
      return await work();
    } finally {
      await rm(lock, { force: true });
    }
  }
}
