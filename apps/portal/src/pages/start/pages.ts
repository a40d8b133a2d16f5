import type { PageEntry } from '../page.ts';

export const startPages: readonly PageEntry[] = [
  {
    at: 'start',
    title: 'Start',
    can: 'member.read',
    words: 'home board health set up today',
    load: () => import('./start.tsx'),
  },
];
