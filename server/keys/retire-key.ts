import { event } from '#audit/events.ts';
import type { World } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import { keyEvents } from './keys.events.ts';
import { countSealed, findRotation, listKeys, retire } from './key.sql.ts';
import type { KeyPlace } from './key-place.ts';

/** A change that began with the key before may take so long to commit (statement and lock times, and a retry). */
const SLOWEST_CHANGE_MS = 5 * 60_000;

/**
 * Destroys a key that nothing needs any more. INVARIANT (nothing lost): no secret has its generation, and none can get it: every node has
 * forgotten for long enough that it ever sealed.
 */
export async function retireKey(world: World, place: KeyPlace, generation: number): Promise<void> {
  const { scope } = place;
  await place.change(async (tx) => {
    const keys = await listKeys(tx, scope);
    const key = keys.find((k) => k.generation === generation && k.retiredAt === null);
    const newest = keys[0];
    if (!key || generation === 0 || !newest)
      throw new Problem('missing', 'keys/no-such-key', {
        says: `there is no key of generation ${generation} of ${scope} that could be retired`,
      });
    const successor = keys.find((k) => k.generation === generation + 1);
    if (newest.generation === generation || !successor)
      throw new Problem('conflict', 'keys/newest', {
        says: `the key of generation ${generation} is the newest; secrets are sealed with it`,
        fix: 'rotate first',
      });
    const left = (await countSealed(tx, scope)).filter((c) => c.generation === generation).reduce((n, c) => n + c.n, 0);
    const running = (await findRotation(tx, scope))?.state === 'running';
    if (left > 0 || running)
      throw new Problem('conflict', 'keys/still-needed', {
        says: running
          ? `the secrets of ${scope} are still being sealed anew`
          : `${left} secrets are still sealed with it`,
        fix: running ? 'wait until that is finished' : 'seal the data anew (rotate, what: data), then try again',
      });
    const from = new Date(successor.createdAt.getTime() + world.seal.keys.ttlMs + SLOWEST_CHANGE_MS);
    if (from > world.now())
      throw new Problem('conflict', 'keys/too-early', {
        says: `a node may still seal with it until ${from.toISOString()}`,
        fix: 'try again after that',
      });
    await retire(tx, scope, generation, world.now());
    return { value: undefined, events: [event(keyEvents, 'key.retired', { scope, generation })] };
  });
  world.seal.keys.forget(scope);
}
