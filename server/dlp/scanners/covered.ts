import type { MemberRole } from '#org/member.ts';
import type { Scanner } from './scanner.ts';

/** Who acts, as far as exclusions ask. Undefined: it could not be found out. */
export type Standing = { role: MemberRole; groups: readonly string[] } | undefined;

/**
 * Whether somebody's content is told to a scanner. `unresolved` is neither: telling might break the promise of an exclusion, and not telling the
 * promise of the inspection. What acts for nobody (keys, jobs) is never excluded.
 */
export function covered(
  s: Pick<Scanner, 'excludedRoles' | 'excludedGroups'>,
  who: Standing | 'machine',
): 'yes' | 'no' | 'unresolved' {
  if (who === 'machine' || (s.excludedRoles.length === 0 && s.excludedGroups.length === 0)) return 'yes';
  if (who === undefined) return 'unresolved';
  return s.excludedRoles.includes(who.role) || s.excludedGroups.some((g) => who.groups.includes(g)) ? 'no' : 'yes';
}

/**
 * Whether an inspection falls into the percentage. `drawn` is a keyed hash of the session, or of the content where there is none: the same
 * conversation is always in or always out, each scanner draws for itself, and nobody can choose content that falls outside.
 */
export const sampled = (percentage: number, drawn: Buffer): boolean =>
  percentage >= 100 || (percentage > 0 && drawn.readUInt32BE(0) < (percentage / 100) * 2 ** 32);
