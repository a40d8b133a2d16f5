import { createHmac } from 'node:crypto';
import type { Reader } from '#kernel/db.ts';
import { parseId, type Id } from '#kernel/id.ts';
import type { Seal } from '#kernel/seal.ts';
import { classesWith } from './data-classes.ts';
import { listBaseline, listDlpPolicies, listFailModes } from './dlp-policy.sql.ts';
import {
  defaultFailMode,
  standingOf,
  type BaselineLine,
  type DataClass,
  type DlpPolicy,
  type FailClass,
  type FailMode,
  type Standing,
  type Way,
} from './dlp-policy.ts';
import type { DlpEngine } from './engine.ts';
import type { Looking } from './inspect.ts';
import { listOwnDetectors } from './own-detector.sql.ts';
import { listOpenKept } from './quarantine.sql.ts';
import { scannerOf } from './scanner-of.ts';
import type { Scanner } from './scanner.ts';
import type { Phase } from './verdict.ts';

/** Everything that says what may happen to content of an organization, as of one moment. Immutable; kept for one version of the organization. */
export type DlpView = {
  org: Id<'org'>;
  classes: readonly DataClass[];
  failModes: Readonly<Record<FailClass, FailMode>>;
  engines: readonly DlpEngine[];
  /** What to look with on this way. */
  looking(way: Way): Looking;
  /** What stands for each class of data on this way. */
  standings(way: Way): ReadonlyMap<string, Standing>;
  /** Whether something of this phase may have been kept at all, so that nobody need look for it. */
  mayKeep(phase: Phase): boolean;
  /** Whether something may be kept for a request, by the hash of who asked for what. */
  mayBeKept(same: () => string): boolean;
};

export type DlpParts = {
  org: Id<'org'>;
  baseline: readonly BaselineLine[];
  policies: readonly DlpPolicy[];
  failModes: readonly { class: FailClass; mode: FailMode }[];
  classes: readonly DataClass[];
  scanner: Scanner;
  engines: readonly DlpEngine[];
  kept: readonly string[];
  hashKey: Buffer;
};

/** What stands in a placeholder: our own ids are words, an organization's own class has a name. */
const named = (c: DataClass): string => (parseId('ddt', c.id) ? c.says : c.id.replaceAll('_', ' '));

/** Kept requests remembered per view; of more, the database is asked. */
const MAX_REMEMBERED = 5000;
/** Ways remembered per view: people of an organization are in so many different sets of groups. */
const MAX_WAYS = 2000;

/** Puts a view together. */
export function dlpView(p: DlpParts): DlpView {
  const says = new Map(p.classes.map((c) => [c.id, named(c)]));
  const known = new Map<string, Looking>();
  const hashOf = (match: string): string =>
    createHmac('sha256', p.hashKey).update(match).digest().subarray(0, 16).toString('hex');
  const byGroup = p.policies.some((x) => x.group !== undefined);
  const byConnector = p.policies.some((x) => x.connector !== undefined);
  const looking = (way: Way): Looking => {
    const name = `${way.phase} ${byConnector ? way.connector : ''} ${byGroup ? way.groups.join() : ''}`;
    const remembered = known.get(name);
    if (remembered) return remembered;
    const standings = new Map(p.classes.map((c) => [c.id, standingOf(c, p.baseline, p.policies, way)]));
    const made: Looking = {
      scanner: p.scanner,
      standings,
      quiet: [...standings.values()].every((s) => s.action === 'allow'),
      says,
      hashOf,
    };
    if (known.size >= MAX_WAYS) known.clear();
    known.set(name, made);
    return made;
  };
  const keeping = new Set<Phase>([
    ...p.baseline.filter((b) => b.action === 'quarantine').map((b) => b.phase),
    ...p.policies.filter((x) => x.action === 'quarantine').flatMap((x) => x.phases),
  ]);
  const kept = new Set(p.kept);
  const modes = { ...defaultFailMode };
  for (const { class: of, mode } of p.failModes) modes[of] = mode;
  return {
    org: p.org,
    classes: p.classes,
    failModes: modes,
    engines: p.engines,
    looking,
    standings: (way) => looking(way).standings,
    // An outside engine may say so whatever the policies are.
    mayKeep: (phase) => p.engines.length > 0 || keeping.has(phase),
    mayBeKept: (same) => kept.size > 0 && (kept.size > MAX_REMEMBERED || kept.has(same())),
  };
}

/** Who makes the outside scanners of an organization from its rows. */
export type EnginesOf = (db: Reader) => Promise<readonly DlpEngine[]>;

/** Reads a view of the organization that `db` reads in. Keep it for as long as the organization's version stays the same. */
export async function loadDlpView(
  db: Reader,
  { seal, org, engines }: { seal: Seal; org: Id<'org'>; engines?: EnginesOf | undefined },
): Promise<DlpView> {
  const own = await listOwnDetectors(db, { limit: 'all' });
  return dlpView({
    org,
    classes: classesWith(own),
    baseline: await listBaseline(db),
    policies: await listDlpPolicies(db, { limit: 'all' }),
    failModes: await listFailModes(db),
    scanner: await scannerOf(db, seal, own),
    engines: engines ? await engines(db) : [],
    kept: await listOpenKept(db, MAX_REMEMBERED + 1),
    hashKey: createHmac('sha256', seal.derive('hashes of findings')).update(org).digest(),
  });
}
