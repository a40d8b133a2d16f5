import { randomBytes } from 'node:crypto';
import { decrypt, encrypt, IV_BYTES as IV, KEY_BYTES as KEY, TAG_BYTES as TAG } from './aead.ts';
import type { Db } from './db.ts';
import { makeKeyRing, type Loaded, type ScopeKey } from './key-ring.ts';
import { KmsRefusal, type KeyProvider } from './kms/kms.ts';
import { deriveKey } from './kms/local.ts';
import { Problem } from './problem.ts';
import { bind, doesNotOpen, keyLabel, kmsRefused, retired, rlsOf, wrongKey } from './seal-parts.ts';
import { findKey, findLatestKey, insertKey, nextGeneration, type KeyRow } from './seal.sql.ts';

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
   * Its column needs a line in `sealed_column` (walls/sealed.test.ts).
   */
  seal(aad: Aad, secret: Uint8Array): Promise<Buffer>;
  /** Opens it again; a row that was moved, swapped or altered does not open (`seal/does-not-open`). */
  open(aad: Aad, sealed: Uint8Array): Promise<Buffer>;
  /** A key that is the same on every node and after every restart, derived for one purpose (HKDF-SHA-256), e.g. cookie signing. */
  derive(purpose: string, bytes?: number): Buffer;
  /** The keys themselves, for the keys room: it makes new ones and has them wrapped anew. Never for what is sealed. */
  readonly keys: SealKeys;
}

export interface SealKeys {
  /** The deployment's key provider, and those that it moves away from. */
  readonly provider: KeyProvider;
  readonly also: readonly KeyProvider[];
  /** How long a node may hold an unwrapped key, and seal with a generation that is not the newest. */
  readonly ttlMs: number;
  /** What wraps a scope's new keys. */
  inCharge(scope: string): Promise<KeyProvider>;
  /** A new key, wrapped but not stored. */
  make(scope: string, generation: number, by: KeyProvider): Promise<KeyRow>;
  /** The same key wrapped by another provider, or by the newest version of the same; proved to open before it is given. */
  rewrapped(scope: string, key: KeyRow, by: KeyProvider): Promise<KeyRow>;
  /** The deployment's secret, wrapped: what `derive` gives stays the same wherever it is kept. */
  secretRow(by: KeyProvider): Promise<KeyRow>;
  /** Whether these bytes are it: then whoever has them needs no row. */
  secretIs(bytes: Buffer | undefined): boolean;
  /** This node's memory of a scope's keys is wiped; other nodes follow within `ttlMs`. */
  forget(scope: string): void;
}

/** Keys that orgs hold themselves (the keys room); the seal only knows that a row's provider begins with `own:`. */
export interface OwnKeys {
  /** The provider that wraps this scope's keys, if its org named one. */
  find(scope: string): Promise<KeyProvider | undefined>;
  /** What an org's key service said just now. */
  told(scope: string, state: 'good' | 'unreachable' | 'gone'): void;
}

export const OWN = 'own:';
export const noOwnKeys: OwnKeys = { find: () => Promise.resolve(undefined), told: () => undefined };

/** Five minutes: for how long an org's key that was taken back may still be in a node's memory. */
export const DEFAULT_KEY_TTL_MS = 300_000;

const VERSION = 1;
const HEAD = 5;
const MAX_GENERATION = 2 ** 31 - 1;
const BOX = IV + KEY + TAG;
/** Scope keys kept unwrapped in memory. One is 32 bytes; the limit is against a deployment with very many small organizations. */
const MAX_CACHED = 10_000;

export type SealParts = {
  db: Db;
  provider: KeyProvider;
  /** Providers that the deployment moves away from: they open, and wrap nothing new. */
  also?: readonly KeyProvider[];
  /** What everything derived comes from, and what seals for the deployment until a key of its own does. */
  secret: Buffer;
  own?: OwnKeys;
  ttlMs?: number;
};

