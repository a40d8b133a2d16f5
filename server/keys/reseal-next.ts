import { event } from '#audit/events.ts';
import type { World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { keyEvents } from './keys.events.ts';
import {
  findRotation,
  listSealed,
  listSealedColumns,
  lockRotation,
  placeResealed,
  saveRotation,
  type Sealed,
} from './key.sql.ts';
import type { KeyPlace } from './key-place.ts';
import type { Rotation } from './rotation.ts';

/** Secrets of one step: few enough that a kill costs little and a row is locked for a moment, many enough that events stay few. */
const STEP = 50;

/**
 * Seals the next secrets of a running rotation anew, and says how far it is; undefined when there is none. Any node may take any step, two
 * may take the same one, and one may die in it. INVARIANT (nothing lost): a secret is replaced only over the very bytes that were opened, in the
 * transaction that moves the mark; whoever comes second finds the mark moved and takes what follows.
 */
export async function resealNext(world: World, place: KeyPlace, id: Id<'rot'>): Promise<Rotation | undefined> {
  const { scope } = place;
  const found = await place.read((db) => findRotation(db, scope));
  if (found?.id !== id || found.state === 'done') return found?.id === id ? found : undefined;
  const columns = await place.read((db) => listSealedColumns(db, scope));
  // Compared here and sorted here: the database's order of names may be another.
  const at = columns
    .map((c) => ({ ...c, mark: `${c.tab}\n${c.col}` }))
    .toSorted((a, b) => (a.mark < b.mark ? -1 : 1))
    .find((c) => c.mark >= `${found.tab}\n${found.col}`);
  const after = at?.tab === found.tab && at.col === found.col ? found.after : '';
  const page = at ? await place.read((db) => listSealed(db, scope, { ...at, after }, STEP)) : [];
  const { becomes, unreadable } = at
    ? await resealed(world, scope, at.tab, page, found)
    : { becomes: [], unreadable: 0 };

  return place.change(async (tx) => {
    const now = await lockRotation(tx, id);
    if (!now || now.state === 'done' || now.tab !== found.tab || now.col !== found.col || now.after !== found.after)
      return { value: now, events: [] };
    let placed = 0;
    for (const b of becomes) if (at && (await placeResealed(tx, scope, at, b))) placed++;
    const last = page.at(-1);
    const next: Rotation = { ...now, resealed: now.resealed + placed };
    if (!at) Object.assign(next, { state: 'done', finishedAt: world.now() });
    else if (last && page.length === STEP) Object.assign(next, { tab: at.tab, col: at.col, after: last.row });
    else {
      // A name after this column's and before the next one's.
      Object.assign(next, { tab: at.tab, col: `${at.col} `, after: '' });
    }
    await saveRotation(tx, next);
    const about = { scope, rotation: id };
    return {
      value: next,
      events: [
        ...(at && placed + unreadable > 0
          ? [event(keyEvents, 'key.secrets_resealed', { ...about, table: at.tab, secrets: placed, unreadable })]
          : []),
        ...(next.state === 'done'
          ? [
              event(keyEvents, 'key.rotation_finished', {
                ...about,
                generation: next.generation,
                secrets: next.resealed,
              }),
            ]
          : []),
      ],
    };
  });
}

/** A secret that does not open stays as it is, for whoever must find out why; everything else that fails stops the step. */
async function resealed(
  world: World,
  scope: string,
  table: string,
  page: readonly Sealed[],
  r: Rotation,
): Promise<{ becomes: { row: string; was: Buffer; becomes: Buffer }[]; unreadable: number }> {
  const becomes: { row: string; was: Buffer; becomes: Buffer }[] = [];
  let unreadable = 0;
  for (const s of page) {
    if (r.newKey && s.sealed.length > 5 && s.sealed.readUInt32BE(1) >= r.generation) continue;
    const aad = { table, scope, row: s.row, generation: s.generation };
    try {
      const secret = await world.seal.open(aad, s.sealed);
      becomes.push({ row: s.row, was: s.sealed, becomes: await world.seal.seal(aad, secret) });
      secret.fill(0);
    } catch (e) {
      if (!(e instanceof Problem) || !/^seal\/(?:does-not-open|key-retired)$/.test(e.code)) throw e;
      unreadable++;
    }
  }
  return { becomes, unreadable };
}

/** Takes every step that is left. */
export async function resealAll(
  world: World,
  place: KeyPlace,
  id: Id<'rot'>,
  progress: (r: Rotation) => void = () => undefined,
): Promise<Rotation | undefined> {
  // This node may remember the generation before.
  world.seal.keys.forget(place.scope);
  for (;;) {
    const r = await resealNext(world, place, id);
    if (r) progress(r);
    if (!r || r.state === 'done') return r;
  }
}
