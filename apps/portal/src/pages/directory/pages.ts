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
  {
    at: 'directory/held',
    title: 'Held removals',
    can: 'member.read',
    words: 'brake',
    load: () => import('./held.tsx'),
  },
  {
    at: 'directory/removed',
    title: 'Removed',
    can: 'member.read',
    words: 'tombstones',
    load: () => import('./removed.tsx'),
  },
];
