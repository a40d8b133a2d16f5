import type { PageEntry } from '../page.ts';

export const directoryPages: readonly PageEntry[] = [
  {
    at: 'directory/members',
    title: 'Members',
    can: 'member.read',
    words: 'people roles suspend remove',
    load: () => import('./members.tsx'),
  },
  { at: 'directory/members/$member', title: 'Member', can: 'member.read', load: () => import('./member.tsx') },
  {
    at: 'directory/mappings',
    title: 'Mappings',
    can: 'member.read',
    words: 'groups roles plan dry run sync near miss',
    load: () => import('./mappings.tsx'),
  },
  {
    at: 'directory/mode',
    title: 'How people come in',
    can: 'member.read',
    words: 'provisioning mode jit scim domains brake',
    load: () => import('./mode.tsx'),
  },
  { at: 'directory/held', title: 'Held removals', can: 'member.read', words: 'brake', load: () => import('./held.tsx') },
  { at: 'directory/removed', title: 'Removed', can: 'member.read', words: 'tombstones', load: () => import('./removed.tsx') },
  { at: 'directory/groups', title: 'Groups', can: 'member.read', load: () => import('./groups.tsx') },
  { at: 'directory/groups/$group', title: 'Group', can: 'member.read', load: () => import('./group.tsx') },
  { at: 'directory/seats', title: 'Seats', can: 'member.read', words: 'licences idle', load: () => import('./seats.tsx') },
  {
    at: 'directory/scim',
    title: 'SCIM',
    can: 'directory.manage',
    words: 'directories tokens push okta entra',
    load: () => import('./scim.tsx'),
  },
  {
    at: 'directory/scim/$directory',
    title: 'Directory',
    can: 'directory.manage',
    load: () => import('./directory-one.tsx'),
  },
  {
    at: 'directory/scim/$directory/journal',
    title: 'Journal',
    can: 'directory.manage',
    load: () => import('./journal.tsx'),
  },
  {
    at: 'directory/scim/$directory/journal/$entry',
    title: 'Request',
    can: 'directory.manage',
    load: () => import('./journal-entry.tsx'),
  },
  {
    at: 'directory/accounts',
    title: 'Accounts by domain',
    can: 'sso.manage',
    words: 'memberships export csv json',
    load: () => import('./memberships.tsx'),
  },
];
