import { event } from '#audit/events.ts';
import type { World } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { enqueue } from '#kernel/job.ts';
import { Problem } from '#kernel/problem.ts';
import { OWN } from '#kernel/seal.ts';
import { insertKey } from '#kernel/seal.sql.ts';
import { keyEvents } from './keys.events.ts';
import { countSealed, insertRotation, listKeys } from './key.sql.ts';
import type { KeyPlace } from './key-place.ts';
import { meanwhile } from './own-key.ts';
import { lockOwnKey } from './own-key.sql.ts';
import { RESEAL_JOB, type Rotation } from './rotation.ts';

/**
 * Begins to seal everything of a scope anew: with a new key of the scope (`key`), or with the one there is and new data keys (`data`). What is
 * new is sealed with it from now on, on every node within the time that it may remember; the old key goes on opening.
 */
export async function rotateKeys(
  world: Pick<World, 'seal' | 'now'>,
  place: KeyPlace,
  what: 'key' | 'data',
  by: string,
): Promise<Rotation> {
  const { scope } = place;
  const { keys, counts } = await place.read(async (db) => ({
    keys: await listKeys(db, scope),
    counts: await countSealed(db, scope),
  }));
  const newest = keys.find((k) => k.generation > 0)?.generation ?? 0;
  const newKey = what === 'key' || (newest === 0 && scope !== 'deployment');
  const generation = newKey ? newest + 1 : newest;
  const made = newKey
    ? await world.seal.keys.make(scope, generation, await world.seal.keys.inCharge(scope))
    : undefined;
  const rotation: Rotation = {
    id: newId('rot'),
    scope,
    generation,
    newKey,
    state: 'running',
    tab: '',
    col: '',
    after: '',
    resealed: 0,
    total: counts.reduce((n, c) => n + c.n, 0),
    startedAt: world.now(),
    finishedAt: null,
  };
  await place.change(async (tx) => {
    // INVARIANT (nothing lost): whoever gives up the org's own key has either seen this key or is seen here.
    const own = made && (await lockOwnKey(tx));
    if (made && made.provider !== (own ? `${OWN}${own.id}` : world.seal.keys.provider.name)) throw meanwhile();
    if (
      !(await insertRotation(tx, { ...rotation, startedBy: by })) ||
      (made && (await insertKey(tx, { scope, ...made })) === 0)
    )
      throw underWay(scope);
    await enqueue(tx, RESEAL_JOB, { rotation: rotation.id }, { key: rotation.id });
    return {
      value: undefined,
      events: [
        event(keyEvents, 'key.rotation_started', {
          scope,
          rotation: rotation.id,
          generation,
          newKey,
          secrets: rotation.total,
        }),
      ],
    };
  });
  world.seal.keys.forget(scope);
  return rotation;
}

export const underWay = (scope: string): Problem =>
  new Problem('conflict', 'keys/rotating', {
    says: `the secrets of ${scope} are being sealed anew already`,
    fix: 'wait until that is finished; gatehouse keys status says how far it is',
  });
