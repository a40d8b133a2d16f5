import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { usage } from './exit.ts';

/** Writes a file whole or not at all, readable by its owner only: plans and people are nobody else's business. */
export function writeWhole(file: string, content: string): void {
  const part = `${file}.${process.pid}.part`;
  try {
    const fd = openSync(part, 'w', 0o600);
    try {
      writeSync(fd, content);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(part, file);
  } catch (e) {
    rmSync(part, { force: true });
    throw usage(`${file} cannot be written: ${e instanceof Error ? e.message : 'unknown'}`);
  }
}
