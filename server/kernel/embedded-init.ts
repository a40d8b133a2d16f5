import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Passwords } from './embedded.sql.ts';
import { didNotStart, env, give, pathsOf, type Binaries, type Place } from './embedded-files.ts';

/** Makes the data with initdb. Fills a sibling and renames it, so that `pg` is either not there or whole. */
export async function initData(place: Place, binaries: Binaries): Promise<void> {
  const half = `${place.pg}.new-${randomBytes(4).toString('hex')}`;
  const secret = (): string => randomBytes(24).toString('base64url');
  const passwords: Passwords = { superuser: secret(), owner: secret(), app: secret() };
  mkdirSync(half, { mode: 0o700 });
  give(half, place.as);
  const pwfile = half.replace('pg.new-', 'pw.new-');
  writeFileSync(pwfile, passwords.superuser, { mode: 0o600 });
  give(pwfile, place.as);
  const args = [
    `--pgdata=${half}`,
    `--pwfile=${pwfile}`,
    '--username=postgres',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--data-checksums',
    '--no-instructions',
  ];
  const { status, said } = await new Promise<{ status: string | number; said: string }>((resolve, reject) => {
    const child = spawn(binaries.initdb, args, { ...place.as, env, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const out of [child.stdout, child.stderr]) out.on('data', (d: Buffer) => (said += d.toString()));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ status: code ?? signal ?? '', said }));
  });
  rmSync(pwfile, { force: true });
  if (status !== 0) {
    rmSync(half, { recursive: true, force: true });
    throw didNotStart(place, said, `initdb ended with ${status}`);
  }
  // Inside, so that one rename makes the data and the only way into it. 'wx' follows no link that the lowly user may have put there.
  const file = join(half, 'gatehouse-passwords.json');
  const fd = openSync(file, 'wx', 0o600);
  writeFileSync(fd, JSON.stringify(passwords));
  fsyncSync(fd);
  closeSync(fd);
  give(file, place.as);
  rmSync(pathsOf(place).complete, { force: true });
  renameSync(half, place.pg);
  syncFolder(place.root);
}

function syncFolder(folder: string): void {
  if (process.platform === 'win32') return; // a folder cannot be opened there
  const fd = openSync(folder, 'r');
  fsyncSync(fd);
  closeSync(fd);
}
