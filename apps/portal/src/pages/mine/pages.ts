import type { PageEntry } from '../page.ts';

export const minePages: readonly PageEntry[] = [
  { at: 'mine', title: 'Mine', can: 'signed_in', words: 'sessions devices', load: () => import('./mine.tsx') },
];
