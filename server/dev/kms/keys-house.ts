import { makeEgress } from '#kernel/egress.ts';
import { newId, type Id } from '#kernel/id.ts';
import type { KeyProvider } from '#kernel/kms/kms.ts';
import { silentLog } from '#kernel/log.ts';
import { openSealWith } from '#kernel/open-seal.ts';
import type { Aad, Seal } from '#kernel/seal.ts';
import { keyOperations } from '#keys/keys.http.ts';
import { makeOwnKeys } from '#keys/own-keys.ts';
import { doorHouse, type DoorHouse } from '../door-house.ts';

export type Kept = { aad: Aad; text: string };

export type KeysHouse = DoorHouse & {
  /** Content in quarantine, each piece sealed for its row under the org. */
  keep(count: number): Promise<Kept[]>;
  /** What is in the rows now, opened by this seal (the house's own where none is given). */
  openAll(kept: readonly Kept[], seal?: Seal): Promise<string[]>;
};

/** A door house over a key provider of the test's, whose orgs can have keys of their own. */
export async function keysHouse(
  provider: KeyProvider,
  options: { also?: readonly KeyProvider[]; ttlMs?: number } = {},
): Promise<KeysHouse> {
  const house = await doorHouse({
    operations: keyOperations,
    async seal(t) {
      const egress = makeEgress({ log: silentLog });
      const own = makeOwnKeys({ db: t.db, egress, log: silentLog });
      const seal = await openSealWith(provider, t.db, { ...options, own });
      return { world: { seal, egress }, opens: (world) => own.opens(world) };
    },
  });
  const { t, world, acme } = house;
  return Object.assign(house, {
    async keep(count: number): Promise<Kept[]> {
      const kept: Kept[] = [];
      for (let i = 0; i < count; i++) {
        const id: Id<'qua'> = newId('qua');
        const aad = { table: 'quarantine', scope: acme.org, row: id, generation: 1 };
        const text = `kept content ${i}`;
        const sealed = await world.seal.seal(aad, Buffer.from(text));
        await t.super(
          `insert into quarantine (org, id, phase, same, call, client, sealed, bytes, findings, detectors, needs, state, kept_at, expires_at)
           values ($1, $2, 'result', $3, $2, 'test', $4, $5, '[]', '{}', 1, 'waiting', now(), now() + interval '1 day')`,
          acme.org,
          id,
          Buffer.from(id),
          sealed,
          text.length,
        );
        kept.push({ aad, text });
      }
      return kept;
    },
    async openAll(kept: readonly Kept[], seal = world.seal): Promise<string[]> {
      const rows = await t.super<{ id: string; sealed: Buffer }>('select id, sealed from quarantine');
      const by = new Map(rows.map((r) => [r.id, r.sealed]));
      return Promise.all(
        kept.map(async ({ aad }) => (await seal.open(aad, by.get(aad.row) ?? Buffer.alloc(0))).toString()),
      );
    },
  });
}
