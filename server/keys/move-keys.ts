import { event } from '#audit/events.ts';
import type { World } from '#kernel/ctx.ts';
import type { KeyProvider } from '#kernel/kms/kms.ts';
import { OWN } from '#kernel/seal.ts';
import { insertKey, type KeyRow } from '#kernel/seal.sql.ts';
import { keyEvents } from './keys.events.ts';
import { listKeyScopes, listKeys, saveWrapping, type KeyScope } from './key.sql.ts';
import { placeFor, type KeyPlace } from './key-place.ts';

export type MoveProgress = { scopes: number; keys: number; scope: string };
const PAGE = 200;

/**
 * Has every key wrapped by `to`: those of another provider are moved, its own get its newest version with `again`. Online: a node that knows both
 * providers opens either. Done any number of times, from anywhere, it ends the same; keys of orgs that have their own key stay under it.
 */
export async function moveKeys(
  world: World,
  to: KeyProvider,
  options: { again: boolean; progress?: (p: MoveProgress) => void },
): Promise<MoveProgress> {
  const done: MoveProgress = { scopes: 0, keys: 0, scope: '' };
  done.keys += await keepSecret(world, to);
  for (let after = ''; ;) {
    const page = await world.db.read({}, (db) => listKeyScopes(db, after, PAGE));
    for (const of of page) {
      done.keys += await moveScope(world, placeIn(world, of), to, options.again);
      done.scopes++;
      done.scope = of.scope;
      options.progress?.({ ...done });
    }
    const last = page.at(-1);
    if (!last || page.length < PAGE) return done;
    after = last.scope;
  }
}

const placeIn = (world: World, of: KeyScope): KeyPlace => placeFor(world, 'keys.move', of);

/** The bytes of a key file become a wrapped row, so that everything derived from them stays what it was. */
async function keepSecret(world: World, to: KeyProvider): Promise<number> {
  const place = placeFor(world, 'keys.move', { scope: 'deployment', parent: null, org: null });
  const keys = await place.read((db) => listKeys(db, 'deployment'));
  if (keys.some((k) => k.generation === 0) || world.seal.keys.secretIs(to.brings)) return 0;
  const row = await world.seal.keys.secretRow(to);
  return place.change(async (tx) => ({ value: await insertKey(tx, { scope: 'deployment', ...row }), events: [] }));
}

async function moveScope(world: World, place: KeyPlace, to: KeyProvider, again: boolean): Promise<number> {
  const { scope } = place;
  const keys = (await place.read((db) => listKeys(db, scope))).flatMap((k) =>
    k.wrapped && !k.provider.startsWith(OWN) && (again || k.provider !== to.name) ? [{ ...k, wrapped: k.wrapped }] : [],
  );
  const becomes: { was: Buffer; key: KeyRow }[] = [];
  for (const k of keys) becomes.push({ was: k.wrapped, key: await world.seal.keys.rewrapped(scope, k, to) });
  if (becomes.length === 0) return 0;
  return place.change(async (tx) => {
    let placed = 0;
    for (const b of becomes) if (await saveWrapping(tx, scope, b.was, b.key, world.now())) placed++;
    return {
      value: placed,
      events: placed > 0 ? [event(keyEvents, 'key.rewrapped', { scope, keys: placed, to: to.name })] : [],
    };
  });
}
