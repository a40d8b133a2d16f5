import type { OutputOf } from '@gatehouse/client/call.ts';
import type { findSettings } from '@gatehouse/client/provisioning.ts';

export type Mode = OutputOf<typeof findSettings>['mode'];
export const modes: readonly Mode[] = [
  'login_only',
  'jit_permissive',
  'jit_advanced',
  'scim_permissive',
  'scim_advanced',
];

/** The five modes: the name, who comes in, who leaves, and who says the role. */
export const modeWord: Record<Mode, { name: string; says: string; comes: string; leaves: string; role: string }> = {
  login_only: {
    name: 'by hand',
    says: 'Administrators add and remove people. The identity provider proves who somebody is, and nothing else.',
    comes: 'Whom an administrator adds.',
    leaves: 'Whom an administrator removes.',
    role: 'By hand.',
  },
  jit_permissive: {
    name: 'at sign-in, everybody',
    says: 'Whoever signs in with an address of your domains becomes a member.',
    comes: 'At the first sign-in, with an address of a domain that is named here and verified.',
    leaves: 'Whom an administrator removes. Who cannot sign in any more stays listed.',
    role: 'By hand; a new member is User.',
  },
  jit_advanced: {
    name: 'at sign-in, mapped groups only',
    says: 'Groups of the sign-in decide who is in and as what.',
    comes: 'At a sign-in with a mapped group.',
    leaves: 'At the next sign-in without a mapped group.',
    role: 'The highest of the mapped groups, at each sign-in.',
  },
  scim_permissive: {
    name: 'directory, everybody',
    says: 'Everybody whom the directory sends becomes a member.',
    comes: 'When the directory sends them.',
    leaves: 'When the directory disables or deletes them; through the brake.',
    role: 'By hand; a new member is User.',
  },
  scim_advanced: {
    name: 'directory, mapped groups only',
    says: 'Groups of the directory decide who is in and as what.',
    comes: 'When the directory puts them into a mapped group.',
    leaves: 'When they leave the last mapped group or the directory; through the brake.',
    role: 'The highest of the mapped groups, at once.',
  },
};
