import type { Permission } from '#kernel/permission.ts';
import { Problem } from '#kernel/problem.ts';
import type { MemberRole } from './member.ts';
import { rolesWith } from './roles.ts';

/** How many people a refusal names: enough that one of them is there today. */
export const MAX_NAMED = 3;

/**
 * What a role hears that lacks a permission. The gate throws it, and what a person may do is shown with it beforehand, so that a button says
 * what the server would. `people` are some of those who have it.
 */
export function notPermitted(role: MemberRole, needed: Permission, people: readonly { name: string }[]): Problem {
  const roles = rolesWith(needed);
  return new Problem('forbidden', 'org/not-permitted', {
    says: `this needs the permission ${needed}; you are ${role}`,
    fix: roles.length
      ? `the roles with it are ${roles.join(', ')}; ask ${people.map((p) => p.name).join(', ') || 'one of them'}`
      : 'no role has it',
    more: { permission: needed, roles },
  });
}
