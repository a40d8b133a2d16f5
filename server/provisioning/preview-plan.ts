import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Reader, Tx } from '#kernel/db.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { listKnownGroups } from './group.sql.ts';
import { isJit } from './mode.ts';
import { noGroup, planFor } from './plan-for.ts';
import { edited, needsConfirming, summaryOf, type Edit, type Summary, type Target } from './plan.ts';
import { insertPlan } from './plan.sql.ts';
import { provisioningEvents } from './provisioning.events.ts';
import { findSettings, listMadeMappings, type Settings } from './settings.sql.ts';

/** Which of these domains the parent may not take new people in by; the room of domains, which stands beside this one, knows. */
export type Unverified = (db: Reader, parent: Id<'par'>, domains: readonly string[]) => Promise<string[]>;

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
export const previewPlan = (ctx: OrgCtx, edits: readonly Edit[], unverified: Unverified): Promise<Preview> =>
  change(ctx, async (tx) => {
    const settings = await findSettings(tx);
    const target = edited(await targetOf(tx, settings), edits, () => newId('map', ctx.now.getTime()));
    await refuseUnknownGroups(tx, edits);
    const loose = await unverified(tx, ctx.parent, target.domains);
    refuseUnverified(edits, loose);
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
        warnings: warningsOf(target, ownersMapped, loose),
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

/** Somebody else's domain, typed, would let an identity provider make accounts for people of whom the parent knows nothing. */
function refuseUnverified(edits: readonly Edit[], loose: readonly string[]): void {
  const bad = edits.flatMap((e) => (e.set === 'domains' ? e.domains : [])).find((d) => loose.includes(d));
  if (bad === undefined) return;
  throw new Problem('conflict', 'provisioning/domain-unverified', {
    says: `${bad} is not a domain that your organization’s parent has verified, so a sign-in makes no account for its addresses`,
    fix: `verify ${bad} first (domains), or leave it out`,
    more: { domain: bad },
  });
}

function warningsOf(t: Target, ownersMapped: number, loose: readonly string[]): string[] {
  const all: string[] = [];
  if (needsConfirming(t, ownersMapped)) all.push('no group has come whose people would be owners');
  if (isJit(t.mode) && t.domains.length === 0)
    all.push('no domain is named, so a sign-in makes no account for somebody whom nobody here knows yet');
  if (isJit(t.mode) && loose.length > 0)
    all.push(`${loose.join(', ')}: not verified now, so a sign-in makes no new account for such addresses until it is`);
  return all;
}
