/**
 * What an operation may ask for. Who has which is decided in one place, org/roles.ts; docs/generated/access.txt shows the whole matrix.
 * `public` needs nobody, `signed_in` any live user or key, `scim` a directory's token, `agent` an access token of ours.
 */
export const permissions = [
  'public',
  'signed_in',
  'scim',
  'agent',
  'org.read',
  'org.manage',
  'member.read',
  'member.manage',
  'owner.manage',
  'api_key.manage',
  'directory.manage',
  'sso.manage',
  'trace.read',
  'connector.read',
  'connector.manage',
  'tool.review',
  'policy.read',
  'policy.manage',
  'approval.read',
  'approval.decide',
  'dlp.inspect',
  'dlp.review',
  'audit.read',
  'audit.export',
] as const;

export type Permission = (typeof permissions)[number];
