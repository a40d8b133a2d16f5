export type Role = 'primary_owner' | 'owner' | 'admin' | 'auditor' | 'user';

/** Roles as people read them. */
export const roleWord: Record<Role, string> = {
  primary_owner: 'Primary owner',
  owner: 'Owner',
  admin: 'Admin',
  auditor: 'Auditor',
  user: 'User',
};

/** Roles that are given; the primary owner's changes hands otherwise. */
export const givenRoles = [
  { value: 'owner', label: 'Owner' },
  { value: 'admin', label: 'Admin' },
  { value: 'auditor', label: 'Auditor' },
  { value: 'user', label: 'User' },
] as const;
export type GivenRole = (typeof givenRoles)[number]['value'];
export const isGivenRole = (text: string | null): text is GivenRole => givenRoles.some((r) => r.value === text);

/** How somebody signed in. */
export const methodWord: Record<string, string> = {
  sso: 'Single sign-on',
  id_jag: 'Agent, by assertion',
  passkey: 'Passkey',
  mail_link: 'Mailed link',
  setup_link: 'Set-up link',
};
