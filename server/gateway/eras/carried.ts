import { decrypt, encrypt } from '#kernel/aead.ts';
import type { World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { parseJsonText } from '#kernel/json.ts';
import type { Place } from '../org-view.ts';
import { deleteCarried, deleteOver, insertCarried, listCarried, saveCarried } from './carried.sql.ts';

/**
 * What one node leaves for the others while two revisions of the protocol are translated: the session that an older server gave us, what a client
 * answered to a question, how a call went on. Sealed, short-lived, and no event: the calls that it belongs to are recorded themselves.
 */
export interface Carried {
  /** False: there is one under this key already, and it stays. */
  leave(place: Place, key: string, value: unknown, ms: number): Promise<boolean>;
  replace(place: Place, key: string, value: unknown, ms: number): Promise<void>;
  find(place: Place, key: string): Promise<unknown>;
  forget(place: Place, key: string): Promise<void>;
  /** Waits until something is left under the key; undefined when the signal ended first. */
  await(place: Place, key: string, signal: AbortSignal): Promise<unknown>;
}

/** How often an organization's letters are looked at while somebody waits for one here. */
const LOOK_MS = 100;

export function carriedBy(world: World): Carried {
  const secret = world.seal.derive('what gateway nodes leave for each other');
  const bound = (place: Place, key: string): Buffer => Buffer.from(`gatehouse-carried-v1\0${place.org}\0${key}`);
  const sealed = (place: Place, key: string, value: unknown): Buffer =>
    encrypt(secret, Buffer.from(JSON.stringify(value)), bound(place, key));
  const opened = (place: Place, key: string, box: Buffer): unknown =>
    parseJsonText(decrypt(secret, box, bound(place, key)).toString('utf8'));

  type Group = { place: Place; wake: Map<string, Set<(value: unknown) => void>> };
  const groups = new Map<Id<'org'>, Group>();
  const look = async (group: Group): Promise<void> => {
    while (group.wake.size > 0) {
      await new Promise((next) => setTimeout(next, LOOK_MS).unref());
      const keys = [...group.wake.keys()];
      if (keys.length === 0) break;
      // A look that failed is made again; who waits has a time of his own.
      const rows = await world.db.read(group.place, (db) => listCarried(db, keys)).catch(() => []);
      for (const row of rows) {
        const value = opened(group.place, row.key, row.sealed);
        for (const done of group.wake.get(row.key) ?? []) done(value);
      }
    }
    groups.delete(group.place.org);
  };

  return {
    leave: (place, key, value, ms) =>
      world.db.transact(place, async (tx) => {
        await deleteOver(tx);
        return (await insertCarried(tx, key, sealed(place, key, value), ms / 1000)) > 0;
      }),
    replace: (place, key, value, ms) =>
      world.db.transact(place, async (tx) => {
        await deleteOver(tx);
        await saveCarried(tx, key, sealed(place, key, value), ms / 1000);
      }),
    async find(place, key) {
      const [row] = await world.db.read(place, (db) => listCarried(db, [key]));
      return row && opened(place, key, row.sealed);
    },
    forget: (place, key) =>
      world.db.transact(place, async (tx) => {
        await deleteCarried(tx, key);
      }),
    await: (place, key, signal) =>
      new Promise((resolve) => {
        let group = groups.get(place.org);
        const fresh = !group;
        group ??= { place: { parent: place.parent, org: place.org }, wake: new Map() };
        groups.set(place.org, group);
        const { wake } = group;
        const done = (value: unknown): void => {
          signal.removeEventListener('abort', gone);
          const others = wake.get(key);
          others?.delete(done);
          if (others?.size === 0) wake.delete(key);
          resolve(value);
        };
        const gone = (): void => done(undefined);
        signal.addEventListener('abort', gone, { once: true });
        wake.set(key, (wake.get(key) ?? new Set()).add(done));
        if (signal.aborted) gone();
        if (fresh) void look(group);
      }),
  };
}
