import { permissions, type Permission } from '#kernel/permission.ts';
import { memberRoles, type MemberRole } from './member.ts';

/** What anybody with a place in the organization may do. Which approvals are theirs to see or decide is the approvals room's question. */
const everyMember: readonly Permission[] = ['public', 'signed_in', 'org.read', 'connector.read', 'dlp.inspect'];

/** Reads what happened and who may do what, takes the log along, and changes nothing: for auditors, whose independence is their work. */
const auditorsToo: readonly Permission[] = [
  'member.read',
  'trace.read',
  'policy.read',
  'approval.read',
  'audit.read',
  'audit.export',
];

/** The daily work: people below owner, systems, rules, approvals, the log. */
const adminsToo: readonly Permission[] = [
  ...auditorsToo,
  'member.manage',
  'api_key.manage',
  'connector.manage',
  'tool.review',
  'policy.manage',
  'approval.decide',
  'dlp.review',
];

/** What belongs to the parent or can shut everybody out: who owns, where people come from, how they sign in. */
const ownersToo: readonly Permission[] = ['org.manage', 'owner.manage', 'directory.manage', 'sso.manage'];

// `scim` and `agent` are in no list: a directory's token and an access token are not a person's role (their doors judge them).
const granted: Record<MemberRole, ReadonlySet<Permission>> = {
  user: new Set(everyMember),
  auditor: new Set([...everyMember, ...auditorsToo]),
  admin: new Set([...everyMember, ...adminsToo]),
  owner: new Set([...everyMember, ...adminsToo, ...ownersToo]),
  // The primary owner alone may also hand the organization over (transfer-ownership.ts), which is no permission, so that no key can carry it.
  primary_owner: new Set([...everyMember, ...adminsToo, ...ownersToo]),
};

/** Whether a role has a permission. The only place that decides it; docs/generated/access.txt shows the whole matrix. */
export const can = (role: MemberRole, permission: Permission): boolean => granted[role].has(permission);

/** Every permission of a role. */
export const permissionsOf = (role: MemberRole): readonly Permission[] => permissions.filter((p) => can(role, p));

/** The roles that have a permission, highest first: whom a refusal may point to. */
export const rolesWith = (permission: Permission): readonly MemberRole[] =>
  memberRoles.filter((r) => can(r, permission));
