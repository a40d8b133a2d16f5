import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { link, lstat, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { decrypt, encrypt, KEY_BYTES } from '../aead.ts';
import { Problem } from '../problem.ts';
import type { KeyProvider } from './kms.ts';

/**
 * The key provider of a first day: 32 random bytes in a file that only this user may read. Whoever has the file and the database can
 * open every secret, so back them up apart.
 * @param options.create make the file when there is none; false when the database already holds secrets
 */
export async function localKeyFile(path: string, options: { create: boolean }): Promise<KeyProvider> {
  const root = await readKey(path, options.create);
  const wrapping = deriveKey(root, 'wrap', KEY_BYTES);
  const aad = Buffer.from('gatehouse-wrap-v1');
  return {
    // A fingerprint of something derived, so that the name gives away nothing about the root.
    name: `local:${createHash('sha256')
      .update(deriveKey(root, 'name', KEY_BYTES))
      .digest('hex')
      .slice(0, 16)}`,
    wrap: async (bytes) => encrypt(wrapping, bytes, aad),
    unwrap: async (wrapped) => decrypt(wrapping, wrapped, aad),
    rewrap: async (wrapped) => encrypt(wrapping, decrypt(wrapping, wrapped, aad), aad),
    brings: root,
  };
}

/** A key for one purpose from the deployment's secret. INVARIANT (for ever): the same secret and purpose give the same bytes in every release. */
export const deriveKey = (root: Buffer, purpose: string, bytes: number): Buffer =>
  Buffer.from(hkdfSync('sha256', root, 'gatehouse-root-v1', purpose, bytes));

async function readKey(path: string, create: boolean): Promise<Buffer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readExisting(path);
    } catch (e) {
      if (!hasCode(e, 'ENOENT') || attempt > 2) throw unreadable(path, e);
      if (!create)
        throw new Problem('unavailable', 'seal/key-missing', {
          says: `the database holds sealed secrets, and the key file ${path} that opens them is not there`,
          fix: 'put the key file back from its backup; a new one would not open what the old one sealed',
        });
      await createKey(path).catch((later: unknown) => {
        throw unreadable(path, later);
      });
    }
  }
}

async function readExisting(path: string): Promise<Buffer> {
  const stat = await lstat(path);
  if (!stat.isFile())
    throw new Problem('unavailable', 'seal/key-file', {
      says: `${path} is not a plain file, so it cannot be the key file`,
      fix: 'point to the file itself, not to a link or a folder',
    });
  // Windows has no such bits: there the folder's access list is what protects the file.
  if (process.platform !== 'win32' && (stat.mode & 0o077) !== 0)
    throw new Problem('unavailable', 'seal/key-readable', {
      says: `the key file ${path} may be read by other users (mode ${(stat.mode & 0o777).toString(8)})`,
      fix: `run: chmod 600 ${path} - and think about who may have read it meanwhile`,
    });
  const key = await readFile(path);
  if (key.length !== KEY_BYTES)
    throw new Problem('unavailable', 'seal/key-size', {
      says: `the key file ${path} has ${key.length} bytes; a key has ${KEY_BYTES}`,
      fix: 'put back the key file from its backup; if nothing was ever sealed, remove it and start again',
    });
  return key;
}

/**
 * INVARIANT (whole or absent): the file gets its name only after its bytes are on disk, so a crash leaves no half of a key; and it gets
 * the name by `link`, which fails when the name is taken, so of two starts at once the slower one reads the key of the faster.
 */
async function createKey(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const half = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.new`;
  const file = await open(half, 'wx', 0o600);
  try {
    await file.writeFile(randomBytes(KEY_BYTES));
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(half, path);
  } catch (e) {
    if (!hasCode(e, 'EEXIST')) throw e;
  } finally {
    await unlink(half);
  }
  // The name itself must survive a power cut, or the first secrets would be sealed with a key that is gone. Not every system can sync a folder.
  const folder = await open(dirname(path), 'r').catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

const hasCode = (e: unknown, code: string): boolean => e instanceof Error && 'code' in e && e.code === code;

function unreadable(path: string, e: unknown): Problem {
  if (e instanceof Problem) return e;
  return new Problem('unavailable', 'seal/key-file', {
    says: `the key file ${path} cannot be read or made: ${e instanceof Error ? e.message : 'unknown error'}`,
    fix: 'let the user that runs the server own the folder and the file',
    because: e,
  });
}
