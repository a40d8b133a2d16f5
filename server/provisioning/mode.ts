import type { GivenRole } from '#org/member.ts';

/** The five ways in which people come into an organization, have roles and leave. Named as administrators of such products know them. */
export const modes = ['login_only', 'jit_permissive', 'jit_advanced', 'scim_permissive', 'scim_advanced'] as const;
export type Mode = (typeof modes)[number];

/** Whether mapped groups say who is in, and as what. */
export const isAdvanced = (mode: Mode): boolean => mode === 'jit_advanced' || mode === 'scim_advanced';
export const isJit = (mode: Mode): boolean => mode === 'jit_permissive' || mode === 'jit_advanced';
export const isScim = (mode: Mode): boolean => mode === 'scim_permissive' || mode === 'scim_advanced';

/** What can happen to a person. */
export const happenings = [
  'login',
  'scim_create',
  'scim_disable',
  'scim_delete',
  'scim_reactivate',
  'group_add',
  'group_remove',
  'manual_add',
  'manual_remove',
  'mode_change',
  'resync',
] as const;
export type Happening = (typeof happenings)[number];

/** Where a membership came from. */
export const sources = ['hand', 'directory', 'sign_in'] as const;
export type Source = (typeof sources)[number];

/** Why somebody left: taken out by an administrator, gone from the directory, or in no mapped group any more. */
export const causes = ['hand', 'directory', 'unmapped'] as const;
export type Cause = (typeof causes)[number];

/** What a mapped group gives. */
export type Grant = { role: GivenRole; tier: string | null };
