import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import { newId, type Id } from '#kernel/id.ts';
import { listKnownGroups } from './group.sql.ts';
import { isJit } from './mode.ts';
import { noGroup, planFor } from './plan-for.ts';
import { edited, needsConfirming, summaryOf, type Edit, type Summary, type Target } from './plan.ts';
import { insertPlan } from './plan.sql.ts';
import { provisioningEvents } from './provisioning.events.ts';
import { findSettings, listMadeMappings, type Settings } from './settings.sql.ts';

export type Preview = {
  id: Id<'pln'>;
  hash: string;
  target: Target;
  summary: Summary;
  /** Whether applying needs the organization's name typed. */
  confirm: boolean;
  warnings: string[];
};

/** The dry run: what would become of whom. Changes nothing but keeps the plan, so that exactly this can be applied (apply-plan.ts). */
export const previewPlan = (ctx: OrgCtx, edits: readonly Edit[]): Promise<Preview> =>
  change(ctx, async (tx) => {
    const settings = await findSettings(tx);
    const target = edited(await targetOf(tx, settings), edits, () => newId('map', ctx.now.getTime()));
    await refuseUnknownGroups(tx, edits);
    const { lines, hash, ownersMapped } = await planFor(tx, settings, target);
    const id = newId('pln', ctx.now.getTime());
    const summary = summaryOf(lines);
    const by = 'id' in ctx.actor ? ctx.actor.id : ctx.actor.kind;
    await insertPlan(tx, { id, hash, version: settings.version, target, summary, by, at: ctx.now }, lines);
    return {
      value: {
        id,
        hash,
        target,
        summary,
        confirm: needsConfirming(target, ownersMapped),
        warnings: warningsOf(target, ownersMapped),
      },
      events: [event(provisioningEvents, 'provisioning.plan_made', { plan: id, hash, ...summary })],
    };
  });

/** The settings that are, in the form of a target. */
export const targetOf = async (tx: Tx, s: Settings): Promise<Target> => ({
  mode: s.mode,
  prefix: s.prefix,
  domains: s.domains,
  mappings: (await listMadeMappings(tx)).map((m) => ({ ...m, standing: false })),
});

/** A mapping of what is not here would quietly do nothing; a group that will come is mapped by its name. */
async function refuseUnknownGroups(tx: Tx, edits: readonly Edit[]): Promise<void> {
  const wanted = edits.flatMap((e) => (e.set === 'map' && e.group !== undefined ? [e.group] : []));
  const known = new Set((await listKnownGroups(tx, wanted)).map((g) => g.id));
  const missing = wanted.find((g) => !known.has(g));
  if (missing) throw noGroup(missing);
}

function warningsOf(t: Target, ownersMapped: number): string[] {
  const all: string[] = [];
  if (needsConfirming(t, ownersMapped)) all.push('no group has come whose people would be owners');
  if (isJit(t.mode) && t.domains.length === 0)
    all.push('no domain is named, so a sign-in makes no account for somebody whom nobody here knows yet');
  return all;
}
