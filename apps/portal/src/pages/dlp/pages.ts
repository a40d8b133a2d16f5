import type { PageEntry } from '../page.ts';

export const dlpPages: readonly PageEntry[] = [
  {
    at: 'dlp/findings',
    title: 'Findings',
    can: 'dlp.review',
    words: 'data loss found secrets cards',
    load: () => import('./findings.tsx'),
  },
  {
    at: 'dlp/quarantine',
    title: 'Quarantine',
    can: 'dlp.review',
    words: 'kept review release discard',
    load: () => import('./quarantine.tsx'),
  },
  { at: 'dlp/quarantine/$quarantine', title: 'Kept content', can: 'dlp.review', load: () => import('./kept.tsx') },
];
