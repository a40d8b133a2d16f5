import { randomBytes } from 'node:crypto';
import { KEY_BYTES } from './aead.ts';
import type { Db } from './db.ts';
import { KmsRefusal, type KeyProvider } from './kms/kms.ts';
import { localKeyFile } from './kms/local.ts';
import { Problem } from './problem.ts';
import { doesNotOpen, keyLabel, kmsRefused, wrongKey } from './seal-parts.ts';
import { makeSeal, OWN, type OwnKeys, type Seal } from './seal.ts';
import { findKey, insertKey, sealProviders, type KeyRow } from './seal.sql.ts';

export type SealOptions = {
  /** Providers that the deployment moves away from: they open, and wrap nothing new. */
  also?: readonly KeyProvider[];
  own?: OwnKeys;
  ttlMs?: number;
};

/**
 * The seal over a key file. Makes the file on the very first start; refuses to start when the database holds secrets and the file is
 * gone (`seal/key-missing`) or is another one (`seal/wrong-key`), because a new key would not open them and would hide the loss.
 */
export async function openSeal(keyFile: string, db: Db, options: SealOptions = {}): Promise<Seal> {
  const names = (await db.lookup(sealProviders()))?.names ?? [];
  return openSealWith(await localKeyFile(keyFile, { create: names.length === 0 }), db, options);
}

/** The seal over any provider. Refuses to start where it could not open what is there. */
export async function openSealWith(provider: KeyProvider, db: Db, options: SealOptions = {}): Promise<Seal> {
  const all = [provider, ...(options.also ?? [])];
  const found = await db.lookup(sealProviders());
  const names = (found?.names ?? []).filter((n) => !n.startsWith(OWN));
  if (names.length > 0 && !names.some((n) => all.some((p) => p.name === n))) throw wrongKey(names, provider.name);
  const secret = await deploymentSecret(all, db, { names, used: found?.used ?? false });
  return makeSeal({ ...options, db, provider, secret });
}

/**
 * What everything derived comes from. INVARIANT (one secret for ever): a key file is it, until the deployment moves away from the file; the
 * move keeps the file's bytes, wrapped, in the row (deployment, 0), and from then on the row counts.
 */
async function deploymentSecret(
  all: readonly KeyProvider[],
  db: Db,
  { names, used }: { names: readonly string[]; used: boolean },
): Promise<Buffer> {
  const [provider, ...also] = all;
  if (!provider) throw new TypeError('a seal needs a provider');
  const row = await db.read({}, (r) => findKey(r, 'deployment', 0));
  if (row && row !== 'retired') return opened(row, all, provider);
  // A database in use that has no row still lives from a file. Of two files, the one to move away from is the older.
  const file = used
    ? (all.find((p) => p.brings && names.includes(p.name)) ??
      also.find((p) => p.brings) ??
      (provider.brings && provider))
    : provider.brings && provider;
  if (file?.brings) return file.brings;
  if (used)
    throw new Problem('unavailable', 'seal/not-moved', {
      says: `this database lives from a key file, and the server has only ${provider.name}`,
      fix: 'set GATEHOUSE_KMS_ALSO=local and GATEHOUSE_KEY_FILE, then run: gatehouse keys move (docs/guides/keys.md)',
    });
  const plain = Buffer.concat([randomBytes(KEY_BYTES), keyLabel('deployment', 0)]);
  const wrapped = await provider.wrap(plain, { scope: 'deployment', generation: 0 }).catch((e: unknown) => {
    throw e instanceof KmsRefusal ? kmsRefused(e, false) : e;
  });
  const kept = await db.transact({}, async (tx) => {
    await insertKey(tx, { scope: 'deployment', generation: 0, provider: provider.name, wrapped });
    return findKey(tx, 'deployment', 0);
  });
  // Of two nodes that start at once the database keeps one's.
  if (!kept || kept === 'retired')
    throw new Problem('bug', 'seal/no-key', { says: 'no secret could be kept for the deployment' });
  return opened(kept, all, provider);
}

async function opened(row: KeyRow, all: readonly KeyProvider[], provider: KeyProvider): Promise<Buffer> {
  const by = all.find((p) => p.name === row.provider);
  if (!by) throw wrongKey([row.provider], provider.name);
  const plain = await by.unwrap(row.wrapped, { scope: 'deployment', generation: 0 }).catch((e: unknown) => {
    throw e instanceof KmsRefusal ? kmsRefused(e, false) : doesNotOpen("the deployment's secret", e);
  });
  if (!plain.subarray(KEY_BYTES).equals(keyLabel('deployment', 0)))
    throw doesNotOpen("the deployment's secret", 'the wrapped key belongs to another scope or generation');
  return plain.subarray(0, KEY_BYTES);
}
