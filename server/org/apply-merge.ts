import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type Ctx, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { mergeEvents } from './merge.events.ts';
import { MERGE_UNDO_MS, noSuchMerge, type Merge } from './merge.ts';
import { compareSides, placeOf, stalePreview, tellPlaces, turnStale } from './merge-steps.ts';
import { carryOutMerge, findMerge, listSealedAtParent, lockMerge, placeMovedSecret } from './merge.sql.ts';
import type { MergeUpstairs } from './merge-upstairs.ts';

/**
 * Carries out a merge that both sides approved: looks again whether the preview is still true while nobody can change either side, moves
 * everything in one transaction, and tells every log that is concerned.
 */
export async function applyMerge(ctx: Ctx, id: Id<'mrg'>, up: MergeUpstairs): Promise<Merge['state']> {
  const found = await ctx.db.read(scopeOf(ctx), (db) => findMerge(db, id));
  if (!found) throw noSuchMerge();
  if (found.state !== 'approved_both') return found.state;
  const { parent: from, intoParent: into, intoOrg } = found;
  const home: OrgCtx = { ...ctx, parent: into, org: intoOrg };
  const secrets = await resealed(ctx, from, into, () => true);
  const state = await change<Merge['state']>(home, async (tx) => {
    const merge = await lockMerge(tx, id);
    if (!merge) throw noSuchMerge();
    if (merge.state !== 'approved_both') return { value: merge.state, unchanged: true };
    const now = await compareSides(tx, home, merge, up, true);
    if (now.hash !== merge.previewHash || now.preview.conflicts.length > 0)
      return { value: 'stale', events: await turnStale(tx, home, merge, up) };
    const undoUntil = new Date(ctx.now.getTime() + MERGE_UNDO_MS);
    const done = await carryOutMerge(tx, id, ctx.now, undoUntil);
    for (const s of secrets) if (!(await placeMovedSecret(tx, id, s))) throw secretChanged();
    const applied = event(mergeEvents, 'org.merge_applied', {
      merge: id,
      from,
      into,
      ...done,
      undoUntil: undoUntil.toISOString(),
    });
    const events = await tellPlaces(
      tx,
      home,
      { ...merge, state: 'applied', undoUntil },
      {
        places: [
          ...done.orgs.map((org) => ({ parent: into, org })),
          placeOf(merge, 'receiving'),
          { parent: from, org: undefined },
          { parent: into, org: undefined },
        ],
        events: [applied],
        news: 'applied',
        up,
      },
    );
    return { value: 'applied', events };
  });
  if (state === 'stale') throw stalePreview();
  return state;
}

export type Resealed = { table: string; row: string; was: Buffer; becomes: Buffer };

/**
 * The secrets of one parent, opened and sealed for the other: they are bound to the parent that their row is under. Before the change,
 * because sealing may need a transaction of its own; each is placed only over the secret that was read here.
 */
export async function resealed(
  ctx: Ctx,
  from: Id<'par'>,
  into: Id<'par'>,
  moved: (of: string) => boolean,
): Promise<Resealed[]> {
  const out: Resealed[] = [];
  for (const s of await ctx.db.read({ parent: from }, listSealedAtParent)) {
    if (!moved(s.of)) continue;
    const { table, row, generation } = s;
    const secret = await ctx.seal.open({ table, row, generation, scope: from }, s.sealed);
    const becomes = await ctx.seal.seal({ table, row, generation, scope: into }, secret);
    secret.fill(0);
    out.push({ table, row, was: s.sealed, becomes });
  }
  return out;
}

export const secretChanged = (): Problem =>
  new Problem('conflict', 'org/merge-secret-changed', {
    says: 'the secret of a connection was replaced while the merge was carried out; nothing was moved',
    fix: 'try again',
  });