/** The seal of one process over the keys that `provider` wraps. Use open-seal.ts to start with a database. */
export function makeSeal(parts: SealParts): Seal {
  const { db, provider, also = [], secret: root, own = noOwnKeys, ttlMs = DEFAULT_KEY_TTL_MS } = parts;
  const deploymentKey = deriveKey(root, 'seal/deployment', KEY);
  const ring = makeKeyRing({
    ttlMs,
    max: MAX_CACHED,
    gone: (e) => e instanceof Problem && /^seal\/(?:kms|org-key)-gone$|^seal\/does-not-open$/.test(e.code),
  });
  /** Which generation seals, by scope. */
  const newest = new Map<string, { generation: number; until: number }>();
  const finding = new Map<string, Promise<number>>();

  const named = async (scope: string, name: string): Promise<KeyProvider> => {
    const found = name.startsWith(OWN) ? await own.find(scope) : [provider, ...also].find((p) => p.name === name);
    if (found?.name !== name) throw wrongKey([name], provider.name);
    return found;
  };

  /** A row's key and its label. */
  const unwrapped = async (scope: string, row: KeyRow): Promise<Buffer> => {
    const by = await named(scope, row.provider);
    const isOwn = row.provider.startsWith(OWN);
    const plain = await by.unwrap(row.wrapped, { scope, generation: row.generation }).catch((e: unknown) => {
      if (!(e instanceof KmsRefusal)) throw doesNotOpen(`the key of ${scope}`, e);
      if (isOwn) own.told(scope, e.why);
      throw kmsRefused(e, isOwn);
    });
    // Scope and generation are inside what is wrapped, because not every provider can authenticate a context.
    if (!plain.subarray(KEY).equals(keyLabel(scope, row.generation)))
      throw doesNotOpen(`the key of ${scope}`, 'the wrapped key belongs to another scope or generation');
    if (isOwn) own.told(scope, 'good');
    return plain;
  };

  const wrapped = async (scope: string, generation: number, by: KeyProvider, plain: Buffer): Promise<KeyRow> => {
    try {
      return { generation, provider: by.name, wrapped: await by.wrap(plain, { scope, generation }) };
    } catch (e) {
      throw e instanceof KmsRefusal ? kmsRefused(e, by.name.startsWith(OWN)) : e;
    } finally {
      plain.fill(0);
    }
  };

  const make = (scope: string, generation: number, by: KeyProvider): Promise<KeyRow> =>
    wrapped(scope, generation, by, Buffer.concat([randomBytes(KEY), keyLabel(scope, generation)]));

  const inCharge = async (scope: string): Promise<KeyProvider> => (await own.find(scope)) ?? provider;

  /** The generation that seals now. Two nodes may both make the first one: the database keeps one, and both read that. */
  const findNewest = async (scope: string): Promise<number> => {
    const rls = rlsOf(scope);
    // One snapshot, so that whoever makes the first key at the same time gives it the same number.
    const { row, next } = await db.read(rls, async (r) => ({
      row: await findLatestKey(r, scope),
      next: await nextGeneration(r, scope),
    }));
    let kept = row;
    if (!kept && scope !== 'deployment') {
      const first = await make(scope, next, await inCharge(scope));
      kept = await db.transact(rls, async (tx) => {
        await insertKey(tx, { scope, ...first });
        return findLatestKey(tx, scope);
      });
      if (!kept) throw new Problem('bug', 'seal/no-key', { says: `no key could be made for ${scope}` });
    }
    const generation = kept?.generation ?? 0;
    if (newest.size >= MAX_CACHED) newest.clear();
    newest.set(scope, { generation, until: performance.now() + ttlMs });
    return generation;
  };

  const latest = (scope: string): Promise<number> | number => {
    const known = newest.get(scope);
    if (known && known.until > performance.now()) return known.generation;
    const under = finding.get(scope);
    if (under) return under;
    const one = findNewest(scope).finally(() => finding.delete(scope));
    finding.set(scope, one);
    return one;
  };

  const withKey = <T>(scope: string, generation: number, work: (k: ScopeKey) => T): Promise<T> =>
    ring.use(
      `${scope}#${generation}`,
      async (): Promise<Loaded> => {
        if (scope === 'deployment' && generation === 0)
          return { generation, key: Buffer.from(deploymentKey), asksAgain: 'never' };
        // Above what the column holds: an altered head, which the database would call our bug.
        const row =
          generation > MAX_GENERATION ? undefined : await db.read(rlsOf(scope), (r) => findKey(r, scope, generation));
        if (row === 'retired') throw retired(scope, generation);
        if (!row) throw doesNotOpen(`a secret of ${scope}`, `there is no key of generation ${generation}`);
        const key = (await unwrapped(scope, row)).subarray(0, KEY);
        const asksAgain = row.provider.startsWith(OWN)
          ? 'until'
          : row.provider.startsWith('local:')
            ? 'never'
            : 'keeps';
        return { generation, key, asksAgain };
      },
      work,
    );

  return {
    async seal(aad, secret) {
      return withKey(aad.scope, await latest(aad.scope), ({ generation, key }) => {
        const head = Buffer.alloc(HEAD);
        head.writeUInt8(VERSION, 0);
        head.writeUInt32BE(generation, 1);
        const dataKey = randomBytes(KEY);
        const sealed = Buffer.concat([
          head,
          encrypt(key, dataKey, bind('data key', head, aad)),
          encrypt(dataKey, secret, bind('secret', head, aad)),
        ]);
        dataKey.fill(0);
        return sealed;
      });
    },
    async open(aad, sealed) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      const what = `the secret of ${aad.table} ${aad.row}`;
      if (bytes.length < HEAD + BOX + IV + TAG || bytes[0] !== VERSION)
        throw doesNotOpen(what, 'not a sealed secret of version 1');
      const head = bytes.subarray(0, HEAD);
      return withKey(aad.scope, head.readUInt32BE(1), ({ key }) => {
        try {
          const dataKey = decrypt(key, bytes.subarray(HEAD, HEAD + BOX), bind('data key', head, aad));
          const secret = decrypt(dataKey, bytes.subarray(HEAD + BOX), bind('secret', head, aad));
          dataKey.fill(0);
          return secret;
        } catch (e) {
          throw doesNotOpen(what, e);
        }
      });
    },
    derive: (purpose, bytes = KEY) => deriveKey(root, `derive/${purpose}`, bytes),
    keys: {
      provider,
      also,
      ttlMs,
      inCharge,
      make,
      async rewrapped(scope, row, by) {
        const plain = await unwrapped(scope, row);
        try {
          const place = { scope, generation: row.generation };
          const wrapped = row.provider === by.name ? await by.rewrap(row.wrapped, place) : await by.wrap(plain, place);
          const again = await by.unwrap(wrapped, place);
          if (!again.equals(plain))
            throw doesNotOpen(`the key of ${scope}`, `${by.name} does not give back what it wrapped`);
          again.fill(0);
          return { generation: row.generation, provider: by.name, wrapped };
        } catch (e) {
          throw e instanceof KmsRefusal ? kmsRefused(e, by.name.startsWith(OWN)) : e;
        } finally {
          plain.fill(0);
        }
      },
      secretRow: (by) => wrapped('deployment', 0, by, Buffer.concat([root, keyLabel('deployment', 0)])),
      secretIs: (bytes) => bytes?.equals(root) ?? false,
      forget(scope) {
        newest.delete(scope);
        ring.forget(`${scope}#`);
      },
    },
  };
}
