import type { World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { countSealed, findRotation, listKeys } from './key.sql.ts';
import type { KeyPlace } from './key-place.ts';
import type { OwnKeyState } from './own-key.ts';
import { findOwnKey } from './own-key.sql.ts';
import { whereOf } from './own-key.ts';

export type KeyStatus = {
  scope: string;
  keys: {
    generation: number;
    provider: string;
    createdAt: string;
    wrappedAt: string;
    retiredAt: string | null;
    secrets: number;
  }[];
  /** Secrets by table, and how many all together. */
  secrets: { table: string; column: string; count: number }[];
  total: number;
  rotation: {
    id: Id<'rot'>;
    state: 'running' | 'done';
    generation: number;
    newKey: boolean;
    resealed: number;
    total: number;
    startedAt: string;
    finishedAt: string | null;
  } | null;
  own: { id: string; kind: string; where: string; state: OwnKeyState; since: string } | null;
  /** Within so many seconds every node obeys what a key service says. */
  obeyedWithinSeconds: number;
};

/** What keys a scope has, what wraps them, what needs them, and how far a rotation is. */
export function readKeyStatus(world: Pick<World, 'seal'>, place: KeyPlace): Promise<KeyStatus> {
  const { scope } = place;
  return place.read(async (db) => {
    const [keys, counts, r] = [await listKeys(db, scope), await countSealed(db, scope), await findRotation(db, scope)];
    const own = scope.startsWith('org_') ? await findOwnKey(db) : undefined;
    const columns = Map.groupBy(counts, (c) => `${c.tab}.${c.col}`);
    const sum = (of: readonly { n: number }[]): number => of.reduce((n, c) => n + c.n, 0);
    return {
      scope,
      keys: keys.map((k) => ({
        generation: k.generation,
        provider: k.provider,
        createdAt: k.createdAt.toISOString(),
        wrappedAt: k.wrappedAt.toISOString(),
        retiredAt: k.retiredAt?.toISOString() ?? null,
        secrets: sum(counts.filter((c) => c.generation === k.generation)),
      })),
      secrets: [...columns.values()].flatMap((of) =>
        of[0] ? [{ table: of[0].tab, column: of[0].col, count: sum(of) }] : [],
      ),
      total: sum(counts),
      rotation: r
        ? {
            id: r.id,
            state: r.state,
            generation: r.generation,
            newKey: r.newKey,
            resealed: r.resealed,
            total: r.total,
            startedAt: r.startedAt.toISOString(),
            finishedAt: r.finishedAt?.toISOString() ?? null,
          }
        : null,
      own: own
        ? {
            id: own.id,
            kind: own.config.kind,
            where: whereOf(own.config),
            state: own.state,
            since: own.since.toISOString(),
          }
        : null,
      obeyedWithinSeconds: Math.ceil(world.seal.keys.ttlMs / 1000),
    };
  });
}
