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
  {
    at: 'dlp/policies',
    title: 'Policies',
    can: 'policy.read',
    words: 'content data loss exceptions test a text',
    load: () => import('./policies.tsx'),
  },
  { at: 'dlp/policies/new', title: 'New policy', can: 'policy.manage', nav: false, load: () => import('./policy.tsx') },
  {
    at: 'dlp/baseline',
    title: 'Baseline',
    can: 'policy.read',
    words: 'kinds of data classes detectors',
    load: () => import('./classes.tsx'),
  },
  {
    at: 'dlp/detectors',
    title: 'Own detectors',
    can: 'policy.read',
    words: 'terms patterns dictionary exact data',
    load: () => import('./detectors.tsx'),
  },
  {
    at: 'dlp/detectors/new',
    title: 'New detector',
    can: 'policy.manage',
    nav: false,
    load: () => import('./detector.tsx'),
  },
];
