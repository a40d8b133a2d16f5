import { mkdirSync, openSync, closeSync, fsyncSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { LogId } from './inbox.sql.ts';

/**
 * Remembers the newest checkpoint of each log outside the database, so that a database that went back in time (a restored backup, a failover
 * to a replica that lagged) is noticed. What the database remembers of itself goes back with it.
 */
export type Witness = { last(log: LogId): string | undefined; keep(log: LogId, note: string): void };

/** A folder with one small file per log. Written before the checkpoint is published and synced, so it is never behind what others have seen. */
export function fileWitness(folder: string): Witness {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = (log: LogId): string => join(folder, `${log}.checkpoint`);
  return {
    last(log) {
      try {
        return readFileSync(file(log), 'utf8');
      } catch (e) {
        // Only "there is none" means none: an unreadable memory must stop the log, not begin a new one.
        if (e instanceof Error && 'code' in e && e.code === 'ENOENT') return undefined;
        throw e;
      }
    },
    keep(log, note) {
      const next = `${file(log)}.next`;
      const fd = openSync(next, 'w', 0o600);
      try {
        writeSync(fd, note);
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      renameSync(next, file(log));
    },
  };
}

/** For where nothing outside the database can be kept; a database that went back is then noticed only by those who kept a checkpoint. */
export const noWitness: Witness = { last: () => undefined, keep: () => undefined };
