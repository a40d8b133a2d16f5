import { randomBytes } from 'node:crypto';
import { decrypt, encrypt, IV_BYTES as IV, KEY_BYTES as KEY, TAG_BYTES as TAG } from './aead.ts';
import type { Db, Scope } from './db.ts';
import { parseId } from './id.ts';
import { localKeyFile } from './local-key-file.ts';
import { Problem } from './problem.ts';
import { findKey, findLatestKey, insertKey, sealProviders, type KeyRow } from './seal.sql.ts';

/**
 * Envelope encryption. A secret is sealed with a data key of its own; the data key with the key of its scope (a row of `seal_key`);
 * the scope key by a key provider, whose own key is not in the database. Whoever has the database alone has noise.
 *
 * A sealed secret (all integers big-endian):
 *   1 version=1 | 4 generation of the scope key | 12 iv, 32 data key, 16 tag | 12 iv, n secret, 16 tag
 * INVARIANT (bound to its place): both encryptions authenticate version, key generation, table, scope, row and the row's generation,
 * so a row that was moved, swapped, altered or rolled back does not open.
 */
export type Aad = {
  table: string;
  /** The org or parent that the row belongs to, or `deployment` for what belongs to neither (our own signing keys). */
  scope: string;
  row: string;
  /** Counts up with every new secret of the row, so that an older one cannot be put back. */
  generation: number;
};

export interface Seal {
  /**
   * Encrypts a secret so that it opens only in the row that `aad` names. The first secret of a scope makes the scope's key in a
   * transaction of its own: call this before `change`, not inside it (a second connection per caller can empty the pool for good).
   */
  seal(aad: Aad, secret: Uint8Array): Promise<Buffer>;
  /** Opens it again; a row that was moved, swapped or altered does not open (`seal/does-not-open`). */
  open(aad: Aad, sealed: Uint8Array): Promise<Buffer>;
  /** A key that is the same on every node and after every restart, derived for one purpose (HKDF-SHA-256), e.g. cookie signing. */
  derive(purpose: string, bytes?: number): Buffer;
}

/** Holds the key above all keys: a file, Vault Transit, a cloud's KMS. */
export interface KeyProvider {
  /** Names provider and key, e.g. `local:5d0c…`; stored beside what it wrapped, so that a wrong key is named and not guessed at. */
  readonly name: string;
  wrap(bytes: Uint8Array): Promise<Buffer>;
  /** Throws when it did not wrap these bytes. */
  unwrap(wrapped: Uint8Array): Promise<Buffer>;
  /** The same bytes for the same purpose for ever, independent of what wraps. */
  derive(purpose: string, bytes: number): Buffer;
}

const VERSION = 1;
const HEAD = 5;
const MAX_GENERATION = 2 ** 31 - 1;
const BOX = IV + KEY + TAG;
/** Scope keys kept unwrapped in memory. One is 32 bytes; the limit is against a deployment with very many small organizations. */
const MAX_CACHED = 10_000;

type ScopeKey = { generation: number; key: Buffer };

