import type { Id } from '#kernel/id.ts';
import { contentClasses, type ContentClass } from './engine.ts';
import { worse, type DlpAction, type Phase } from './verdict.ts';

/** A class of data: what one detector finds, and how bad it is in the wrong hands. Policies may speak of all of one severity. */
export const severities = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];
export type DataClass = { id: string; says: string; severity: Severity };

/**
 * INVARIANT (closed by default): what lets somebody take money, an identity or a system (high and critical: cards, secrets, national ids,
 * what an organization itself calls confidential) passes nowhere until somebody says so.
 */
const byDefault: Record<Severity, DlpAction> = { critical: 'block', high: 'block', medium: 'alert', low: 'allow' };
/** Account numbers stand on every invoice, to be paid to: they are told of, not stopped. */
const milder: Readonly<Record<string, DlpAction>> = { iban: 'alert' };
export const defaultAction = (of: DataClass): DlpAction => milder[of.id] ?? byDefault[of.severity];

/** The top class: two people release it from quarantine, whatever policy kept it. */
const isTop = (of: DataClass): boolean => of.severity === 'critical' || of.id === 'payment_card';

/** What an organization has set for a class of data and a phase; what is not there keeps its default. */
export type BaselineLine = { data: string; phase: Phase; action: DlpAction };

/** `data`: ids of classes, `severity:high` for all of one severity, or `any`. Without group or connector: for everybody, everywhere. */
export type PolicyDraft = {
  name: string;
  kind: 'policy' | 'exception';
  group: Id<'grp'> | undefined;
  connector: Id<'con'> | undefined;
  data: readonly string[];
  phases: readonly Phase[];
  action: DlpAction;
  twoPeople: boolean;
};
export type DlpPolicy = PolicyDraft & { id: Id<'dpo'> };

export type FailMode = 'open' | 'closed';
/** The class of a tool, or `none` for content of a run, which has no tool. */
export const failClasses = [...contentClasses, 'none'] as const;
export type FailClass = (typeof failClasses)[number];
export const failClassOf = (of: ContentClass | undefined): FailClass => of ?? 'none';
/** What changes something, or goes somewhere, waits until it could be looked at; reading goes on and says so. */
export const defaultFailMode: Record<FailClass, FailMode> = {
  read: 'open',
  write: 'closed',
  destructive: 'closed',
  none: 'closed',
};

/** What happens with a class of data here and now, and who says so: a policy's id, the org's baseline or our default. */
export type Standing = { action: DlpAction; by: Id<'dpo'> | 'baseline' | 'default'; twoPeople: boolean };
/** Where content is on its way, as far as policies look at it. */
export type Way = { phase: Phase; connector: Id<'con'> | undefined; groups: readonly Id<'grp'>[] };

const speaksOf = (p: DlpPolicy, d: DataClass): boolean =>
  p.data.some((x) => x === 'any' || x === d.id || x === `severity:${d.severity}`);
const fits = (p: DlpPolicy, at: Way): boolean =>
  p.phases.includes(at.phase) &&
  (p.connector === undefined || p.connector === at.connector) &&
  (p.group === undefined || at.groups.includes(p.group));

/**
 * Which action stands for a class of data. Three sentences:
 * 1. The baseline is what the organization has set for the class, else its default.
 * 2. Policies add to it: of the baseline and all policies that fit, the most severe counts.
 * 3. An exception that fits stands in place of all these; of several exceptions the most severe counts.
 */
export function standingOf(
  d: DataClass,
  baseline: readonly BaselineLine[],
  policies: readonly DlpPolicy[],
  at: Way,
): Standing {
  const set = baseline.find((b) => b.data === d.id && b.phase === at.phase);
  const topClass = isTop(d);
  const ground: Standing = {
    action: set?.action ?? defaultAction(d),
    by: set ? 'baseline' : 'default',
    twoPeople: topClass,
  };
  const fitting = policies.filter((p) => fits(p, at) && speaksOf(p, d));
  const exceptions = fitting.filter((p) => p.kind === 'exception');
  const standing = (p: DlpPolicy): Standing => ({
    action: p.action,
    by: p.id,
    twoPeople: topClass || p.twoPeople,
  });
  const severest = (from: readonly Standing[]): Standing | undefined =>
    from.reduce<Standing | undefined>((a, b) => {
      if (a === undefined) return b;
      if (a.action === b.action) return { ...a, twoPeople: a.twoPeople || b.twoPeople };
      return worse(a.action, b.action) === a.action ? a : b;
    }, undefined);
  return (
    severest(exceptions.map(standing)) ??
    severest([ground, ...fitting.filter((p) => p.kind === 'policy').map(standing)]) ??
    ground
  );
}

/** Whether an action can be the org's answer in a phase: nobody can be asked about what has come back already. */
export const possible = (phase: Phase, action: DlpAction): boolean =>
  action !== 'require_approval' || phase === 'arguments';
