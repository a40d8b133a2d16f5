import { randomInt } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export type Held = { release(): void };

/** INVARIANT (held until let go): whoever forgets what `takeLock` gave him must not lose the lock to the garbage collector, which closes the file. */
const held = new Set<DatabaseSync>();

/**
 * Takes the folder's lock, or returns the pid of the process that has it (0: unknown).
 * It is a lock of the operating system on a file (through SQLite, the one way to it that Node has), so it ends with its process however
 * that dies, and it is true across containers, where pids are not. The pid beside it is only for the words of a refusal.
 */
export function takeLock(folder: string): Held | { holder: number } {
  for (let attempt = 1; ; attempt++) {
    const taken = tryLock(folder);
    // Of two that come within the same moment each can see the other's half of a lock, and neither would get it.
    if (!('holder' in taken) || attempt >= ATTEMPTS) return taken;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, randomInt(5, 40));
  }
}
const ATTEMPTS = 8;

function tryLock(folder: string): Held | { holder: number } {
  const who = join(folder, 'holder');
  let file: DatabaseSync | undefined;
  try {
    file = new DatabaseSync(join(folder, 'lock'), { timeout: 0 });
    file.exec('pragma journal_mode = memory; pragma locking_mode = exclusive; begin exclusive');
    writeFileSync(who, `${process.pid}\n`);
  } catch (e) {
    file?.close();
    const code = e instanceof Error && 'errcode' in e ? e.errcode : undefined;
    if (code === BUSY || code === LOCKED) return { holder: nameOf(who) };
    if (code === READONLY || code === CANTOPEN)
      throw Object.assign(new Error(`the lock file in it cannot be written`, { cause: e }), { code: 'EACCES' });
    throw e;
  }
  const mine = file;
  held.add(mine);
  return {
    release() {
      rmSync(who, { force: true });
      held.delete(mine);
      mine.close();
    },
  };
}

// Result codes of SQLite (sqlite.org/rescode.html).
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const CANTOPEN = 14;

function nameOf(who: string): number {
  try {
    return Number(readFileSync(who, 'utf8')) || 0;
  } catch {
    return 0; // it has not written its name yet
  }
}