/** The seal of one process over the keys that `provider` wraps. Use `openSeal` to start with a key file. */
export function makeSeal({ provider, db }: { provider: KeyProvider; db: Db }): Seal {
  const cache = new Map<string, Promise<ScopeKey>>();

  const cached = (name: string, load: () => Promise<ScopeKey>): Promise<ScopeKey> => {
    const known = cache.get(name);
    if (known) return known;
    if (cache.size >= MAX_CACHED) cache.clear();
    const loading = load();
    cache.set(name, loading);
    // A failure is for whoever waited for it; the next one tries again.
    loading.catch(() => cache.delete(name));
    return loading;
  };

  const unwrapped = async (scope: string, row: KeyRow): Promise<ScopeKey> => {
    if (row.provider !== provider.name) throw wrongKey([row.provider], provider.name);
    const plain = await provider.unwrap(row.wrapped).catch((e: unknown) => {
      throw doesNotOpen(`the key of ${scope}`, e);
    });
    // Scope and generation are inside what is wrapped, because not every provider can authenticate a context.
    if (!plain.subarray(KEY).equals(keyLabel(scope, row.generation)))
      throw doesNotOpen(`the key of ${scope}`, 'the wrapped key belongs to another scope or generation');
    return { generation: row.generation, key: plain.subarray(0, KEY) };
  };

  const deployment = async (): Promise<ScopeKey> => ({ generation: 0, key: provider.derive('seal/deployment', KEY) });

  /** The key that seals now. Two nodes may both make the first one: the database keeps one, and both read that. */
  const latest = (scope: string): Promise<ScopeKey> =>
    cached(scope, async () => {
      if (scope === 'deployment') return deployment();
      const rls = rlsOf(scope);
      const existing = await db.read(rls, (r) => findLatestKey(r, scope));
      if (existing) return unwrapped(scope, existing);
      const wrapped = await provider.wrap(Buffer.concat([randomBytes(KEY), keyLabel(scope, 1)]));
      const kept = await db.transact(rls, async (tx) => {
        await insertKey(tx, { scope, generation: 1, provider: provider.name, wrapped });
        return findLatestKey(tx, scope);
      });
      if (!kept) throw new Problem('bug', 'seal/no-key', { says: `no key could be made for ${scope}` });
      return unwrapped(scope, kept);
    });

  const ofGeneration = (scope: string, generation: number): Promise<ScopeKey> =>
    cached(`${scope}#${generation}`, async () => {
      if (scope === 'deployment' && generation === 0) return deployment();
      const row =
        // Above what the column holds: an altered head, which the database would call our bug.
        scope === 'deployment' || generation > MAX_GENERATION
          ? undefined
          : await db.read(rlsOf(scope), (r) => findKey(r, scope, generation));
      if (!row) throw doesNotOpen(`a secret of ${scope}`, `there is no key of generation ${generation}`);
      return unwrapped(scope, row);
    });

  return {
    async seal(aad, secret) {
      const scopeKey = await latest(aad.scope);
      const head = Buffer.alloc(HEAD);
      head.writeUInt8(VERSION, 0);
      head.writeUInt32BE(scopeKey.generation, 1);
      const dataKey = randomBytes(KEY);
      const sealed = Buffer.concat([
        head,
        encrypt(scopeKey.key, dataKey, bind('data key', head, aad)),
        encrypt(dataKey, secret, bind('secret', head, aad)),
      ]);
      dataKey.fill(0);
      return sealed;
    },
    async open(aad, sealed) {
      const bytes = Buffer.from(sealed);
      const what = `the secret of ${aad.table} ${aad.row}`;
      if (bytes.length < HEAD + BOX + IV + TAG || bytes[0] !== VERSION)
        throw doesNotOpen(what, 'not a sealed secret of version 1');
      const head = bytes.subarray(0, HEAD);
      const scopeKey = await ofGeneration(aad.scope, head.readUInt32BE(1));
      try {
        const dataKey = decrypt(scopeKey.key, bytes.subarray(HEAD, HEAD + BOX), bind('data key', head, aad));
        const secret = decrypt(dataKey, bytes.subarray(HEAD + BOX), bind('secret', head, aad));
        dataKey.fill(0);
        return secret;
      } catch (e) {
        throw doesNotOpen(what, e);
      }
    },
    derive: (purpose, bytes = KEY) => provider.derive(`derive/${purpose}`, bytes),
  };
}

/**
 * The seal over a key file. Makes the file on the very first start; refuses to start when the database holds secrets and the file is
 * gone (`seal/key-missing`) or is another one (`seal/wrong-key`), because a new key would not open them and would hide the loss.
 */
export async function openSeal(keyFile: string, db: Db): Promise<Seal> {
  const wrappedBy = (await db.lookup(sealProviders()))?.names ?? [];
  const provider = await localKeyFile(keyFile, { create: wrappedBy.length === 0 });
  if (wrappedBy.length > 0 && !wrappedBy.includes(provider.name)) throw wrongKey(wrappedBy, provider.name);
  return makeSeal({ provider, db });
}

const wrongKey = (wrappedBy: readonly string[], have: string): Problem =>
  new Problem('unavailable', 'seal/wrong-key', {
    says: `the secrets in this database were sealed with the key ${wrappedBy.join(' or ')}, and the server has ${have}`,
    fix: 'put back the key file that belongs to this database; without it the secrets cannot be opened by anyone',
  });

const doesNotOpen = (what: string, because: unknown): Problem =>
  new Problem('bug', 'seal/does-not-open', {
    says: `${what} does not open: the row was moved, altered or rolled back since it was sealed`,
    fix: 'restore the row from a backup, or enter the secret again; if nobody changed the database by hand, treat it as tampering',
    because,
  });

function rlsOf(scope: string): Scope {
  const org = parseId('org', scope);
  if (org) return { org };
  const parent = parseId('par', scope);
  if (parent) return { parent };
  throw new Problem('bug', 'seal/scope', {
    says: `a secret belongs to an org, a parent or the deployment, not to "${scope}"`,
  });
}

const keyLabel = (scope: string, generation: number): Buffer =>
  lengthPrefixed(['gatehouse-scope-key-v1', scope, String(generation)]);

const bind = (use: 'data key' | 'secret', head: Buffer, aad: Aad): Buffer =>
  lengthPrefixed([
    'gatehouse-seal-v1',
    use,
    head.toString('hex'),
    aad.table,
    aad.scope,
    aad.row,
    String(aad.generation),
  ]);

/** Each part after its length, so that no two lists of parts give the same bytes. */
function lengthPrefixed(parts: readonly string[]): Buffer {
  return Buffer.concat(
    parts.flatMap((p) => {
      const text = Buffer.from(p, 'utf8');
      const length = Buffer.alloc(4);
      length.writeUInt32BE(text.length);
      return [length, text];
    }),
  );
}
