import type { Id } from '#kernel/id.ts';
import type { Permission } from '#kernel/permission.ts';
import { Problem } from '#kernel/problem.ts';
import type { User } from './user.ts';

/** From most to least. */
export const memberRoles = ['primary_owner', 'owner', 'admin', 'auditor', 'user'] as const;
export type MemberRole = (typeof memberRoles)[number];

/** A user in an org, with a role. */
export type Member = { id: Id<'mem'>; user: Id<'usr'>; role: MemberRole };

/** A member as people see one: with the account behind it. */
export type MemberUser = Member & Pick<User, 'email' | 'displayName' | 'state' | 'origin'> & { since: Date };

/** The roles that may be given: `primary_owner` only changes hands (transfer-ownership.ts). */
export const givenRoles = ['owner', 'admin', 'auditor', 'user'] as const;
export type GivenRole = (typeof givenRoles)[number];

/** What it takes to give a role to someone, or to take it away: nobody lifts themselves or another above their own reach. */
export const permissionToManage = (role: MemberRole): Permission =>
  role === 'owner' || role === 'primary_owner' ? 'owner.manage' : 'member.manage';

/**
 * INVARIANT (one primary owner): an organization has exactly one primary owner, who is an active user. Removing, demoting and suspending
 * end here; only transfer-ownership.ts moves the role. The index member_primary_owner guards the "at most one" half.
 */
export function refusePrimaryOwner(role: MemberRole, what: 'removed' | 'given another role' | 'suspended'): void {
  if (role !== 'primary_owner') return;
  throw new Problem('conflict', 'org/primary-owner', {
    says: `this is the primary owner, who cannot be ${what}; an organization always has one`,
    fix: 'let the primary owner hand the organization over first (transfer ownership)',
  });
}

/** Refuses when the permissions at hand do not reach as far as this role. */
export function refuseBeyondReach(has: ReadonlySet<Permission>, role: MemberRole): void {
  const needed = permissionToManage(role);
  if (has.has(needed)) return;
  throw new Problem('forbidden', 'org/not-permitted', {
    says: `managing someone with the role ${role} needs the permission ${needed}`,
    fix:
      needed === 'owner.manage' ? 'ask an owner of the organization' : 'ask an admin or an owner of the organization',
    more: { permission: needed },
  });
}

/**
 * Refuses to suspend somebody or let them back in. The account is the parent's, so `roles` are those that the person has in all its
 * organizations; `self`: whoever acts is this person.
 */
export function refuseState(
  to: User['state'],
  { roles, has, self }: { roles: readonly MemberRole[]; has: ReadonlySet<Permission>; self: boolean },
): void {
  for (const role of roles) {
    if (to === 'suspended') refusePrimaryOwner(role, 'suspended');
    refuseBeyondReach(has, role);
  }
  if (self)
    throw new Problem('conflict', 'org/suspend-yourself', {
      says: 'nobody suspends themselves',
      fix: 'sign out, or ask another owner or admin',
    });
}

export const noSuchMember = (): Problem =>
  new Problem('missing', 'org/no-such-member', { says: 'there is no such member in this organization' });
