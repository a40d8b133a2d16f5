import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Seal } from '#kernel/seal.ts';
import { actorId } from './actor-id.ts';
import { dlpEvents } from './dlp.events.ts';
import type { Severity } from './dlp-policy.ts';
import { exactDataOf } from './exact-data.ts';
import { MAX_OWN_DETECTORS, type OwnDetector, type OwnDraft, type OwnSpec } from './own-detector.ts';
import { insertOwnDetector, listOwnDetectors, listOwnSpecs } from './own-detector.sql.ts';
import { digestKey, together } from './scanner-of.ts';
import { makeScanner } from './scanner.ts';

/**
 * Adds what the organization itself calls confidential; it applies from the next call on. Compiled with everything that is there before it is
 * kept, so that a scanner can always be made.
 */
export async function addOwnDetector(
  ctx: OrgCtx,
  draft: { name: string; severity: Severity; finds: OwnDraft },
): Promise<OwnDetector> {
  const id = newId('ddt', ctx.now.getTime());
  const spec = specFrom(id, draft.finds, ctx.seal);
  const there = await ctx.db.read(scopeOf(ctx), async (db) => {
    const own = await listOwnDetectors(db, { limit: 'all' });
    return listOwnSpecs(
      db,
      own.map((d) => d.id),
    );
  });
  if (there.length >= MAX_OWN_DETECTORS)
    throw new Problem('conflict', 'dlp/too-many-detectors', {
      says: `this organization has ${MAX_OWN_DETECTORS} detectors of its own, which is the most it can have`,
      fix: 'put terms together into one detector, or remove some',
    });
  makeScanner(together([...there, { id, spec }], ctx.seal));
  const detector: OwnDetector = {
    id,
    name: draft.name,
    severity: draft.severity,
    kind: spec.kind,
    entries: entriesOf(draft.finds),
    createdBy: actorId(ctx.actor),
    createdAt: ctx.now,
  };
  return change(ctx, async (tx) => {
    if (!(await insertOwnDetector(tx, detector, spec)))
      throw new Problem('conflict', 'dlp/detector-name-taken', {
        says: `there is a detector named "${detector.name}" already`,
        fix: 'findings say this name, so give this one another',
      });
    const { kind, severity, entries } = detector;
    return {
      value: detector,
      events: [event(dlpEvents, 'dlp.detector_added', { detector: id, kind, severity, entries })],
    };
  });
}

/** What is kept of a draft. The values of an exact table do not survive this. */
export function specFrom(id: Id<'ddt'>, d: OwnDraft, seal: Seal): OwnSpec {
  if (d.kind !== 'exact') return d;
  const { needs, within, rows } = d;
  const { records, sieve } = exactDataOf({ id, key: digestKey(seal, id), needs, within }, rows);
  return { kind: 'exact', needs, within, records, sieve };
}

function entriesOf(d: OwnDraft): number {
  switch (d.kind) {
    case 'terms':
      return d.terms.length;
    case 'pattern':
      return 1;
    case 'dictionary':
      return d.phrases.length;
    case 'exact':
      return d.rows.length;
  }
}
