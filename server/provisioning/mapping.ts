import { parseId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { givenRoles, type GivenRole } from '#org/member.ts';
import type { Grant } from './mode.ts';

/** A group gives a role. By id; or by name, which an identity provider may send later. */
export type Mapping = Grant & { id: Id<'map'>; by: { group: Id<'grp'> } | { name: string }; standing: boolean };

export const DEFAULT_PREFIX = 'gatehouse';
/** More would make every change of a group slow, and nobody could say what they do together. */
export const MAX_MAPPINGS = 200;

export const noMapping = (): Problem =>
  new Problem('missing', 'provisioning/no-mapping', {
    says: 'there is no such mapping in this organization',
    fix: 'list the mappings',
  });

/**
 * The names that an administrator can give groups at the identity provider so that they mean a role here without being mapped:
 * `{prefix}-{surface}-{8 hex}-{role}`. The digits are the organization's, so that two organizations never share a name.
 */
export const predefinedName = (o: { prefix: string; surface: string; org: Id<'org'> }, role: GivenRole): string =>
  `${o.prefix}-${o.surface}-${o.org.slice(-8)}-${role}`;

/** INVARIANT (ids stay): plans and events name standing mappings by these numbers. */
const standingNumber: Record<GivenRole, number> = { owner: 0, admin: 1, user: 2, auditor: 3 };

/** The mappings that stand without being made: one for each pre-defined name. */
export const standingMappings = (o: { prefix: string; surface: string; org: Id<'org'> }): Mapping[] =>
  givenRoles.flatMap((role) => {
    const id = parseId('map', `map_${'0'.repeat(31)}${standingNumber[role]}`);
    return id ? [{ id, by: { name: predefinedName(o, role) }, role, tier: null, standing: true }] : [];
  });
